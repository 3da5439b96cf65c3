import type { CapDeployJob, CapDeployJobSpec } from '../api/capdeployjob.ts';
import type { DeployRequest } from '../api/deploy-request.ts';
import { REASON, REJECTION } from '../api/reasons.ts';
import { Bell } from '../kube/bell.ts';
import { isKubeError } from '../kube/errors.ts';
import { standsInStatus } from '../lanes/known.ts';
import type { QueueMessage } from '../sqs/queue.ts';
import { type CreateOutcome, createJob } from './create-job.ts';
import { Deleter } from './delete-listed.ts';
import { Hold } from './hold.ts';
import { Ledger } from './ledger.ts';
import { isAlive, liveResource } from './live-resource.ts';
import { inCreationOrder } from './order.ts';
import { conflictRejection, parseMessage, type Rejection } from './parse-message.ts';
import { linkedController, type ResourceContext } from './parts.ts';
import type { CreateTrouble } from './ports.ts';
import { rejectMessage } from './reject-message.ts';
import { type Revisions, readSpec } from './revisions.ts';
import { giveBack } from './settle-message.ts';
import { TroubleReport } from './trouble.ts';
import { Backoff } from './waiting.ts';

export interface BatchSignals {
  /** Ends the work; what is left is made visible again. Aborts with `abort` too. */
  readonly drain: AbortSignal;
  /** Ends everything at once. */
  readonly abort: AbortSignal;
}

/** `gone`: the resource is deleted, being deleted, or another one by now. */
export type BatchResult = 'done' | 'interrupted' | 'gone';

/**
 * pending → stored (its Job is in the API server) → listed (it stands in the live status) → ended (its message is deleted);
 * or pending → rejecting → ended.
 */
type Phase = 'pending' | 'stored' | 'listed' | 'rejecting' | 'ended';

type Read = { spec: CapDeployJobSpec; revisions: Revisions };

interface Item {
  readonly message: QueueMessage;
  readonly group: string | undefined;
  readonly index: number;
  phase: Phase;
  request: DeployRequest | undefined;
  /** The reading of the spec that the request was parsed with: an edit counts at once. */
  parsedBy: Read | undefined;
}

/** An item with its request, in turn. */
type Turn = { item: Item; request: DeployRequest; group: string | undefined; index: number };

/** A single Job in the way (being deleted, say) is worth a word only when it stays there. */
const QUIET_MS = 10_000;
const MAX_RETRY_AFTER_SECONDS = 60;

/**
 * The messages of one receive, from receipt to delete. Nothing more is received meanwhile, so at most one batch of a resource is between
 * queue and ledger, and receives, which count towards the dead-letter queue, stop while Jobs cannot be created.
 *
 * If this process ends at any point, the messages come again when their visibility ends: a Job that was stored is found under its name,
 * a request that was recorded is found in the status.
 */
export class Batch {
  readonly #context: ResourceContext;
  readonly #signals: BatchSignals;
  readonly #items: Item[];
  readonly #hold: Hold;
  readonly #ledger: Ledger;
  readonly #deleter: Deleter;
  readonly #trouble: TroubleReport;
  readonly #bell = new Bell();
  readonly #rejections = new Set<Promise<void>>();
  readonly #startedAt: number;
  readonly #createBackoff: Backoff;
  /** Epoch milliseconds of the next try, and the generation of the resource at the last one. */
  #createAt = 0;
  #createGeneration: number | undefined;
  #gone = false;
  #recording = false;

