import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../../dev/local-sqs.ts';
import { SqsClients } from '../../../src/sqs/clients.ts';
import type { Queue } from '../../../src/sqs/queue.ts';
import { one } from '../../unit/sqs/receiving.ts';
import { letGo } from '../processes.ts';
import { type SqsServerProcess, startMiniStack } from './index.ts';

/**
 * `spec.queue.roleArn` against a server that checks signatures, trust policies and rights (MiniStack with AUTH): the
 * queue lies in an account that only the role can read, and the role trusts the operator's account for one external id.
 */

/** MiniStack takes an access key of twelve digits for the account of that number, and any other for its own. */
const ACCOUNT = '123456789012';
const OPERATORS_ACCOUNT = '000000000000';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/reader`;

let server: SqsServerProcess;
let clients: SqsClients;
beforeAll(async () => {
  server = await startMiniStack();
  await createRole();
  await createQueue('q');
  await server.restart({
    AUTH: 'true',
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
  });
  process.env.AWS_ENDPOINT_URL_STS = server.endpoint;
  clients = new SqsClients();
}, 120_000);
afterAll(async () => {
  clients?.close();
  await server?.stop();
  await letGo();
});

/** While nobody checks it, a request needs no more than to say whose it is. */
async function iam(parameters: Record<string, string>): Promise<void> {
  const answer = await fetch(server.endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/20260101/${LOCAL_REGION}/iam/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: new URLSearchParams({ Version: '2010-05-08', ...parameters }),
  });
  if (!answer.ok) throw new Error(`${parameters.Action}: ${await answer.text()}`);
}

async function createRole(): Promise<void> {
  const policy = (statement: object) =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  await iam({
    Action: 'CreateRole',
    RoleName: 'reader',
    AssumeRolePolicyDocument: policy({
      Principal: { AWS: `arn:aws:iam::${OPERATORS_ACCOUNT}:root` },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'sts:ExternalId': 'deploy/web' } },
    }),
  });
  // The rights that docs/install.md names, on this queue alone.
  const rights = ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'];
  await iam({
    Action: 'PutRolePolicy',
    RoleName: 'reader',
    PolicyName: 'read',
    PolicyDocument: policy({
      // At AWS the right to a batch is the right to its one; MiniStack wants it by its own name.
      Action: rights.flatMap((right) => [`sqs:${right}`, `sqs:${right}Batch`]),
      Resource: `arn:aws:sqs:${LOCAL_REGION}:${ACCOUNT}:q`,
    }),
  });
}

async function createQueue(name: string): Promise<void> {
  const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'of the owner' };
  const owner = new SQSClient({ region: LOCAL_REGION, endpoint: server.endpoint, credentials });
  await owner.send(new CreateQueueCommand({ QueueName: name }));
  await owner.send(new SendMessageCommand({ QueueUrl: urlOf(name), MessageBody: 'x' }));
  owner.destroy();
}

const urlOf = (name: string) => `${server.endpoint}/${ACCOUNT}/${name}`;
const open = (roleArn: string | undefined, externalId: string, as = clients): Queue =>
  as.open({ url: urlOf('q'), region: LOCAL_REGION, roleArn, externalId });

const DENIED = { name: 'SqsError', kind: 'access-denied' };
const NOW = { max: 10, waitSeconds: 0, visibilitySeconds: 60 };

it('a queue is read as its role, with all that the operator does, and no more than that', async () => {
  const queue = open(ROLE, 'deploy/web');
  expect(await queue.attributes()).toEqual({ fifo: false, redrive: undefined });
  const { body, receiptHandle } = await one(queue);
  expect(body).toBe('x');
  expect(await queue.changeVisibility([{ receiptHandle, seconds: 30 }])).toEqual([undefined]);
  expect(await queue.delete([receiptHandle])).toEqual([undefined]);
  await expect(queue.send('x')).rejects.toMatchObject(DENIED);
});

it('a role that trusts another external id is refused: a resource of another name cannot borrow it', async () => {
  await expect(open(ROLE, 'other/web').receive(NOW)).rejects.toMatchObject({
    ...DENIED,
    message: expect.stringContaining('sts:AssumeRole'),
  });
});

it('without the role the queue cannot be read', async () => {
  await expect(open(undefined, 'deploy/web').receive(NOW)).rejects.toMatchObject({
    name: 'SqsError',
    kind: expect.stringMatching(/^(access-denied|missing-queue)$/),
  });
});

it('credentials that the server does not accept are told as denied', async () => {
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
  const wrong = new SqsClients();
  try {
    await expect(open(undefined, 'deploy/web', wrong).receive(NOW)).rejects.toMatchObject({
      ...DENIED,
      message: expect.not.stringContaining('AWS4-HMAC-SHA256'),
    });
  } finally {
    wrong.close();
  }
});
