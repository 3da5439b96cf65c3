import { describe, expect, it } from 'vitest';
import { ActionError } from '../../../src/actions/action-error.ts';
import { ALICE, FakeBot, FILE_CONFIG, TEAM } from './fake-bot.ts';

const LINE = 'deploy -r web -e production -h v1.0.0';
const asker = { user: ALICE, channel: 'C0PROD', threadTs: '1.2' };

describe('a deploy that is understood', () => {
  it('is sent, as the operator takes it, and repeated in words', async () => {
    const fake = new FakeBot();
    const said = await fake.ask(`${LINE} --reason "fixes the basket" --in 30m`, asker);
    expect(said).toBe(
      'Understood: livesense/web → production v1.0.0, not before 2026-03-10 21:30 GMT+9\nSent to deploy/web.',
    );
    expect(fake.queues.sent.map(({ target, message }) => ({ target, ...message }))).toEqual([
      {
        target: 'deploy/web',
        id: `slack-${TEAM}-test-1`,
        repository: 'livesense/web',
        environment: 'production',
        task: 'deploy',
        revision: 'v1.0.0',
        sentAt: '2026-03-10T12:00:00.000Z',
        notBefore: '2026-03-10T12:30:00.000Z',
        requestedBy: 'slack:T0TEAM/U0ALICE alice',
        reason: 'fixes the basket',
        source: 'slack',
        slack: { channel: 'C0PROD', threadTs: '1.2' },
      },
    ]);
    expect(fake.decisions).toEqual([
      {
        ...{ asker, verb: 'deploy', target: 'deploy/web', environment: 'production', rule: 1 },
        ...{ id: `slack-${TEAM}-test-1`, outcome: 'done' },
      },
    ]);
  });

  it('is answered in the language of the asker', async () => {
    const fake = new FakeBot({ profiles: { [ALICE]: { language: 'ja' } } });
    expect(await fake.ask(LINE)).toBe('依頼内容: livesense/web → production v1.0.0\ndeploy/web に送信しました。');
  });

  it('is sent by a bot outside the cluster', async () => {
    const fake = new FakeBot({ config: FILE_CONFIG });
    expect(await fake.ask(LINE)).toContain('Sent to deploy/web.');
    expect(fake.queues.sent).toHaveLength(1);
  });

  it('says so if the queue is not read', async () => {
    const fake = new FakeBot();
    fake.targets.note = 'QueueNotRead: SQS cannot be reached';
    expect(await fake.ask(LINE)).toBe(
      'Understood: livesense/web → production v1.0.0\nSent to deploy/web.\n' +
        'Its queue is not read just now. The deploy does not start until it is read again: QueueNotRead: SQS cannot be reached',
    );
  });
});

describe('a line that lacks something gets the form, filled in', () => {
  it.each([
    ['deploy', 'deploy lacks: repository, environment, revision.', {}],
    ['deploy web', 'deploy lacks: environment, revision.', { repository: 'web' }],
    [
      'deploy web --in 30m --reason "later"',
      'deploy lacks: environment, revision.',
      { repository: 'web', reason: 'later', notBefore: '2026-03-10T12:30:00.000Z' },
    ],
    ['deploy -h v1', 'deploy lacks: repository, environment.', { revision: 'v1' }],
    [
      'deploy nothing staging v1',
      'There is no nothing that you may use here.',
      { repository: 'nothing', environment: 'staging', revision: 'v1' },
    ],
    [
      'deploy web stagign v1',
      'deploy/web has no environment stagign that you may use here; did you mean staging?',
      { repository: 'web', environment: 'stagign', revision: 'v1' },
    ],
    [
      'deploy web staging -t puma:restart',
      'deploy/web has no task puma:restart; known: deploy.',
      { repository: 'web', environment: 'staging', task: 'puma:restart' },
    ],
  ])('%s', async (line, words, value) => {
    const fake = new FakeBot();
    expect(await fake.ask(line)).toBe(`${words}\n[Open the form]`);
    const [, row] = (await fake.answer(line)).blocks;
    expect(row).toMatchObject({ elements: [{ action_id: 'form', value: JSON.stringify(value) }] });
    expect(fake.queues.sent).toEqual([]);
    expect(fake.decisions.map(({ outcome }) => outcome)).toEqual(['notUnderstood', 'notUnderstood']);
  });
});

describe('a deploy that is not sent', () => {
  it('for lack of a right', async () => {
    const fake = new FakeBot();
    expect(await fake.ask(LINE, { user: 'U0BOB' })).toMatch(/^Nothing was done: no rule allows you this here/);
    expect(fake.queues.tries).toBe(0);
  });

  it.each([
    ['access-denied', 'forbidden', 'Not sent: TheCode: in the test'],
    ['throttled', 'unavailable', 'Not sent: TheCode: in the test'],
    ['unreachable', 'unclear', 'Perhaps sent: no clear answer came. status livesense/web shows whether it was sent.'],
  ] as const)('because SQS answers %s', async (failure, outcome, words) => {
    const fake = new FakeBot();
    fake.queues.failure = failure;
    const said = await fake.ask(LINE);
    expect(said).toContain(words);
    expect(said).not.toContain('Sent to');
    expect(fake.decisions).toMatchObject([{ outcome, rule: 1 }]);
  });

  it('and a bot that sees no cluster sends nobody to a command that it does not have', async () => {
    const fake = new FakeBot({ config: FILE_CONFIG });
    fake.queues.failure = 'unreachable';
    expect(await fake.ask(LINE)).toContain(
      'no clear answer came. The status of the CapDeployJob shows whether it was sent.',
    );
  });

  it('because its queue must not be used', async () => {
    const fake = new FakeBot();
    fake.targets.problem = new ActionError('refused', 'QueueShared: other/web reads it, too');
    expect(await fake.ask(LINE)).toBe(
      'Understood: livesense/web → production v1.0.0\nNot sent: QueueShared: other/web reads it, too',
    );
    expect(fake.decisions).toMatchObject([{ outcome: 'refused' }]);
  });

  it('an error of our own is not called an answer of SQS', async () => {
    const fake = new FakeBot();
    fake.targets.problem = new TypeError('a mistake');
    await expect(fake.ask(LINE)).rejects.toThrow('a mistake');
  });
});
