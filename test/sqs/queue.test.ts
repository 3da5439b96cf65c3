import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SqsClients } from '../../src/sqs/clients.ts';
import { SqsError, toSqsError } from '../../src/sqs/errors.ts';
import type { Queue, QueueMessage } from '../../src/sqs/queue.ts';
import { SqsServer } from './local-queue.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(() => server.stop());

const NOW = { max: 10, waitSeconds: 0, visibilitySeconds: 60 };

async function one(queue: Queue, visibilitySeconds = 60): Promise<QueueMessage> {
  const [message] = await queue.receive({ max: 1, waitSeconds: 5, visibilitySeconds });
  if (!message) throw new Error('nothing received');
  return message;
}

describe('a queue', () => {
  it('gives a message with everything that the operator looks at', async () => {
    const queue = server.open(await server.createQueue());
    const before = Date.now();
    const { messageId } = await queue.send('{"a": "ünï"}');
    const message = await one(queue);
    expect(message).toEqual({
      messageId,
      receiptHandle: expect.any(String),
      body: '{"a": "ünï"}',
      senderId: '000000000000',
      sentTimestamp: expect.any(Number),
      receiveCount: 1,
      messageGroupId: undefined,
    });
    expect(message.sentTimestamp).toBeGreaterThanOrEqual(before - 1);
  });

  it('gives an empty list where nothing came', async () => {
    const queue = server.open(await server.createQueue());
    expect(await queue.receive(NOW)).toEqual([]);
  });

  it('gives the message group of a FIFO queue', async () => {
    const queue = server.open(await server.createQueue({ fifo: true }));
    await queue.send('x', { groupId: 'A', deduplicationId: '1' });
    expect((await one(queue)).messageGroupId).toBe('A');
    expect(await queue.attributes()).toEqual({ fifo: true, redrive: undefined });
  });

  it('deletes messages for good, and a second delete does no harm', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('x');
    const { receiptHandle } = await one(queue, 1);
    expect(await queue.delete([receiptHandle])).toEqual([undefined]);
    await queue.delete([receiptHandle]);
    expect(await queue.receive({ ...NOW, waitSeconds: 2 })).toEqual([]);
  });

  it('makes a message visible again at once, and counts the receive', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('x');
    const { receiptHandle } = await one(queue);
    expect(await queue.changeVisibility([{ receiptHandle, seconds: 0 }])).toEqual([undefined]);
    expect((await one(queue)).receiveCount).toBe(2);
  });

  it('says of each entry of a batch whether it worked, in batches of more than ten too', async () => {
    const queue = server.open(await server.createQueue());
    await queue.send('x');
    const { receiptHandle } = await one(queue);
    const changes = [...Array(11).fill('no such handle'), receiptHandle].map((handle) => ({
      receiptHandle: handle,
      seconds: 30,
    }));
    const outcomes = await queue.changeVisibility(changes);
    expect(outcomes).toHaveLength(12);
    expect(outcomes[11]).toBeUndefined();
    for (const outcome of outcomes.slice(0, 11)) expect(outcome).toBeInstanceOf(SqsError);
  });

  it('tells its redrive policy', async () => {
    const dead = await server.createQueue();
    const queue = server.open(await server.createQueue({ redriveTo: dead, maxReceiveCount: 7 }));
    const name = dead.split('/').at(-1);
    expect(await queue.attributes()).toEqual({
      fifo: false,
      redrive: { maxReceiveCount: 7, dlqArn: `arn:aws:sqs:us-east-1:000000000000:${name}` },
    });
  });

  it('that is missing says so, with what to do', async () => {
    const queue = server.open(`${server.endpoint}/000000000000/missing`);
    await expect(queue.receive(NOW)).rejects.toMatchObject({
      name: 'SqsError',
      kind: 'missing-queue',
      code: 'QueueDoesNotExist',
      message: expect.stringContaining('spec.queue.url'),
    });
  });

  it('gives its clients back with its last user only: the poll of another goes on', async () => {
    const clients = new SqsClients();
    const settings = {
      region: 'us-east-1',
      roleArn: undefined,
      externalId: 'deploy/web',
      url: await server.createQueue(),
    };
    const first = clients.open(settings);
    const second = clients.open(settings);
    await second.receive(NOW);
    const poll = one(second);
    // A round trip later the poll has been sent.
    await server.open(settings.url).attributes();
    first.close();
    first.close();
    await server.open(settings.url).send('x');
    expect((await poll).body).toBe('x');
    second.close();
    clients.close();
  });
});

