import { pino } from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { Backoff } from '../../../../src/base/backoff.ts';
import { type Clock, systemClock } from '../../../../src/base/clock.ts';
import { Wakeup } from '../../../../src/base/wakeup.ts';
import { RedrivePolicy, settlement } from '../../../../src/operator/intake/acknowledge/settle-message.ts';
import { inCreationOrder } from '../../../../src/operator/intake/create/creation-order.ts';
import { VisibilityHeartbeat } from '../../../../src/operator/intake/visibility-heartbeat.ts';
import { SqsError } from '../../../../src/sqs/errors.ts';
import type { Queue } from '../../../../src/sqs/queue.ts';
import { aMessage } from '../../../kit/builders.ts';
import { until } from '../../../kit/eventually.ts';

describe('what becomes of a rejected message', () => {
  const redrive = { maxReceiveCount: 3, dlqArn: 'arn:aws:sqs:us-east-1:123456789012:dead' };
  it.each([
    ['without a redrive policy it is deleted', undefined, 1, { kind: 'delete' }],
    ['with one it is visible at once', redrive, 1, { kind: 'hide', seconds: 0 }],
    ['at the last receive too, for the next one moves it', redrive, 3, { kind: 'hide', seconds: 0 }],
    ['received more often than the policy says, it comes back later', redrive, 4, { kind: 'hide', seconds: 30 }],
    ['and ever later', redrive, 6, { kind: 'hide', seconds: 120 }],
    ['up to 12 hours', redrive, 500, { kind: 'hide', seconds: 43_200 }],
    ['where nobody knows the policy, it comes back ever later', 'unknown' as const, 2, { kind: 'hide', seconds: 60 }],
    [
      'where the queue could not be asked just now, it comes back soon',
      'unheard' as const,
      9,
      { kind: 'hide', seconds: 30 },
    ],
  ])('%s', (_, policy, receiveCount, expected) => {
    expect(settlement(policy, receiveCount)).toEqual(expected);
  });
});

describe('the redrive policy of a queue', () => {
  const answering = (...answers: (SqsError | { fifo: boolean; redrive: undefined })[]) =>
    new RedrivePolicy(
      {
        attributes: async () => {
          const answer = answers.shift();
          if (answer instanceof SqsError) throw answer;
          return answer;
        },
      } as unknown as Queue,
      systemClock,
    );
  const never = new AbortController().signal;

  it.each([
    ['unreachable', 'unheard'],
    ['throttled', 'unheard'],
    ['access-denied', 'unknown'],
    ['other', 'unknown'],
  ] as const)('is, where asking for it ends %s, %s; and it is asked for again', async (kind, expected) => {
    const policy = answering(new SqsError(kind, 'code', 'words'), { fifo: false, redrive: undefined });
    expect(await policy.get(never)).toBe(expected);
    expect(await policy.get(never)).toBeUndefined();
  });
});

describe('the order of creation', () => {
  const item = (id: string, day: number, index: number, group?: string) =>
    ({ id, request: { id, sentAt: `2026-01-0${day}T00:00:00.000Z` }, group, index }) as never as {
      id: string;
      request: never;
      group: string | undefined;
      index: number;
    };
  const order = (...items: ReturnType<typeof item>[]) => inCreationOrder(items).map(({ id }) => id);

  it('is that of the due times, then of the ids', () => {
    expect(order(item('c', 2, 0), item('b', 1, 1), item('a', 2, 2))).toEqual(['b', 'a', 'c']);
  });

  it('is that of the due times if one is to start later than it was sent', () => {
    const later = item('later', 1, 0);
    Object.assign(later.request, { notBefore: '2026-01-04T00:00:00.000Z' });
    expect(order(later, item('b', 3, 1), item('c', 5, 2))).toEqual(['b', 'later', 'c']);
  });

  it('keeps a group in its order, and the groups in that of their due times', () => {
    const items = [item('A1', 5, 0, 'A'), item('B1', 1, 1, 'B'), item('A2', 2, 2, 'A'), item('B2', 3, 3, 'B')];
    expect(order(...items)).toEqual(['B1', 'B2', 'A1', 'A2']);
  });
});

/** Runs timers as soon as they are set, and moves the clock to them. */
function jumpingClock(): Clock & { at: number } {
  const clock = {
    at: 0,
    now: () => clock.at,
    random: () => 0.5,
    setTimeout: (callback: () => void, ms: number) =>
      setImmediate(() => {
        clock.at += ms;
        callback();
      }),
    clearTimeout: (handle: unknown) => clearImmediate(handle as NodeJS.Immediate),
  };
  return clock;
}

describe('the messages in flight', () => {
  function hold(visibilitySeconds: number, fails = 0) {
    const clock = jumpingClock();
    const beats: { at: number; seconds: number | undefined }[] = [];
    const queue = {
      changeVisibility: async (changes: { seconds: number }[]) => {
        beats.push({ at: clock.at / 1000, seconds: changes[0]?.seconds });
        if (fails-- > 0) throw new SqsError('unreachable', 'ECONNRESET', 'no connection');
        return [undefined];
      },
    } as unknown as Queue;
    const held = new VisibilityHeartbeat({ queue, clock, log: pino({ level: 'silent' }) }, visibilitySeconds);
    const message = aMessage();
    held.add([message], 0);
    const end = new AbortController();
    const lost = vi.fn(() => end.abort());
    const ended = held.run(end.signal, lost);
    return { beats, held, message, end, lost, ended };
  }

  it('are hidden anew each half of the visibility time', async () => {
    const { beats, end, ended } = hold(60);
    await until(() => expect(beats.length).toBeGreaterThan(3));
    end.abort();
    await ended;
    expect(beats.slice(0, 3)).toEqual([
      { at: 30, seconds: 60 },
      { at: 60, seconds: 60 },
      { at: 90, seconds: 60 },
    ]);
  });

  it('are tried again sooner after a failure', async () => {
    const { beats, end, ended } = hold(80, 1);
    await until(() => expect(beats.length).toBeGreaterThan(1));
    end.abort();
    await ended;
    expect(beats.slice(0, 2).map(({ at }) => at)).toEqual([40, 50]);
  });

  it("are let go of at the end of SQS's 12 hours, and never hidden beyond", async () => {
    const { beats, held, message, lost, ended } = hold(600);
    await ended;
    expect(lost).toHaveBeenCalledTimes(1);
    expect(held.has(message)).toBe(false);
    for (const { at, seconds } of beats) expect(at + (seconds ?? 0)).toBeLessThanOrEqual(43_200);
  });
});

describe('waiting', () => {
  it('grows to its bound, never to nothing, and starts over after a reset', () => {
    const backoff = new Backoff({ ...systemClock, random: () => 0.999 }, 500, 60_000);
    const waits = Array.from({ length: 12 }, () => Math.round(backoff.next()));
    expect(waits.slice(0, 3)).toEqual([500, 999, 1998]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    backoff.reset();
    expect(backoff.next()).toBeLessThan(500);
    expect(new Backoff({ ...systemClock, random: () => 0 }, 500, 60_000).next()).toBe(50);
  });

  it('ends when the wakeup rings, also if it rang before', async () => {
    const wakeup = new Wakeup();
    const { signal } = new AbortController();
    const waiting = wakeup.wait(systemClock, 60_000, signal);
    wakeup.notify();
    await waiting;
    wakeup.notify();
    await wakeup.wait(systemClock, 60_000, signal);
  });
});