  constructor(
    context: ResourceContext,
    messages: readonly QueueMessage[],
    visibilitySeconds: number,
    signals: BatchSignals,
  ) {
    this.#context = context;
    this.#signals = signals;
    this.#startedAt = context.clock.now();
    this.#items = messages.map((message, index) => ({
      message,
      group: message.messageGroupId,
      index,
      phase: 'pending',
      request: undefined,
      parsedBy: undefined,
    }));
    this.#hold = new Hold(context, visibilitySeconds);
    this.#hold.add(messages, this.#startedAt);
    this.#ledger = new Ledger(context);
    this.#deleter = new Deleter(context);
    this.#trouble = new TroubleReport(context);
    this.#createBackoff = new Backoff(context.clock, 500, 60_000);
  }

  /** All that is left is rejections that somebody else has to record, which takes as long as it takes. */
  get waitsForRecords(): boolean {
    return this.#recording;
  }

  /** Never rejects. */
  async run(): Promise<BatchResult> {
    const { resources, key, clock } = this.#context;
    const stopListening = resources.onChange((changed) => changed === key && this.#bell.ring());
    const work = linkedController(this.#signals.drain);
    const beating = this.#hold.beat(work.signal, () => this.#bell.ring());
    try {
      while (!work.signal.aborted) {
        this.#context.progress();
        this.#dropLost();
        await this.#createWhatIsDue(work.signal);
        await this.#lookForStored(work.signal);
        await this.#deleteListed(work.signal);
        if (this.#gone || this.#in('pending', 'stored', 'listed').length === 0) break;
        await this.#bell.wait(clock, Math.max(0, this.#nextAt() - clock.now()), work.signal);
      }
      // A resource that is gone records no rejection any more.
      if (this.#gone) work.abort();
      this.#recording = true;
      await Promise.all(this.#rejections);
    } finally {
      stopListening();
      work.abort();
      await beating;
    }
    return this.#leaveTheRest();
  }

  #in(...phases: Phase[]): Item[] {
    return this.#items.filter(({ phase }) => phases.includes(phase));
  }

  #nextAt(): number {
    return Math.min(
      this.#in('pending').length > 0 ? this.#createAt : Number.POSITIVE_INFINITY,
      this.#in('stored').length > 0 ? this.#ledger.at : Number.POSITIVE_INFINITY,
      this.#in('listed').length > 0 ? this.#deleter.at : Number.POSITIVE_INFINITY,
    );
  }

  /** SQS's 12 hours are over: whoever receives the message next goes on with it. */
  #dropLost(): void {
    for (const item of this.#in('pending', 'stored', 'listed')) {
      if (!this.#hold.has(item.message)) item.phase = 'ended';
    }
  }

  /** Creates Jobs in order. Whoever waits behind a request of its lane, or of its FIFO group, does not overtake it. */
  async #createWhatIsDue(signal: AbortSignal): Promise<void> {
    const { resources, key, uid, clock } = this.#context;
    if (this.#in('pending').length === 0) return;
    const resource = resources.get(key);
    if (!isAlive(resource, uid)) {
      this.#gone = true;
      return;
    }
    const { generation } = resource.metadata;
    if (generation === this.#createGeneration && clock.now() < this.#createAt) return;
    this.#createGeneration = generation;

    const read = readSpec(resource);
    if ('problem' in read)
      return this.#retryLater({ reason: REASON.invalidSpec, message: read.problem, template: false });
    const heldUp = new Set<string>();
    for (const turn of inCreationOrder(this.#parsePending(read, signal))) {
      if (signal.aborted) return;
      const lines = [`lane ${turn.request.environment}`, ...(turn.group === undefined ? [] : [`group ${turn.group}`])];
      const result = lines.some((line) => heldUp.has(line))
        ? 'held-up'
        : await this.#create(turn, resource, read, signal);
      if (result === 'stop') return;
      if (result === 'held-up') for (const line of lines) heldUp.add(line);
    }
  }

  /** A rejected message never becomes valid, so it leaves the order and nothing of its FIFO group waits for it. */
  #parsePending(read: Read, signal: AbortSignal): Turn[] {
    return this.#in('pending').flatMap((item) => {
      if (item.parsedBy !== read) {
        const parsed = parseMessage(item.message, read, this.#startedAt);
        if (parsed.rejection) {
          this.#reject(item, parsed.rejection, signal);
          return [];
        }
        item.request = this.#inTurn(item, parsed.request);
        item.parsedBy = read;
      }
      return item.request ? [{ item, request: item.request, group: item.group, index: item.index }] : [];
    });
  }

  /** The first reading of a message gives it its place; a second one, after an edit of the resource, leaves it there. */
  #inTurn({ group, request: before }: Item, request: DeployRequest): DeployRequest {
    if (before) return { ...request, sentAt: before.sentAt };
    return group === undefined ? request : this.#context.groups.inTurn(group, request);
  }

  /** @returns `held-up`: try this one again later; `stop`: try none just now. */
  async #create(
    turn: Turn,
    resource: CapDeployJob,
    read: Read,
    signal: AbortSignal,
  ): Promise<'ok' | 'held-up' | 'stop'> {
    const { kube, log } = this.#context;
    const { item, request } = turn;
    let outcome: CreateOutcome | { kind: 'known' };
    try {
      // The cache knows most duplicates. Its word for a conflict is not enough to reject a message: that is looked up live.
      let standing = standsInStatus(resource.status, request);
      if (standing === 'conflict') standing = await this.#standsInLive(request, signal);
      if (standing === 'conflict') return this.#rejectKnownId(item, request, signal);
      if (this.#gone) return 'stop';
      outcome = standing === 'same' ? { kind: 'known' } : await createJob(kube, resource, read.spec, request, signal);
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
        message: error instanceof Error ? error.message : String(error),
      };
    }
    this.#context.progress();
    return signal.aborted && outcome.kind !== 'stored' ? 'stop' : this.#act(turn, outcome, signal);
  }

  #act(turn: Turn, outcome: CreateOutcome | { kind: 'known' }, signal: AbortSignal): 'ok' | 'held-up' | 'stop' {
    const { metrics, key, clock, log } = this.#context;
    const { item, request } = turn;
    switch (outcome.kind) {
      case 'stored':
        if (outcome.created) {
          metrics.created(key, Math.max(0, clock.now() - Date.parse(request.sentAt)) / 1000);
          log.info({ job: outcome.job, id: request.id, messageId: request.messageId }, 'created the Job of a request');
        }
        this.#createBackoff.reset();
        this.#trouble.clear();
        this.#awaitLedger(item);
        return 'ok';
      case 'known':
        log.info({ id: request.id, messageId: request.messageId }, 'this id has had its turn or waits for it already');
        this.#awaitLedger(item);
        return 'ok';
      case 'id-conflict':
        return this.#reject(item, conflictRejection(item.message, REJECTION.idConflict, outcome.message), signal);
      case 'name-conflict':
        return this.#reject(item, conflictRejection(item.message, REJECTION.nameConflict, outcome.message), signal);
      case 'resource-gone':
        this.#gone = true;
        return 'stop';
      case 'template-refused':
        this.#retryLater({ reason: outcome.reason, message: outcome.message, template: true });
        return 'stop';
      case 'retry': {
        const quiet = outcome.scope === 'request' && clock.now() - this.#startedAt < QUIET_MS;
        const about = `message ${request.messageId} (${request.environment}, ${request.revision ?? request.task})`;
        const trouble = { reason: outcome.reason, message: `${about}: ${outcome.message}`, template: false };
        this.#retryLater(trouble, outcome.retryAfterSeconds, quiet);
        return outcome.scope === 'api' ? 'stop' : 'held-up';
      }
    }
  }

  #awaitLedger(item: Item): void {
    item.phase = 'stored';
    this.#ledger.expect();
  }

  #retryLater(trouble: CreateTrouble, retryAfterSeconds = 0, quiet = false): void {
    const { metrics, key, clock } = this.#context;
    metrics.createError(key, trouble.reason);
    const asked = Math.min(retryAfterSeconds, MAX_RETRY_AFTER_SECONDS) * 1000;
    this.#createAt = clock.now() + Math.max(this.#createBackoff.next(), asked);
    if (!quiet) this.#trouble.set(trouble);
  }

  async #lookForStored(signal: AbortSignal): Promise<void> {
    const stored = this.#in('stored').flatMap((item) => (item.request ? [{ item, request: item.request }] : []));
    if (stored.length === 0 || signal.aborted || this.#gone) return;
    const entries = await this.#ledger.look(
      stored.map(({ request }) => request),
      signal,
    );
    if (entries === 'gone') this.#gone = true;
    if (entries === 'gone' || entries === undefined) return;
    for (const [index, { item, request }] of stored.entries()) {
      const entry = entries[index];
      if (entry === 'listed') item.phase = 'listed';
      if (entry === 'conflict') this.#rejectKnownId(item, request, signal);
      if (entry === 'vanished') {
        // Deleted before it was listed: nothing would ever say that the request was there. It is created again.
        item.phase = 'pending';
        this.#createAt = 0;
      }
    }
  }

  async #standsInLive(request: DeployRequest, signal: AbortSignal) {
    const { kube, key, uid } = this.#context;
    const live = await liveResource(kube, key, uid, signal);
    if (live === undefined) this.#gone = true;
    return live && standsInStatus(live.status, request);
  }

  /** Invariant 2: only what stands in the live status of this very resource is `listed`. */
  async #deleteListed(signal: AbortSignal): Promise<void> {
    const listed = this.#in('listed');
    if (listed.length === 0 || signal.aborted || this.#gone || this.#context.clock.now() < this.#deleter.at) return;
    const messages = listed.map(({ message }) => message);
    const ended = await this.#deleter.run(messages, signal);
    for (const item of listed) if (ended.has(item.message)) this.#end(item);
  }

  #end(item: Item): void {
    item.phase = 'ended';
    this.#hold.release(item.message);
  }

  #rejectKnownId(item: Item, { environment }: DeployRequest, signal: AbortSignal): 'ok' {
    const text = `id: "${environment}" has had a request with this id and another content: the same id must mean the same deploy`;
    return this.#reject(item, conflictRejection(item.message, REJECTION.idConflict, text), signal);
  }

  /** Goes on beside the requests of the batch: recording a rejection may take a second, and no deploy waits for it. */
  #reject(item: Item, rejection: Rejection, signal: AbortSignal): 'ok' {
    item.phase = 'rejecting';
    const rejecting = rejectMessage(this.#context, item.message, rejection, signal).then((settled) => {
      if (settled) this.#end(item);
      else this.#hold.release(item.message);
    });
    this.#rejections.add(rejecting);
    return 'ok';
  }

  /** What is left when the work ends early belongs to the next reader, at once rather than when its visibility ends. */
  async #leaveTheRest(): Promise<BatchResult> {
    const { queue } = this.#context;
    const interrupted = this.#signals.drain.aborted;
    this.#trouble.clear();
    if ((interrupted || this.#gone) && !this.#signals.abort.aborted) {
      const left = this.#items.filter(({ phase }) => phase !== 'ended').map(({ message }) => message);
      await giveBack(queue, left, this.#signals.abort);
    }
    if (this.#gone) return 'gone';
    return interrupted ? 'interrupted' : 'done';
  }
}
