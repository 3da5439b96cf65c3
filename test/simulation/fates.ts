import type { Ended } from 'in-memory-kubernetes/kubelet/play-pods.ts';
import { listAt } from 'in-memory-kubernetes/store/json.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';

/** What can become of a Pod's first container, the one that runs Capistrano. */
export const POD_FATES = [
  'succeeds',
  'fails',
  'hangs',
  'never starts',
  'starts late',
  'ends slowly',
  'is started again',
  'is evicted',
  'is refused by its node',
  'fails in an init container',
  'is out of memory',
  'is forgotten by its node',
  'cannot be started',
] as const;
export type PodFate = (typeof POD_FATES)[number];

/** What becomes of the side-car of a Pod that has one, once the first container has ended. */
export const SIDE_FATES = ['ends soon after', 'runs on for a while', 'runs on', 'fails'] as const;
export type SideFate = (typeof SIDE_FATES)[number];

/** As they are counted: each must happen in every larger set of seeds. */
export const KINDS_OF_PODS: readonly string[] = [
  ...POD_FATES.filter((fate) => fate !== 'succeeds').map((fate) => `Pod ${fate}`),
  ...SIDE_FATES.map((fate) => `side-car ${fate}`),
  'native side-car ends',
  'Pod exits 0 when told to end',
  'end of a Pod is reported late',
  'somebody acts at an end',
  // What operators make of it.
  'exit stands in a claim',
  'side-car is ended',
];

/** How a Pod lives, drawn when it is created. Milliseconds. */
export interface Script {
  readonly fate: PodFate;
  readonly startMs: number;
  /** undefined: it hangs until somebody ends it. */
  readonly runMs: number | undefined;
  /** How it ends by itself. */
  readonly end: Ended;
  /** It is started again after its first end: so long after that, and so it ends then. */
  readonly again: { readonly pauseMs: number; readonly runMs: number; readonly end: Ended } | undefined;
  /** From the request to end it until it has ended. */
  readonly endMs: number;
  /** From that request until its first container has ended: no longer. */
  readonly exitMs: number;
  /** From its end until its kubelet lets go of it. */
  readonly letGoMs: number;
  /** It catches SIGTERM, and exits 0. */
  readonly traps: boolean;
  /** From the end of a container until its kubelet says so. */
  readonly reportMs: number;
  /** Of the side-car; undefined: it runs on until it is told to end. */
  readonly side: { readonly fate: SideFate; readonly ms: number | undefined; readonly exitCode: number } | undefined;
  readonly nativeMs: number;
}

const NEVER = 10 ** 9;

export function drawScript(profile: Profile, pod: KubeObject, random: Random, isCalm: boolean): Script {
  const fate = fateFor(pod, isCalm ? 'succeeds' : random.weighted(profile.podFates));
  const startMs = fate === 'never starts' ? NEVER : random.magnitude(20, fate === 'starts late' ? 90_000 : 3_000);
  const runMs = random.magnitude(500, 60_000);
  const endMs = fate === 'ends slowly' ? random.magnitude(1_000, 45_000) : random.magnitude(1, 2_000);
  const again = { pauseMs: random.magnitude(50, 20_000), runMs: random.magnitude(500, 30_000), end: exitOf(random) };
  const traps = random.chance(profile.traps);
  const reportMs = profile.reportMs > 0 && random.chance(0.5) ? random.magnitude(1, profile.reportMs) : 0;
  const hasSide = listAt(pod, 'spec', 'containers').length > 1;
  const sideFate = isCalm ? 'ends soon after' : random.weighted(profile.sideFates);
  return {
    fate,
    startMs,
    runMs: fate === 'hangs' ? undefined : runMs,
    end: endOf(fate, random),
    again: fate === 'is started again' ? again : undefined,
    endMs,
    exitMs: random.magnitude(1, endMs + 1),
    letGoMs: random.chance(0.5) ? 0 : random.magnitude(10, 8_000),
    traps,
    reportMs: isCalm ? 0 : reportMs,
    side: hasSide ? { fate: sideFate, ...lifeOf(sideFate, random) } : undefined,
    nativeMs: random.magnitude(5, 15_000),
  };
}

/** What cannot happen to this Pod does not. */
function fateFor(pod: KubeObject, fate: PodFate): PodFate {
  const hasInit = listAt(pod, 'spec', 'initContainers').some(({ restartPolicy }) => restartPolicy !== 'Always');
  if (fate === 'fails in an init container' && !hasInit) return 'is refused by its node';
  // Its side-car would run all the same.
  if (fate === 'cannot be started' && listAt(pod, 'spec', 'containers').length > 1) return 'fails';
  return fate;
}

function endOf(fate: PodFate, random: Random): Ended {
  switch (fate) {
    case 'fails':
      return { exitCode: 1, message: 'cap aborted!' };
    case 'is out of memory':
      return { exitCode: 137, reason: 'OOMKilled' };
    case 'cannot be started':
      return { exitCode: 128, reason: 'StartError', message: 'exec: "cap": executable file not found in $PATH' };
    case 'is forgotten by its node':
      return random.chance(0.5)
        ? { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located' }
        : { exitCode: 255, reason: 'Unknown' };
    case 'is started again':
      return exitOf(random);
    default:
      return { exitCode: 0 };
  }
}

const exitOf = (random: Random): Ended =>
  random.chance(0.5) ? { exitCode: 0 } : { exitCode: 1, message: 'cap aborted!' };

function lifeOf(fate: SideFate, random: Random): { ms: number | undefined; exitCode: number } {
  if (fate === 'runs on') return { ms: undefined, exitCode: 0 };
  if (fate === 'fails') return { ms: random.magnitude(5, 20_000), exitCode: 2 };
  const ms = fate === 'runs on for a while' ? random.magnitude(2_000, 90_000) : random.magnitude(5, 1_500);
  return { ms, exitCode: 0 };
}
