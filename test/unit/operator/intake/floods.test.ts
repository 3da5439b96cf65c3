import { afterEach, describe, expect, it } from 'vitest';
import { Poller } from '../../../../src/operator/intake/poller.ts';
import { MOST_IN_FLIGHT } from '../../../../src/operator/intake/reject/rejections.ts';
import { SqsError } from '../../../../src/sqs/errors.ts';
import type { Queue, QueueAttributes, QueueMessage } from '../../../../src/sqs/queue.ts';
import { aCheckedResource, aMessage, GOOD } from '../../../kit/builders.ts';
import { VirtualClock } from '../../../kit/clocks.ts';
import { Cluster } from './cluster.ts';
import { KEY, partsOf } from './rig.ts';

const VISIBILITY_SECONDS = 30;

/** A queue that hands over what it has, ten at a time; what is made visible comes again, what is deleted does not. */
class Flooded implements Queue {
  readonly waiting: QueueMessage[];
  receives = 0;
  /** Requests that settle, by the handles that they name. */
  readonly deletes: string[][] = [];
  readonly changes: { receiptHandle: string; seconds: number }[][] = [];
  redrive: QueueAttributes['redrive'];
  failDeletes = 0;
  /** Requests other than receives that are under way at once, at most. */
  most = 0;
  #open = 0;

  constructor(messages: QueueMessage[]) {
    this.waiting = messages;
  }

  async receive({ waitSeconds }: { waitSeconds: number }) {
    this.receives += 1;
    if (this.waiting.length === 0)
      await new Promise((resolve) => clock.setTimeout(() => resolve(0), waitSeconds * 1000));
    return this.waiting.splice(0, 10);
  }
  delete(handles: readonly string[]) {
    return this.#request(handles, () => {
      if (this.failDeletes-- > 0) throw new SqsError('unreachable', 'ECONNRESET', 'gone');
      this.deletes.push([...handles]);
    });
  }
  changeVisibility(changes: readonly { receiptHandle: string; seconds: number }[]) {
    return this.#request(changes, () => void this.changes.push([...changes]));
  }
  async #request<T>(entries: readonly T[], effect: () => void) {
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      effect();
      return entries.map(() => undefined);
    } finally {
      this.#open -= 1;
    }
  }
  async attributes() {
    return { fifo: false, redrive: this.redrive };
  }
  async send() {
    return { messageId: '' };
  }
  close() {}

  get deleted() {
    return this.deletes.flat();
  }
}

/** A cluster in which rejections are recorded when the test says so. */
class Recording extends Cluster {
  readonly #open: (() => void)[] = [];

  override rejected(...[, rejection, signal]: Parameters<Cluster['rejected']>): Promise<void> {
    this.rejections.push(rejection);
    return new Promise((resolve, reject) => {
      this.#open.push(resolve);
      signal.addEventListener('abort', () => reject(new Error('not recorded')));
    });
  }

