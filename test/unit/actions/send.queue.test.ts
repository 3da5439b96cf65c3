import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { chooseQueue } from '../../../src/actions/choose-queue.ts';
import { type DeployMessage, send } from '../../../src/actions/send.ts';
import { aCheckedResource } from '../../kit/builders.ts';
import { nothing, one } from '../sqs/receiving.ts';
import { SqsServer } from '../sqs/sqs-server.ts';
import { AT } from './a-status.ts';

let server: SqsServer;
let broken: Server | undefined;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterEach(() => {
  broken?.closeAllConnections();
  broken?.close();
  broken = undefined;
});
afterAll(() => server.stop());

const MESSAGE: DeployMessage = {
  ...{ id: 'slack-1', repository: 'livesense/web', environment: 'production', revision: 'v1.0.0' },
  ...{ sentAt: AT, requestedBy: 'alice', source: 'slack' },
};

/** From the resource to the queue, as a face goes. */
async function sendBy(url: string): Promise<{ messageId: string }> {
  const resource = aCheckedResource({ spec: { queue: { url } } });
  const rules = { allowedOrigins: new Set([new URL(url).origin]), allowRules: [], defaultRegion: 'us-east-1' };
  const chosen = chooseQueue([resource], { namespace: 'deploy', name: 'web' }, rules);
  const queue = server.clients.openForSending(chosen.settings);
  try {
    return await send({ ...chosen, queue }, MESSAGE, Date.parse(AT));
  } finally {
    queue.close();
  }
}

it('a message is sent to the queue of its resource', async () => {
  const url = await server.createQueue();
  const { messageId } = await sendBy(url);
  expect(await one(server.open(url))).toMatchObject({ messageId, body: JSON.stringify(MESSAGE) });
});

it('the same id twice is one message of a FIFO queue, in the group of its lane', async () => {
  const url = await server.createQueue({ fifo: true });
  for (let times = 0; times < 2; times += 1) await sendBy(url);
  const queue = server.open(url);
  const message = await one(queue);
  expect(message.messageGroupId).toBe('livesense/web/production');
  await queue.delete([message.receiptHandle]);
  expect(await nothing(queue)).toBe(true);
});

it('a server in trouble is asked three times, and the message was perhaps sent', async () => {
  let asked = 0;
  broken = createServer((_, response) => {
    asked += 1;
    response.writeHead(503, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: 'com.amazonaws.sqs#ServiceUnavailable', message: 'down' }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => broken?.once('listening', resolve));
  const { port } = broken.address() as AddressInfo;
  await expect(sendBy(`http://127.0.0.1:${port}/000000000000/q`)).rejects.toMatchObject({ kind: 'unclear' });
  expect(asked).toBe(3);
});
