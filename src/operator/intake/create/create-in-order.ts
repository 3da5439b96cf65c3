import type { CapDeployJob } from '../../../api/capdeployjob.ts';
import type { DeployRequest } from '../../../api/deploy-request.ts';
import { REASON, REJECTION } from '../../../api/reasons.ts';
import { Backoff } from '../../../base/backoff.ts';
import { sleep } from '../../../base/clock.ts';
import { isKubeError } from '../../../kube/errors.ts';
import { findInStatus } from '../../../requests/find-in-status.ts';
import { conflictRejection, parseMessage, type Rejection } from '../../../requests/parse-message.ts';
import { type ReadSpec, readSpec } from '../../../requests/read-spec.ts';
import { redactHead } from '../../../text/redact.ts';
import type { Item, ParsedItem } from '../batch-item.ts';
import { isAlive, liveResource } from '../live-resource.ts';
import type { CreateFailure } from '../ports.ts';
import type { ResourceContext } from '../resource-context.ts';
import { CreateFailureReport } from './create-failure.ts';
import { type CreateOutcome, createJob } from './create-job.ts';
import { inCreationOrder } from './creation-order.ts';

/** `held-up`: try this one again later; `stop`: try none just now; `gone`: the resource is gone, or another one. */
type CreateResult = 'ok' | 'held-up' | 'stop' | 'gone';

export interface RejectedItem {
  readonly item: Item;
  readonly rejection: Rejection;
}

/** For the items that need no further try. */
interface CreationCallbacks {
  /** Its Job is stored, or its request is known already: the status has to confirm it. */
  stored(item: Item): void;
  /** They can never become deploys. */
  reject(rejected: readonly RejectedItem[]): void;
}

/** Ten Jobs a second: the cost of each (milliseconds). */
export const JOB_COST_MS = 100;
/** Fifty Jobs are created at once, however fast they come: more than people and pipelines send at the same time. */
export const JOBS_AT_ONCE_MS = 50 * JOB_COST_MS;
/** A single Job in the way, such as one that is being deleted, is reported only if it stays. */
const QUIET_MS = 10_000;
const MAX_RETRY_AFTER_SECONDS = 60;
/** Characters. A megabyte of brackets takes 50 ms to refuse: ten without a pause would delay every other resource. */
const LONG_BODY = 10_000;

/**
 * Creates the Jobs of a batch: in due order within a lane, in the queue's order within a FIFO group, and tries again
 * what failed. A request does not overtake an earlier one of its lane or FIFO group that waits for its next try.
 */
export class CreateInOrder {
  readonly #context: ResourceContext;
  readonly #callbacks: CreationCallbacks;
  /** Epoch milliseconds at which the batch was received. */
  readonly #receivedAt: number;
  readonly #failure: CreateFailureReport;
  readonly #backoff: Backoff;
  /** Of the resource at the last try. */
  #generation: number | undefined;
  /** Epoch milliseconds of the next try. */
  at = 0;

  constructor(context: ResourceContext, receivedAt: number, callbacks: CreationCallbacks) {
    this.#context = context;
    this.#callbacks = callbacks;
    this.#receivedAt = receivedAt;
    this.#failure = new CreateFailureReport(context);
    this.#backoff = new Backoff(context.clock, 500, 60_000);
  }

