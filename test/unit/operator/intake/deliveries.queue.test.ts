import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GOOD } from '../../../kit/builders.ts';
import { until } from '../../../kit/eventually.ts';
import { one } from '../../sqs/receiving.ts';
import { SqsServer } from '../../sqs/sqs-server.ts';
import { aRig, peek, type Rig, stopAll } from './rig.ts';

let server: SqsServer;
beforeAll(async () => {
  server = await SqsServer.start();
});
afterAll(async () => {
  await stopAll();
  await server.stop();
});

const annotations = (rig: Rig) =>
  [...rig.cluster.jobs.values()].map(({ metadata }) => metadata.annotations as Record<string, string>);
const MIB = 1024 * 1024;

describe.concurrent('what a queue may do to a message', () => {
  it('delays it: the Job comes when the delay has passed, and the request is as old as its sending', async () => {
    const rig = await aRig(server);
    const before = Date.now();
    await rig.producer.send(JSON.stringify(GOOD), { delaySeconds: 2 });
    const sent = Date.now();
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    expect(Date.now() - before).toBeGreaterThan(900);
    const sentAt = Date.parse(annotations(rig)[0]?.['capdeployjob.dev/sent-at'] ?? '');
    expect(sentAt).toBeGreaterThanOrEqual(before - 1);
    expect(sentAt).toBeLessThanOrEqual(sent + 1);
  });

  it('delivers it again because it was not deleted: it is still the same request', async () => {
    const rig = await aRig(server, { started: false });
    await rig.producer.send(JSON.stringify(GOOD));
    const { messageId } = await one(rig.producer, 1);
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    expect(annotations(rig)[0]?.['capdeployjob.dev/id']).toBe(messageId);
    await until(() => expect(rig.calls).toContain('delete'));
  });

  it('is deleted while it is polled: that is told as lasting, with what to do', async () => {
    const rig = await aRig(server);
    await until(() => expect(rig.cluster.queueStates.at(-1)).toMatchObject({ kind: 'reading' }));
    await server.deleteQueue(rig.url);
    // A server may leave the poll of a deleted queue hanging until our time-out, ten seconds after the wait time.
    await until(
      () =>
        expect(rig.cluster.queueStates.at(-1)).toMatchObject({
          kind: 'failing',
          reason: expect.stringMatching(/^(QueueDoesNotExist|NonExistentQueue)$/),
          lasting: true,
          message: expect.stringContaining('spec.queue.url'),
        }),
      35_000,
    );
  }, 40_000);
});

describe.concurrent('a hostile message', () => {
  it('of 1 MiB is rejected like any other, is cut in the record, and delays no other message', async () => {
    const rig = await aRig(server, { started: false });
    const body = JSON.stringify({ ...GOOD, environment: '' });
    await rig.producer.send(body.replace('""', `"${'x'.repeat(MIB - body.length)}"`));
    await rig.producer.send(JSON.stringify(GOOD));
    rig.poller = rig.start();
    await until(() => expect(rig.cluster.rejections).toMatchObject([{ reason: 'UnknownEnvironment' }]));
    expect(rig.cluster.rejections[0]?.body?.length).toBeLessThan(2_000);
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    await rig.poller.stop();
    expect(await peek(rig.producer, 1)).toEqual([]);
  });

  it('of 1 MiB, most of it of no interest, becomes a Job with what is of interest, cut', async () => {
    const rig = await aRig(server);
    const body = JSON.stringify({ ...GOOD, reason: 'y'.repeat(65_536), other: '' });
    await rig.producer.send(body.replace('""', `"${'x'.repeat(MIB - body.length)}"`));
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    expect(annotations(rig)[0]?.['capdeployjob.dev/reason']).toMatch(/^y{200}/);
    expect(JSON.stringify([...rig.cluster.jobs.values()]).length).toBeLessThan(5_000);
  });

  it('gets no control character into a Job', async () => {
    const rig = await aRig(server);
    const requestedBy = 'al\u0000ice\u001b[31m\u0007\r\nadmin\u202e\u2066';
    await rig.producer.send(JSON.stringify({ ...GOOD, requestedBy }));
    await until(() => expect(rig.cluster.created).toHaveLength(1));
    const text = annotations(rig)[0]?.['capdeployjob.dev/requested-by'];
    expect(text).toMatch(/^al.*ice/);
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
