import type { CapDeployJob } from '../api/capdeployjob.ts';
import type { IntakeMetrics } from '../intake/metrics.ts';
import type { Resources } from '../intake/ports.ts';
import type { KubeClient, KubeObject } from '../kube/client.ts';
import { type Clock, systemClock } from '../kube/clock.ts';
import { EventRecorder } from '../kube/events.ts';
import { keyOf, splitKey } from '../kube/keys.ts';
import type { Log } from '../kube/log.ts';
import { WorkQueue } from '../kube/work-queue.ts';
import { isRunning, type Job, type Pod } from '../lanes/job.ts';
import { Announcer, type DeployMetrics } from './announce.ts';
import { type Caches, createCaches, keysOf } from './caches.ts';
import { TemplateChecker } from './check-template.ts';
import { ProcessMemory } from './memory.ts';
import { Observer } from './observe.ts';
import { Reconciler } from './reconcile.ts';
import { ReportBook } from './report-book.ts';

/** CapDeployJobs that are worked on at once: each pass waits for the API server most of the time. */
const WORKERS = 16;
/** A work queue that has work and does none for this long is stuck (no request outlives its own time-out). */
const STUCK_MS = 5 * 60_000;

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
  /** Begins to read queues once the caches are complete; stopped first, for what it drains needs reconcile to be recorded. */
  startIntake: (parts: { resources: Resources; reports: ReportBook }) => { stop(): Promise<void> };
}

export interface Finding {
  ok: boolean;
  message?: string;
}

/** A running operator. */
export interface Controller {
  readiness(): Finding;
  liveness(): Finding;
  /** Reads no more messages, drains what was received, finishes the passes under way. */
  stop(): Promise<void>;
}

/** Starts the two loops: intake, which turns messages into Jobs, and reconcile, which gives each Job its turn. They meet in the API server only. */
export function startController(options: ControllerOptions): Controller {
  const { kube: client, log, metrics, clock = systemClock } = options;
  const now = () => clock.now();

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
  const caches = createCaches({
    client,
    namespaces: options.namespaces,
    clock,
    log,
  });
  const memory = new ProcessMemory();
  const reports = new ReportBook(now, (key, inMs) => queue.addAfter(key, inMs));
  const events = new EventRecorder({
    client,
    reportingInstance: options.instance,
    clock,
    log,
    onLost: (reason) => metrics.eventLost(reason),
  });
  const reconciler = new Reconciler({
    client,
    observer: new Observer({ client, caches, memory, reports, now }),
    memory,
    reports,
    templates: new TemplateChecker(client, now),
    announcer: new Announcer({ events, metrics, log, now }),
    log,
    now,
  });

  follow(caches, queue, memory);
  for (const cache of Object.values(caches)) cache.start();

  let working = false;
  let intake: { stop(): Promise<void> } | undefined;
  const stopping = new AbortController();
  const started = Promise.all(Object.values(caches).map((cache) => cache.synced()))
    .then(() => {
      if (stopping.signal.aborted) return;
      // Not before the caches are complete: "not there" would be a mistake.
      working = true;
      queue.start();
      intake = options.startIntake({ resources: resourcesOf(caches), reports });
      log.info({ capdeployjobs: caches.resources.list().length }, 'caches are complete, working');
    })
    .catch((err: unknown) => {
      if (!stopping.signal.aborted) throw err;
    });

  return {
    readiness: () => {
      const missing = Object.values(caches).filter((cache) => !cache.hasSynced());
      if (stopping.signal.aborted) return { ok: false, message: 'stopping' };
      if (missing.length === 0) return { ok: true };
      return { ok: false, message: `not listed yet: ${missing.map(({ type }) => type.plural).join(', ')}` };
    },
    liveness: () => {
      // Until the caches are complete, work waits for them: that is unreadiness, which no restart cures.
      const stalled = working ? queue.stalledMs() : 0;
      return stalled < STUCK_MS
        ? { ok: true }
        : { ok: false, message: `no pass has begun or ended for ${Math.round(stalled / 1000)} s` };
    },
    stop: async () => {
      stopping.abort();
      const stopCaches = () => Promise.all(Object.values(caches).map((cache) => cache.stop()));
      // Intake first, and reconcile still at work: a message is deleted only once reconcile has listed its Job.
      if (intake) await intake.stop();
      else await stopCaches();
      await started;
      await queue.stop();
      await stopCaches();
      await events.stop();
    },
  };
}

/** What changes a CapDeployJob's plan: itself, its Jobs and its Pods. */
function follow(caches: Caches, queue: WorkQueue, memory: ProcessMemory): void {
  const addAll = (object: KubeObject) => {
    for (const key of keysOf(object)) queue.add(key);
  };
  caches.resources.onEvent(({ object }) => queue.add(keyOf(object)));
  caches.jobs.onEvent((event) => {
    const job: Job = event.object;
    const before: Job | undefined = event.type === 'MODIFIED' ? event.old : undefined;
    if (event.type === 'DELETED') memory.seeDeleted(job);
    else if (before && !isRunning(before) && isRunning(job)) memory.seeResumed(job);
    addAll(event.object);
  });
  caches.pods.onEvent((event) => {
    const pod: Pod = event.object;
    memory.seePod(pod);
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
