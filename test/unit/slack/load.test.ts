import { expect, test } from 'vitest';
import { until } from '../../kit/eventually.ts';
import { useSlackRig } from './rig.ts';

/** `TEST_SLACK_LOAD=long vitest run test/unit/slack/load.test.ts` has the numbers of the design. */
const isLong = process.env.TEST_SLACK_LOAD === 'long';
const MENTIONS = isLong ? 2_000 : 300;
const REFRESHES = isLong ? 100 : 10;

const rig = useSlackRig();

const say = () => rig.slack.as('alice').say('deploys', '@capdeploy status').delivered;

test(`${MENTIONS} mentions at once are acknowledged within 3 s, also if every listener hangs`, async () => {
  const { metrics } = await rig.connectedApp({ mention: () => new Promise(() => {}) });
  const start = performance.now();
  const answers = (await Promise.all(Array.from({ length: MENTIONS }, say))).flat();
  if (isLong) console.info(`${MENTIONS} mentions: ${Math.round(performance.now() - start)} ms`);
  // The first delivery each time: Slack repeated nothing.
  expect(answers.filter((one) => one.acknowledged && one.attempt === 0)).toHaveLength(MENTIONS);
  await until(async () =>
    expect(await metrics.text()).toContain(`capdeployjob_slack_ack_seconds_bucket{le="3"} ${MENTIONS}`),
  );
});

test(`two replicas: ${REFRESHES} refreshes leave no envelope unanswered`, async () => {
  const heard: string[] = [];
  const listeners = { mention: async ({ ts }: { ts: string }) => void heard.push(ts) };
  const replicas = [await rig.connectedApp(listeners), await rig.connectedApp(listeners)];
  const answers: object[] = [];
  for (let count = 0; count < REFRESHES; count += 1) {
    const first = say();
    // Sometimes both at once: what is said then has no socket, and Slack repeats it after 3 s.
    const both = isLong && count % 5 === 4;
    for (const socket of rig.slack.sockets().slice(0, both ? 2 : 1)) socket.refresh();
    const second = say();
    await until(() => expect(rig.able()).toBe(2));
    answers.push(...(await first));
    if (both) rig.clock.advance(3_000);
    answers.push(...(await second), ...(await say()), ...(await say()));
    await until(() => expect(replicas.map(({ app }) => app.connected())).toEqual([true, true]));
    // Nothing is on its way now. The old sockets end, and the new ones are of an age at which a refresh is due.
    rig.clock.advance(12_000);
    await until(() => expect(rig.slack.sockets()).toHaveLength(2));
  }
  expect(answers).toHaveLength(REFRESHES * 4);
  const repeated = answers.filter((one) => !('attempt' in one) || one.attempt !== 0);
  if (isLong) expect(repeated.filter((one) => !('attempt' in one))).toEqual([]);
  else expect(repeated).toEqual([]);
  await until(() => expect(new Set(heard).size).toBe(REFRESHES * 4));
  expect(rig.slack.world.violations).toEqual([]);
}, 300_000);
