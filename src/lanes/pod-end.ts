import type { Deployed, Exit } from '../api/capdeployjob.ts';
import { OUTCOME, type OutcomeReason, TRACES } from '../api/reasons.ts';
import { boundedKeepingTheEnd, boundedStored } from '../text/truncate.ts';
import { readDeployed } from './deployed.ts';
import { initContainersThatRan } from './explain-start.ts';
import {
  type ContainerState,
  firstContainerName,
  firstContainerStatus,
  isAlive,
  nativeSidecars,
  type Pod,
} from './job.ts';

/** How the deploy of one Pod ended, as far as one version of the Pod tells. Texts are raw: redact them to keep them. */
export interface PodEnd {
  /** Name of the Pod. */
  readonly pod: string;
  /** How often the first container was started again: the exit before that is not the end. */
  readonly restarts: number;
  /** The first container has run. */
  readonly hasRun: boolean;
  /** Its phase is final. */
  readonly isOver: boolean;
  /** The first container exited by itself. */
  readonly exit?: Deployed & { readonly code: number; readonly reason: OutcomeReason; readonly finishedAt?: string };
  /** What ended the Pod, if the first container did not exit by itself. */
  readonly cause?: OutcomeReason;
  /** The kubelet says so. It needs no order for that, and may have ended the containers before it says anything. */
  readonly byKubelet?: true;
  /** The first container exited with 0 after it had been told to end: that is no success. */
  readonly succeededTooLate?: true;
  /** Another container failed by itself: which one, and how. */
  readonly sidecarFailed?: string;
  /** What the Pod says of its end, and of which container. */
  readonly words?: string;
  /** The end of the log of the container that `words` names: the kubelet puts it into the termination message. */
  readonly log?: string;
}

type Terminated = NonNullable<ContainerState['terminated']>;

/** Reads how the deploy of a Pod ended, and why. Pure. The rule, and its proofs, are rule 14 of ../../docs/lanes.md. */
export function podEnd(pod: Pod): PodEnd {
  const status = firstContainerStatus(pod);
  const base = {
    pod: pod.metadata.name,
    restarts: status?.restartCount ?? 0,
    hasRun: hasRun(pod),
    isOver: !isAlive(pod),
  };
  const terminated = terminatedOf(status?.state);
  if (terminated && exitedByItself(pod, terminated)) {
    const exit = exitOf(terminated);
    const { words, log } = describeEnd(pod, firstContainerName(pod), terminated);
    const before = exit.reason === OUTCOME.containerNotStarted ? initContainersThatRan([pod]) : [];
    const done = before.length > 0 ? `; init containers (${before.join(', ')}) ran, and may have done things` : '';
    return { ...base, exit, words: `${words}${done}`, ...(log ? { log } : {}), ...sidecarOf(pod) };
  }
  const cause = causeOf(pod);
  if (!cause) return base;
  const late = terminated && describeLateExit(pod, terminated);
  return {
    ...base,
    cause: cause.reason,
    ...(isKubelets(pod) ? { byKubelet: true } : {}),
    words: [cause.words, late].filter(Boolean).join('; '),
    ...(terminated?.exitCode === 0 ? { succeededTooLate: true } : {}),
    ...logOf(cause.terminated ?? terminated),
  };
}

/** After a restart of the node: the kubelet misses the container, or containerd its process (exit code 255). */
const LOST = new Set(['ContainerStatusUnknown', 'Unknown']);
const isLost = (terminated: Terminated | undefined): boolean => LOST.has(terminated?.reason ?? '');

/** An exit is what a container's present state says. A lost container tells of none. */
const terminatedOf = (state: ContainerState | undefined): Terminated | undefined =>
  isLost(state?.terminated) ? undefined : state?.terminated;

/** How far the clocks of the node, which dates the exit, and of the API server may differ, with whole seconds. */
const CLOCKS_MS = 2_000;
/**
 * A deletion that is cut short after its time has `deletionTimestamp` set to now, and this grace period or none. The
 * kubelet ends every deletion so, after the containers have ended. Such a version does not tell when the order came.
 */
const CUT_SHORT_SECONDS = 1;

/**
 * It had not been told to end. Proof is that this version of the Pod has no order to end, or that it exited some time
 * before the order. An eviction by the kubelet gives no time for its order, and the last version of a deleted Pod has
 * lost it: there is no proof then.
 */
function exitedByItself(pod: Pod, { finishedAt }: Terminated): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  if (pod.status?.reason) return false;
  const disruption = disruptionOf(pod);
  if (deletionTimestamp === undefined) return disruption === undefined;
  if (disruption?.reason === 'TerminationByKubelet' || finishedAt === undefined) return false;
  if (deletionGracePeriodSeconds <= CUT_SHORT_SECONDS) return false;
  // A clock that is so wrong proves nothing; nor does the year 1970, which runtimes write for "not known".
  if (Date.parse(finishedAt) < Date.parse(pod.metadata.creationTimestamp)) return false;
  const orderedAt = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return Date.parse(finishedAt) <= orderedAt - CLOCKS_MS;
}

