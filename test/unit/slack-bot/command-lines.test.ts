import { describe, expect, it } from 'vitest';
import { CommandLines } from '../../../src/slack-bot/command-lines.ts';
import { NOW } from '../../kit/builders.ts';
import { ALICE, CONFIG, FakeBot, type FakeBotOptions, render } from './fake-bot.ts';

const BOT_USER = 'U0BOT';
const TS = `${NOW / 1000}.000100`;

function aLine(options: FakeBotOptions = {}) {
  const fake = new FakeBot(options);
  const lines = new CommandLines(fake.bot, BOT_USER);
  const mention = (text: string, over: object = {}) =>
    lines.mention({ user: ALICE, channel: 'C0PROD', ts: TS, threadTs: undefined, text, ...over });
  const slash = (text: string, over: object = {}) =>
    lines.slashCommand({ user: ALICE, channel: 'C0PROD', text, triggerId: '1.2.abc', ...over });
  const told = () => fake.voice.whispers.map(({ answer }) => render(answer));
  return { fake, mention, slash, told };
}

const UNDERSTOOD = 'Understood: livesense/web → production v1.0.0\nSent to deploy/web.';

describe('a line that mentions the bot', () => {
  it.each([
    `<@${BOT_USER}> deploy web production v1.0.0`,
    `  <@${BOT_USER}>: deploy -r web -e production -h v1.0.0`,
    `<@${BOT_USER}|capdeploy>、デプロイ web production v1.0.0`,
    `<@${BOT_USER}>\u00a0deploy\u00a0—repo web —env production —hash v1.0.0`,
    `<@${BOT_USER}>\ndeploy web production v1.0.0`,
  ])('is a command: %j', async (text) => {
    const { fake, mention, told } = aLine();
    await mention(text);
    expect(told()).toEqual([UNDERSTOOD]);
    expect(fake.queues.sent[0]?.message).toMatchObject({
      id: `slack-T0TEAM-C0PROD-${TS}`,
      sentAt: '2026-03-10T12:00:00.000Z',
      slack: { channel: 'C0PROD', threadTs: TS },
    });
  });

  it.each([
    `please <@${BOT_USER}> deploy web production v1.0.0`,
    `&gt; <@${BOT_USER}> deploy web production v1.0.0`,
    `<@U0OTHER> <@${BOT_USER}> deploy web production v1.0.0`,
    'deploy web production v1.0.0',
  ])('is none if it begins otherwise: %j', async (text) => {
    const { fake, mention, told } = aLine();
    await mention(text);
    expect(told()).toEqual(['A command begins with my name. help lists the commands.']);
    expect(fake.queues.tries).toBe(0);
  });

  it('is answered where it was said, and its deploy reports in the thread', async () => {
    const { fake, mention } = aLine();
    await mention(`<@${BOT_USER}> deploy web production v1.0.0`, { threadTs: '1.5' });
    expect(fake.voice.whispers[0]?.asker).toEqual({ user: ALICE, channel: 'C0PROD', threadTs: '1.5' });
    expect(fake.queues.sent[0]?.message.slack).toEqual({ channel: 'C0PROD', threadTs: '1.5' });
    await mention(`<@${BOT_USER}> deploy web production v1.0.0`, { ts: '2.5' });
    expect(fake.voice.whispers[1]?.asker).toEqual({ user: ALICE, channel: 'C0PROD', threadTs: undefined });
  });

  it.each([
    ['fly web', 'There is no command fly. help lists them.'],
    ['deploy "web', 'A quote is opened and not closed.'],
    ['queue', 'queue lacks: repository.'],
  ])('says what is wrong with "%s"', async (line, words) => {
    const { mention, told } = aLine();
    await mention(`<@${BOT_USER}> ${line}`);
    expect(told()).toEqual([words]);
  });
});

