/**
 * What the operator counts, for Prometheus. Methods are named after what happened. Names and labels are public: people
 * alert on them.
 */

import { setImmediate } from 'node:timers/promises';
import { collectDefaultMetrics } from 'prom-client';
import { RESULTS, type Result } from '../api/reasons.ts';
import { type ObjectKey, splitKey } from '../base/object-key.ts';
import { LabelValues } from './label-values.ts';
import { type Definition, MetricFactory } from './metric-factory.ts';

export interface MetricsOptions {
  /** Also `process_*` and `nodejs_*`. Default true. */
  processMetrics?: boolean;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Verbs of requests to the Kubernetes API and kinds of their errors: their series begin at 0. Default: none. */
  kubeRequests?: { verbs: readonly string[]; errorKinds: readonly string[] };
}

/**
 * Results that people alert on: these begin at 0. Prometheus' `increase()` does not see a counter that appears with 1
 * (https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics).
 */
const FROM_THE_START: readonly Result[] = ['Succeeded', 'Failed', 'Aborted', 'Missed'];
/** The kind of a reconcile error that no request to the Kubernetes API caused. */
const UNEXPECTED = 'unexpected';

const RESOURCE = ['namespace', 'name'] as const;
const LANE = [...RESOURCE, 'environment'] as const;
/** Seconds: from a message that becomes a Job at once to one that waits for its lane, a window or an approval. */
const WAIT_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
/** Seconds. */
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Several scrapes, whatever their interval. */
const KEEP_REMOVED_MS = 15 * 60_000;

export class Metrics {
  readonly #factory = new MetricFactory();
  readonly #now: () => number;
  /** When the queue of a resource was last read with success, in milliseconds since the epoch. */
  readonly #polled = new Map<ObjectKey, { at: number; readAt: number }>();
  /** The environments of a resource that have series. */
  readonly #lanes = new Map<ObjectKey, Set<string>>();
  /**
   * Resources by key, and lanes by `<key>/<environment>`: those that are gone and still have counters, and since when
   * (milliseconds since the epoch).
   */
  readonly #gone = new Map<string, { key: ObjectKey; environment?: string; at: number }>();

