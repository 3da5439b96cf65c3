import type { ObjectKey } from '../base/object-key.ts';
import { isKubeError } from '../kube/errors.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ControllerMetrics } from './controller/start-controller.ts';
import type { QueueState, Reports } from './intake/ports.ts';

/** What an operator counts: its two loops, the queues that it reads, its leadership. */
export interface OperatorMetrics extends ControllerMetrics {
  /** The state of a resource's queue, after each read of it. */
  queue(key: ObjectKey, state: QueueState): void;
  /** Whether this replica works. */
  leader(isLeader: boolean): void;
  /** This replica has seen a new leader. */
  leaderChanged(): void;
}

/** Connects controller and intake to Prometheus: they know no metric. */
export function operatorMetrics(metrics: Metrics): OperatorMetrics {
  return {
    received: (key, count) => metrics.messagesReceived(key, count),
    rejected: (key, reason) => metrics.messageRejected(key, reason),
    created: (key, secondsSinceSent) => metrics.jobCreated(key, secondsSinceSent),
    started: (key, _environment, secondsSinceSent) => metrics.deployStarted(key, secondsSinceSent),
    ended: (key, environment, result) => metrics.deployEnded(key, environment, result),
    lanes: (key, lanes) => metrics.lanes(key, lanes),
    forget: (key) => metrics.resourceRemoved(key),
    sqsError: (_key, code) => metrics.sqsRequestFailed(code),
    reconcileFailed: (error) => metrics.reconcileFailed(isKubeError(error) ? error.kind : undefined),
    eventLost: (reason) => metrics.eventLost(reason),
    createError: (key, reason) => metrics.jobCreateFailed(key, reason),
    reconciled: (seconds) => metrics.reconciled(seconds),
    queue: (key, state) => {
      if (state.kind === 'off') metrics.queueClosed(key);
      else metrics.queueOpened(key, state.lastReadAt);
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
