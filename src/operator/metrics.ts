import { splitKey } from '../base/object-key.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Metrics, ResourceRef } from '../observability/metrics.ts';
import type { ControllerMetrics } from './controller/start-controller.ts';
import type { QueueState, Reports } from './intake/ports.ts';

/** What an operator counts: its two loops, the queues that it reads, its leadership. */
export interface OperatorMetrics extends ControllerMetrics {
  /** The state of a resource's queue, after each read of it. */
  queue(key: string, state: QueueState): void;
  /** Whether this replica works. */
  leader(isLeader: boolean): void;
  /** This replica has seen a new leader. */
  leaderChanged(): void;
}

/** Connects controller and intake to Prometheus: they know keys, `<namespace>/<name>`, and no metric. */
export function operatorMetrics(metrics: Metrics): OperatorMetrics {
  return {
    received: (key, count) => metrics.messagesReceived(ref(key), count),
    rejected: (key, reason) => metrics.messageRejected(ref(key), reason),
    created: (key, secondsSinceSent) => metrics.jobCreated(ref(key), secondsSinceSent),
    started: (key, _environment, secondsSinceSent) => metrics.deployStarted(ref(key), secondsSinceSent),
    ended: (key, environment, result) => metrics.deployEnded(ref(key), environment, result),
    lanes: (key, lanes) => metrics.lanes(ref(key), lanes),
    forget: (key) => metrics.resourceRemoved(ref(key)),
    sqsError: (_key, code) => metrics.sqsRequestFailed(code),
    reconcileFailed: (error) => metrics.reconcileFailed(isKubeError(error) ? error.kind : undefined),
    eventLost: (reason) => metrics.eventLost(reason),
    createError: (key, reason) => metrics.jobCreateFailed(ref(key), reason),
    reconciled: (seconds) => metrics.reconciled(seconds),
    queue: (key, state) => {
      if (state.kind === 'off') metrics.queueClosed(ref(key));
      else metrics.queueOpened(ref(key), state.lastReadAt);
    },
    leader: (isLeader) => metrics.leader(isLeader),
    leaderChanged: () => metrics.leaderChanged(),
  };
}

/** The same reports. On the way it counts the age of the last poll. */
export function countPolls(reports: Reports, metrics: Pick<OperatorMetrics, 'queue'>): Reports {
  return {
    rejected: (key, rejection, signal, uid) => reports.rejected(key, rejection, signal, uid),
    createFailure: (key, failure) => reports.createFailure(key, failure),
    queue: (key, state) => {
      reports.queue(key, state);
      metrics.queue(key, state);
    },
  };
}

function ref(key: string): ResourceRef {
  const [namespace, name] = splitKey(key);
  return { namespace, name };
}