  readonly #received = this.#factory.counter('messages_received_total', 'Messages received from SQS', RESOURCE);
  readonly #rejections = this.#factory.counter(
    'rejections_total',
    'Messages that can never become a deploy, for whatever reason',
    RESOURCE,
  );
  readonly #rejected = this.#factory.counter(
    'messages_rejected_total',
    'Messages that can never become a deploy, by reason',
    [...RESOURCE, 'reason'],
  );
  readonly #rejectedValues = new LabelValues();
  readonly #jobsCreated = this.#factory.counter('jobs_created_total', 'Jobs created from messages', RESOURCE);
  readonly #createErrors = this.#factory.counter(
    'job_create_errors_total',
    'Jobs that could not be created for the time being',
    [...RESOURCE, 'reason'],
  );
  readonly #createErrorValues = new LabelValues();
  readonly #deploys = this.#factory.counter('deploys_total', 'Accepted requests that came to an end, by result', [
    ...LANE,
    'result',
  ]);
  readonly #toJob = this.#factory.histogram(
    'message_to_job_seconds',
    'From a message being sent to its Job being stored',
    RESOURCE,
    WAIT_BUCKETS,
  );
  readonly #toStart = this.#factory.histogram(
    'message_to_start_seconds',
    'From a request being due to its deploy being started',
    RESOURCE,
    WAIT_BUCKETS,
  );
  readonly #waiting = this.#factory.gauge('waiting_requests', 'Requests that wait for their turn', LANE);
  readonly #active = this.#factory.gauge('active_deploys', 'Deploys that run', LANE);
  readonly #reconcileErrors = this.#factory.counter(
    'reconcile_errors_total',
    'Reconciles that failed and are repeated',
    ['kind'],
  );
  readonly #reconcileDuration = this.#factory.histogram(
    'reconcile_duration_seconds',
    'How long a reconcile took',
    [],
    RECONCILE_BUCKETS,
  );
  readonly #kubeErrors = this.#factory.counter(
    'kube_request_errors_total',
    'Requests to the Kubernetes API that failed',
    ['verb', 'kind'],
  );
  readonly #sqsErrors = this.#factory.counter('sqs_errors_total', 'Requests to SQS that failed', ['code']);
  readonly #sqsErrorValues = new LabelValues();
  readonly #eventsLost = this.#factory.counter('events_lost_total', 'Kubernetes Events that could not be written', [
    'reason',
  ]);
  readonly #eventsLostValues = new LabelValues();
  readonly #leader = this.#factory.gauge('leader', 'Whether this replica does the work (1) or stands by (0)', []);
  readonly #leaderChanges = this.#factory.counter(
    'leader_changes_total',
    'How often this replica saw another one lead than before, the first one included',
    [],
  );
  readonly #skew = this.#factory.gauge('clock_skew_seconds', "How far the API server's clock is ahead of this one", []);

  constructor(options: MetricsOptions = {}) {
    this.#now = options.now ?? Date.now;
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.#factory.registry });
    const { verbs = [], errorKinds = [] } = options.kubeRequests ?? {};
    for (const kind of [...errorKinds, UNEXPECTED]) this.#reconcileErrors.inc({ kind }, 0);
    for (const verb of verbs) for (const kind of errorKinds) this.#kubeErrors.inc({ verb, kind }, 0);
    const polled = this.#polled;
    const age = (at: number): number => Math.max(0, (this.#now() - at) / 1000);
    const help = 'Seconds since the queue was last read with success';
    // Computed at each scrape: a poller that hangs would never set it.
    this.#factory.gauge('queue_last_poll_age_seconds', help, RESOURCE, (gauge) => {
      gauge.reset();
      for (const [key, { at }] of polled) gauge.set(labels(key), age(at));
    });
  }

  /** Every metric of ours, in the order of their definition. */
  definitions(): readonly Definition[] {
    return this.#factory.definitions;
  }

  messagesReceived(key: ObjectKey, count = 1): void {
    this.#received.inc(labels(key), count);
  }

  messageRejected(key: ObjectKey, reason: string): void {
    this.#rejections.inc(labels(key));
    this.#rejected.inc({ ...labels(key), reason: this.#rejectedValues.of(reason) });
  }

  /** @param secondsSinceSent negative (clocks differ) counts as 0. */
  jobCreated(key: ObjectKey, secondsSinceSent: number): void {
    this.#jobsCreated.inc(labels(key));
    this.#toJob.observe(labels(key), seconds(secondsSinceSent));
  }

  /** The message stays in flight and is tried again. */
  jobCreateFailed(key: ObjectKey, reason: string): void {
    this.#createErrors.inc({ ...labels(key), reason: this.#createErrorValues.of(reason) });
  }

  /** @param secondsSinceDue negative (clocks differ) counts as 0. */
  deployStarted(key: ObjectKey, secondsSinceDue: number): void {
    this.#toStart.observe(labels(key), seconds(secondsSinceDue));
  }

  /** Once for each entry of the history. */
  deployEnded(key: ObjectKey, environment: string, result: Result): void {
    // The environment may be gone already. Its 15 minutes begin again with the next call of lanes().
    this.#gone.delete(`${key}/${environment}`);
    this.#addLane(key, environment);
    this.#deploys.inc({ ...labels(key), environment, result });
  }

  /**
   * Sets how many requests wait and run in each lane of a resource. The first call makes the counters of the resource
   * and of its lanes. An environment that is missing loses its gauges now, and its counters 15 minutes later.
   */
  lanes(key: ObjectKey, sizes: Iterable<{ environment: string; waiting: number; active: number }>): void {
    this.#gone.delete(key);
    this.#rejections.inc(labels(key), 0);
    const absent = new Set(this.#lanes.get(key));
    for (const { environment, waiting, active } of sizes) {
      absent.delete(environment);
      this.#gone.delete(`${key}/${environment}`);
      this.#addLane(key, environment);
      this.#waiting.set({ ...labels(key), environment }, waiting);
      this.#active.set({ ...labels(key), environment }, active);
    }
    for (const environment of absent) {
      this.#waiting.remove({ ...labels(key), environment });
      this.#active.remove({ ...labels(key), environment });
      this.#noteGone(`${key}/${environment}`, { key, environment });
    }
  }

  #addLane(key: ObjectKey, environment: string): void {
    const lanes = this.#lanes.get(key) ?? new Set();
    if (lanes.has(environment)) return;
    this.#lanes.set(key, lanes.add(environment));
    for (const result of FROM_THE_START) this.#deploys.inc({ ...labels(key), environment, result }, 0);
  }

  /**
   * The queue is being read. The age of its last poll counts from the first call, and from each new success.
   * @param readAt when it was last read with success, by any clock; 0 before the first time.
   */
  queueOpened(key: ObjectKey, readAt = 0): void {
    const known = this.#polled.get(key);
    if (known && (readAt === 0 || known.readAt === readAt)) return;
    this.#polled.set(key, { at: this.#now(), readAt });
  }

  /** The queue is not read any more, for example while the resource is suspended. */
  queueClosed(key: ObjectKey): void {
    this.#polled.delete(key);
  }

  /**
   * Removes the gauges of a resource that is gone. Its counters stay for 15 minutes: without that, what happened last
   * would be lost between two scrapes.
   */
  resourceRemoved(key: ObjectKey): void {
    const since = this.#gone.get(key);
    this.lanes(key, []);
    this.queueClosed(key);
    this.#noteGone(key, since ?? { key });
    this.#dropGone();
  }

  #noteGone(path: string, gone: { key: ObjectKey; environment?: string; at?: number }): void {
    if (!this.#gone.has(path)) this.#gone.set(path, { at: this.#now(), ...gone });
  }

  /**
   * Names that come and go (for example a resource or an environment for each branch) must not pile up here and in
   * Prometheus. A counter that comes back later begins at 0: a reset, which `increase()` understands.
   */
  #dropGone(): void {
    for (const [path, { key, environment, at }] of this.#gone) {
      if (this.#now() - at < KEEP_REMOVED_MS) continue;
      this.#gone.delete(path);
      if (environment === undefined) this.#dropResource(key);
      else this.#dropLane(key, environment);
    }
  }

  #dropLane(key: ObjectKey, environment: string): void {
    this.#lanes.get(key)?.delete(environment);
    for (const result of RESULTS) this.#deploys.remove({ ...labels(key), environment, result });
  }

  #dropResource(key: ObjectKey): void {
    for (const environment of this.#lanes.get(key) ?? []) this.#dropLane(key, environment);
    this.#lanes.delete(key);
    for (const metric of [this.#received, this.#rejections, this.#jobsCreated, this.#toJob, this.#toStart]) {
      metric.remove(labels(key));
    }
    for (const reason of this.#rejectedValues) this.#rejected.remove({ ...labels(key), reason });
    for (const reason of this.#createErrorValues) this.#createErrors.remove({ ...labels(key), reason });
  }

  reconciled(durationSeconds: number): void {
    this.#reconcileDuration.observe(seconds(durationSeconds));
  }

  /** @param kind of the error, if a request to the Kubernetes API was the cause. */
  reconcileFailed(kind: string = UNEXPECTED): void {
    this.#reconcileErrors.inc({ kind });
  }

  kubeRequestFailed(verb: string, kind: string): void {
    this.#kubeErrors.inc({ verb, kind });
  }

  sqsRequestFailed(code: string): void {
    this.#sqsErrors.inc({ code: this.#sqsErrorValues.of(code) });
  }

  eventLost(reason: string): void {
    this.#eventsLost.inc({ reason: this.#eventsLostValues.of(reason) });
  }

  leader(isLeader: boolean): void {
    this.#leader.set(isLeader ? 1 : 0);
  }

  leaderChanged(): void {
    this.#leaderChanges.inc();
  }

  clockSkew(skewSeconds: number): void {
    this.#skew.set(skewSeconds);
  }

  get contentType(): string {
    return this.#factory.registry.contentType;
  }

  /**
   * @returns everything, in Prometheus' text format. For a thousand resources that is 2 to 8 MB, so other work runs
   * between two metrics.
   */
  async text(): Promise<string> {
    this.#dropGone();
    const texts: string[] = [];
    for (const { name } of this.#factory.registry.getMetricsAsArray()) {
      texts.push(await this.#factory.registry.getSingleMetricAsString(name));
      await setImmediate();
    }
    return `${texts.join('\n\n')}\n`;
  }
}

function labels(key: ObjectKey): { namespace: string; name: string } {
  const [namespace, name] = splitKey(key);
  return { namespace, name };
}

function seconds(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}
