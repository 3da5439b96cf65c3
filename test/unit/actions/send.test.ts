import { describe, expect, it } from 'vitest';
import { type DeployMessage, send } from '../../../src/actions/send.ts';
import { parseMessage } from '../../../src/requests/parse-message.ts';
import { readSpec } from '../../../src/requests/read-spec.ts';
import { SqsError, type SqsErrorKind } from '../../../src/sqs/errors.ts';
import type { SendOptions } from '../../../src/sqs/queue.ts';
import { aCheckedResource } from '../../kit/builders.ts';

const NOW = Date.parse('2026-11-30T09:00:00Z');
const MESSAGE: DeployMessage = {
  id: 'slack-T0TEAM-C0PROD-1764493200.000100',
  repository: 'livesense/web',
  environment: 'production',
  revision: 'v1.0.0',
  sentAt: '2026-11-30T09:00:00.000Z',
  requestedBy: 'slack:T0TEAM/U0ALICE alice',
  reason: 'fixes the basket',
  source: 'slack',
  slack: { channel: 'C0PROD', threadTs: '1764493200.000100' },
};
const resource = aCheckedResource({ spec: { repositories: ['livesense/web'] } });

class PlayedQueue {
  readonly sent: { body: string; options: SendOptions | undefined }[] = [];
  /** How the next sends fail; the last one goes for all that follow. */
  failures: (SqsErrorKind | undefined)[] = [];
  tries = 0;
  code = 'TheCode';

  async send(body: string, options?: SendOptions): Promise<{ messageId: string }> {
    const failure = this.failures[Math.min(this.tries, this.failures.length - 1)];
    this.tries += 1;
    if (failure) throw new SqsError(failure, this.code, 'in the test');
    this.sent.push({ body, options });
    return { messageId: 'm-1' };
  }
}

