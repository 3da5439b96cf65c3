import { hash } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { SqsClients } from '../../../src/sqs/clients.ts';
import { toSqsError } from '../../../src/sqs/errors.ts';
import type { Queue } from '../../../src/sqs/queue.ts';
import { NOW } from './receiving.ts';

const clients = new SqsClients();
afterAll(() => clients.close());

describe('a server in trouble', () => {
  let fake: Server | undefined;
  afterEach(() => fake?.close());

  async function open(listener: RequestListener): Promise<Queue> {
    fake = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => fake?.once('listening', resolve));
    const { port } = fake.address() as AddressInfo;
    return clients.open({
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

  it.each([
    ['ExpiredToken', 'The security token included in the request is expired'],
    [
      'CredentialsProviderError',
      'The SSO session associated with this profile has expired. To refresh this SSO session run aws sso login with the corresponding profile.',
    ],
    ['CredentialsProviderError', 'Failed to load a token for session x, please re-authenticate using aws login'],
  ])('whose credentials were good once is told apart from none: %s, %s', (name, message) => {
    expect(toSqsError(Object.assign(new Error(message), { name }))).toMatchObject({
      kind: 'expired-credentials',
      message: `the AWS credentials have expired: renew the session (aws sso login), keys or web identity token that the operator was given (${name})`,
    });
    const none = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
    expect(toSqsError(none).kind).toBe('no-credentials');
  });

  it.each([
    ['true', true],
    ['a list', [5]],
    ['a power of ten', '1e1'],
    ['a fraction', 1.5],
    ['nought', 0],
  ])('whose redrive policy counts with %s has none that is known', async (_, maxReceiveCount) => {
    const policy = JSON.stringify({ maxReceiveCount, deadLetterTargetArn: 'arn:aws:sqs:us-east-1:1:dead' });
    const queue = await open((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ Attributes: { RedrivePolicy: policy } }));
    });
    expect((await queue.attributes()).redrive).toBeUndefined();
    queue.close();
  });

  it('whose stamps are no digits is taken for one that has none', async () => {
    const queue = await open((_, response) => {
      const Attributes = { SentTimestamp: '0x19000000000', ApproximateReceiveCount: '1e2' };
      const message = { MessageId: 'm', ReceiptHandle: 'r', Body: 'x', MD5OfBody: hash('md5', 'x'), Attributes };
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ Messages: [message] }));
    });
    expect(await queue.receive(NOW)).toMatchObject([{ sentTimestamp: undefined, receiveCount: 1 }]);
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
});