const isKubelets = (pod: Pod): boolean =>
  Boolean(pod.status?.reason) || disruptionOf(pod)?.reason === 'TerminationByKubelet';

/** https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions */
const disruptionOf = (pod: Pod) =>
  pod.status?.conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');

/** The container runtime's reasons for a container that it could not start. */
const NOT_STARTED = new Set(['StartError', 'ContainerCannotRun']);

function exitOf({ exitCode: code, reason, finishedAt, message }: Terminated): NonNullable<PodEnd['exit']> {
  const failure = NOT_STARTED.has(reason ?? '')
    ? OUTCOME.containerNotStarted
    : reason === 'OOMKilled'
      ? OUTCOME.oomKilled
      : OUTCOME.backoffLimitExceeded;
  const at = finishedAt ? { finishedAt } : {};
  return code === 0
    ? { code, reason: OUTCOME.completed, ...at, ...readDeployed(message) }
    : { code, reason: failure, ...at };
}

interface Cause {
  readonly reason: OutcomeReason;
  readonly words: string;
  /** The container that the words are about. */
  readonly terminated?: Terminated;
}

/** Reasons of a Pod that a kubelet ended, or no longer runs. Any other reason on a Pod that never ran is a refusal. */
const ENDED_BY_KUBELET: Record<string, OutcomeReason> = {
  Evicted: OUTCOME.evicted,
  NodeLost: OUTCOME.nodeLost,
  DeadlineExceeded: OUTCOME.deadlineExceeded,
  Preempting: OUTCOME.disrupted,
  Terminated: OUTCOME.disrupted,
  Shutdown: OUTCOME.disrupted,
};

/** Why a Pod ended, or is to end, if its first container did not exit by itself; undefined if nothing says so. */
function causeOf(pod: Pod): Cause | undefined {
  const name = `Pod ${pod.metadata.name}`;
  const { reason, message, phase } = pod.status ?? {};
  const own = [reason, message].filter(Boolean).join(': ');
  const disruption = disruptionOf(pod);
  if (reason && Object.hasOwn(ENDED_BY_KUBELET, reason))
    return { reason: ENDED_BY_KUBELET[reason]!, words: `${name}: ${own}` };
  if (disruption) {
    const words = [disruption.reason, disruption.message].filter(Boolean).join(': ');
    return { reason: disruptedBy(pod, disruption.reason), words: `${name}: ${words}` };
  }
  // A container that may be started again has not failed for good while its Pod lives.
  const init = isAlive(pod) ? undefined : failedInitContainer(pod);
  if (init) return { ...init, reason: OUTCOME.initContainerFailed };
  if (phase === 'Failed' && reason) {
    return { reason: hasRun(pod) ? OUTCOME.disrupted : OUTCOME.podRefused, words: `${name}: ${own}` };
  }
  if (pod.metadata.deletionTimestamp !== undefined) return { reason: OUTCOME.podDeleted, words: `${name} was deleted` };
  const lost = firstContainerStatus(pod)?.state?.terminated;
  if (!isAlive(pod) && lost && isLost(lost)) {
    const words = [lost.reason, lost.message].filter(Boolean).join(': ');
    return { reason: OUTCOME.nodeLost, words: `${name}, container ${firstContainerName(pod)}: ${words}` };
  }
  return undefined;
}

/**
 * The taint manager deletes the Pods of a node that does not answer. It also deletes those of a node that a person
 * tainted, whose kubelet then says how they ended. The garbage collector of Pods deletes those of nodes that are gone.
 */
function disruptedBy(pod: Pod, reason: string | undefined): OutcomeReason {
  if (reason === 'DeletionByPodGC') return OUTCOME.nodeLost;
  const isTold = terminatedOf(firstContainerStatus(pod)?.state) !== undefined;
  return reason === 'DeletionByTaintManager' && !isTold ? OUTCOME.nodeLost : OUTCOME.disrupted;
}

const hasRun = (pod: Pod): boolean => {
  const state = firstContainerStatus(pod)?.state;
  return state?.running !== undefined || state?.terminated !== undefined;
};

/** How a container failed by itself; undefined if it did not. */
function failureOf(pod: Pod, state: ContainerState | undefined): Terminated | undefined {
  const terminated = terminatedOf(state);
  return terminated && terminated.exitCode !== 0 && exitedByItself(pod, terminated) ? terminated : undefined;
}