  /** One status write, as reconcile makes it once a second. */
  record(): void {
    for (const resolve of this.#open.splice(0)) resolve();
  }
}

const poison = (id: string, body = 'nonsense') => aMessage(body, { messageId: id, receiptHandle: id });
const good = (id: string) => aMessage({ ...GOOD, id }, { messageId: id, receiptHandle: id });
const flood = (count: number, body?: string) => Array.from({ length: count }, (_, index) => poison(`p${index}`, body));

let clock: VirtualClock;
let poller: Poller | undefined;

function start(messages: QueueMessage[], redrive?: QueueAttributes['redrive']) {
  clock = new VirtualClock();
  const cluster = new Recording();
  const queue = new Flooded(messages);
  queue.redrive = redrive;
  cluster.put(
    aCheckedResource({
      spec: {
        queue: {
          url: 'https://sqs.us-east-1.amazonaws.com/123456789012/q',
          waitTimeSeconds: 20,
          visibilityTimeoutSeconds: VISIBILITY_SECONDS,
        },
      },
    }),
  );
  poller = new Poller({ ...partsOf(cluster), clock }, { key: KEY, uid: 'uid-1', queue });
  return { cluster, queue, poller };
}

/** Lets the time pass in steps in which the poller gets everywhere that it can. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
}

afterEach(async () => {
  const ended = poller?.abort();
  await clock.advance(20_000);
  await ended;
});

describe('a backlog of good messages', () => {
  const backlog = (count: number) => Array.from({ length: count }, (_, index) => good(`g${index}`));

  it('becomes Jobs at once as far as it is short', async () => {
    const { cluster } = start(backlog(50));
    await pass(300);
    expect(cluster.created).toHaveLength(50);
  });

  it('becomes ten Jobs a second beyond that, so that the messages of others come in between', async () => {
    const { cluster, queue } = start(backlog(300));
    await pass(10_000);
    expect(cluster.created.length).toBeGreaterThan(130);
    expect(cluster.created.length).toBeLessThanOrEqual(160);
    expect(queue.deleted).toHaveLength(cluster.created.length);
  });
});

describe('a flood of messages that can never become a deploy', () => {
  it('holds up no good message behind it: receives go on while nothing is recorded yet', async () => {
    const { cluster, queue } = start([...flood(150), good('late')]);
    await pass(1_600);
    expect(cluster.rejections).toHaveLength(150);
    expect(cluster.created).toHaveLength(1);
    expect(queue.deleted).toEqual(['late']);
  });

  it('is settled once it is recorded, those of many receives by one write, ten with each request, one request at a time', async () => {
    const { cluster, queue } = start(flood(150));
    await pass(3_000);
    expect(queue.deletes).toEqual([]);
    cluster.record();
    await pass(1_000);
    expect(queue.deleted.toSorted()).toEqual(
      flood(150)
        .map(({ messageId }) => messageId)
        .toSorted(),
    );
    expect(queue.deletes).toHaveLength(15);
    expect(queue.most).toBe(1);
  });

  it('stops the receives when two hundred are in flight, and they go on with the record', async () => {
    const { cluster, queue } = start(flood(500));
    await pass(60_000);
    expect(queue.receives).toBe(MOST_IN_FLIGHT / 10);
    cluster.record();
    await pass(3_000);
    expect(queue.receives).toBe(2 * (MOST_IN_FLIGHT / 10));
    expect(queue.deleted).toHaveLength(MOST_IN_FLIGHT);
  });

  it('gets no more than a hundred messages a second, evenly, however fast it is recorded', async () => {
    const { cluster, queue } = start(flood(1000));
    const recording = cluster.rejected.bind(cluster);
    cluster.rejected = (...report) => {
      const recorded = recording(...report);
      cluster.record();
      return recorded;
    };
    await pass(1_900);
    expect(queue.receives).toBe(20);
    await pass(2_000);
    expect(queue.receives).toBe(40);
  });

  it('gets no more than a million characters a second', async () => {
    const { queue } = start(flood(100, 'x'.repeat(200_000)));
    // Ten bodies are two million.
    await pass(1_900);
    expect(queue.receives).toBe(1);
    await pass(2_000);
    expect(queue.receives).toBe(2);
  });

  it('stays hidden as long as it is in flight', async () => {
    const { queue } = start(flood(20));
    await pass(VISIBILITY_SECONDS * 1000);
    const extended = new Map<string, number>();
    for (const { receiptHandle, seconds } of queue.changes.flat()) {
      expect(seconds).toBe(VISIBILITY_SECONDS);
      extended.set(receiptHandle, (extended.get(receiptHandle) ?? 0) + 1);
    }
    expect(extended.size).toBe(20);
    // Every ten seconds.
    expect([...extended.values()].every((times) => times >= 2)).toBe(true);
  });

  it('is made visible again by the deadline of a stop, and settled before it if it is recorded', async () => {
    const { cluster, queue, poller } = start(flood(30));
    await pass(500);
    const stopped = poller.stop(5_000);
    cluster.record();
    await pass(1_000);
    expect(queue.deleted).toHaveLength(30);
    await pass(20_000);
    await stopped;
    expect(queue.changes.flat()).toEqual([]);
  });

  it('is given back, all of it, if it could not be recorded by the deadline of a stop', async () => {
    const { queue, poller } = start(flood(30));
    await pass(500);
    const stopped = poller.stop(5_000);
    await pass(25_000);
    await stopped;
    const back = queue.changes.flat().filter(({ seconds }) => seconds === 0);
    expect(back.map(({ receiptHandle }) => receiptHandle).toSorted()).toEqual(
      flood(30)
        .map(({ messageId }) => messageId)
        .toSorted(),
    );
    expect(queue.deletes).toEqual([]);
  });

  it('is given back when the resource is gone, and a delete is never tried', async () => {
    const { cluster, queue } = start([...flood(20), good('last')]);
    cluster.reconciles = false;
    await pass(500);
    cluster.remove(KEY);
    await pass(1_000);
    const back = queue.changes.flat().filter(({ seconds }) => seconds === 0);
    expect(back.map(({ receiptHandle }) => receiptHandle)).toHaveLength(21);
    expect(queue.deletes).toEqual([]);
  });

  it('is left to a redrive policy, and recorded once however often it comes', async () => {
    const { cluster, queue } = start(flood(10), { maxReceiveCount: 3, dlqArn: 'arn' });
    await pass(100);
    cluster.record();
    await pass(100);
    expect(queue.changes.flat().map(({ seconds }) => seconds)).toEqual(Array(10).fill(0));
    queue.waiting.push(...flood(10).map((message) => ({ ...message, receiveCount: 2, receiptHandle: 'again' })));
    await pass(25_000);
    expect(queue.changes.flat().filter(({ receiptHandle }) => receiptHandle === 'again')).toHaveLength(10);
    expect(cluster.rejections).toHaveLength(10);
    expect(queue.deletes).toEqual([]);
  });

  it('is tried four times if it cannot be settled, and then left to come again', async () => {
    const { cluster, queue } = start(flood(10));
    queue.failDeletes = 4;
    await pass(100);
    cluster.record();
    await pass(15_000);
    expect(queue.failDeletes).toBe(0);
    expect(queue.deletes).toEqual([]);
    // Nobody keeps it hidden any more.
    const changes = queue.changes.length;
    await pass(VISIBILITY_SECONDS * 1000);
    expect(queue.changes).toHaveLength(changes);
  });
});
