/**
 * What the operator counts, for Prometheus. Methods are named for what happened; no other file knows prom-client. Names and
 * labels are public: people alert on them.
 */

import { setImmediate } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { RESULTS, type Result } from '../api/reasons.ts';

/** A CapDeployJob. */
export interface ResourceRef {
  namespace: string;
  name: string;
}

/** A metric as Prometheus and the docs know it. */
export interface Definition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export interface MetricsOptions {
  /** Also `process_*` and `nodejs_*`. Default true. */
  processMetrics?: boolean;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** What a request to the Kubernetes API can be, and how it can fail. Default: none is known beforehand. */
  kubeRequests?: { verbs: readonly string[]; errorKinds: readonly string[] };
}

/**
 * Results that people alert on: these begin at 0. Prometheus' `increase()` does not see a counter that appears with 1
 * (https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics).
 */
const FROM_THE_START: readonly Result[] = ['Succeeded', 'Failed', 'Aborted', 'Missed'];
/** Of a reconcile that failed by something else than a request to the Kubernetes API. */
const UNEXPECTED = 'unexpected';

const RESOURCE = ['namespace', 'name'] as const;
const LANE = [...RESOURCE, 'environment'] as const;
/** Seconds: from a message that becomes a Job at once to one that waits for its turn, a window or an approval. */
const WAIT_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
/** Seconds. */
const RECONCILE_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Several scrapes, whatever their interval. */
const KEEP_REMOVED_MS = 15 * 60_000;

export class Metrics {
  readonly #registry = new Registry();
  readonly #definitions: Definition[] = [];
  readonly #now: () => number;
  /** By `namespace/name`: when its queue was last read with success, in milliseconds since the epoch. */
  readonly #polled = new Map<string, { resource: ResourceRef; at: number; readAt: number }>();
  /** By `namespace/name`: the environments that have series. */
  readonly #lanes = new Map<string, Set<string>>();
  /**
   * Resources by `namespace/name`, and lanes by `namespace/name/environment`: those that are gone and still have counters,
   * and since when (milliseconds since the epoch).
   */
  readonly #gone = new Map<string, { resource: ResourceRef; environment?: string; at: number }>();

