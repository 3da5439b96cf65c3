import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { SqsError } from '../../src/sqs/errors.ts';
import { Call } from './call.ts';
import { lostRequest } from './kube-port.ts';
import { sendMessage } from './messages.ts';
import { ACTS, deleteByHand, PROPAGATION, somePlace } from './people.ts';
import type { Special } from './profile.ts';
import type { Random } from './random.ts';
import type { Place } from './setting.ts';
import { expiredWatch, Watch } from './watch.ts';
import type { World } from './world.ts';

/** Makes one thing happen that is not the next in order. @returns false where it cannot happen now. */
export type Happening = (world: World, random: Random) => boolean | Promise<boolean>;

/** Requests that have not taken effect yet, of living processes. */
const underWay = (world: World, suits: (call: Call) => boolean = () => true): Call[] =>
  world.tasks.filter(
    (task): task is Call => task instanceof Call && task.stage === 'sent' && !task.isGhost && suits(task),
  );

function oneOf<T>(random: Random, list: readonly T[]): T | undefined {
  return list.length === 0 ? undefined : random.pick(list);
}

const busy = (random: Random): KubeError => {
  const status = random.pick([429, 500, 503, 504]);
  const retryAfterSeconds = status === 429 ? 1 + random.int(3) : undefined;
  return new KubeError('retryable', { status, reason: `HTTP${status}`, message: `HTTP ${status}`, retryAfterSeconds });
};

function withRequest(
  special: Special,
  suits: (call: Call) => boolean,
  act: (call: Call, random: Random) => void,
): Happening {
  return (world, random) => {
    const call = oneOf(random, underWay(world, suits));
    if (call === undefined) return false;
    world.happened(special, call.describe());
    act(call, random);
    return true;
  };
}

function withWatch(special: Special, act: (watch: Watch, world: World, random: Random) => void): Happening {
  return (world, random) => {
    const watch = oneOf(random, [...world.watches]);
    if (watch === undefined) return false;
    world.happened(special, watch.describe());
    act(watch, world, random);
    return true;
  };
}

const isKube = ({ options }: Call): boolean => options.port === 'kube';
const isConditional = (call: Call): boolean =>
  isKube(call) && ['update', 'patch', 'delete'].includes(call.options.verb);

/** Replicas that run, by place. */
const running = (world: World): number[] =>
  world.replicas.flatMap((incarnation, index) => (incarnation && !incarnation.isPaused ? [index] : []));

