import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { KubeError } from '../../../src/kube/errors.ts';
import { WorkQueue, type WorkQueueOptions } from '../../../src/kube/work-queue.ts';
import { settle, VirtualClock } from '../../kit/clocks.ts';

/** Work that ends when the test says so. */
class Bench {
  readonly clock = new VirtualClock();
  readonly begun: string[] = [];
  readonly #running = new Map<string, { resolve(): void; reject(error: unknown): void }>();
  readonly queue: WorkQueue;

  constructor(options: Partial<WorkQueueOptions> = {}) {
    this.queue = new WorkQueue({
      clock: this.clock,
      work: (key) => {
        if (this.#running.has(key)) throw new Error(`${key} is worked on twice at once`);
        this.begun.push(key);
        return new Promise<void>((resolve, reject) => this.#running.set(key, { resolve, reject }));
      },
      ...options,
    });
  }

  get running(): string[] {
    return [...this.#running.keys()];
  }

  async finish(key: string, error?: unknown): Promise<void> {
    const { resolve, reject } = this.#running.get(key)!;
    this.#running.delete(key);
    if (error === undefined) resolve();
    else reject(error);
    await settle();
  }
}

describe('the same key', () => {
  it('added several times while it waits runs once', async () => {
    const bench = new Bench();
    for (let n = 0; n < 3; n += 1) bench.queue.add('a');
    bench.queue.start();
    await settle();
    await bench.finish('a');
    expect(bench.begun).toEqual(['a']);
  });

  it('added while it runs runs once more afterwards, never twice at once', async () => {
    const bench = new Bench();
    bench.queue.start();
    bench.queue.add('a');
    await settle();
    bench.queue.add('a');
    bench.queue.add('a');
    await settle();
    expect(bench.begun).toEqual(['a']);
    await bench.finish('a');
    expect(bench.begun).toEqual(['a', 'a']);
    await bench.finish('a');
    expect(bench.begun).toEqual(['a', 'a']);
  });

  it('does not run within the add', () => {
    const bench = new Bench();
    bench.queue.start();
    bench.queue.add('a');
    expect(bench.begun).toEqual([]);
  });
});

describe('workers', () => {
  it('are as many as asked for, and keys wait in the order they came', async () => {
    const bench = new Bench({ workers: 2 });
    bench.queue.start();
    for (const key of ['a', 'b', 'c', 'd']) bench.queue.add(key);
    await settle();
    expect(bench.running).toEqual(['a', 'b']);
    await bench.finish('b');
    expect(bench.running).toEqual(['a', 'c']);
    await bench.finish('a');
    await bench.finish('c');
    await bench.finish('d');
    expect(bench.begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('serve a key that keeps coming back after those that wait', async () => {
    const bench = new Bench({ workers: 1 });
    bench.queue.start();
    bench.queue.add('busy');
    await settle();
    bench.queue.add('busy');
    bench.queue.add('other');
    await bench.finish('busy');
    expect(bench.begun).toEqual(['busy', 'other']);
  });
});

describe('delays', () => {
  it('the earliest of several counts', async () => {
    const bench = new Bench();
    bench.queue.start();
    bench.queue.addAfter('a', 10_000);
    bench.queue.addAfter('a', 2000);
    bench.queue.addAfter('a', 5000);
    await bench.clock.advance(1999);
    expect(bench.begun).toEqual([]);
    await bench.clock.advance(1);
    expect(bench.begun).toEqual(['a']);
    await bench.finish('a');
    await bench.clock.advance(60_000);
    expect(bench.begun).toEqual(['a']);
  });

  it('of a month are kept by timers of at most 5 minutes, and end when they should', async () => {
    const bench = new Bench();
    bench.queue.start();
    const month = 30 * 86_400_000;
    bench.queue.addAfter('a', month);
    expect(Math.max(...bench.clock.asked)).toBe(300_000);
    await bench.clock.advance(12 * 60_000);
    expect(bench.clock.asked).toEqual([300_000, 300_000, 300_000]);
    expect(bench.begun).toEqual([]);
    const short = new Bench();
    short.queue.start();
    short.queue.addAfter('a', 11 * 60_000 + 1);
    await short.clock.advance(11 * 60_000);
    expect(short.begun).toEqual([]);
    await short.clock.advance(1);
    expect(short.begun).toEqual(['a']);
  });

  it.each([0, -5, Number.NaN])('of %d are none', async (ms) => {
    const bench = new Bench();
    bench.queue.start();
    bench.queue.addAfter('a', ms);
    await settle();
    expect(bench.begun).toEqual(['a']);
  });

  it('asked for by the result of the work are kept', async () => {
    const clock = new VirtualClock();
    const work = vi.fn(async () => ({ requeueAfterMs: 10_000 }));
    const queue = new WorkQueue({ work, clock });
    queue.start();
    queue.add('a');
    await settle();
    await clock.advance(9999);
    expect(work).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    expect(work).toHaveBeenCalledTimes(2);
  });
});

describe('failures', () => {
  it('bring the key back with exponential backoff, jitter and a bound; success forgets them', async () => {
    const clock = new VirtualClock();
    clock.randomValue = 0.999_999;
    let broken = true;
    const errors = vi.fn();
    const work = async (): Promise<void> => {
      if (broken) throw new Error('broken');
    };
    const queue = new WorkQueue({ work, clock, onError: errors });
    queue.start();
    queue.add('a');
    await clock.advance(20 * 60_000);
    expect(clock.asked.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(Math.max(...clock.asked)).toBe(300_000);
    expect(queue.failures('a')).toBe(errors.mock.calls.length);
    broken = false;
    await clock.advance(5 * 60_000);
    expect(queue.failures('a')).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('of one key do not slow down another', async () => {
    const clock = new VirtualClock();
    clock.randomValue = 1;
    const work = async (): Promise<void> => {
      throw new Error('broken');
    };
    const queue = new WorkQueue({ work, clock });
    queue.start();
    queue.add('a');
    await clock.advance(60_000);
    expect(queue.failures('a')).toBeGreaterThan(10);
    clock.asked.splice(0);
    queue.add('b');
    await settle();
    expect(clock.asked).toEqual([5]);
    await queue.stop();
  });

  it('with a Retry-After wait that long', async () => {
    const bench = new Bench();
    bench.queue.start();
    bench.queue.add('a');
    await settle();
    await bench.finish(
      'a',
      new KubeError('retryable', { status: 429, reason: 'TooManyRequests', message: '', retryAfterSeconds: 9 }),
    );
    expect(bench.clock.asked).toEqual([9000]);
  });

  it('thrown synchronously, or by the observer of failures, cost no worker', async () => {
    const clock = new VirtualClock();
    const work = vi.fn((): Promise<void> => {
      throw new Error('at once');
    });
    const onError = () => {
      throw new Error('observer');
    };
    const queue = new WorkQueue({ work, clock, workers: 1, onError });
    queue.start();
    queue.add('a');
    queue.add('b');
    await clock.advance(1000);
    expect(work.mock.calls.length).toBeGreaterThan(4);
  });
});

describe('the end', () => {
  it('stop begins nothing more, waits for what runs, and leaves no timer', async () => {
    const bench = new Bench({ workers: 1 });
    bench.queue.start();
    bench.queue.add('a');
    bench.queue.add('b');
    bench.queue.addAfter('c', 1000);
    await settle();
    const stopped = vi.fn();
    void bench.queue.stop().then(stopped);
    await settle();
    expect(stopped).not.toHaveBeenCalled();
    expect(bench.clock.pending).toBe(0);
    bench.queue.add('d');
    bench.queue.addAfter('d', 1);
    await bench.finish('a');
    expect(stopped).toHaveBeenCalled();
    await bench.clock.advance(5000);
    expect(bench.begun).toEqual(['a']);
  });

  it('stop lets a failing run end without another', async () => {
    const bench = new Bench();
    bench.queue.start();
    bench.queue.add('a');
    await settle();
    const stopped = bench.queue.stop();
    await bench.finish('a', new Error('broken'));
    await stopped;
    expect(bench.clock.pending).toBe(0);
  });

  it('of a queue that never began comes at once', async () => {
    const bench = new Bench();
    bench.queue.add('a');
    await bench.queue.stop();
    expect(bench.begun).toEqual([]);
  });
});

describe('health', () => {
  it('is stalled for as long as there is work and nothing begins or ends', async () => {
    const bench = new Bench({ workers: 1 });
    bench.queue.start();
    await bench.clock.advance(60_000);
    expect(bench.queue.stalledMs()).toBe(0);
    bench.queue.add('a');
    bench.queue.add('b');
    await bench.clock.advance(30_000);
    expect(bench.queue.stalledMs()).toBe(30_000);
    await bench.finish('a');
    expect(bench.queue.stalledMs()).toBe(0);
    await bench.finish('b');
    await bench.clock.advance(60_000);
    expect(bench.queue.stalledMs()).toBe(0);
  });
});

describe('whatever happens', () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({ does: fc.constant('add' as const), key }),
    fc.record({ does: fc.constant('addAfter' as const), key, ms: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ does: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }),
  );

  it('no key is ever worked on twice at once, no more run than there are workers, and every change is seen by a run that begins after it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { minLength: 1, maxLength: 10 }),
        async (steps, workers, runs) => {
          const clock = new VirtualClock();
          const running = new Set<string>();
          const changed = new Map<string, number>();
          const seen = new Map<string, number>();
          const broken: string[] = [];
          let run = 0;
          const queue = new WorkQueue({
            clock,
            workers,
            backoffCapMs: 100,
            work: async (name) => {
              if (running.has(name)) broken.push(`${name} twice at once`);
              running.add(name);
              if (running.size > workers) broken.push(`${running.size} at once`);
              const version = changed.get(name) ?? 0;
              const [ms, fails] = runs[run++ % runs.length]!;
              await new Promise<void>((resolve) => clock.setTimeout(resolve, ms));
              running.delete(name);
              // Fails now and then, but not for ever.
              if (fails && run < 200) throw new Error('broken');
              seen.set(name, version);
            },
          });
          queue.start();
          for (const each of steps) {
            if (each.does === 'wait') await clock.advance(each.ms);
            else {
              changed.set(each.key, (changed.get(each.key) ?? 0) + 1);
              if (each.does === 'add') queue.add(each.key);
              else queue.addAfter(each.key, each.ms);
            }
          }
          // The first settles what was only just added.
          await settle();
          for (let n = 0; n < 500 && clock.pending > 0; n += 1) await clock.advance(100);
          await queue.idle();
          expect(broken).toEqual([]);
          expect(seen).toEqual(changed);
          await queue.stop();
        },
      ),
      { numRuns: 40, endOnFailure: true },
    );
  });
});

describe('a key whose object is gone', () => {
  it('loses the look that was asked for days before, and is worked on again when it is added', async () => {
    const clock = new VirtualClock();
    let runs = 0;
    let gone = false;
    const queue = new WorkQueue({
      clock,
      work: async () => {
        runs += 1;
        return gone ? { gone } : { requeueAfterMs: 3 * 86_400_000 };
      },
    });
    queue.start();
    queue.add('a');
    await settle();
    expect(clock.pending).toBe(1);
    gone = true;
    queue.add('a');
    await settle();
    expect(clock.pending).toBe(0);
    queue.add('a');
    await settle();
    expect(runs).toBe(3);
    await queue.stop();
  });
});