  readonly #received = this.#counter('messages_received_total', 'Messages received from SQS', RESOURCE);
  readonly #rejections = this.#counter(
    'rejections_total',
    'Messages that can never become a deploy, for whatever reason',
    RESOURCE,
  );
  readonly #rejected = this.#counter('messages_rejected_total', 'Messages that can never become a deploy, by reason', [
    ...RESOURCE,
    'reason',
  ]);
  readonly #rejectedWords = new Words();
  readonly #jobsCreated = this.#counter('jobs_created_total', 'Jobs created from messages', RESOURCE);
  readonly #createErrors = this.#counter(
    'job_create_errors_total',
    'Jobs that could not be created for the time being',
    [...RESOURCE, 'reason'],
  );
  readonly #createErrorWords = new Words();
  readonly #deploys = this.#counter('deploys_total', 'Accepted requests that came to an end, by result', [
    ...LANE,
    'result',
  ]);
  readonly #toJob = this.#histogram(
    'message_to_job_seconds',
    'From a message being sent to its Job being stored',
    RESOURCE,
    WAIT_BUCKETS,
  );
  readonly #toStart = this.#histogram(
    'message_to_start_seconds',
    'From a request being due to its deploy being started',
    RESOURCE,
    WAIT_BUCKETS,
  );
  readonly #waiting = this.#gauge('waiting_requests', 'Requests that wait for their turn', LANE);
  readonly #active = this.#gauge('active_deploys', 'Deploys that run', LANE);
  readonly #reconcileErrors = this.#counter('reconcile_errors_total', 'Reconciles that failed and are repeated', [
    'kind',
  ]);
  readonly #reconcileDuration = this.#histogram(
    'reconcile_duration_seconds',
    'How long a reconcile took',
    [],
    RECONCILE_BUCKETS,
  );
  readonly #kubeErrors = this.#counter('kube_request_errors_total', 'Requests to the Kubernetes API that failed', [
    'verb',
    'kind',
  ]);
  readonly #sqsErrors = this.#counter('sqs_errors_total', 'Requests to SQS that failed', ['code']);
  readonly #sqsErrorWords = new Words();
  readonly #eventsLost = this.#counter('events_lost_total', 'Kubernetes Events that could not be written', ['reason']);
  readonly #eventsLostWords = new Words();
  readonly #leader = this.#gauge('leader', 'Whether this replica does the work (1) or stands by (0)', []);
  readonly #leaderChanges = this.#counter(
    'leader_changes_total',
    'How often this replica saw another one lead than before, the first one included',
    [],
  );
  readonly #skew = this.#gauge('clock_skew_seconds', "How far the API server's clock is ahead of this one", []);

  constructor(options: MetricsOptions = {}) {
    this.#now = options.now ?? Date.now;
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.#registry });
    const { verbs = [], errorKinds = [] } = options.kubeRequests ?? {};
    for (const kind of [...errorKinds, UNEXPECTED]) this.#reconcileErrors.inc({ kind }, 0);
    for (const verb of verbs) for (const kind of errorKinds) this.#kubeErrors.inc({ verb, kind }, 0);
    const polled = this.#polled;
    const age = (at: number): number => Math.max(0, (this.#now() - at) / 1000);
    const help = 'Seconds since the queue was last read with success';
    // Computed when it is asked for: a reader that hangs would never set it.
    this.#gauge('queue_last_poll_age_seconds', help, RESOURCE, (gauge) => {
      gauge.reset();
      for (const { resource, at } of polled.values()) gauge.set(labels(resource), age(at));
    });
  }

  /** Every metric of ours, in the order of their definition, for the reference in docs. */
  definitions(): readonly Definition[] {
    return this.#definitions;
  }

  messagesReceived(resource: ResourceRef, count = 1): void {
    this.#received.inc(labels(resource), count);
  }

  messageRejected(resource: ResourceRef, reason: string): void {
    this.#rejections.inc(labels(resource));
    this.#rejected.inc({ ...labels(resource), reason: this.#rejectedWords.of(reason) });
  }

  /** @param secondsSinceSent negative (clocks differ) counts as 0. */
  jobCreated(resource: ResourceRef, secondsSinceSent: number): void {
    this.#jobsCreated.inc(labels(resource));
    this.#toJob.observe(labels(resource), seconds(secondsSinceSent));
  }

  /** The message stays in flight and is tried again. */
  jobCreateFailed(resource: ResourceRef, reason: string): void {
    this.#createErrors.inc({ ...labels(resource), reason: this.#createErrorWords.of(reason) });
  }

  /** @param secondsSinceDue negative (clocks differ) counts as 0. */
  deployStarted(resource: ResourceRef, secondsSinceDue: number): void {
    this.#toStart.observe(labels(resource), seconds(secondsSinceDue));
  }

  /** Once for each entry of the history. */
  deployEnded(resource: ResourceRef, environment: string, result: Result): void {
    // Its environment may have been gone for a while: what is kept of it is kept anew, from the next look at the lanes on.
    this.#gone.delete(`${keyOf(resource)}/${environment}`);
    this.#laneOf(resource, environment);
    this.#deploys.inc({ ...labels(resource), environment, result });
  }

  /**
   * What the lanes of a resource hold now. From the first time on its counters are there, and those of each lane.
   * Environments that are not among them any more lose their gauges, and 15 minutes later their counters.
   */
  lanes(resource: ResourceRef, sizes: Iterable<{ environment: string; waiting: number; active: number }>): void {
    const key = keyOf(resource);
    this.#gone.delete(key);
    this.#rejections.inc(labels(resource), 0);
    const absent = new Set(this.#lanes.get(key));
    for (const { environment, waiting, active } of sizes) {
      absent.delete(environment);
      this.#gone.delete(`${key}/${environment}`);
      this.#laneOf(resource, environment);
      this.#waiting.set({ ...labels(resource), environment }, waiting);
      this.#active.set({ ...labels(resource), environment }, active);
    }
    for (const environment of absent) {
      this.#waiting.remove({ ...labels(resource), environment });
      this.#active.remove({ ...labels(resource), environment });
      this.#noteGone(`${key}/${environment}`, { resource: labels(resource), environment });
    }
  }

  #laneOf(resource: ResourceRef, environment: string): void {
    const key = keyOf(resource);
    const lanes = this.#lanes.get(key) ?? new Set();
    if (lanes.has(environment)) return;
    this.#lanes.set(key, lanes.add(environment));
    for (const result of FROM_THE_START) this.#deploys.inc({ ...labels(resource), environment, result }, 0);
  }

  /**
   * The queue is to be read. Its age counts from the first time that this is told, and from each new success on.
   * @param readAt of the last success, by any clock; 0 before the first.
   */
  queueOpened(resource: ResourceRef, readAt = 0): void {
    const known = this.#polled.get(keyOf(resource));
    if (known && (readAt === 0 || known.readAt === readAt)) return;
    this.#polled.set(keyOf(resource), { resource: labels(resource), at: this.#now(), readAt });
  }

  /** The queue is not to be read any more, as while the resource is suspended. */
  queueClosed(resource: ResourceRef): void {
    this.#polled.delete(keyOf(resource));
  }

  /**
   * The resource is gone: so are its gauges. Its counters stay for 15 minutes, or what happened last would be lost between
   * two scrapes.
   */
  resourceRemoved(resource: ResourceRef): void {
    const key = keyOf(resource);
    const since = this.#gone.get(key);
    this.lanes(resource, []);
    this.queueClosed(resource);
    this.#noteGone(key, since ?? { resource: labels(resource) });
    this.#dropGone();
  }

  #noteGone(key: string, gone: { resource: ResourceRef; environment?: string; at?: number }): void {
    if (!this.#gone.has(key)) this.#gone.set(key, { at: this.#now(), ...gone });
  }

  /**
   * Names that come and go (a resource or an environment for each branch, say) must not pile up here and in Prometheus.
   * What comes back later begins at 0: a reset, which `increase()` knows how to read.
   */
  #dropGone(): void {
    for (const [key, { resource, environment, at }] of this.#gone) {
      if (this.#now() - at < KEEP_REMOVED_MS) continue;
      this.#gone.delete(key);
      if (environment === undefined) this.#dropResource(resource);
      else this.#dropLane(resource, environment);
    }
  }

  #dropLane(resource: ResourceRef, environment: string): void {
    this.#lanes.get(keyOf(resource))?.delete(environment);
    for (const result of RESULTS) this.#deploys.remove({ ...labels(resource), environment, result });
  }

  #dropResource(resource: ResourceRef): void {
    for (const environment of this.#lanes.get(keyOf(resource)) ?? []) this.#dropLane(resource, environment);
    this.#lanes.delete(keyOf(resource));
    for (const metric of [this.#received, this.#rejections, this.#jobsCreated, this.#toJob, this.#toStart]) {
      metric.remove(labels(resource));
    }
    for (const reason of this.#rejectedWords) this.#rejected.remove({ ...labels(resource), reason });
    for (const reason of this.#createErrorWords) this.#createErrors.remove({ ...labels(resource), reason });
  }

  reconciled(durationSeconds: number): void {
    this.#reconcileDuration.observe(seconds(durationSeconds));
  }

  /** @param kind of the error, where a request to the Kubernetes API was the cause. */
  reconcileFailed(kind: string = UNEXPECTED): void {
    this.#reconcileErrors.inc({ kind });
  }

  kubeRequestFailed(verb: string, kind: string): void {
    this.#kubeErrors.inc({ verb, kind });
  }

  sqsRequestFailed(code: string): void {
    this.#sqsErrors.inc({ code: this.#sqsErrorWords.of(code) });
  }

  eventLost(reason: string): void {
    this.#eventsLost.inc({ reason: this.#eventsLostWords.of(reason) });
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
    return this.#registry.contentType;
  }

  /**
   * Everything, in Prometheus' text format. A thousand resources have 2 to 8 MB of it: between two metrics others have their
   * turn.
   */
  async text(): Promise<string> {
    this.#dropGone();
    const texts: string[] = [];
    for (const { name } of this.#registry.getMetricsAsArray()) {
      texts.push(await this.#registry.getSingleMetricAsString(name));
      await setImmediate();
    }
    return `${texts.join('\n\n')}\n`;
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter(this.#define('counter', name, help, labelNames));
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[], collect?: (gauge: Gauge<L>) => void) {
    const definition = this.#define('gauge', name, help, labelNames);
    if (collect === undefined) return new Gauge(definition);
    return new Gauge({
      ...definition,
      collect() {
        collect(this);
      },
    });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]): Histogram<L> {
    return new Histogram({ ...this.#define('histogram', name, help, labelNames), buckets });
  }

  #define<L extends string>(type: Definition['type'], suffix: string, help: string, labelNames: readonly L[]) {
    const name = `capdeployjob_${suffix}`;
    this.#definitions.push({ name, type, help, labels: labelNames });
    return { name, help, labelNames, registers: [this.#registry] };
  }
}

function labels({ namespace, name }: ResourceRef): ResourceRef {
  return { namespace, name };
}

function keyOf({ namespace, name }: ResourceRef): string {
  return `${namespace}/${name}`;
}

function seconds(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}

/** Values of one label that are told apart: more than AWS, the API server and the transport have in practice. */
const MOST_WORDS = 50;

/**
 * The values of a label that come from outside (AWS's codes, the reasons of an admission webhook): they stay short and
 * plain, and they stay few.
 */
class Words implements Iterable<string> {
  readonly #known = new Set<string>();

  of(value: string): string {
    const word = value.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 64) || 'unknown';
    if (!this.#known.has(word) && this.#known.size >= MOST_WORDS) return OTHER;
    this.#known.add(word);
    return word;
  }

  /** Every value that was ever given. */
  *[Symbol.iterator](): Iterator<string> {
    yield* this.#known;
    yield OTHER;
  }
}

const OTHER = 'other';
