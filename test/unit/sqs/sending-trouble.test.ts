import { hash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SqsClients } from '../../../src/sqs/clients.ts';
import { taken } from './receiving.ts';

const servers: Server[] = [];
const opened: SqsClients[] = [];
afterEach(() => {
  for (const clients of opened.splice(0)) clients.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** @returns the server's origin, and what it was asked */
async function listen(listener: RequestListener): Promise<{ origin: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.headers['x-amz-target'] ?? 'STS'));
    listener(request, response);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function open(origin: string, roleArn?: string) {
  const clients = new SqsClients();
  opened.push(clients);
  const url = `${origin}/000000000000/q`;
  return clients.openForSending({ url, region: 'us-east-1', roleArn, externalId: 'deploy/web' });
}

const ASSUMED = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
  <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>of-the-role</SessionToken>
  <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

/** Above 2 s for a machine that has other work, below a second try. */
const SOON_MS = 3_900;

describe('a send is one attempt', () => {
  it('of 2 s, if the server never answers', async () => {
    const { origin, asked } = await listen(() => {});
    const queue = open(origin);
    const ms = await taken(() =>
      expect(queue.send('x')).rejects.toMatchObject({ kind: 'unreachable', code: 'TimeoutError' }),
    );
    expect(ms).toBeGreaterThan(1_900);
    expect(ms).toBeLessThan(SOON_MS);
    expect(asked).toEqual(['AmazonSQS.SendMessage']);
  });

  it('of 2 s, if the server begins an answer and does not end it', async () => {
    const { origin } = await listen((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.write('{');
    });
    const queue = open(origin);
    const ms = await taken(() => expect(queue.send('x')).rejects.toMatchObject({ kind: 'unreachable' }));
    expect(ms).toBeLessThan(SOON_MS);
  });

  it('of 2 s, if the role is not assumed in time, and it is not made later', async () => {
    const assuming: (() => void)[] = [];
    const sts = await listen((_, response) => assuming.push(() => response.end(ASSUMED)));
    const sqs = await listen((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ MessageId: 'm', MD5OfMessageBody: hash('md5', 'second') }));
    });
    vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.origin);
    const queue = open(sqs.origin, 'arn:aws:iam::123456789012:role/sender');
    const ms = await taken(() => expect(queue.send('first')).rejects.toMatchObject({ kind: 'unreachable' }));
    expect(ms).toBeLessThan(SOON_MS);
    for (const answer of assuming) answer();
    expect(await queue.send('second')).toEqual({ messageId: 'm' });
    expect(sqs.asked).toEqual(['AmazonSQS.SendMessage']);
  });

  it.each([
    [500, 'InternalError', 'unreachable'],
    [503, 'ServiceUnavailable', 'unreachable'],
    [400, 'ThrottlingException', 'throttled'],
  ])('if the server answers %i %s', async (status, type, kind) => {
    const { origin, asked } = await listen((_, response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message: 'in the test' }));
    });
    await expect(open(origin).send('x')).rejects.toMatchObject({ kind });
    expect(asked).toHaveLength(1);
  });
});

it('a refusal names the rights of a program that sends', async () => {
  const { origin } = await listen((_, response) => {
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: 'com.amazonaws.sqs#AccessDenied', message: 'not authorized' }));
  });
  await expect(open(origin).send('x')).rejects.toMatchObject({
    kind: 'access-denied',
    message: expect.stringMatching(/sqs:SendMessage is needed .*AWS says: not authorized/),
  });
});
