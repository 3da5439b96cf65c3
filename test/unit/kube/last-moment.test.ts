import type { ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { JOBS, type KubeObject } from '../../../src/kube/client.ts';
import type { HttpKubeClient } from '../../../src/kube/http/http-client.ts';
import { ApiServer, clientFor, json } from '../../kit/api-server.ts';
import { until } from '../../kit/eventually.ts';

/** A write that waits for its connection is asked about once more when it gets it. */

let server: ApiServer;
let client: HttpKubeClient;
let granted: boolean;
/** Requests that wait for their answer. */
let waiting: ServerResponse[];

const JOB: KubeObject = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'web', namespace: 'deploy' } };

async function start(): Promise<void> {
  granted = true;
  waiting = [];
  server = await new ApiServer((response) => void waiting.push(response)).listen();
  client = clientFor(server, { maxConnections: 1, mayWrite: () => granted });
}
afterEach(async () => {
  await client.close();
  await server.close();
});

const answerNext = async () => {
  await until(() => expect(waiting).not.toEqual([]));
  json(waiting.shift()!, JOB);
};

test.each<[string, () => Promise<unknown>]>([
  ['create', () => client.create(JOBS, JOB)],
  ['status', () => client.replaceStatus(JOBS, { ...JOB, metadata: { ...JOB.metadata, resourceVersion: '1' } })],
  ['patch', () => client.patch(JOBS, 'deploy', 'web', { uid: 'u', resourceVersion: '1' }, {})],
  ['delete', () => client.delete(JOBS, 'deploy', 'web', { uid: 'u', resourceVersion: '1' })],
])(
  'a %s that was permitted when it was asked for is not sent when that is over by the time it has a connection',
  async (_, write) => {
    await start();
    const first = client.get(JOBS, 'deploy', 'first');
    await until(() => expect(waiting).toHaveLength(1));
    const late = write();
    late.catch(() => {});
    granted = false;
    await answerNext();
    await first;
    await expect(late).rejects.toMatchObject({ name: 'KubeError', kind: 'retryable', status: 0, reason: 'NotLeader' });
    // The connection is as good as before, and reads are none of its business.
    const read = client.get(JOBS, 'deploy', 'after');
    await answerNext();
    await read;
    expect(server.received.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`)).toEqual([
      'GET first',
      'GET after',
    ]);
    expect(server.connections.size).toBe(1);
  },
);

test('one that is permitted is sent', async () => {
  await start();
  const write = client.create(JOBS, JOB);
  await answerNext();
  expect(await write).toEqual(JOB);
});