describe('an event that comes again', () => {
  it('is one deploy and one answer, also while the first is under way', async () => {
    const { fake, mention, told } = aLine();
    const text = `<@${BOT_USER}> deploy web production v1.0.0`;
    await Promise.all([mention(text), mention(text)]);
    await mention(text);
    expect(told()).toEqual([UNDERSTOOD]);
    expect(fake.queues.sent).toHaveLength(1);
  });

  it('has the same id and content in another replica', async () => {
    const [one, two] = [aLine(), aLine()];
    const text = `<@${BOT_USER}> deploy web production v1.0.0 --in 30m`;
    await one.mention(text);
    await two.fake.clock.advance(90_000);
    await two.mention(text);
    expect(two.fake.queues.sent[0]?.message).toEqual(one.fake.queues.sent[0]?.message);
  });

  it('as a slash command has the same id and bounds within the minute, and its own place among requests', async () => {
    const [one, two] = [aLine(), aLine()];
    await one.fake.clock.advance(2_000);
    await two.fake.clock.advance(5_000);
    for (const { slash } of [one, two]) await slash('web production v1.0.0 --in 30m');
    const [first, second] = [one, two].map(({ fake }) => fake.queues.sent[0]?.message);
    expect(second).toMatchObject({ id: first?.id, notBefore: '2026-03-10T12:30:00.000Z' });
    expect(first).toMatchObject({ notBefore: '2026-03-10T12:30:00.000Z', sentAt: '2026-03-10T12:00:02.000Z' });
  });
});

describe('a slash command', () => {
  it.each([
    'web production v1.0.0',
    'deploy web production v1.0.0',
    '-r web -e production -h v1.0.0',
    'DEPLOY web production v1.0.0',
    '\u3000web production v1.0.0',
  ])('may leave out its verb: %j', async (text) => {
    const { fake, slash, told } = aLine();
    await slash(text);
    expect(told()).toEqual([UNDERSTOOD]);
    const { id, slack } = fake.queues.sent[0]?.message ?? {};
    expect({ id, slack }).toEqual({ id: 'slack-T0TEAM-cmd-1.2.abc', slack: { channel: 'C0PROD' } });
  });

  it('with another verb is that command', async () => {
    const { slash, told } = aLine();
    await slash('freeze web');
    expect(told()).toEqual(['freeze lacks: environment, reason.']);
  });

  it('is unfolded once: an entity of an entity stays', async () => {
    const { slash, told } = aLine();
    await slash('fly&amp;lt; production v1.0.0');
    expect(told()[0]).toBe('fly&lt; is not usable as repository.');
  });
});

describe('the limit of a person', () => {
  const config = `${CONFIG}limits: { perUserPerMinute: 2 }\n`;

  it('holds for what changes something, and not for reading', async () => {
    const { fake, mention, told } = aLine({ config });
    const say = async (line: string, ts: string) => await mention(`<@${BOT_USER}> ${line}`, { ts });
    for (const ts of ['1.1', '1.2', '1.3']) await say('deploy web production v1.0.0', ts);
    expect(told().at(-1)).toBe('Nothing was done: more than 2 requests a minute. Try again soon.');
    expect(fake.queues.sent).toHaveLength(2);
    expect(fake.decisions.at(-1)).toMatchObject({ verb: 'deploy', outcome: 'limited' });
    await say('whoami', '1.4');
    expect(told().at(-1)).not.toMatch(/requests a minute/);
    await mention(`<@${BOT_USER}> deploy web production v1.0.0`, { ts: '1.5', user: 'U0BOB' });
    expect(told().at(-1)).not.toMatch(/requests a minute/);
    await fake.clock.advance(61_000);
    await say('deploy web production v1.0.0', '1.6');
    expect(fake.queues.sent).toHaveLength(3);
  });

  it('counts a refused deploy, too', async () => {
    const { mention, told } = aLine({ config });
    for (const ts of ['1.1', '1.2', '1.3']) {
      await mention(`<@${BOT_USER}> deploy web production v1`, { ts, user: 'U0BOB' });
    }
    expect(told().map((words) => words.slice(0, 26))).toEqual([
      ...['Nothing was done: no rule ', 'Nothing was done: no rule ', 'Nothing was done: more tha'],
    ]);
  });
});

it('a mistake of ours is said, and goes on to whoever logs it', async () => {
  const { fake, mention, told } = aLine();
  fake.targets.problem = new TypeError('a mistake');
  await expect(mention(`<@${BOT_USER}> deploy web production v1.0.0`)).rejects.toThrow('a mistake');
  expect(told()).toEqual(['Something went wrong in the bot; its log says what. status shows what was done.']);
});
