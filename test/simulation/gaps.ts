import type { Call } from './call.ts';
import type { Profile, Special, Theme } from './profile.ts';
import { IN_BETWEEN, SPECIAL_ACTS } from './specials.ts';
import type { World } from './world.ts';

/** A place in a pass, or in an intake, at which the world may move before the next request takes effect. */
interface Gap {
  /** As it is counted. */
  readonly name: string;
  /** It opens in runs of this theme alone. */
  readonly theme?: Theme;
  /** It is before this request. */
  readonly isBefore: (call: Call) => boolean;
  /** How often it opens. */
  readonly chance: (profile: Profile) => number;
  /** What somebody does in it; one of these is drawn. */
  readonly acts: readonly Special[];
  /** How often somebody does. */
  readonly busy: number;
  /** From the shortest to the longest that it is (milliseconds). */
  readonly ms: readonly [number, number];
  /** Somebody acts at its beginning: what follows from that falls into it, too. */
  readonly isEarly?: boolean;
  /** The process dies when somebody acts, and its request with it. */
  readonly isDeadly?: boolean;
  /** What somebody then has in mind: the very Job that the request is about, or any of the resource. */
  readonly about: 'its Job' | 'its resource';
}

const isStart = ({ options: { verb, what } }: Call): boolean => verb === 'patch' && what.includes('"suspend":false');
const isLookAt = (plural: string, { options: { verb, what } }: Call): boolean =>
  verb === 'list' && what.startsWith(`${plural} (`) && what.includes('/name=');

/**
 * The gaps between a decision and its effect, and between two looks or two writes that belong together: where a
 * protocol like this one breaks.
 */
const GAPS: readonly Gap[] = [
  {
    name: 'gap before a start',
    isBefore: isStart,
    chance: ({ gaps }) => gaps,
    acts: IN_BETWEEN,
    busy: 1,
    ms: [20, 20_000],
    about: 'its Job',
  },
  {
    // A claim that nobody carries out, and somebody who loses patience.
    name: 'death before a start',
    theme: 'people take over',
    isBefore: isStart,
    chance: ({ gaps }) => 2 * gaps,
    acts: ['Job is resumed by mistake'],
    busy: 1,
    ms: [20, 2_000],
    isEarly: true,
    isDeadly: true,
    about: 'its Job',
  },
  {
    // The deploy starts all the same, and is nobody's by then.
    name: 'resource is replaced before a start',
    theme: 'resources are replaced',
    isBefore: isStart,
    chance: ({ gaps }) => 2 * gaps,
    acts: ['resource is replaced'],
    busy: 1,
    ms: [20, 2_000],
    about: 'its resource',
  },
  {
    // What takes away the reason for ending a deploy, or ends it otherwise.
    name: 'gap before an end',
    isBefore: ({ options: { verb, what } }) => verb === 'delete' && what.startsWith('Job '),
    chance: ({ gaps }) => gaps,
    acts: [
      'Job is deleted',
      'Job is deleted',
      'Job is aborted by name',
      'Job is suspended',
      'environment is frozen or thawed',
      'environment is frozen or thawed',
      'environment is frozen or thawed',
      'spec is edited',
    ],
    busy: 1,
    ms: [20, 20_000],
    isEarly: true,
    about: 'its resource',
  },
  {
    // What was announced, and not carried out.
    name: 'death before an end',
    theme: 'Pods end oddly',
    isBefore: ({ options: { verb, what } }) => verb === 'delete' && what.startsWith('Job '),
    chance: ({ gaps }) => 2 * gaps,
    acts: ['message is sent'],
    busy: 1,
    ms: [20, 2_000],
    isEarly: true,
    isDeadly: true,
    about: 'its resource',
  },
  {
    name: 'gap before the look at the Jobs',
    isBefore: (call) => isLookAt('jobs', call),
    chance: ({ looks }) => looks / 2,
    acts: IN_BETWEEN,
    busy: 0.5,
    ms: [20, 20_000],
    about: 'its resource',
  },
  {
    // Long enough for a Pod to come and go that no look will have shown.
    name: 'gap between the looks at Jobs and Pods',
    isBefore: (call) => isLookAt('pods', call),
    chance: ({ looks }) => looks,
    acts: [
      'Job is resumed by hand',
      'Job is resumed by hand',
      'Job is resumed by hand',
      'Job is suspended',
      'Job is deleted',
      'Pod is deleted',
    ],
    busy: 0.8,
    ms: [2_000, 27_000],
    isEarly: true,
    about: 'its resource',
  },
  {
    name: 'gap before a Job is created',
    isBefore: ({ options: { verb, what } }) =>
      verb === 'create' && what.startsWith('Job ') && !what.includes('dry run'),
    chance: ({ creates }) => creates,
    acts: ['Job is deleted', 'Job is deleted', 'environment is removed or added', 'spec is edited'],
    busy: 0.7,
    ms: [20, 10_000],
    about: 'its Job',
  },
];

