import { firstContainerStatus, type Pod } from './job.ts';

/** A core/v1 Event as far as it explains why a Job has no Pod. */
export interface JobEvent {
  reason?: string;
  message?: string;
  lastTimestamp?: string | null;
  eventTime?: string | null;
}

/** Reasons of a waiting container that come and go in a healthy start: they explain nothing. */
const ORDINARY = new Set(['ContainerCreating', 'PodInitializing', '']);

/**
 * True once the first container of a Pod has run, whatever came of it: from then on the deploy may have touched the servers.
 * Not `phase`: an init container that runs leaves the Pod Pending.
 */
export function containerHasStarted(pod: Pod): boolean {
  const first = firstContainerStatus(pod);
  return (
    first?.state?.running !== undefined ||
    first?.state?.terminated !== undefined ||
    first?.lastState?.terminated !== undefined
  );
}

/**
 * Why a started deploy has no running container yet, in words for a person; undefined where it is only on its way.
 * @param pods the Pods of the Job.
 * @param events the Job's FailedCreate Events: Pod Security and quota refuse Pods, not Jobs, and only there it is said.
 */
export function whyNotRunning(pods: readonly Pod[], events: readonly JobEvent[]): string | undefined {
  const [pod] = pods;
  if (!pod) {
    const refused = events.filter(({ reason }) => reason === 'FailedCreate').at(-1);
    return refused ? `the Pod is refused: ${refused.message ?? 'no words given'}` : undefined;
  }
  const where = `Pod ${pod.metadata.name}`;
  if (pod.metadata.deletionTimestamp) return terminating(pod);
  for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    const waiting = status.state?.waiting;
    if (waiting && !ORDINARY.has(waiting.reason ?? '')) {
      return `${where}, container ${status.name}: ${[waiting.reason, waiting.message].filter(Boolean).join(': ')}`;
    }
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False')
    return `${where} cannot be scheduled: ${scheduled.message ?? scheduled.reason ?? ''}`;
  const mount = events.filter(({ reason }) => reason === 'FailedMount').at(-1);
  if (mount) return `${where}: ${mount.message ?? 'a volume cannot be mounted'}`;
  return undefined;
}

/** A Pod that terminates on a dead node does so for ever, and holds its lane rightly: say how to find out and what to do. */
export function terminating(pod: Pod): string {
  const node = pod.spec?.nodeName;
  const force = `kubectl -n ${pod.metadata.namespace} delete pod ${pod.metadata.name} --force`;
  return node
    ? `Pod ${pod.metadata.name} is terminating on node ${node}; if that node is lost and its deploy surely dead: ${force}`
    : `Pod ${pod.metadata.name} is terminating; if it never ends: ${force}`;
}