/** `cap` does not run if an init container failed. Restartable ones (native side-cars) are started again instead. */
function failedInitContainer(pod: Pod): Omit<Cause, 'reason'> | undefined {
  if (hasRun(pod)) return undefined;
  for (const { name, state } of pod.status?.initContainerStatuses ?? []) {
    const terminated = failureOf(pod, state);
    if (!terminated || nativeSidecars(pod).includes(name)) continue;
    return {
      words: `${describeEnd(pod, `init container ${name}`, terminated, '').words}; ${CAP_DID_NOT_RUN}`,
      terminated,
    };
  }
  return undefined;
}

const CAP_DID_NOT_RUN = 'the first container did not run, but this one may have done things';

/** The first other container that failed by itself. */
function sidecarOf(pod: Pod): Pick<PodEnd, 'sidecarFailed'> {
  const first = firstContainerName(pod);
  for (const { name, state } of pod.status?.containerStatuses ?? []) {
    const terminated = failureOf(pod, state);
    if (!terminated || name === first) continue;
    return { sidecarFailed: `container ${name}: ${codeOf(terminated)}` };
  }
  return {};
}

function describeEnd(
  pod: Pod,
  name: string,
  terminated: Terminated,
  kind = 'container ',
): Pick<PodEnd, 'words' | 'log'> {
  const words = `Pod ${pod.metadata.name}, ${kind}${name}: ${codeOf(terminated)}`;
  return { words, ...logOf(terminated) };
}

const logOf = (terminated: Terminated | undefined): Pick<PodEnd, 'log'> =>
  terminated?.message ? { log: terminated.message } : {};

/** `exit code 1 (Error)`. A container that was not started has none, whatever code the runtime gives it. */
function codeOf({ exitCode, reason, signal }: Terminated): string {
  if (NOT_STARTED.has(reason ?? '')) return reason as string;
  const why = reason === 'Completed' ? undefined : reason;
  const details = [why, signal ? `signal ${signal}` : undefined].filter(Boolean).join(', ');
  return `exit code ${exitCode}${details ? ` (${details})` : ''}`;
}

const describeLateExit = (pod: Pod, terminated: Terminated): string =>
  `container ${firstContainerName(pod)}: ${codeOf(terminated)}, after it was told to end`;

/**
 * What is known of one Pod after another version of it was seen. A proved exit stays, because that version was the
 * proof. Two things take it back: a restart, which makes it the exit of another run; and a kubelet that says, once the
 * Pod is over, that it had ended the Pod itself. "Deleted" is the last thing that happens to every Pod, so it replaces
 * no other cause. A Pod that has run was not refused, whatever a restarted kubelet says.
 */
export function mergePodEnd(before: PodEnd | undefined, now: PodEnd): PodEnd {
  if (!before || now.restarts > before.restarts) return now;
  if (before.restarts > now.restarts) return before;
  const next = { ...now, hasRun: before.hasRun || now.hasRun };
  const isRefused = next.cause === OUTCOME.podRefused && next.hasRun;
  const merged = isRefused ? { ...next, cause: OUTCOME.disrupted } : next;
  if (before.exit && !(now.byKubelet && !before.isOver)) {
    const { sidecarFailed = before.sidecarFailed } = now;
    const isOver = before.isOver || now.isOver;
    return { ...before, isOver, ...(sidecarFailed === undefined ? {} : { sidecarFailed }) };
  }
  if (now.exit || !before.cause) return merged;
  return now.cause === undefined || (now.cause === OUTCOME.podDeleted && before.cause !== OUTCOME.podDeleted)
    ? before
    : merged;
}

/** The Pod is gone, and its last version told of no end: it was deleted by force, or with its node. */
export const endOfGonePod = (end: PodEnd): PodEnd =>
  end.exit || end.cause
    ? end
    : { ...end, cause: OUTCOME.podDeleted, words: `Pod ${end.pod} is gone, and did not say how it ended` };

/**
 * How a deploy exited: known if the first container of every Pod of its Job exited by itself. Of several the first that
 * failed counts.
 * @param ends of all its Pods that were ever seen, in the order in which they came.
 * @param now RFC 3339, for an exit that has no time.
 */
export function exitOfAll(ends: readonly PodEnd[], now: string): Exit | undefined {
  if (!ends.every(({ exit }) => exit)) return undefined;
  const last = ends.find(({ exit }) => exit?.code !== 0) ?? ends.at(-1);
  if (!last?.exit) return undefined;
  const message = endOfLog(last.words, last.exit.code === 0 ? undefined : last.log);
  return { finishedAt: now, ...last.exit, ...(message ? { message } : {}) };
}

/** Longest message of an exit in etcd, in bytes; the status schema allows as many characters. */
const EXIT_MESSAGE = 1536;

const endOfLog = (words: string | undefined, log: string | undefined): string =>
  boundedStored([words, log].filter(Boolean).join('\n'), EXIT_MESSAGE, boundedKeepingTheEnd);

/** What an end means for the servers, if that is good news. */
export const traceWords = (reason: OutcomeReason): string | undefined =>
  TRACES[reason] === 'not touched' ? 'nothing ran on the servers' : undefined;
