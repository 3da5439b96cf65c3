import { type Clock, monotonicNow, systemClock } from '../base/clock.ts';
import { clockWasSet } from '../base/clock-step.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient } from '../kube/client.ts';
import { LeaderElector } from '../kube/election/leader-elector.ts';
import type { LeaseName } from '../kube/election/lease.ts';
import { KubeError } from '../kube/errors.ts';
import { guardedClient, type WriteGuard } from '../kube/write-guard.ts';
import { guardedQueue } from '../sqs/guarded-queue.ts';
import type { Queue, QueueSettings } from '../sqs/queue.ts';
import { type Finding, startController } from './controller/start-controller.ts';
import type { QueueSelectionOptions } from './intake/select-queues.ts';
import { Supervisor } from './intake/supervisor.ts';
import { countPolls, type OperatorMetrics } from './metrics.ts';

/** Name of the Lease that the replicas of one installation agree on. */
export const LEASE_NAME = 'capdeployjob';
/** After a hand-over, what open polls bring is stored for this long (milliseconds): as long as the rest of a stop. */
const HAND_OVER_GRACE_PERIOD_MS = 25_000;

/** Everything that an operator needs: its clients, its clock, and what the flags say. */
export interface OperatorOptions {
  readonly kube: KubeClient;
  /** Those to serve; empty: all. */
  readonly namespaces: readonly string[];
  /** Name of this operator's Pod, as its Events give it. */
  readonly instance: string;
  readonly openQueue: (settings: QueueSettings) => Queue;
  readonly selection: QueueSelectionOptions;
  readonly metrics: OperatorMetrics;
  readonly log: Log;
  readonly clock?: Clock;
  /** Without it this operator works as soon as its caches are complete, as if it were the only one. */
  readonly election?: ElectionOptions | undefined;
}

export interface ElectionOptions {
  /** For the Lease alone, best with connections of its own. Without it, the client of everything else. */
  readonly kube?: KubeClient;
  readonly lease: LeaseName;
  /** Unique for each start of a process. */
  readonly identity: string;
  /** Milliseconds; the renew deadline is two thirds of it, the retry period two fifteenths. */
  readonly durationMs: number;
}

/** A running operator: leader, or follower with warm caches. */
export interface Operator {
  /** Followers are ready too, or no rollout would ever go on. */
  readiness(): Finding;
  liveness(): Finding;
  /** Whether it does the work. True from the start if there is no election. */
  isLeader(): boolean;
  /**
   * Whether a request that changes something may be sent: by the leader, and for what is left to do after a hand-over.
   * For clients that can ask at the last moment.
   */
  mayWrite(): boolean;
  /**
   * Resolves with the reason when leadership was lost, or the machine's clock was set. By then it has ended as by
   * `abort`, and so should its process.
   */
  readonly lost: Promise<Error>;
  /** Hands over, drains, releases: 25 s at most, whatever hangs. A waiting follower takes over within a second. */
  stop(): Promise<void>;
  /** Ends at once, as in a crash; releases nothing. */
  abort(): Promise<void>;
}

/**
 * Connects reconcile, intake and leader election. It knows no process, no socket and no time: the program and the
 * simulation start the same operator.
 */
export function startOperator(options: OperatorOptions): Operator {
  const { kube, election, metrics, log, clock = systemClock } = options;
  const elector =
    election &&
    new LeaderElector({
      client: election.kube ?? kube,
      lease: election.lease,
      identity: election.identity,
      durationMs: election.durationMs,
      clock,
      log,
      onNewLeader: () => metrics.leaderChanged(),
    });
  const guard: WriteGuard = elector ?? { granted: () => true, signal: new AbortController().signal };

  const passes = new AbortController();
  const abortPasses = () => passes.abort(stopped());
  guard.signal.addEventListener('abort', () => passes.abort(guard.signal.reason), { once: true });
  // What open polls bring after a hand-over is stored and deleted all the same, because the lane protocol allows two
  // operators. So no producer waits for a message until its visibility timeout ends. A process that sleeps for longer
  // than that may not write either.
  let storesUntil = Number.NEGATIVE_INFINITY;
  const mayTake = () => guard.granted() || monotonicNow(clock) < storesUntil;

  metrics.leader(elector === undefined);
  const controller = startController({
    ...options,
    kube: guardedClient(kube, { granted: () => guard.granted(), signal: passes.signal }),
    clock,
    lead: elector?.acquired.then(() => metrics.leader(true)),
    onSynced: () => elector?.start(),
    abortPasses,
    startIntake: ({ resources, reports }) =>
      new Supervisor({
        kube: guardedClient(kube, { granted: mayTake, signal: guard.signal }),
        resources,
        reports: countPolls(reports, metrics),
        metrics,
        clock,
        log,
        selection: options.selection,
        openQueue: (settings) => guardedQueue(options.openQueue(settings), mayTake),
      }),
  });

  const isOver = new AbortController();
  const lost = [clockWasSet(clock, isOver.signal), ...(elector ? [elector.lost] : [])];
  const abort = async (): Promise<void> => {
    isOver.abort();
    metrics.leader(false);
    await Promise.all([controller.abort(), elector?.abandon()]);
  };
  const handOver = async (): Promise<void> => {
    storesUntil = monotonicNow(clock) + HAND_OVER_GRACE_PERIOD_MS;
    await elector?.stop();
    metrics.leader(false);
  };

  return {
    readiness: () => {
      const found = controller.readiness();
      if (!found.ok || !elector || elector.isLeaseKnown) return found;
      const { namespace, name } = election.lease;
      const why = elector.lastFailure === undefined ? '' : `: ${elector.lastFailure}`;
      return { ok: false, message: `the Lease ${namespace}/${name} was not read yet${why}` };
    },
    liveness: () => {
      const stuck = elector?.stuck();
      return stuck === undefined ? controller.liveness() : { ok: false, message: `leader election: ${stuck}` };
    },
    isLeader: () => guard.granted(),
    mayWrite: mayTake,
    lost: Promise.race(lost).then(async (reason) => {
      await abort();
      return reason;
    }),
    stop: async () => {
      isOver.abort();
      if (elector?.granted()) await controller.stop(handOver);
      else await Promise.all([controller.stop(), elector?.stop()]);
    },
    abort,
  };
}

const stopped = (): KubeError =>
  new KubeError('retryable', {
    status: 0,
    reason: 'Stopped',
    message: 'this operator is stopping: the request was ended',
  });
