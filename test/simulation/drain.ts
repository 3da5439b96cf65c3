import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, PODS } from '../../src/kube/client.ts';
import { checkAccounts } from './accounts.ts';
import { Call } from './call.ts';
import { patchByHand } from './people.ts';
import { type EnvironmentSpec, NAMESPACE } from './setting.ts';
import { SPECIAL_ACTS } from './specials.ts';
import { annotationOf, finishedAs, isPodAlive } from './truth.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/**
 * So long everything has, by the clock, to come to its end once the faults have stopped: deadlines and windows
 * included.
 */
const DRAIN_MS = 45 * 60_000;
/** A condition may turn once more after the last deploy has ended. */
const SETTLE_MS = 100_000;
/**
 * For so long nothing is written at rest (invariant 8); some runs look for longer, for what comes every few minutes.
 */
const REST_MS = 120_000;
const LONG_REST_MS = 12 * 60_000;
/** Rest takes as many steps as all that was before: a part of the runs looks at it. */
const RESTING = 0.3;
const LOOK_MS = 20_000;
const WIND_DOWN_MS = 60_000;

/**
 * The faults stop and time runs on: everything that was begun comes to its end, is accounted for, and then there is
 * rest.
 */
export async function drain(world: World, step: () => Promise<void>): Promise<void> {
  await windDown(world, step);
  world.isDraining = true;
  world.trace.note('all faults stop');
  stopFaults(world);
  const until = world.clock.now() + DRAIN_MS;
  let lookAt = 0;
  for (;;) {
    if (world.clock.now() >= lookAt) {
      helpPeople(world);
      lookAt = world.clock.now() + LOOK_MS;
      if (isQuiet(world)) break;
      if (world.clock.now() > until)
        throw new Violation('liveness', `it does not come to an end: ${whatIsLeft(world)}`);
    }
    await step();
  }
  checkAccounts(world);
  const random = world.random('rest');
  if (!random.chance(RESTING)) return;
  // A window that opens or closes is told in the status: that is no rest.
  editEnvironments(world, ({ windows: _, ...rest }) => rest);
  await run(world, step, SETTLE_MS);
  const before = world.operatorWrites;
  const lines = world.trace.lines.length;
  await run(world, step, random.chance(0.1) ? LONG_REST_MS : REST_MS);
  if (world.operatorWrites > before) {
    const last = world.trace.lines.slice(lines).filter((line) => line.includes('MODIFIED') || line.includes('ADDED'));
    throw new Violation(
      'invariant 8',
      `at rest ${world.operatorWrites - before} writes are made\n${last.slice(0, 4).join('\n')}`,
    );
  }
  checkAccounts(world);
}

/**
 * Where all faults happen at once, hardly any deploy gets far enough to be ended, and where all have stopped, nothing
 * is in its way. In between the gaps go on, with what people do in them, and messages come as they do on any day: one
 * after the other.
 */
async function windDown(world: World, step: () => Promise<void>): Promise<void> {
  if (world.profile.gaps === 0) return;
  stopFaults(world);
  helpPeople(world);
  const random = world.random('winding down');
  for (let count = world.profile.theme === 'the newest wins' ? 8 : random.int(2); count > 0; count -= 1) {
    world.clock.setTimeout(() => void SPECIAL_ACTS['message is sent'](world, random), random.int(WIND_DOWN_MS));
  }
  // A side-car is ended a minute after the container.
  await run(world, step, world.profile.theme === 'Pods end oddly' ? 3 * WIND_DOWN_MS : WIND_DOWN_MS);
}

async function run(world: World, step: () => Promise<void>, ms: number): Promise<void> {
  const until = world.clock.now() + ms;
  while (world.clock.now() < until) await step();
}

function stopFaults(world: World): void {
  world.apiDownUntil = 0;
  world.sqsDownUntil = 0;
  world.jobControllerLagMs = 0;
  world.jobControllerPausedUntil = 0;
  for (const incarnation of world.replicas) if (incarnation?.isPaused) incarnation.wake();
  world.startReplicas();
  for (const watch of world.watches) watch.stalledUntil = 0;
  for (const watch of world.silentWatches) watch.beReset();
  for (const place of world.setting.places) {
    const resource = world.setting.resource(place);
    if (resource === undefined) {
      if (place.queue.left.length > 0) world.setting.create(place);
      continue;
    }
    if (resource.metadata.deletionTimestamp !== undefined) continue;
    const annotations = Object.keys(resource.metadata.annotations ?? {}).map((name) => [name, null]);
    patchByHand(world, CAPDEPLOYJOBS, resource, {
      metadata: { annotations: Object.fromEntries(annotations) },
      spec: { suspend: false },
    });
  }
  editEnvironments(world, ({ suspend: _, ...rest }) => rest);
}

