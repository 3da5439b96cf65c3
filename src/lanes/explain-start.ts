import {
  type ContainerState,
  type ContainerStatus,
  firstContainerStatus,
  type Job,
  nativeSidecars,
  type Pod,
} from './job.ts';

/** A healthy Pod takes about this long to start. Before that there is nothing to explain. */
export const HEALTHY_START_MS = 2_000;
/** A slower start gets its present stage as its reason, though all may be well. The status has it within 10 s. */
export const SLOW_START_MS = 8_000;

/** The newest Warning Event about a Job or Pod. Its texts can be shown: one line each, redacted. */
export interface Warning {
  readonly reason: string;
  readonly message: string;
  /** When it happened last (epoch milliseconds). */
  readonly at: number;
}

/** What is known of Warning Events. */
export interface Warnings {
  /** The newest one about the Job or Pod of this UID; null: there is none; undefined: not listed yet. */
  about(uid: string): Warning | null | undefined;
}

/** A start whose Pod does not say what it waits for: Events may. */
export interface HangingStart {
  /** Of its Pod, or of its Job as long as there is no Pod. */
  readonly uid: string;
  /** When it started (epoch milliseconds). */
  readonly since: number;
}

/** A started deploy without a running container. */
export interface Start {
  readonly job: Job;
  readonly pod: Pod | undefined;
  /** When it started (epoch milliseconds). */
  readonly since: number;
  /** Epoch milliseconds. */
  readonly now: number;
  /** What the status says of it so far. */
  readonly previousWhy: string | undefined;
  readonly warnings: Warnings;
}

/** Reasons of a waiting container that come and go in a healthy start: they explain nothing. */
const ORDINARY = new Set(['ContainerCreating', 'PodInitializing', '']);

/**
 * True once the first container of a Pod has run, whatever its result: from then on the deploy may have touched the
 * servers. It does not use `phase`: an init container that runs leaves the Pod Pending.
 */
export const containerHasStarted = (pod: Pod): boolean => hasRun(firstContainerStatus(pod));

/** Names of these Pods' init containers that have run, or may have: they come first, and may change things, too. */
export const initContainersThatRan = (pods: readonly Pod[]): string[] =>
  pods.flatMap(({ status }) => (status?.initContainerStatuses ?? []).filter(hasRun).map(({ name }) => name));

const hasRun = (status: ContainerStatus | undefined): boolean =>
  status?.state?.running !== undefined ||
  status?.state?.terminated !== undefined ||
  status?.lastState?.terminated !== undefined;

/**
 * Why a started deploy has no running container yet. In this order: what its Pod's status says; the newest Warning
 * Event, if it is younger than the Pod's last step; its present stage, once the start is slow. The same state has the
 * same words, because each change is a write.
 * @returns why: in words for a person, not bounded; undefined while all is well so far. eventsAbout: the UID about
 * which Events may tell more, once the start takes longer than a healthy one.
 */
export function whyNotRunning(start: Start): { why: string | undefined; eventsAbout: string | undefined } {
  const { job, pod, since, now, previousWhy, warnings } = start;
  const problem = pod && problemInStatus(pod);
  if (problem) return { why: problem, eventsAbout: undefined };
  const isSlow = now - since >= SLOW_START_MS;
  const init = pod && whichInitContainerRuns(pod);
  if (init) return { why: isSlow ? init : undefined, eventsAbout: undefined };

  const { uid } = (pod ?? job).metadata;
  const warning = warnings.about(uid);
  const isNews = warning && (!pod || warning.at >= wholeSeconds(lastStep(pod) ?? 0));
  const why =
    (isNews ? describeWarning(start, warning) : undefined) ??
    // An operator that has just started keeps what was said until it has listed Events.
    (warning === undefined && previousWhy !== undefined && isWarningText(start, previousWhy)
      ? previousWhy
      : undefined) ??
    (isSlow ? currentStage(start) : undefined);
  return { why, eventsAbout: now - since >= HEALTHY_START_MS ? uid : undefined };
}

function problemInStatus(pod: Pod): string | undefined {
  const where = `Pod ${pod.metadata.name}`;
  if (pod.metadata.deletionTimestamp) return terminating(pod);
  const { phase, reason, message } = pod.status ?? {};
  if (phase === 'Failed')
    return `${where} has failed: ${[reason, message].filter(Boolean).join(': ') || 'no words given'}`;
  for (const [kind, { name, state }] of allStatuses(pod)) {
    const { waiting } = state ?? {};
    if (waiting && !ORDINARY.has(waiting.reason ?? '')) {
      return `${where}, ${kind} ${name}: ${[waiting.reason, waiting.message].filter(Boolean).join(': ')}`;
    }
  }
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status === 'False') {
    return `${where} cannot be scheduled: ${scheduled.message ?? scheduled.reason ?? ''}`;
  }
  return undefined;
}

/**
 * A side-car runs as long as its Pod, and delays nothing once it has started.
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
 */
function whichInitContainerRuns(pod: Pod): string | undefined {
  const sideCars = nativeSidecars(pod);
  for (const { name, state, started } of pod.status?.initContainerStatuses ?? []) {
    const isSideCar = sideCars.includes(name);
    if (!state?.running || (isSideCar && started !== false)) continue;
    const since = stamp(time(state.running.startedAt) ?? lastStepOrCreation(pod));
    const rest = isSideCar
      ? ' and is not ready to go on: it is a side-car with a startup probe or a postStart hook'
      : '';
    return `Pod ${pod.metadata.name}: init container ${name} has been running since ${since}${rest}`;
  }
  return undefined;
}

