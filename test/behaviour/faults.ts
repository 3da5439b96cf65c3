import { type Clock, sleep } from '../../src/base/clock.ts';
import type { KubeClient, ResourceType } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import { SqsError } from '../../src/sqs/errors.ts';
import type { Queue } from '../../src/sqs/queue.ts';
import { type Call as ClientCall, interceptClient } from '../kit/intercept-client.ts';

/** A request of the operator under test to the API server. */
export interface Call extends ClientCall {
  /** Which operator sent it: 1 is the first that the test started. */
  by: number;
  /** The API server has answered that it took effect. */
  done?: true;
}

/** A request of the operator under test to SQS. */
export interface QueueCall {
  verb: 'receive' | 'delete' | 'changeVisibility' | 'attributes';
  queueUrl: string;
  moment: 'before' | 'after';
}

/** What a test has happen to the operator's requests. */
export interface Faults {
  intercept: ((call: Call) => void | Promise<void>) | undefined;
  afterCall: ((call: Call) => void | Promise<void>) | undefined;
  onQueueCall: ((call: QueueCall) => void | Promise<void>) | undefined;
  readonly calls: Call[];
}

/** What is known of one operator's process. */
export class Life {
  killed = false;
  /** Under way. */
  readonly receives = new Set<Promise<unknown>>();
  /** Receipt handles of messages that it received and did not delete, by queue URL. */
  readonly inFlight = new Map<string, Set<string>>();
  /** Its open watches. */
  readonly #watches = new Set<{ plural: string; end: AbortController }>();
  /** Types of which no watch can be resumed before they are listed again. */
  readonly #forgotten = new Set<string>();

  /** Ends its watches. @param forgotten and answers 410 (Expired) to those that would go on where one ended. */
  endWatches(forgotten: boolean): void {
    for (const { plural, end } of this.#watches) {
      if (forgotten) this.#forgotten.add(plural);
      end.abort();
    }
  }

  listed({ plural }: ResourceType): void {
    this.#forgotten.delete(plural);
  }

  /** @throws KubeError where the place from which to go on is forgotten. */
  async *watch<E>(
    { plural }: ResourceType,
    signal: AbortSignal | undefined,
    open: (signal: AbortSignal) => AsyncIterable<E>,
  ): AsyncGenerator<E, void, undefined> {
    if (this.#forgotten.has(plural)) {
      throw new KubeError('gone', { status: 410, reason: 'Expired', message: 'too old resource version' });
    }
    const watch = { plural, end: new AbortController() };
    this.#watches.add(watch);
    try {
      yield* open(signal ? AbortSignal.any([signal, watch.end.signal]) : watch.end.signal);
    } catch (error) {
      if (!watch.end.signal.aborted || signal?.aborted) throw error;
    } finally {
      this.#watches.delete(watch);
    }
  }
}

/** The operator's client, with every call noted and open to faults. */
export function watched(client: KubeClient, faults: Faults, life: Life, by: number): KubeClient {
  const mustLive = () => {
    if (!life.killed) return;
    throw new KubeError('retryable', { status: 0, reason: 'ECONNRESET', message: 'this operator was killed' });
  };
  const noted = async <T>(sent: ClientCall, send: () => Promise<T>): Promise<T> => {
    const call: Call = { ...sent, by };
    mustLive();
    faults.calls.push(call);
    await faults.intercept?.(call);
    mustLive();
    // Before it is sent: what is forgotten while the answer is under way is forgotten after it.
    if (call.verb === 'list') life.listed(call.type);
    const answer = await send();
    call.done = true;
    await faults.afterCall?.(call);
    mustLive();
    return answer;
  };
  return interceptClient(client, noted, async function* (type, options) {
    await noted({ verb: 'watch', type, plural: type.plural }, async () => {});
    yield* life.watch(type, options.signal, (signal) => client.watch(type, { ...options, signal }));
  });
}

/**
 * The operator's queue, likewise. @param parts.clock waits in place of the server, where time runs faster than the
 * server's.
 */
export function watchedQueue(
  queue: Queue,
  queueUrl: string,
  { faults, life, clock }: { faults: Faults; life: Life; clock: Clock | undefined },
): Queue {
  const noted = async <T>(verb: QueueCall['verb'], send: () => Promise<T>): Promise<T> => {
    mustLive();
    await faults.onQueueCall?.({ verb, queueUrl, moment: 'before' });
    mustLive();
    const answer = await send();
    await faults.onQueueCall?.({ verb, queueUrl, moment: 'after' });
    mustLive();
    return answer;
  };
  const mustLive = () => {
    if (life.killed) throw new SqsError('unreachable', 'ECONNRESET', 'this operator was killed');
  };
  const held = () => {
    const handles = life.inFlight.get(queueUrl) ?? new Set<string>();
    life.inFlight.set(queueUrl, handles);
    return handles;
  };
  return {
    receive: (options) =>
      noted('receive', async () => {
        const receiving = queue.receive(clock ? { ...options, waitSeconds: 0 } : options);
        life.receives.add(receiving);
        const messages = await receiving.finally(() => life.receives.delete(receiving));
        for (const { receiptHandle } of messages) held().add(receiptHandle);
        if (clock && messages.length === 0) {
          await sleep(clock, options.waitSeconds * 1000, options.signal ?? new AbortController().signal);
        }
        return messages;
      }),
    delete: (receiptHandles, signal) =>
      noted('delete', async () => {
        const outcomes = await queue.delete(receiptHandles, signal);
        for (const handle of receiptHandles) held().delete(handle);
        return outcomes;
      }),
    changeVisibility: (changes, signal) => noted('changeVisibility', () => queue.changeVisibility(changes, signal)),
    attributes: (signal) => noted('attributes', () => queue.attributes(signal)),
    send: (body, options) => queue.send(body, options),
    close: () => queue.close(),
  };
}
