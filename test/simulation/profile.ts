import type { PodFate, SideFate } from './fates.ts';
import type { Random } from './random.ts';

/**
 * What kinds of faults and acts there are: each must happen in every larger set of seeds, and main.ts fails where one
 * did not.
 */
export const SPECIALS = [
  'any order',
  'time passes',
  'message is sent',
  'request fails before it takes effect',
  'request takes effect, its answer is lost',
  'request takes effect late',
  'request is slow',
  'somebody acts while a write is under way',
  'API server is busy',
  'write conflicts',
  'watch ends',
  'watch breaks',
  'watch goes silent',
  'watch lags',
  'watch expires',
  'one event at a time',
  'history is compacted',
  'API outage',
  'SQS outage',
  'SQS refuses',
  'replica crashes',
  'all replicas crash',
  'replica is stopped',
  'replica pauses',
  'Job controller lags',
  'Job controller pauses',
  'message is delivered again',
  'message comes after its delete',
  'Job is deleted',
  'Job is deleted in the foreground',
  'Job is orphaned',
  'Job is aborted by name',
  'Job is named, and not deleted',
  'Job is suspended',
  'Job is resumed by hand',
  'Job is resumed by mistake',
  'Job is approved',
  'environment is frozen or thawed',
  'resource is suspended or resumed',
  'spec is edited',
  'environment is removed or added',
  'resource is deleted',
  'resource is created again',
  'resource is replaced',
  'Pod is deleted',
  'Pod is drained',
  'node is lost',
] as const;
export type Special = (typeof SPECIALS)[number];

/** How often each happens where it is enabled, against each other. */
const WEIGHTS: Partial<Record<Special, number>> = {
  'any order': 24,
  'time passes': 10,
  'message is sent': 8,
  'one event at a time': 6,
  'request fails before it takes effect': 3,
  'request takes effect, its answer is lost': 4,
  'request takes effect late': 3,
  'request is slow': 6,
  'somebody acts while a write is under way': 6,
  'replica crashes': 2,
  'Job controller lags': 3,
  'Job is approved': 4,
  'Job is aborted by name': 1.5,
  'Job is resumed by hand': 1.5,
  'Job is resumed by mistake': 0.5,
  'all replicas crash': 0.3,
  'replica is stopped': 0.5,
  'watch goes silent': 0.5,
  'API outage': 0.5,
  'SQS outage': 0.4,
  'resource is deleted': 0.25,
  'resource is created again': 3,
  'resource is replaced': 0.5,
  'history is compacted': 0.5,
  'environment is removed or added': 0.5,
};

/** Those that every run has: without them nothing would happen. */
const ALWAYS: readonly Special[] = ['any order', 'time passes', 'message is sent', 'resource is created again'];

/**
 * Some runs dwell on one kind of trouble: where each kind is rare, two of them hardly ever meet. Each names what
 * happens in every such run, and how much more often.
 */
const THEMES = {
  'resources are replaced': { 'resource is replaced': 8, 'resource is deleted': 6, 'message is sent': 2 },
  'people take over': {
    'message is sent': 2,
    'Job is resumed by hand': 5,
    'Job is suspended': 3,
    'Job is deleted': 3,
    'Job is orphaned': 3,
    'Job is aborted by name': 3,
    'Job is named, and not deleted': 3,
  },
  'acts in between': {
    'somebody acts while a write is under way': 4,
    'request is slow': 3,
    'environment is frozen or thawed': 3,
    'replica crashes': 2,
  },
  'looks take long': { 'message is sent': 3, 'environment is frozen or thawed': 3, 'Job is resumed by hand': 2 },
  'messages come twice': {
    'message is delivered again': 8,
    'message comes after its delete': 4,
    'message is sent': 2,
    'Job is deleted': 3,
    'watch lags': 2,
  },
  'Pods end oddly': {
    'message is sent': 2,
    'Job is suspended': 3,
    'Job is deleted': 3,
    'Job is orphaned': 2,
    'Pod is deleted': 4,
    'Pod is drained': 4,
    'Job controller pauses': 4,
  },
  'the newest wins': {
    'message is sent': 4,
    'time passes': 3,
    'somebody acts while a write is under way': 2,
    'Job is deleted': 1,
  },
} as const satisfies Record<string, Partial<Record<Special, number>>>;
export type Theme = keyof typeof THEMES;