const REFUSED = 'the Pod is refused: ';

/** Pod Security and quota refuse Pods, not Jobs: only an Event of the Job says it. */
function describeWarning(start: Start, { reason, message }: Warning): string {
  if (!start.pod && reason === 'FailedCreate') return `${REFUSED}${message || 'no words given'}`;
  return `${warningPrefix(start)}${[reason, message].filter(Boolean).join(': ')}`;
}

const isWarningText = (start: Start, words: string): boolean =>
  words.startsWith(warningPrefix(start)) || (!start.pod && words.startsWith(REFUSED));

const warningPrefix = ({ job, pod }: Start): string =>
  `${pod ? `Pod ${pod.metadata.name}` : `Job ${job.metadata.name}`}, Warning `;

/**
 * The stages of a start. In each of them all may be well.
 * https://kubernetes.io/docs/concepts/workloads/pods/pod-condition/
 */
function currentStage({ pod, since }: Start): string {
  if (!pod) return `the Job controller has created no Pod since ${stamp(since)}`;
  const where = `Pod ${pod.metadata.name}`;
  const node = pod.spec?.nodeName;
  if (!node) return `${where}: waiting for the scheduler since ${stamp(lastStepOrCreation(pod))}`;
  if (pod.status?.startTime === undefined && allStatuses(pod).length === 0) {
    return `${where}: waiting for the kubelet of node ${node} since ${stamp(lastStepOrCreation(pod))}`;
  }
  const ready = condition(pod, 'PodReadyToStartContainers');
  const before = (pod.status?.initContainerStatuses ?? []).flatMap(({ state }) => momentsOf(state));
  const known = latest([ready?.lastTransitionTime, ...before]);
  const from = stamp(known ?? lastStepOrCreation(pod));
  if (ready?.status !== 'True') {
    // A kubelet before 1.36 says "True" only after it has pulled. https://github.com/kubernetes/kubernetes/pull/134660
    const what =
      'setting up volumes, network and sandbox, or pulling the image (before 1.36 a kubelet does not say which)';
    return `${where}: ${what}, since ${from}`;
  }
  const [kind, { name }] = nextContainer(pod);
  return `${where}: pulling the image of ${kind} ${name}, or creating the container, since ${from}`;
}

type Kind = 'container' | 'init container';

const allStatuses = ({ status }: Pod): [Kind, ContainerStatus][] => [
  ...(status?.initContainerStatuses ?? []).map((each): [Kind, ContainerStatus] => ['init container', each]),
  ...(status?.containerStatuses ?? []).map((each): [Kind, ContainerStatus] => ['container', each]),
];

/** A kubelet starts one container after the other: the init containers, then the others. */
function nextContainer(pod: Pod): [Kind, { name: string }] {
  const init = pod.status?.initContainerStatuses?.find(({ state }) => state?.waiting);
  return init ? ['init container', init] : ['container', pod.spec?.containers?.[0] ?? { name: '' }];
}

const condition = ({ status }: Pod, type: string) => status?.conditions?.find((each) => each.type === type);

/**
 * When the Pod last made a step (epoch milliseconds): a Warning from before that is about the past. The first
 * conditions that a kubelet writes (all are False, and Initialized is True without init containers) are no such step:
 * that a volume is attached elsewhere is said once, maybe before that.
 */
function lastStep(pod: Pod): number | undefined {
  const states = allStatuses(pod).flatMap(([, { state, lastState }]) => [state, lastState]);
  const steps = (pod.status?.conditions ?? []).filter(
    ({ type, status }) => status === 'True' && type !== 'Initialized',
  );
  return latest([...steps.map(({ lastTransitionTime }) => lastTransitionTime), ...states.flatMap(momentsOf)]);
}

const momentsOf = (state: ContainerState | undefined) => [state?.running?.startedAt, state?.terminated?.finishedAt];

const lastStepOrCreation = (pod: Pod): number => lastStep(pod) ?? time(pod.metadata.creationTimestamp) ?? 0;

function latest(moments: readonly (string | undefined)[]): number | undefined {
  const known = moments.map(time).filter((moment) => moment !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}

function time(moment: string | undefined): number | undefined {
  const at = Date.parse(moment ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** Kubernetes cuts times to seconds, those of Events, too: within one second the order is not known. */
const wholeSeconds = (ms: number): number => Math.floor(ms / 1000) * 1000;

const stamp = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** As long as its Job is there, the Job controller keeps a Pod that has not said how it ended, `--force` or not. */
const KEPT_FOR_ITS_JOB = 'batch.kubernetes.io/job-tracking';

/** A Pod that terminates on a dead node never ends, and rightly holds its lane: says how to find out and what to do. */
export function terminating({ metadata, spec }: Pod): string {
  const { name, namespace, finalizers, labels } = metadata;
  const job = finalizers?.includes(KEPT_FOR_ITS_JOB) ? labels?.['batch.kubernetes.io/job-name'] : undefined;
  const remove = (kind: string, each: string) => `kubectl -n ${namespace} delete ${kind} ${each}`;
  const force = `${job ? `${remove('job', job)}; ` : ''}${remove('pod', name)} --force`;
  return spec?.nodeName
    ? `Pod ${name} is terminating on node ${spec.nodeName}; if that node is lost and its deploy surely dead: ${force}`
    : `Pod ${name} is terminating; if it never ends: ${force}`;
}
