import type { CapDeployJob } from '../../api/capdeployjob.ts';
import { GROUP } from '../../api/names.ts';
import { aborted } from '../../base/abort.ts';
import { type Clock, monotonicNow, sleep, systemClock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { keyOf, splitKey } from '../../base/object-key.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { EventRecorder } from '../../kube/events.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import { isRunning, type Job, type Pod } from '../../lanes/job.ts';
import type { IntakeMetrics } from '../intake/metrics.ts';
import type { Intake, Resources } from '../intake/ports.ts';
import { Announcer, type DeployMetrics } from './announce.ts';
import { type Caches, createCaches, keysOf } from './caches.ts';
import { IntakeReports } from './intake-reports.ts';
import { Observer } from './observe.ts';
import { WarningEvents } from './pod-warnings.ts';
import { ProcessMemory } from './process-memory.ts';
import { Reconciler } from './reconcile.ts';

/** CapDeployJobs that are worked on at once: each pass waits for the API server most of the time. */
const WORKERS = 16;
/** A work queue that has work and does none for this long is stuck. (No request lasts longer than its time-out.) */
const STUCK_MS = 5 * 60_000;

/** The whole of a stop, in milliseconds: the process has to end within a Pod's grace period, which is 30 s. */
const STOP_MS = 24_000;
/** If another replica waits, what is in flight has this long to be recorded here. The other one does the rest. */
const HAND_OVER_MS = 700;
/** Passes under way have this long to end by themselves. Then their requests are aborted, as in a crash. */
const PASSES_MS = 3_000;
const ABORTED_MS = 500;
/** Events are best effort: a stop waits this long for them, and less if another replica waits. */
const EVENTS_MS = 2_000;
const EVENTS_HAND_OVER_MS = 100;

export interface ControllerMetrics extends DeployMetrics, IntakeMetrics {
  reconciled(seconds: number): void;
  reconcileFailed(error: unknown): void;
  eventLost(reason: string): void;
}

export interface ControllerOptions {
  kube: KubeClient;
  /** Those to serve; empty: all. */
  namespaces: readonly string[];
  /** Name of this operator's Pod, as its Events give it. */
  instance: string;
  metrics: ControllerMetrics;
  log: Log;
  clock?: Clock;
  /** Begins to read queues when this replica is to work. A stop ends it first: what it drains has to be recorded. */
  startIntake: (deps: { resources: Resources; reports: IntakeReports }) => Intake;
  /** Resolves when this replica is to work; until then it only keeps its caches. Without it: at once. */
  lead?: Promise<void> | undefined;
  /** Called when the caches are complete: a replica that cannot work should not lead. */
  onSynced?: () => void;
  /** Aborts the requests of passes under way if they keep a stop from ending. */
  abortPasses?: () => void;
}

export interface Finding {
  ok: boolean;
  message?: string;
}

/** The two loops, running. */
export interface Controller {
  readiness(): Finding;
  liveness(): Finding;
  /**
   * Reads no more messages, drains what was received, finishes the passes under way. All of it takes 25 s at most,
   * whatever hangs.
   * @param handOver for a replica that waits to go on: called as soon as no pass runs any more. Polls that are still
   * open drain after it, because an aborted poll can lose a message until its visibility timeout ends. What they bring
   * is stored here, and listed by the other replica.
   */
  stop(handOver?: () => Promise<void>): Promise<void>;
  /** Ends at once, as in a crash. */
  abort(): Promise<void>;
}

/** Starts the two loops: intake makes Jobs of messages, reconcile starts them. They meet in the API server only. */
export function startController(options: ControllerOptions): Controller {
  const { kube: client, log, metrics, clock = systemClock } = options;
  const now = () => clock.now();
  const monotonic = () => monotonicNow(clock);

  const queue: WorkQueue = new WorkQueue({
    work: async (key) => {
      const begun = now();
      const result = await reconciler.reconcile(key);
      metrics.reconciled((now() - begun) / 1000);
      return result;
    },
    workers: WORKERS,
    clock,
    log,
    onError: (_key, error) => metrics.reconcileFailed(error),
  });
  const caches = createCaches({ client, namespaces: options.namespaces, clock, log });
  const memory = new ProcessMemory(monotonic);
  const warnings = new WarningEvents({ client, now, wake: (key) => queue.add(key), log });
  const reports = new IntakeReports(now, (key, inMs) => queue.addAfter(key, inMs));
  const events = new EventRecorder({
    client,
    reporter: { controller: `${GROUP}/controller`, instance: options.instance },
    clock,
    log,
    onLost: (reason) => metrics.eventLost(reason),
  });
  const reconciler = new Reconciler({
    client,
    observer: new Observer({ client, caches, memory, warnings, reports, now, monotonicNow: monotonic }),
    memory,
    warnings,
    reports,
    announcer: new Announcer({ events, metrics, log, now }),
    log,
    now,
    monotonicNow: monotonic,
  });

  let working = false;
  follow(caches, queue, memory, () => working);
  for (const cache of Object.values(caches)) cache.start();

  let intake: Intake | undefined;
  const stopping = new AbortController();
  const begin = async (): Promise<void> => {
    // Not before the caches are complete: a missing object would be taken for a deleted one.
    await Promise.all(Object.values(caches).map((cache) => cache.synced()));
    if (stopping.signal.aborted) return;
    log.info({ capdeployjobs: caches.resources.list().length }, 'caches are complete');
    options.onSynced?.();
    await Promise.race([options.lead, aborted(stopping.signal)]);
    if (stopping.signal.aborted) return;
    working = true;
    for (const resource of caches.resources.list()) queue.add(keyOf(resource));
    queue.start();
    intake = options.startIntake({ resources: resourcesOf(caches), reports });
    log.info({}, 'working');
  };
  const started = begin().catch((err: unknown) => {
    if (!stopping.signal.aborted) throw err;
  });
  const stopCaches = () => Promise.all(Object.values(caches).map((cache) => cache.stop()));

  /** Whether the promise was settled in time. */
  const within = async (ms: number, promise: Promise<unknown>): Promise<boolean> => {
    const limit = new AbortController();
    const inTime = promise.then(
      () => true,
      () => true,
    );
    const answer = await Promise.race([inTime, sleep(clock, Math.max(0, ms), limit.signal).then(() => false)]);
    limit.abort();
    return answer;
  };
  const endPasses = async (ms: number): Promise<void> => {
    if (await within(ms, queue.stop())) return;
    log.warn({}, 'the API server keeps the stop waiting: requests under way are aborted, as in a crash');
    options.abortPasses?.();
    await within(ABORTED_MS, queue.stop());
  };

  return {
    readiness: () => {
      const missing = Object.values(caches).filter((cache) => !cache.hasSynced());
      if (stopping.signal.aborted) return { ok: false, message: 'stopping' };
      if (missing.length === 0) return { ok: true };
      return { ok: false, message: `not listed yet: ${missing.map(({ type }) => type.plural).join(', ')}` };
    },
    liveness: () => {
      // Until the caches are complete, work waits for them. That is unreadiness, and a restart does not help.
      const stalled = working ? queue.stalledMs() : 0;
      if (stalled >= STUCK_MS) {
        return { ok: false, message: `no pass has begun or ended for ${Math.round(stalled / 1000)} s` };
      }
      const stuck = intake?.stuck();
      return stuck === undefined ? { ok: true } : { ok: false, message: stuck };
    },
    stop: async (handOver) => {
      stopping.abort();
      const end = monotonicNow(clock) + STOP_MS;
      const left = () => end - monotonicNow(clock);
      if (!intake) await stopCaches();
      await started;
      const drained = intake?.stop() ?? Promise.resolve();
      // Reconcile still works now: a message is deleted only once its Job is listed.
      if (handOver && intake) await within(HAND_OVER_MS, intake.atRest());
      else await drained;
      await endPasses(Math.min(PASSES_MS, left()));
      reports.close();
      await events.stop(handOver ? EVENTS_HAND_OVER_MS : Math.max(0, Math.min(EVENTS_MS, left())));
      await handOver?.();
      await drained;
      await stopCaches();
    },
    abort: async () => {
      stopping.abort();
      options.abortPasses?.();
      reports.close();
      await Promise.all([intake?.abort(), within(ABORTED_MS, queue.stop()), events.stop(0), stopCaches()]);
    },
  };
}

/**
 * A CapDeployJob's plan can change with the resource, its Jobs and its Pods. A follower remembers what it sees, and
 * queues nothing: it would collect the keys of a month. When it begins to work, all resources get a pass.
 */
function follow(caches: Caches, queue: WorkQueue, memory: ProcessMemory, isWorking: () => boolean): void {
  const addAll = (object: KubeObject) => {
    if (isWorking()) for (const key of keysOf(object)) queue.add(key);
  };
  caches.resources.onEvent(({ object }) => {
    if (isWorking()) queue.add(keyOf(object));
  });
  caches.jobs.onEvent((event) => {
    const job: Job = event.object;
    const before: Job | undefined = event.type === 'MODIFIED' ? event.old : undefined;
    if (event.type === 'DELETED') memory.seeDeleted(job, event.isMissed);
    else if (before && !isRunning(before) && isRunning(job)) memory.seeResumed(job);
    addAll(event.object);
  });
  caches.pods.onEvent((event) => {
    const pod: Pod = event.object;
    memory.seePod(pod, event.type === 'DELETED');
    addAll(event.object);
  });
}

function resourcesOf({ resources }: Caches): Resources {
  return {
    get: (key) => resources.get(...splitKey(key)),
    list: (): CapDeployJob[] => resources.list(),
    onChange: (listener) => resources.onEvent(({ object }) => listener(keyOf(object))),
  };
}