/** One run's mixture: where all faults happen at once, hardly any story gets far enough to matter. */
export interface Profile {
  readonly theme: Theme | undefined;
  readonly replicas: 1 | 2;
  /** Whether they agree on a leader. Without it both work at once, as two leaders would. */
  readonly election: boolean;
  /** How far the second replica's clock is from the world's (milliseconds). */
  readonly skewMs: number;
  /** The share of steps in which something else happens than the next thing in order. */
  readonly unrest: number;
  readonly weights: readonly (readonly [Special, number])[];
  readonly podFates: readonly (readonly [PodFate, number])[];
  readonly sideFates: readonly (readonly [SideFate, number])[];
  /** How many templates have a side-car. */
  readonly sideCars: number;
  /** How many Pods catch SIGTERM, and exit 0. */
  readonly traps: number;
  /** Longest time between the end of a container and its kubelet's word on it (milliseconds). */
  readonly reportMs: number;
  /** Whether the Job controller is one that lets a Job be over before its Pods are: Kubernetes before 1.31. */
  readonly finishesEarly: boolean;
  /** Longest time between the decision to create a Pod and its creation (milliseconds). */
  readonly podLagMs: number;
  /** How often the very request that starts or ends a deploy is slow, and somebody acts meanwhile. */
  readonly gaps: number;
  /** How often somebody acts on a deploy whose container has just exited. */
  readonly ends: number;
  /** How often a pass takes its time from one look to the next. */
  readonly looks: number;
  /** How often it takes its time to create a Job. */
  readonly creates: number;
  /** Messages with an id that was sent before, of all. */
  readonly repeats: number;
  /** How long the garbage collector takes (milliseconds). */
  readonly collectorMs: number;
  readonly maxReceiveCount: number | undefined;
  /** Messages that are invalid, of all. */
  readonly poison: number;
}

const BOUND_TO_HAPPEN = 0.35;

export function drawProfile(random: Random): Profile {
  const theme = random.chance(0.5) ? random.pick(Object.keys(THEMES) as Theme[]) : undefined;
  const more: Partial<Record<Special, number>> = theme === undefined ? {} : THEMES[theme];
  const enabled = SPECIALS.filter(
    (special) => ALWAYS.includes(special) || more[special] !== undefined || random.chance(BOUND_TO_HAPPEN),
  );
  const isEnding = theme === 'the newest wins';
  const isSlow = theme === 'looks take long';
  const isReplacing = theme === 'resources are replaced';
  const isTakenOver = theme === 'people take over';
  const isOdd = theme === 'Pods end oddly';
  const calm = !isEnding && !isOdd && random.chance(0.15);
  const gaps = isEnding ? 0.6 : random.pick(theme === undefined || isReplacing ? [0, 0, 0.1, 0.2] : [0.2, 0.5]);
  return {
    theme,
    // Where another looks meanwhile, its writes refuse those of the one that is slow.
    replicas: random.chance(isSlow ? 0.4 : isEnding ? 0.95 : 0.8) ? 2 : 1,
    election: random.chance(isSlow ? 0.6 : isEnding ? 0.1 : 0.3),
    skewMs: random.chance(0.4) ? random.int(14_000) - 7_000 : 0,
    unrest: random.pick([0.15, 0.3, 0.5]),
    weights: enabled.map(
      (special) => [special, (WEIGHTS[special] ?? 1) * (more[special] ?? 1) * (0.3 + 1.7 * random.next())] as const,
    ),
    podFates: calm ? [['succeeds', 1]] : drawFates(random, isEnding, isOdd),
    sideFates: calm
      ? [['ends soon after', 1]]
      : [
          ['ends soon after', 2],
          ['runs on for a while', 2 * random.next()],
          ['runs on', 3 * random.next()],
          ['fails', 2 * random.next()],
        ],
    sideCars: isOdd ? 0.6 : 0.25,
    traps: calm ? 0 : random.pick([0, 0.3, 0.8]),
    reportMs: calm ? 0 : random.pick(isOdd ? [50, 3_000] : [0, 0, 50, 3_000]),
    finishesEarly: random.chance(isOdd ? 0.5 : 0.2),
    podLagMs: random.pick(isReplacing || isTakenOver ? [2_000, 10_000] : [0, 49, 49, 2_000, 10_000]),
    gaps,
    ends: isOdd ? 0.4 : gaps / 4,
    looks: isSlow ? 0.5 : gaps / 5,
    creates: theme === 'messages come twice' ? 0.5 : gaps / 4,
    repeats: theme === 'messages come twice' ? 0.5 : 0.2,
    collectorMs: random.pick(isReplacing ? [500, 3_000] : [5, 20, 500, 3_000]),
    maxReceiveCount: random.pick([undefined, undefined, 3, 30]),
    poison: random.pick([0, 0.1, 0.3]),
  };
}

/** A Pod that ends by itself need not be ended: where many are to be, many hang. */
function drawFates(random: Random, isEnding: boolean, isOdd: boolean): Profile['podFates'] {
  const odd = isOdd ? 1.5 : 0.5;
  return [
    ['succeeds', 6],
    ['fails', 2 * random.next()],
    ['hangs', isEnding ? 8 : random.next()],
    ['never starts', random.next()],
    ['starts late', random.next()],
    ['ends slowly', 3 * random.next()],
    ['is started again', 2 * odd * random.next()],
    ['is evicted', odd * random.next()],
    ['is refused by its node', odd * random.next()],
    ['fails in an init container', odd * random.next()],
    ['is out of memory', odd * random.next()],
    ['is forgotten by its node', odd * random.next()],
    ['cannot be started', odd * random.next()],
  ];
}
