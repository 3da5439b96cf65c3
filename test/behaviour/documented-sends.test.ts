import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SendMessageCommand, type SendMessageCommandInput } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, inWorld } from './world.ts';

/**
 * The commands of README, docs/messages.md and docs/runbook.md that send messages, run by a shell as they stand there.
 * `kubectl` is a stand-in that knows the queue, `aws` one that writes its arguments down: the same call is then made by
 * the SDK, as not every machine has that program.
 */

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const commandsOf = (text: string) =>
  [...text.matchAll(/^```sh\n(.*?)^```$/gms)]
    .map(([, block = '']) => block)
    .filter((block) => block.includes('aws sqs'));

const [BY_REVISION = '', BY_TASK = '', ...noMore] = commandsOf(page('docs/runbook.md'));
const [SHOWN_STANDARD = '', SHOWN_FIFO = '', ...noMoreShown] = commandsOf(page('docs/messages.md'));
const [README_STANDARD = '', ...noMoreInReadme] = commandsOf(page('README.md'));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'capdeployjob-sends-'));
  const programs = {
    // On standard output, which the command does not capture.
    aws: 'for word; do printf "%s\\0" "$word"; done',
    kubectl: '[ "$*" = "-n deploy get cdj web -o jsonpath={.spec.queue.url}" ] && printf %s "$QUEUE_OF_WEB"',
  };
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

const OPTIONS: Record<string, keyof SendMessageCommandInput> = {
  '--queue-url': 'QueueUrl',
  '--message-body': 'MessageBody',
  '--message-group-id': 'MessageGroupId',
  '--message-deduplication-id': 'MessageDeduplicationId',
};

/** @returns the call that a command makes. */
async function callOf(command: string, queue: string): Promise<SendMessageCommandInput> {
  const env = {
    PATH: `${folder}:${process.env.PATH}`,
    ...{ NS: 'deploy', CDJ: 'web', ENV: 'production' },
    ...{ QUEUE_URL: queue, QUEUE_OF_WEB: queue },
  };
  const { stdout } = await promisify(execFile)('sh', ['-euc', command], { env });
  const [service, action, ...words] = stdout.split('\0').slice(0, -1);
  expect([service, action]).toEqual(['sqs', 'send-message']);
  const input: Record<string, string> = {};
  for (let i = 0; i < words.length; i += 2) {
    const [option = '', value = ''] = words.slice(i, i + 2);
    const name = OPTIONS[option];
    if (name === undefined) throw new Error(`"aws sqs send-message" has no option ${option} here`);
    input[name] = value;
  }
  return input as unknown as SendMessageCommandInput;
}

const FIFO = { FifoQueue: 'true' };
const BY_CONTENT = { ...FIFO, ContentBasedDeduplication: 'true' };
const QUEUES: [
  string,
  string,
  Record<string, string> | undefined,
  (call: SendMessageCommandInput) => SendMessageCommandInput,
][] = [
  ['a standard queue', 'web', undefined, (call) => call],
  ['a FIFO queue', 'web.fifo', FIFO, (call) => call],
  ['a FIFO queue with content-based deduplication', 'web.fifo', BY_CONTENT, (call) => call],
  // For who types the command in by hand: the content differs by its id.
  [
    'a FIFO queue with content-based deduplication and no other',
    'web.fifo',
    BY_CONTENT,
    ({ MessageDeduplicationId: _, ...call }) => call,
  ],
];

test('every command of these pages that sends is known here', () => {
  expect([BY_REVISION, BY_TASK, SHOWN_STANDARD, SHOWN_FIFO]).not.toContain('');
  expect([...noMore, ...noMoreShown, ...noMoreInReadme]).toEqual([]);
  expect(README_STANDARD).toBe(SHOWN_STANDARD);
});

const ROLLBACKS = [
  { command: BY_REVISION, asks: { revision: 'v1.0.0', task: 'deploy' } },
  { command: BY_TASK, asks: { task: 'deploy:rollback' } },
];

describe.concurrent('rollbacks, each command twice,', () => {
  test.each(QUEUES)('on %s: each time it is one deploy', (_, name, attributes, change) =>
    inWorld(async (world) => {
      const queue = await world.createQueue(name, attributes);
      await world.deployable('web', queue, { tasks: ['deploy', 'deploy:rollback'] });
      world.startOperator();
      const expected: object[] = [];
      for (const { command, asks } of [...ROLLBACKS, ...ROLLBACKS]) {
        const call = await callOf(command, queue);
        // AWS asks for both on the one kind of queue, and refuses the second on the other, as ElasticMQ does.
        expect([call.MessageGroupId, call.MessageDeduplicationId !== undefined]).toEqual(
          attributes ? ['production', true] : [undefined, false],
        );
        await world.sqs.send(new SendMessageCommand(change(call)));
        expected.unshift({ ...asks, environment: 'production', repository: 'livesense/web', result: 'Succeeded' });
        const history = await eventually(`deploy ${expected.length} has ended`, async () => {
          const entries = (await world.resource('web')).status?.history ?? [];
          return entries.length === expected.length && entries;
        });
        expect(history).toMatchObject(expected);
        expect(new Set(history.map(({ id }) => id)).size).toBe(expected.length);
      }
    })(),
  );
});

test.each([
  ['a standard queue', 'web', undefined, SHOWN_STANDARD],
  ['a FIFO queue', 'web.fifo', FIFO, SHOWN_FIFO],
])('what docs/messages.md sends to %s becomes a deploy', (_, name, attributes, command) =>
  inWorld(async (world) => {
    const queue = await world.createQueue(name, attributes);
    await world.deployable('web', queue);
    world.startOperator();
    await world.sqs.send(new SendMessageCommand(await callOf(command, queue)));
    await eventually('it ends', async () => (await world.resource('web')).status?.history?.[0]?.result === 'Succeeded');
  })(),
);
