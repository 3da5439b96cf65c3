import { unlessAborted } from '../../base/abort.ts';
import { Backoff } from '../../base/backoff.ts';
import { monotonicNow, sleep } from '../../base/clock.ts';
import { withFields } from '../../base/log.ts';
import type { ObjectKey } from '../../base/object-key.ts';
import { RateLimiter } from '../../base/rate-limiter.ts';
import { readSpec } from '../../requests/read-spec.ts';
import { toSqsError } from '../../sqs/errors.ts';
import type { Queue, QueueMessage } from '../../sqs/queue.ts';
import { Batch } from './batch.ts';
import type { IntakeContext } from './context.ts';
import { JOBS_AT_ONCE_MS } from './create/create-in-order.ts';
import { GroupOrder } from './group-order.ts';
import { isAlive, liveResource } from './live-resource.ts';
import { Rejections } from './reject/rejections.ts';
import type { ResourceContext } from './resource-context.ts';
import { DRAIN_MS, Shutdown } from './shutdown.ts';

/** SQS's bound for a receive. */
const MAX_MESSAGES = 10;
/** Time between empty receives: waitTimeSeconds can be 0, and a broken server can answer at once. Milliseconds. */
const MIN_POLL_MS = 1_000;
/** Between tries after an error that only a person can correct. Milliseconds. */
const SLOW_RETRY_MS = 30_000;
/** Errors that only a person can correct. */
const LASTING_KINDS: ReadonlySet<string> = new Set([
  'missing-queue',
  'access-denied',
  'expired-credentials',
  'no-region',
  'no-credentials',
]);

/**
 * Reads the queue of one resource, one batch at a time, until it is stopped. It shares neither backoff nor timers nor
 * memory: a queue that fails, or a namespace that takes no Jobs, delays no other resource (invariant 9).
 */
export class Poller {
  /** Resolves when nothing is in flight any more. Never rejects. */
  readonly ended: Promise<void>;

  readonly #context: ResourceContext;
  readonly #backoff: Backoff;
  readonly #shutdown: Shutdown;
  #readingSince: number;
  #lastReadAt = 0;
  #failingSince: number | undefined;
  #batch: Batch | undefined;
  #working: Promise<void> | undefined;
  /** When the open receive should have been answered (epoch milliseconds). */
  #answerBy = 0;
  #progressAt: number;
  /** For the controller to record rejections, which has no time limit. */
  #waitsForRecords = false;