function editEnvironments(world: World, change: (environment: EnvironmentSpec) => EnvironmentSpec): void {
  for (const place of world.setting.places) {
    const resource = world.setting.resource(place);
    if (resource === undefined || resource.metadata.deletionTimestamp !== undefined) continue;
    patchByHand(world, CAPDEPLOYJOBS, resource, { spec: { environments: resource.spec.environments.map(change) } });
  }
}

/** Somebody looks now and then: approves what waits, and frees what a lost node holds. */
function helpPeople(world: World): void {
  for (const place of world.setting.places) {
    if (world.setting.resource(place) === undefined && place.queue.left.length > 0) world.setting.create(place);
  }
  for (const job of world.store.list(JOBS, { namespace: NAMESPACE }).items) {
    if (finishedAs(job) !== undefined) continue;
    // Nobody's any more: its resource was deleted, and it was orphaned.
    if (!job.metadata.ownerReferences?.length && (job.spec as { suspend?: boolean }).suspend === true) {
      world.as('somebody', () =>
        world.store.delete(JOBS, NAMESPACE, job.metadata.name, { propagationPolicy: 'Background' }),
      );
      continue;
    }
    if (annotationOf(job, 'approved-by')) continue;
    patchByHand(world, JOBS, job, { metadata: { annotations: { 'capdeployjob.dev/approved-by': 'bob' } } });
  }
  for (const pod of world.store.list(PODS, { namespace: NAMESPACE }).items) {
    if (!isPodAlive(pod)) continue;
    const { uid = '', name, ownerReferences = [], deletionTimestamp } = pod.metadata;
    const isOrphan = ownerReferences.length === 0 && deletionTimestamp === undefined;
    // No Job's deadline ends an orphan, and no node's word one whose node is lost: the status tells somebody to.
    if (world.nodes.lost.has(uid)) {
      world.as('somebody', () => world.store.delete(PODS, NAMESPACE, name, { gracePeriodSeconds: 0 }));
      // One that its Job still counts stays, and only its node's word, or its node's end, helps.
      world.nodes.comeBack(uid);
    } else if (isOrphan) world.as('somebody', () => world.store.delete(PODS, NAMESPACE, name, {}));
  }
}

interface LaneShape {
  name: string;
  active?: unknown[];
  waiting?: unknown[];
}

const lanesOf = (world: World): LaneShape[] =>
  world.setting.places.flatMap((place) => {
    const { environments = [] } = (world.setting.resource(place)?.status ?? {}) as { environments?: LaneShape[] };
    return environments;
  });

/** Polls and renewals of the Lease there are always; what polls have brought is on the queue as well, hidden. */
const isUnderWay = (world: World): boolean =>
  world.tasks.some((task) => !(task instanceof Call ? isEverlasting(task) : task.describe().endsWith('leases')));

const isEverlasting = ({ options: { verb, what } }: Call): boolean => verb === 'receive' || /^leases? /i.test(what);

function isQuiet(world: World): boolean {
  return (
    !isUnderWay(world) &&
    world.setting.places.every(({ queue }) =>
      queue.left.every(({ visibleAt }) => visibleAt > world.clock.now() + LONG_MS),
    ) &&
    lanesOf(world).every(({ active, waiting }) => !active?.length && !waiting?.length) &&
    world.store.list(JOBS, { namespace: NAMESPACE }).items.every((job) => finishedAs(job) !== undefined) &&
    !world.store.list(PODS, { namespace: NAMESPACE }).items.some(isPodAlive)
  );
}

/**
 * A message that is hidden for longer than anybody holds one is on its way round, to the dead-letter queue or for ever.
 */
const LONG_MS = 10 * 60_000;

function whatIsLeft(world: World): string {
  return JSON.stringify({
    messages: world.setting.places.flatMap(({ queue }) => queue.left.map(({ messageId }) => messageId)),
    lanes: lanesOf(world).filter(({ active, waiting }) => active?.length || waiting?.length),
    jobs: world.store
      .list(JOBS, { namespace: NAMESPACE })
      .items.filter((job) => finishedAs(job) === undefined)
      .map(({ metadata, spec }) => `${metadata.name} ${JSON.stringify((spec as { suspend?: boolean }).suspend)}`),
    pods: world.store
      .list(PODS, { namespace: NAMESPACE })
      .items.filter(isPodAlive)
      .map(({ metadata }) => metadata.name),
    tasks: world.tasks.map((task) => task.describe()).slice(0, 8),
  });
}
