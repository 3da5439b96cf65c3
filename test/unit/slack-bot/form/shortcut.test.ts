import { describe, expect, it } from 'vitest';
import { UNKNOWN } from '../../../../src/chat/authorise.ts';
import { ALICE, aWeb, FakeBot } from '../fake-bot.ts';
import { PlayedForm, STATUS } from './played-form.ts';

describe('a global shortcut, which has no channel', () => {
  const opened = async (members: PlayedForm['members'], user = ALICE) => {
    const bot = new FakeBot({ resources: [aWeb(STATUS)] });
    const played = new PlayedForm(bot, { user });
    played.members = members;
    await played.open(undefined, null);
    return { bot, played };
  };

  it('asks for the channel, and names those in which the person may deploy', async () => {
    const { bot, played } = await opened(() => true);
    expect(played.text).toMatchInlineSnapshot(`
      "Channel: [ ▾]
      You may deploy in ⟦#deploys⟧, ⟦#prod⟧"
    `);
    await played.choose('form-channel', 'C0PROD');
    await played.choose('form-environment', 'staging');
    played.fill('form-revision', 'v1.1.0');
    await played.submit();
    expect(bot.queues.sent).toMatchObject([{ message: { slack: { channel: 'C0PROD' } } }]);
    // The person may not be looking at the channel.
    expect(played.text).toContain('Sent to deploy/web.');
  });

  it('takes the only channel that there is', async () => {
    const { played } = await opened((channel) => channel === 'C0PROD');
    expect(played.text).toContain('( ) production 🔒 ( ) staging');
    expect(played.text).toContain('The answer comes in ⟦#prod⟧, for you only');
  });

  it('asks for the channel if Slack does not say whether there are others', async () => {
    const { played } = await opened((channel) => (channel === 'C0PROD' ? true : UNKNOWN));
    expect(played.text).toContain('You may deploy in ⟦#prod⟧');
    expect(played.text).not.toContain('Announced');
  });

  it('refuses if there is none', async () => {
    const { bot, played } = await opened(() => false);
    expect(played.text).toContain('There is no channel of yours');
    expect(played.view.submit).toBeUndefined();
    expect(bot.decisions).toMatchObject([{ outcome: 'noRule' }]);
  });

  it.each([
    ['a channel of which the person is no member', false, 'you are not a member of'],
    ['a channel of which Slack does not say who is in it', UNKNOWN, 'could not ask Slack whether you are a member'],
  ] as const)('refuses %s', async (_, isMember, text) => {
    const { bot, played } = await opened((channel) => (channel === 'C0PROD' ? isMember : true));
    await played.choose('form-channel', 'C0PROD');
    expect(played.text).toContain(text);
    expect(played.text).not.toContain('staging');
    expect(await played.errors()).toEqual({ channel: expect.stringContaining(text) });
    expect(bot.queues.tries).toBe(0);
  });

  it('refuses a channel that no rule names', async () => {
    const { played } = await opened(() => true);
    await played.choose('form-channel', 'C0OTHER');
    expect(played.text).toContain('no rule allows you this here');
  });

  it('refuses who has left the channel before it was submitted', async () => {
    const { bot, played } = await opened(() => true);
    await played.choose('form-channel', 'C0PROD');
    await played.choose('form-environment', 'staging');
    played.fill('form-revision', 'v1.1.0');
    played.members = () => false;
    expect(await played.errors()).toEqual({ repository: expect.stringContaining('not a member') });
    expect(bot.queues.tries).toBe(0);
  });
});