  /** Starts at once. */
  constructor(context: IntakeContext, target: { key: ObjectKey; uid: string; queue: Queue }) {
    const { clock } = context;
    const own = { ...context, ...target, log: withFields(context.log, { resource: target.key }) };
    this.#context = {
      ...own,
      rejections: new Rejections(own),
      groups: new GroupOrder(),
      rateLimiter: new RateLimiter(clock, JOBS_AT_ONCE_MS),
      progress: () => {
        this.#progressAt = monotonicNow(clock);
      },
    };
    this.#progressAt = monotonicNow(clock);
    this.#backoff = new Backoff(clock, 500, 30_000);
    this.#shutdown = new Shutdown(clock);
    this.#readingSince = clock.now();
    this.ended = this.#run();
  }

  /**
   * Receives nothing more, lets the open receive return, and works on what is in flight until the deadline. The rest is
   * made visible again.
   */
  stop(deadlineMs = DRAIN_MS): Promise<void> {
    this.#shutdown.stop(deadlineMs, { answerBy: this.#answerBy, isWorking: this.#batch !== undefined });
    return this.ended;
  }

  /** Resolves when no message of now is in flight any more. Never rejects. */
  async atRest(): Promise<void> {
    await this.#working?.catch(() => {});
  }

  /** Milliseconds without progress that should have been made. */
  stalledMs(): number {
    return this.#waitsForRecords ? 0 : monotonicNow(this.#context.clock) - this.#progressAt;
  }

  /** Ends everything at once; messages in flight come again when their visibility ends. */
  abort(): Promise<void> {
    this.#shutdown.abort();
    return this.ended;
  }

  async #run(): Promise<void> {
    const { queue, clock, log, rejections, rateLimiter } = this.#context;
    this.#reportReading();
    while (!this.#shutdown.stopped.aborted) {
      this.#context.progress();
      try {
        this.#waitsForRecords = true;
        await rejections.waitForCapacity(this.#shutdown.stopped);
        this.#waitsForRecords = false;
        await rateLimiter.waitForCapacity(this.#shutdown.stopped);
        this.#context.progress();
        if (!this.#shutdown.stopped.aborted) await this.#poll();
      } catch (error) {
        log.error({ err: error }, 'reading the queue failed unexpectedly');
        await sleep(clock, this.#backoff.next(), this.#shutdown.stopped);
      }
    }
    this.#shutdown.drainAtDeadline();
    await rejections.end(this.#shutdown.drain, this.#shutdown.aborted);
    this.#shutdown.finish();
    queue.close();
  }

  async #poll(): Promise<void> {
    const { clock, resources, key, uid } = this.#context;
    const resource = resources.get(key);
    const read = resource && readSpec(resource);
    if (!isAlive(resource, uid) || !read || 'problem' in read) {
      // The supervisor sees the same and will stop this poller. Until then it must not be a busy loop.
      return sleep(clock, MIN_POLL_MS, this.#shutdown.stopped);
    }
    const { visibilityTimeoutSeconds, waitTimeSeconds } = read.spec.queue;
    const startedAt = clock.now();
    const messages = await this.#receive(waitTimeSeconds, visibilityTimeoutSeconds);
    if (messages === undefined) return;
    if (messages.length === 0) {
      return sleep(clock, Math.max(0, startedAt + MIN_POLL_MS - clock.now()), this.#shutdown.stopped);
    }
    this.#working = this.#work(messages, visibilityTimeoutSeconds);
    await this.#working;
  }

  /** @returns undefined after a failure and the wait that follows it. */
  async #receive(waitSeconds: number, visibilitySeconds: number): Promise<QueueMessage[] | undefined> {
    const { queue, clock, metrics, key } = this.#context;
    try {
      const signal = this.#shutdown.cut;
      this.#answerBy = clock.now() + waitSeconds * 1000;
      const messages = await unlessAborted(
        queue.receive({ max: MAX_MESSAGES, waitSeconds, visibilitySeconds, signal }),
        signal,
      );
      this.#context.progress();
      this.#backoff.reset();
      this.#lastReadAt = clock.now();
      this.#reportReading();
      if (messages.length > 0) metrics.received(key, messages.length);
      return messages;
    } catch (error) {
      this.#context.progress();
      if (this.#shutdown.cut.aborted) return undefined;
      const { kind, code, message } = toSqsError(error);
      metrics.sqsError(key, code);
      const lasting = LASTING_KINDS.has(kind);
      this.#reportFailing({ reason: code, message, lasting });
      const wait = lasting ? SLOW_RETRY_MS * (1 + clock.random()) : this.#backoff.next();
      await sleep(clock, wait, this.#shutdown.stopped);
      return undefined;
    }
  }

  async #work(messages: QueueMessage[], visibilitySeconds: number): Promise<void> {
    this.#shutdown.allowForLastBatch();
    this.#batch = new Batch(this.#context, messages, visibilitySeconds, {
      drain: this.#shutdown.drain,
      abort: this.#shutdown.aborted,
    });
    const result = await this.#batch.run();
    this.#batch = undefined;
    if (result === 'gone') await this.#untilAlive();
  }

  /** The resource is gone. Nothing is received until the supervisor, which goes by the cache, stops this poller. */
  async #untilAlive(): Promise<void> {
    const { kube, key, uid, clock, log, rejections } = this.#context;
    // Its rejections cannot be recorded any more.
    await rejections.end(AbortSignal.abort(), this.#shutdown.aborted);
    log.info({}, 'the resource is gone or being deleted: its queue is not read any more');
    const backoff = new Backoff(clock, 2_000, 30_000);
    const signal = this.#shutdown.stopped;
    while (!signal.aborted) {
      this.#context.progress();
      await sleep(clock, backoff.next(), signal);
      const alive = await liveResource(kube, key, uid, signal).catch(() => undefined);
      if (alive) return;
    }
  }

  #reportReading(): void {
    const { reports, key, clock, log } = this.#context;
    if (this.#failingSince !== undefined) {
      this.#failingSince = undefined;
      this.#readingSince = clock.now();
      log.info({}, 'the queue can be read again');
    }
    // The supervisor reports the resource of a stopped poller.
    if (this.#shutdown.stopped.aborted) return;
    reports.queue(key, { kind: 'reading', since: this.#readingSince, lastReadAt: this.#lastReadAt });
  }

  #reportFailing(failure: { reason: string; message: string; lasting: boolean }): void {
    const { reports, key, clock, log } = this.#context;
    if (this.#failingSince === undefined)
      log.warn({ code: failure.reason }, `the queue cannot be read: ${failure.message}`);
    this.#failingSince ??= clock.now();
    if (this.#shutdown.stopped.aborted) return;
    reports.queue(key, { kind: 'failing', since: this.#failingSince, lastReadAt: this.#lastReadAt, ...failure });
  }
}