export const SPECIAL_ACTS: Record<Special, Happening> = {
  'any order': async (world, random) => {
    const tasks = world.possible;
    if (tasks.length < 2) return false;
    const task = random.pick(tasks);
    world.trace.count('any order');
    await world.stepOf(task);
    return true;
  },
  'one event at a time': async (world, random) => {
    const watch = oneOf(
      random,
      world.possible.filter((task) => task instanceof Watch),
    );
    if (watch === undefined) return false;
    world.trace.count('one event at a time');
    world.forget(watch);
    watch.deliverOne();
    watch.unlisted();
    await world.settled();
    return true;
  },
  'time passes': async (world, random) => {
    const ms = random.magnitude(1, random.chance(0.2) ? 45_000 : 2_000);
    world.happened('time passes', `${ms} ms, with ${world.possible.length} things under way`);
    await world.passTime(world.clock.now() + ms);
    return true;
  },
  'message is sent': (world, random) => {
    const place = random.pick(world.setting.places);
    if (place.queue.messages.length >= 14) return false;
    return world.happened(
      'message is sent',
      world.as('somebody', () => sendMessage(world, place, random)),
    );
  },
  'request fails before it takes effect': withRequest(
    'request fails before it takes effect',
    () => true,
    (call) => call.refuse(call.options.lost('ECONNRESET')),
  ),
  'request takes effect, its answer is lost': withRequest(
    'request takes effect, its answer is lost',
    () => true,
    (call) => call.loseAnswer(),
  ),
  'request takes effect late': withRequest(
    'request takes effect late',
    () => true,
    (call, random) => call.becomeLate(random.magnitude(1, 20_000)),
  ),
  'request is slow': withRequest(
    'request is slow',
    () => true,
    (call, random) => call.slowDown(random.magnitude(5, 20_000)),
  ),
  'somebody acts while a write is under way': async (world, random) => {
    const call = oneOf(random, underWay(world, isConditional));
    if (call === undefined) return false;
    world.happened('somebody acts while a write is under way', call.describe());
    const fault = random.pick(['slow', 'late', 'answer lost', 'crash'] as const);
    if (fault === 'slow') call.slowDown(random.magnitude(5, 20_000));
    else if (fault === 'late') call.becomeLate(random.magnitude(5, 20_000));
    else if (fault === 'answer lost') call.loseAnswer();
    else world.crash(world.replicas.indexOf(call.incarnation), random.magnitude(100, 5_000));
    await SPECIAL_ACTS[random.pick(IN_BETWEEN)](world, random);
    return true;
  },
  'API server is busy': withRequest('API server is busy', isKube, (call, random) => call.refuse(busy(random))),
  'write conflicts': withRequest('write conflicts', isConditional, (call) =>
    call.refuse(new KubeError('conflict', { status: 409, reason: 'Conflict', message: 'Conflict: modified' })),
  ),
  'SQS refuses': withRequest(
    'SQS refuses',
    (call) => !isKube(call),
    (call, random) => {
      const throttled = random.chance(0.5);
      const code = throttled ? 'RequestThrottled' : 'AccessDenied';
      call.refuse(new SqsError(throttled ? 'throttled' : 'access-denied', code, code));
    },
  ),
  'watch ends': withWatch('watch ends', (watch) => watch.end()),
  'watch breaks': withWatch('watch breaks', (watch) => watch.end(lostRequest('ECONNRESET'))),
  'watch expires': withWatch('watch expires', (watch) => watch.end(expiredWatch())),
  'watch goes silent': withWatch('watch goes silent', (watch) => watch.goSilent()),
  'watch lags': withWatch('watch lags', (watch, world, random) => lag(world, watch, random)),
  'history is compacted': (world) => {
    world.store.forgetHistory();
    return world.happened('history is compacted', 'etcd forgets what was');
  },
  'API outage': (world, random) => {
    if (world.apiDownUntil > world.clock.now()) return false;
    const ms = random.magnitude(500, 60_000);
    world.apiDownUntil = world.clock.now() + ms;
    for (const watch of [...world.watches]) watch.end(lostRequest('ECONNRESET'));
    return world.happened('API outage', `${ms} ms`);
  },
  'SQS outage': (world, random) => {
    if (world.sqsDownUntil > world.clock.now()) return false;
    const ms = random.magnitude(500, 60_000);
    world.sqsDownUntil = world.clock.now() + ms;
    return world.happened('SQS outage', `${ms} ms`);
  },
  'replica crashes': (world, random) => {
    const index = oneOf(random, running(world));
    if (index === undefined) return false;
    const ms = random.magnitude(100, 60_000);
    world.happened('replica crashes', `${world.replicas[index]!.name}, for ${ms} ms`);
    world.crash(index, ms);
    return true;
  },
  'all replicas crash': (world, random) => {
    const ms = random.magnitude(1_000, 400_000);
    if (running(world).length === 0) return false;
    world.happened('all replicas crash', `for ${ms} ms`);
    for (const index of [0, 1]) world.crash(index, ms);
    return true;
  },
  'replica is stopped': (world, random) => {
    const index = oneOf(random, running(world));
    const incarnation = index === undefined ? undefined : world.replicas[index];
    if (index === undefined || incarnation === undefined || incarnation.isStopping) return false;
    world.happened('replica is stopped', `${incarnation.name} gets SIGTERM`);
    incarnation.isStopping = true;
    const over = (): void => {
      if (world.replicas[index] === incarnation) world.crash(index, 1_000);
    };
    // What a kubelet grants: after that comes SIGKILL.
    world.clock.setTimeout(over, 30_000);
    void incarnation.running?.stop().then(() => world.clock.setTimeout(over, 1));
    return true;
  },
  'replica pauses': (world, random) => {
    const index = oneOf(random, running(world));
    const incarnation = index === undefined ? undefined : world.replicas[index];
    if (incarnation === undefined) return false;
    const ms = random.magnitude(500, 60_000);
    world.happened('replica pauses', `${incarnation.name} stands still for ${ms} ms`);
    incarnation.pause();
    world.clock.setTimeout(() => incarnation.wake(), ms);
    return true;
  },
  'Job controller lags': (world, random) => {
    world.jobControllerLagMs = random.chance(0.4) ? 0 : random.magnitude(10, 3_000);
    return world.happened('Job controller lags', `by ${world.jobControllerLagMs} ms from now on`);
  },
  'Job controller pauses': (world, random) => {
    const ms = random.magnitude(500, 30_000);
    world.jobControllerPausedUntil = world.clock.now() + ms;
    return world.happened('Job controller pauses', `for ${ms} ms`);
  },
  'message is delivered again': (world, random) => {
    const message = oneOf(
      random,
      world.setting.places.flatMap(({ queue }) =>
        queue.messages.filter(({ state, visibleAt }) => state === 'queued' && visibleAt > world.clock.now()),
      ),
    );
    if (message === undefined || message.copies > 3) return false;
    world.happened('message is delivered again', message.messageId);
    queueOf(world, message.messageId).deliverAgain(message);
    return true;
  },
  'message comes after its delete': (world, random) => {
    const message = oneOf(
      random,
      world.setting.places.flatMap(({ queue }) => queue.messages.filter(({ state }) => state === 'deleted')),
    );
    if (message === undefined || message.copies > 3) return false;
    world.happened('message comes after its delete', message.messageId);
    queueOf(world, message.messageId).deliverAgain(message);
    return true;
  },
  ...ACTS,
  'resource is replaced': (world, random) => {
    const place = somePlace(world, random);
    const resource = world.setting.resource(place);
    if (resource === undefined || resource.metadata.deletionTimestamp !== undefined) return false;
    // Who replaces it while a deploy starts lets that run on.
    const policies = world.inMind === undefined ? PROPAGATION : (['Orphan'] as const);
    const propagationPolicy = random.pick(policies);
    deleteByHand(world, CAPDEPLOYJOBS, resource, { propagationPolicy });
    world.happened('resource is replaced', `${place.name}: ${propagationPolicy}`);
    // Some watches are slow to tell, the Job controller may be, and what was on the queue comes once more: for the new
    // one.
    for (const watch of world.watches) if (random.chance(0.5)) lag(world, watch, random);
    if (random.chance(0.3)) SPECIAL_ACTS['Job controller pauses'](world, random);
    for (const message of place.queue.messages) {
      if (message.state === 'deleted' && message.copies <= 3 && random.chance(0.5)) place.queue.deliverAgain(message);
    }
    createWhenGone(world, place, resource.metadata.uid, random);
    return true;
  },
};