  /** @returns `gone` if the resource is. Never rejects. */
  async run(pending: readonly Item[], signal: AbortSignal): Promise<'gone' | undefined> {
    const { resources, key, uid, clock } = this.#context;
    if (pending.length === 0) return undefined;
    const resource = resources.get(key);
    if (!isAlive(resource, uid)) return 'gone';
    const { generation } = resource.metadata;
    if (generation === this.#generation && clock.now() < this.at) return undefined;
    this.#generation = generation;

    const read = readSpec(resource);
    if ('problem' in read) {
      this.#retryLater({ reason: REASON.invalidSpec, message: read.problem, template: false });
      return undefined;
    }
    const heldUp = new Set<string>();
    for (const item of inCreationOrder(await this.#parse(pending, read, signal))) {
      if (signal.aborted) return undefined;
      const queues = [`lane ${item.request.environment}`, ...(item.group === undefined ? [] : [`group ${item.group}`])];
      const result = queues.some((queue) => heldUp.has(queue))
        ? 'held-up'
        : await this.#create(item, resource, read, signal);
      if (result === 'gone') return 'gone';
      if (result === 'stop') return undefined;
      if (result === 'held-up') for (const queue of queues) heldUp.add(queue);
    }
    return undefined;
  }

  /** The batch has ended: its failure is over. */
  end(): void {
    this.#failure.clear();
  }

  /** A rejected message never becomes valid: it leaves the order, and its FIFO group does not wait for it. */
  async #parse(pending: readonly Item[], read: ReadSpec, signal: AbortSignal): Promise<ParsedItem[]> {
    const rejected: RejectedItem[] = [];
    for (const item of pending) {
      if (item.parsedBy === read) continue;
      if (item.message.body.length > LONG_BODY) await sleep(this.#context.clock, 0, signal);
      const parsed = parseMessage(item.message, read, this.#receivedAt);
      if (parsed.rejection) {
        rejected.push({ item, rejection: parsed.rejection });
        continue;
      }
      item.request = this.#inTurn(item, parsed.request);
      item.parsedBy = read;
    }
    if (rejected.length > 0) this.#callbacks.reject(rejected);
    return pending.filter((item): item is ParsedItem => item.request !== undefined && item.phase === 'pending');
  }

  /** The first parsing gives a message its place, which it keeps when it is parsed again after an edit. */
  #inTurn({ group, request: before }: Item, request: DeployRequest): DeployRequest {
    if (before) return { ...request, sentAt: before.sentAt };
    return group === undefined ? request : this.#context.groups.inTurn(group, request);
  }

  async #create(item: ParsedItem, resource: CapDeployJob, read: ReadSpec, signal: AbortSignal): Promise<CreateResult> {
    const { kube, key, uid, log } = this.#context;
    const { request } = item;
    let outcome: CreateOutcome | { kind: 'known' };
    try {
      let found = findInStatus(resource.status, request);
      if (found === 'conflict') {
        // The cache is enough to recognise a duplicate, and not enough to reject a message.
        const live = await liveResource(kube, key, uid, signal);
        if (live === undefined) return 'gone';
        found = findInStatus(live.status, request);
        if (found === 'conflict') return this.#reject(item, knownIdRejection(item, request));
      }
      outcome = found === 'same' ? { kind: 'known' } : await createJob(kube, resource, read.spec, request, signal);
    } catch (error) {
      if (signal.aborted) return 'stop';
      const reason = isKubeError(error) ? error.reason : 'InternalError';
      if (!isKubeError(error)) {
        log.error({ err: error, messageId: item.message.messageId }, 'could not create the Job of a request');
      }
      outcome = {
        kind: 'retry',
        scope: 'api',
        reason,
        message: redactHead(error instanceof Error ? error.message : String(error), 1024),
      };
    }
    this.#context.progress();
    return signal.aborted && outcome.kind !== 'stored' ? 'stop' : this.#act(item, outcome);
  }

  #act(item: ParsedItem, outcome: CreateOutcome | { kind: 'known' }): CreateResult {
    const { request } = item;
    const { metrics, key, clock, log, rateLimiter } = this.#context;
    switch (outcome.kind) {
      case 'stored':
        if (outcome.created) {
          rateLimiter.spend(JOB_COST_MS);
          metrics.created(key, Math.max(0, clock.now() - Date.parse(request.sentAt)) / 1000);
          log.info({ job: outcome.job, id: request.id, messageId: request.messageId }, 'created the Job of a request');
        }
        this.#backoff.reset();
        this.#failure.clear();
        this.#callbacks.stored(item);
        return 'ok';
      case 'known':
        log.info({ id: request.id, messageId: request.messageId }, 'this id has had its turn or waits for it already');
        this.#callbacks.stored(item);
        return 'ok';
      case 'id-conflict':
        return this.#reject(item, conflictRejection(item.message, REJECTION.idConflict, outcome.message));
      case 'name-conflict':
        return this.#reject(item, conflictRejection(item.message, REJECTION.nameConflict, outcome.message));
      case 'resource-gone':
        return 'gone';
      case 'template-refused':
        this.#retryLater({ reason: outcome.reason, message: outcome.message, template: true });
        return 'stop';
      case 'retry': {
        const quiet = outcome.scope === 'request' && clock.now() - this.#receivedAt < QUIET_MS;
        const about = `message ${request.messageId} (${request.environment}, ${request.revision ?? request.task})`;
        const failure = { reason: outcome.reason, message: `${about}: ${outcome.message}`, template: false };
        this.#retryLater(failure, outcome.retryAfterSeconds, quiet);
        return outcome.scope === 'api' ? 'stop' : 'held-up';
      }
    }
  }

  #reject(item: Item, rejection: Rejection): 'ok' {
    this.#callbacks.reject([{ item, rejection }]);
    return 'ok';
  }

  #retryLater(failure: CreateFailure, retryAfterSeconds = 0, quiet = false): void {
    const { metrics, key, clock } = this.#context;
    metrics.createError(key, failure.reason);
    const asked = Math.min(retryAfterSeconds, MAX_RETRY_AFTER_SECONDS) * 1000;
    this.at = clock.now() + Math.max(this.#backoff.next(), asked);
    if (!quiet) this.#failure.set(failure);
  }
}

/** The status has the id with another content. */
export function knownIdRejection({ message }: Item, { environment }: DeployRequest): Rejection {
  const text = `id: "${environment}" has had a request with this id and another content: the same id must mean the same deploy`;
  return conflictRejection(message, REJECTION.idConflict, text);
}
