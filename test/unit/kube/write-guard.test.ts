import { describe, expect, test } from 'vitest';
import { JOBS, type KubeClient, type KubeObject } from '../../../src/kube/client.ts';
import { guardedClient, notLeader } from '../../../src/kube/write-guard.ts';
import { SqsError } from '../../../src/sqs/errors.ts';
import { guardedQueue } from '../../../src/sqs/guarded-queue.ts';
import type { Queue } from '../../../src/sqs/queue.ts';

const JOB: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'web', namespace: 'deploy' } };
const VERSION = { uid: 'u', resourceVersion: '1' };

/** A client that notes what was sent, and answers only when the request is aborted. */
function silentClient() {
  const sent: { verb: string; signal: AbortSignal | undefined }[] = [];
  const hang = (verb: string, signal: AbortSignal | undefined) => {
    sent.push({ verb, signal });
    return new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
  };
  const client: KubeClient = {
    get: (_type, _namespace, _name, options) => hang('get', options?.signal),
    list: (_type, options) => hang('list', options?.signal),
    watch: (_type, { signal }) => {
      sent.push({ verb: 'watch', signal });
      return { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
    },
    create: (_type, _object, options) => hang('create', options?.signal),
    replaceStatus: (_type, _object, options) => hang('replaceStatus', options?.signal),
    patch: (_type, _namespace, _name, _preconditions, _patch, options) => hang('patch', options?.signal),
    delete: (_type, _namespace, _name, _preconditions, options) => hang('delete', options?.signal),
  };
  return { client, sent };
}

const WRITES: [verb: string, write: (client: KubeClient, signal?: AbortSignal) => Promise<unknown>][] = [
  ['create', (client, signal) => client.create(JOBS, JOB, signal && { signal })],
  ['create as a dry run', (client) => client.create(JOBS, JOB, { dryRun: true })],
  ['replaceStatus', (client, signal) => client.replaceStatus(JOBS, JOB, signal && { signal })],
  ['patch', (client, signal) => client.patch(JOBS, 'deploy', 'web', VERSION, {}, signal && { signal })],
  ['delete', (client, signal) => client.delete(JOBS, 'deploy', 'web', VERSION, signal && { signal })],
];
const READS: [verb: string, read: (client: KubeClient, signal?: AbortSignal) => Promise<unknown>][] = [
  ['get', (client, signal) => client.get(JOBS, 'deploy', 'web', signal && { signal })],
  ['list', (client, signal) => client.list(JOBS, signal && { signal })],
];

describe('a client under a guard', () => {
  test.each(WRITES)('sends no %s without it, and asks anew each time', async (_, write) => {
    let granted = false;
    const { client, sent } = silentClient();
    const guarded = guardedClient(client, { granted: () => granted, signal: new AbortController().signal });
    await expect(write(guarded)).rejects.toMatchObject({ name: 'KubeError', kind: 'retryable', reason: 'NotLeader' });
    expect(sent).toEqual([]);
    granted = true;
    void write(guarded);
    expect(sent).toHaveLength(1);
    granted = false;
    await expect(write(guarded)).rejects.toThrow(/not the leader/);
    expect(sent).toHaveLength(1);
  });

  test.each([...WRITES, ...READS])('aborts a %s that is under way when it is withdrawn', async (_, call) => {
    const withdrawn = new AbortController();
    const { client } = silentClient();
    const pending = call(
      guardedClient(client, { granted: () => true, signal: withdrawn.signal }),
      new AbortController().signal,
    );
    withdrawn.abort(notLeader());
    await expect(pending).rejects.toMatchObject({ reason: 'NotLeader' });
  });

  test.each([...WRITES.filter(([verb]) => !verb.includes(' ')), ...READS])(
    'passes the abort of the caller on to a %s',
    async (_, call) => {
      const own = new AbortController();
      const { client } = silentClient();
      const pending = call(
        guardedClient(client, { granted: () => true, signal: new AbortController().signal }),
        own.signal,
      );
      own.abort(new Error('mine'));
      await expect(pending).rejects.toThrow('mine');
    },
  );

  test('reads and watches without it: a follower keeps its caches', async () => {
    const { client, sent } = silentClient();
    const guarded = guardedClient(client, { granted: () => false, signal: new AbortController().signal });
    for (const [, read] of READS) void read(guarded);
    guarded.watch(JOBS, { resourceVersion: '1' });
    expect(sent.map(({ verb }) => verb)).toEqual(['get', 'list', 'watch']);
  });
});

describe('a queue under a guard', () => {
  const options = { max: 10, waitSeconds: 20, visibilitySeconds: 60 };
  const queue: Queue = {
    receive: async () => [],
    delete: async () => [undefined],
    changeVisibility: async () => [undefined],
    attributes: async () => ({ fifo: false, redrive: undefined }),
    send: async () => ({ messageId: 'm' }),
    close: () => {},
  };

  test.each<[string, (queue: Queue) => Promise<unknown>]>([
    ['receives nothing', (guarded) => guarded.receive(options)],
    ['deletes nothing', (guarded) => guarded.delete(['h'])],
    ['hides and shows nothing', (guarded) => guarded.changeVisibility([{ receiptHandle: 'h', seconds: 0 }])],
  ])('%s without it', async (_, call) => {
    await expect(call(guardedQueue(queue, () => false))).rejects.toBeInstanceOf(SqsError);
    await expect(call(guardedQueue(queue, () => false))).rejects.toMatchObject({ code: 'NotLeader' });
    await expect(call(guardedQueue(queue, () => true))).resolves.toBeDefined();
  });

  test('tells its attributes all the same', async () => {
    expect(await guardedQueue(queue, () => false).attributes()).toEqual({ fifo: false, redrive: undefined });
  });
});
