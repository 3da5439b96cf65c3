/**
 * What the operator counts, for Prometheus. Methods are named for what happened; no other file knows prom-client. Names and
 * labels are public: people alert on them.
 */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** A CapDeployJob. */
export interface ResourceRef {
  namespace: string;
  name: string;
}

export interface MetricsOptions {
  /** Also `process_*` and `nodejs_*`. Default true. */
  processMetrics?: boolean;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

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
  readonly #now: () => number;
  /** By `namespace/name`: when its queue was last read with success, in milliseconds since the epoch. */
  readonly #polled = new Map<string, { resource: ResourceRef; at: number; readAt: number }>();
  /** By `namespace/name`: the environments that have gauges. */
  readonly #lanes = new Map<string, Set<string>>();
  /** By `namespace/name`: resources that are gone and still have counters, and since when. */
  readonly #removed = new Map<string, { resource: ResourceRef; at: number }>();

  #dropping = Promise.resolve();

  readonly #received = this.#counter('messages_received_total', 'Messages received from SQS', RESOURCE);
  readonly #rejected = this.#counter('messages_rejected_total', 'Messages that can never become a deploy', [
    ...RESOURCE,
    'reason',
  ]);
  readonly #jobsCreated = this.#counter('jobs_created_total', 'Jobs created from messages', RESOURCE);
  readonly #createErrors = this.#counter(
    'job_create_errors_total',
    'Jobs that could not be created for the time being',
    [...RESOURCE, 'reason'],
  );
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
  readonly #eventsLost = this.#counter('events_lost_total', 'Kubernetes Events that could not be written', ['reason']);
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
    const polled = this.#polled;
    const age = (at: number): number => Math.max(0, (this.#now() - at) / 1000);
    new Gauge({
      name: 'capdeployjob_queue_last_poll_age_seconds',
      help: 'How long ago the queue was last read with success',
      labelNames: RESOURCE,
      registers: [this.#registry],
      // Computed when it is asked for: a reader that hangs would never set it.
      collect() {
        this.reset();
        for (const { resource, at } of polled.values()) this.set(labels(resource), age(at));
      },
    });
  }

  messagesReceived(resource: ResourceRef, count = 1): void {
    this.#received.inc(labels(resource), count);
  }

  messageRejected(resource: ResourceRef, reason: string): void {
    this.#rejected.inc({ ...labels(resource), reason: word(reason) });
  }

  /** @param secondsSinceSent negative (clocks differ) counts as 0. */
  jobCreated(resource: ResourceRef, secondsSinceSent: number): void {
    this.#jobsCreated.inc(labels(resource));
    this.#toJob.observe(labels(resource), seconds(secondsSinceSent));
  }

  /** The message stays in hand and is tried again. */
  jobCreateFailed(resource: ResourceRef, reason: string): void {
    this.#createErrors.inc({ ...labels(resource), reason: word(reason) });
  }

  /** @param secondsSinceDue negative (clocks differ) counts as 0. */
  deployStarted(resource: ResourceRef, secondsSinceDue: number): void {
    this.#toStart.observe(labels(resource), seconds(secondsSinceDue));
  }

  /** Once for each entry of the history. */
  deployEnded(resource: ResourceRef, environment: string, result: string): void {
    this.#deploys.inc({ ...labels(resource), environment, result });
  }

  /** What the lanes of a resource hold now. Environments that are not among them lose their gauges. */
  lanes(resource: ResourceRef, sizes: Iterable<{ environment: string; waiting: number; active: number }>): void {
    this.#removed.delete(keyOf(resource));
    const gone = this.#lanes.get(keyOf(resource)) ?? new Set();
    const present = new Set<string>();
    for (const { environment, waiting, active } of sizes) {
      present.add(environment);
      gone.delete(environment);
      this.#waiting.set({ ...labels(resource), environment }, waiting);
      this.#active.set({ ...labels(resource), environment }, active);
    }
    for (const environment of gone) {
      this.#waiting.remove({ ...labels(resource), environment });
      this.#active.remove({ ...labels(resource), environment });
    }
    this.#lanes.set(keyOf(resource), present);
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

  /** The resource is gone: so are its gauges. Its counters stay for a while, or what happened last would be lost between two scrapes. */
  resourceRemoved(resource: ResourceRef): void {
    const key = keyOf(resource);
    const before = this.#removed.get(key);
    this.lanes(resource, []);
    this.#lanes.delete(key);
    this.queueClosed(resource);
    this.#removed.set(key, before ?? { resource: labels(resource), at: this.#now() });
    this.#dropping = this.#dropRemoved();
  }

  /** Names of resources that come and go (one for each branch, say) must not pile up here and in Prometheus. */
  async #dropRemoved(): Promise<void> {
    const gone = new Map([...this.#removed].filter(([, { at }]) => this.#now() - at >= KEEP_REMOVED_MS));
    if (gone.size === 0) return;
    for (const key of gone.keys()) this.#removed.delete(key);
    for (const metric of [this.#received, this.#rejected, this.#jobsCreated, this.#createErrors, this.#deploys]) {
      for (const { labels: own } of (await metric.get()).values) {
        if (gone.has(`${own.namespace}/${own.name}`)) (metric as Counter<string>).remove(own);
      }
    }
    for (const { resource } of gone.values()) {
      this.#toJob.remove(resource);
      this.#toStart.remove(resource);
    }
  }

  reconciled(durationSeconds: number): void {
    this.#reconcileDuration.observe(seconds(durationSeconds));
  }

  /** @param kind of the error: a KubeErrorKind, or 'unexpected'. */
  reconcileFailed(kind: string): void {
    this.#reconcileErrors.inc({ kind: word(kind) });
  }

  kubeRequestFailed(verb: string, kind: string): void {
    this.#kubeErrors.inc({ verb, kind });
  }

  sqsRequestFailed(code: string): void {
    this.#sqsErrors.inc({ code: word(code) });
  }

  eventLost(reason: string): void {
    this.#eventsLost.inc({ reason: word(reason) });
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

  /** Everything, in Prometheus' text format. */
  async text(): Promise<string> {
    await this.#dropping;
    await this.#dropRemoved();
    return this.#registry.metrics();
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter({ name: `capdeployjob_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({ name: `capdeployjob_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]): Histogram<L> {
    return new Histogram({ name: `capdeployjob_${name}`, help, labelNames, buckets, registers: [this.#registry] });
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

/** A label that comes from outside (AWS's codes) stays short and plain. */
function word(value: string): string {
  return value.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 64) || 'unknown';
}