/**
 * A request is on its way to the API server: some take their time, and somebody acts meanwhile, soon or just before it
 * arrives.
 */
export function openGap(world: World, call: Call): void {
  if (world.profile.gaps === 0 || world.isDraining) return;
  const { theme: dwelt } = world.profile;
  const gaps = GAPS.filter(({ theme, isBefore }) => (theme === undefined || theme === dwelt) && isBefore(call));
  if (gaps.length === 0) return;
  const random = world.random('gap', world.nextNumber());
  const gap = random.pick(gaps);
  if (!random.chance(gap.chance(world.profile))) return;
  world.trace.count(gap.name);
  const ms = random.magnitude(...gap.ms);
  call.slowDown(ms);
  if (!random.chance(gap.busy)) return;
  const special = random.pick(gap.acts);
  const soon = [1, random.magnitude(1, 1_000)];
  const atMs = random.pick(gap.isEarly ? soon : [...soon, Math.max(1, ms - random.magnitude(1, 30))]);
  world.clock.setTimeout(
    () => {
      if (world.isDraining) return;
      if (gap.isDeadly) {
        call.abandon();
        world.crash(world.replicas.indexOf(call.incarnation), random.magnitude(50, 500));
      }
      world.inMind = meantBy(call, gap.about);
      void SPECIAL_ACTS[special](world, random);
      world.inMind = undefined;
    },
    Math.min(atMs, ms),
  );
}

/** What people do to a deploy that is just ending. */
const AT_AN_END: readonly Special[] = [
  'Job is deleted',
  'Job is deleted',
  'Job is aborted by name',
  'Job is suspended',
  'Job is orphaned',
  'Pod is deleted',
  'Pod is drained',
  'replica crashes',
];

/**
 * A container has exited, and somebody acts on its Job, or its Pod, just then: mostly before any operator has said so.
 */
export function openEnd(world: World, pod: string): void {
  if (world.isDraining) return;
  const random = world.random('end', world.nextNumber());
  if (!random.chance(world.profile.ends)) return;
  world.trace.count('somebody acts at an end');
  const special = random.pick(AT_AN_END);
  world.clock.setTimeout(
    () => {
      if (world.isDraining) return;
      world.inMind = pod.slice(0, pod.lastIndexOf('-'));
      void SPECIAL_ACTS[special](world, random);
      world.inMind = undefined;
    },
    random.magnitude(1, 3_000),
  );
}

/** Jobs are named after their resource: `<resource>-<environment>-…`. */
function meantBy({ options: { what } }: Call, about: Gap['about']): string | undefined {
  const [, job] = /^Job (\S+)/.exec(what) ?? [];
  if (about === 'its Job') return job;
  const resource = /\/name=([^,)]+)/.exec(what)?.[1] ?? job?.split('-')[0];
  return resource && `${resource}-`;
}