describe('a server in trouble', () => {
  let fake: Server | undefined;
  afterEach(() => fake?.close());

  async function open(listener: RequestListener): Promise<Queue> {
    fake = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => fake?.once('listening', resolve));
    const { port } = fake.address() as AddressInfo;
    return server.clients.open({
      url: `http://127.0.0.1:${port}/000000000000/q`,
      region: 'us-east-1',
      roleArn: undefined,
      externalId: 'a/b',
    });
  }

  const answer =
    (status: number, type: string, message: string): RequestListener =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message }));
    };

  it.each([
    [
      400,
      'AccessDenied',
      'User: arn:aws:iam::1:user/x is not authorized to perform: sqs:receivemessage',
      'access-denied',
    ],
    [403, 'InvalidClientTokenId', 'The security token included in the request is invalid', 'access-denied'],
    [400, 'ThrottlingException', 'Rate exceeded', 'throttled'],
    [503, 'ServiceUnavailable', 'down', 'unreachable'],
    [500, 'Whatever', 'broken', 'unreachable'],
    [400, 'SomethingNew', 'no', 'other'],
  ])('that answers %i %s (%s) is told as %s', async (status, type, message, kind) => {
    const queue = await open(answer(status, type, message));
    await expect(queue.receive(NOW)).rejects.toMatchObject({ name: 'SqsError', kind });
    queue.close();
  });

  it('that cannot be reached is told as unreachable', async () => {
    const queue = await open(() => {});
    await new Promise((resolve) => fake?.close(resolve));
    await expect(queue.receive(NOW)).rejects.toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    queue.close();
  });

  it('never gets a secret into an error text', () => {
    const secret = 'IQoJb3JpZ2luX2VjEJr'.repeat(10);
    for (const name of ['SignatureDoesNotMatch', 'ReceiptHandleIsInvalid', 'AccessDenied', 'Odd']) {
      const { message } = toSqsError(Object.assign(new Error(`token ${secret} handle`), { name }));
      expect(message).not.toContain(secret.slice(0, 100));
    }
  });

  it('ends a poll by the signal, and says so', async () => {
    const queue = server.open(await server.createQueue());
    const controller = new AbortController();
    const poll = queue.receive({ ...NOW, waitSeconds: 20, signal: controller.signal });
    controller.abort();
    await expect(poll).rejects.toMatchObject({ kind: 'aborted' });
  });
});

describe('the way out', () => {
  it('is the proxy of the environment, except where NO_PROXY names the host', async () => {
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(request.url ?? '');
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const { port } = proxy.address() as AddressInfo;
    const settings = { region: 'us-east-1', roleArn: undefined, externalId: 'a/b' };
    process.env.HTTP_PROXY = `http://127.0.0.1:${port}`;
    process.env.NO_PROXY = '127.0.0.1';
    const clients = new SqsClients();
    try {
      const far = clients.open({ ...settings, url: 'http://sqs.invalid/000000000000/q' });
      expect(await far.receive(NOW)).toEqual([]);
      expect(seen).toEqual(['http://sqs.invalid/']);
      const near = clients.open({ ...settings, url: await server.createQueue() });
      expect(await near.receive(NOW)).toEqual([]);
      expect(seen).toHaveLength(1);
    } finally {
      delete process.env.HTTP_PROXY;
      delete process.env.NO_PROXY;
      clients.close();
      proxy.close();
    }
  });

  it('is as the role of the resource, assumed once with its external id, where it names one', async () => {
    const requests: string[] = [];
    const tokens: unknown[] = [];
    const sts = createServer(async (request, response) => {
      const body = (await request.toArray()).join('');
      if (request.headers['x-amz-target']) {
        tokens.push(request.headers['x-amz-security-token']);
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
        return response.end('{}');
      }
      requests.push(body);
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.end(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
        <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>of-the-role</SessionToken>
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => sts.once('listening', resolve));
    const endpoint = `http://127.0.0.1:${(sts.address() as AddressInfo).port}`;
    process.env.AWS_ENDPOINT_URL_STS = endpoint;
    const clients = new SqsClients();
    try {
      const roleArn = 'arn:aws:iam::123456789012:role/reader';
      const url = `${endpoint}/000000000000/q`;
      const queue = clients.open({ url, region: 'eu-west-1', roleArn, externalId: 'deploy/web' });
      await queue.receive(NOW);
      await queue.delete(['handle']);
      expect(tokens).toEqual(['of-the-role', 'of-the-role']);
      expect(requests).toHaveLength(1);
      const asked = new URLSearchParams(requests[0]);
      expect(asked.get('RoleArn')).toBe(roleArn);
      expect(asked.get('ExternalId')).toBe('deploy/web');
    } finally {
      delete process.env.AWS_ENDPOINT_URL_STS;
      clients.close();
      sts.close();
    }
  });
});
