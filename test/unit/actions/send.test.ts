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
  failure: SqsErrorKind | undefined;

  async send(body: string, options?: SendOptions): Promise<{ messageId: string }> {
    if (this.failure) throw new SqsError(this.failure, 'TheCode', 'in the test');
    this.sent.push({ body, options });
    return { messageId: 'm-1' };
  }
}

describe('send', () => {
  it('sends what the operator accepts, field by field', async () => {
    const queue = new PlayedQueue();
    expect(await send(queue, false, MESSAGE, resource, NOW)).toEqual({ messageId: 'm-1' });
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
    for (const message of [MESSAGE, MESSAGE, again]) await send(queue, true, message, resource, NOW);
    const [first, second, other] = queue.sent.map(({ options }) => options);
    expect(first).toEqual(second);
    expect(first).toEqual({
      groupId: 'livesense/web/production',
      deduplicationId: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(other).toMatchObject({ groupId: 'livesense/web/staging' });
    await send(queue, false, MESSAGE, resource, NOW);
    expect(queue.sent.at(-1)?.options).toEqual({});
  });

  it('keeps the groups of long names apart, within what SQS takes', async () => {
    const queue = new PlayedQueue();
    const long = 'x'.repeat(140);
    for (const environment of ['production', 'staging']) {
      await send(queue, true, { ...MESSAGE, repository: long, environment }, undefined, NOW);
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
    const sending = send(queue, false, { ...MESSAGE, ...change }, resource, NOW);
    await expect(sending).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining(words) });
    expect(queue.sent).toEqual([]);
  });

  it('nor anything for a resource whose spec is invalid', async () => {
    const broken = aCheckedResource({ spec: { environments: [{ name: 'production', revisions: '(' }] } });
    await expect(send(new PlayedQueue(), false, MESSAGE, broken, NOW)).rejects.toMatchObject({ kind: 'refused' });
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
    queue.failure = failure;
    await expect(send(queue, false, MESSAGE, resource, NOW)).rejects.toMatchObject({
      kind,
      message: 'TheCode: in the test',
    });
  });
});