describe('send', () => {
  it('sends what the operator accepts, field by field', async () => {
    const queue = new PlayedQueue();
    expect(await send({ queue, fifo: false, resource }, MESSAGE, NOW)).toEqual({ messageId: 'm-1' });
    const read = readSpec(resource);
    if ('problem' in read) throw new Error(read.problem);
    const body = queue.sent[0]?.body ?? '';
    const { request } = parseMessage({ messageId: 'm-1', body, senderId: 'AROA', sentTimestamp: NOW }, read, NOW);
    const { messageId: _, senderId: __, task, notBefore, expiresAt, ...fields } = request ?? ({} as never);
    expect(fields).toEqual(MESSAGE);
    expect({ task, notBefore, expiresAt }).toEqual({ task: 'deploy', notBefore: undefined, expiresAt: undefined });
  });

  it('gives a FIFO queue the lane as the group, and one deduplication id for one id', async () => {
    const queue = new PlayedQueue();
    const again = { ...MESSAGE, environment: 'staging' };
    for (const message of [MESSAGE, MESSAGE, again]) await send({ queue, fifo: true, resource }, message, NOW);
    const [first, second, other] = queue.sent.map(({ options }) => options);
    expect(first).toEqual(second);
    expect(first).toEqual({
      groupId: 'livesense/web/production',
      deduplicationId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(other).toMatchObject({ groupId: 'livesense/web/staging' });
    await send({ queue, fifo: false, resource }, MESSAGE, NOW);
    expect(queue.sent.at(-1)?.options).toEqual({});
  });

  it('keeps the groups of long names apart, within what SQS takes', async () => {
    const queue = new PlayedQueue();
    const long = 'x'.repeat(140);
    for (const environment of ['production', 'staging']) {
      await send({ queue, fifo: true, resource: undefined }, { ...MESSAGE, repository: long, environment }, NOW);
    }
    const groups = queue.sent.map(({ options }) => options?.groupId ?? '');
    expect(new Set(groups).size).toBe(2);
    for (const group of groups) expect(group.length).toBeLessThanOrEqual(128);
  });
});

describe('what the operator would reject is not sent', () => {
  it.each<[Partial<DeployMessage>, string]>([
    [{ revision: 'v1;reboot' }, 'deploy/web would reject it (UnsafeRevision): '],
    [{ environment: 'preview' }, '(UnknownEnvironment)'],
    [{ task: 'db:drop' }, '(UnknownTask)'],
    [{ repository: 'livesense/api' }, 'is there another CapDeployJob for it?'],
    [{ notBefore: '2027-11-30T09:00:00Z' }, '(WrongShape)'],
    [{ id: 'two words' }, '(WrongShape)'],
  ])('%j', async (change, words) => {
    const queue = new PlayedQueue();
    const sending = send({ queue, fifo: false, resource }, { ...MESSAGE, ...change }, NOW);
    await expect(sending).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining(words) });
    expect(queue.sent).toEqual([]);
  });

  it('nor anything for a resource that is being deleted', async () => {
    const leaving = aCheckedResource({ metadata: { deletionTimestamp: '2026-11-30T08:59:00Z' } });
    const to = { queue: new PlayedQueue(), fifo: false, resource: leaving };
    await expect(send(to, MESSAGE, NOW)).rejects.toThrow('is being deleted');
  });

  it('nor anything for a resource whose spec is invalid', async () => {
    const broken = aCheckedResource({ spec: { environments: [{ name: 'production', revisions: '(' }] } });
    const to = { queue: new PlayedQueue(), fifo: false, resource: broken };
    await expect(send(to, MESSAGE, NOW)).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('a send that fails', () => {
  it.each<[SqsErrorKind, string]>([
    ['unreachable', 'unclear'],
    ['other', 'unclear'],
    ['aborted', 'unclear'],
    ['access-denied', 'forbidden'],
    ['missing-queue', 'unavailable'],
    ['throttled', 'unavailable'],
    ['no-credentials', 'unavailable'],
    ['expired-credentials', 'unavailable'],
    ['no-region', 'unavailable'],
  ])('%s is %s', async (failure, kind) => {
    const queue = new PlayedQueue();
    queue.failures = [failure];
    await expect(send({ queue, fifo: false, resource }, MESSAGE, NOW)).rejects.toMatchObject({
      kind,
      message: 'TheCode: in the test',
    });
  });

  it('is made again with the same body: the id makes one deploy of both', async () => {
    const queue = new PlayedQueue();
    queue.failures = ['unreachable', 'throttled', undefined];
    expect(await send({ queue, fifo: true, resource }, MESSAGE, NOW)).toEqual({ messageId: 'm-1' });
    expect(JSON.parse(queue.sent[0]?.body ?? '')).toMatchObject({ id: MESSAGE.id });
  });

  it.each<[SqsErrorKind[], number]>([
    [['unreachable', 'access-denied'], 2],
    [['other', 'throttled', 'throttled'], 3],
    [['unreachable'], 3],
  ])('%j may have been taken, whatever came last', async (failures, tries) => {
    const queue = new PlayedQueue();
    queue.failures = failures;
    await expect(send({ queue, fifo: false, resource }, MESSAGE, NOW)).rejects.toMatchObject({ kind: 'unclear' });
    expect(queue.tries).toBe(tries);
  });

  it.each(['ECONNREFUSED', 'ENOTFOUND'])('was not taken if no connection was made: %s', async (code) => {
    const queue = new PlayedQueue();
    queue.failures = ['unreachable'];
    queue.code = code;
    await expect(send({ queue, fifo: false, resource }, MESSAGE, NOW)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(queue.tries).toBe(3);
  });

  it('is not made again if another try gets the same answer', async () => {
    const queue = new PlayedQueue();
    queue.failures = ['access-denied'];
    await expect(send({ queue, fifo: false, resource }, MESSAGE, NOW)).rejects.toMatchObject({ kind: 'forbidden' });
    expect(queue.tries).toBe(1);
  });
});
