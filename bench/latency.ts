/**
 * From a message to its Job and to its running container, on the embedded default: `npm run bench:latency [messages]
 * [per second]`. Each message has a lane of its own, so none waits for another.
 */
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { pause, quantiles, startRig, until } from './rig.ts';

const messages = Number(process.argv[2] ?? 500);
const perSecond = Number(process.argv[3] ?? 10);
const LANES = 50;

const rig = await startRig();
try {
  const sent = new Map<string, number>();
  const created = new Map<string, number>();
  const running = new Map<string, number>();
  rig.cluster.store.onChange((type, { type: change, object }) => {
    const now = performance.now();
    if (type.storage === 'batch/jobs' && change === 'ADDED') {
      created.set(object.metadata.annotations?.['capdeployjob.dev/revision'] ?? '', now);
    }
    if (type.storage !== '/pods') return;
    const { spec, status } = object as {
      spec?: { containers: { env?: { name: string; value: string }[] }[] };
      status?: { phase?: string };
    };
    if (status?.phase === undefined || status.phase === 'Pending') return;
    const revision = spec?.containers[0]?.env?.find(({ name }) => name === 'REVISION')?.value ?? '';
    if (!running.has(revision)) running.set(revision, now);
  });
  const environments = Array.from({ length: LANES }, (_, i) => `lane-${i}`);
  const queues = await Promise.all(
    Array.from({ length: Math.ceil(messages / LANES) }, (_, i) => rig.deployable(`bench-${i}`, environments)),
  );
  await until(
    'all queues are read',
    60,
    async () => (await rig.metric('capdeployjob_queue_last_poll_age_seconds')) > 0,
  );
  await pause(2000);
  for (let i = 0; i < messages; i++) {
    const revision = `v${i}`;
    const body = JSON.stringify({
      repository: 'bench',
      environment: environments[Math.floor(i / queues.length)],
      revision,
    });
    sent.set(revision, performance.now());
    await rig.sqs.send(new SendMessageCommand({ QueueUrl: queues[i % queues.length], MessageBody: body }));
    await pause(1000 / perSecond);
  }
  await until('all containers have run', 120, async () => running.size >= messages);
  const since = (moments: Map<string, number>) =>
    [...sent].map(([revision, at]) => (moments.get(revision) ?? Number.NaN) - at);
  console.log(`message sent → Job created        ${quantiles(since(created))}`);
  console.log(`message sent → container started  ${quantiles(since(running))}`);
} finally {
  await rig.stop();
}