/** A resource is created again as soon as the old one is gone, and somebody may ask something of it. */
function createWhenGone(world: World, place: Place, uid: string | undefined, random: Random): void {
  world.clock.setTimeout(
    () => {
      const current = world.setting.resource(place)?.metadata.uid;
      if (world.isDraining || (current !== undefined && current !== uid)) return;
      if (current === uid) return createWhenGone(world, place, uid, random);
      world.setting.create(place);
      if (random.chance(0.5)) SPECIAL_ACTS['message is sent'](world, random);
    },
    random.magnitude(5, 5_000),
  );
}

function lag(world: World, watch: Watch, random: Random): void {
  const ms = random.magnitude(100, 30_000);
  watch.stalledUntil = world.clock.now() + ms;
  // So that the clock stops there.
  world.clock.setTimeout(() => {}, ms);
}

/** What changes what a pass has just decided. */
export const IN_BETWEEN: readonly Special[] = [
  'environment is frozen or thawed',
  'environment is frozen or thawed',
  'spec is edited',
  'Job is approved',
  'Job is deleted',
  'Job is deleted',
  'Job is aborted by name',
  'Job is named, and not deleted',
  'Job is suspended',
  'Job is resumed by hand',
  'message is sent',
  'environment is removed or added',
];

const queueOf = (world: World, messageId: string) =>
  world.setting.places.find(({ queue }) => queue.messages.some((each) => each.messageId === messageId))!.queue;
