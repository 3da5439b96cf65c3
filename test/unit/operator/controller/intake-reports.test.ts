import { describe, expect, it, onTestFinished } from 'vitest';
import type { QueueState } from '../../../../src/lanes/conditions.ts';
import { IntakeReports } from '../../../../src/operator/controller/intake-reports.ts';
import { NOW } from '../../../kit/builders.ts';
import { aRejection, KEY } from './rig.ts';

function someReports() {
  const wakes: [key: string, inMs: number][] = [];
  const time = { now: NOW };
  const reports = new IntakeReports(
    () => time.now,
    (key, inMs) => wakes.push([key, inMs]),
  );
  return { reports, wakes, time };
}

const never = new AbortController().signal;
const due = (reports: IntakeReports, now: number) => reports.of(KEY, now).rejections.map(({ messageId }) => messageId);

/** What became of a promise once all that was under way has run. */
async function fate(promise: Promise<unknown>): Promise<unknown> {
  const pending = {};
  const turn = new Promise((resolve) => setImmediate(resolve, pending));
  const ended = promise.then(
    () => 'resolved',
    (error) => error,
  );
  const first = await Promise.race([ended, turn]);
  return first === pending ? 'pending' : first;
}

describe('rejections', () => {
  it('wake the resource at once if none was written within the last second', async () => {
    const { reports, wakes } = someReports();
    void reports.rejected(KEY, aRejection('m1'), never);
    expect(wakes).toEqual([[KEY, 0]]);
    expect(due(reports, NOW)).toEqual(['m1']);
  });

  it('are written together, and not more often than once in a second', async () => {
    const { reports, wakes, time } = someReports();
    reports.recorded(KEY, []);
    void reports.rejected(KEY, aRejection('m1'), never);
    reports.recorded(KEY, [aRejection('m1')]);
    wakes.length = 0;
    time.now += 300;
    for (const id of ['m2', 'm3', 'm4']) void reports.rejected(KEY, aRejection(id), never);
    expect(wakes).toEqual(Array(3).fill([KEY, 700]));
    expect(due(reports, NOW + 999)).toEqual([]);
    expect(due(reports, NOW + 1000)).toEqual(['m2', 'm3', 'm4']);
  });

  it('that came while others were written get a look of their own', () => {
    const { reports, wakes } = someReports();
    void reports.rejected(KEY, aRejection('m1'), never);
    void reports.rejected(KEY, aRejection('m2'), never);
    wakes.length = 0;
    reports.recorded(KEY, [aRejection('m1')]);
    expect(wakes).toEqual([[KEY, 1000]]);
    expect(due(reports, NOW + 1000)).toEqual(['m2']);
    reports.recorded(KEY, [aRejection('m2')]);
    expect(wakes).toHaveLength(1);
  });

  it('do not count as written if none was', () => {
    const { reports, time } = someReports();
    void reports.rejected(KEY, aRejection('m1'), never);
    reports.recorded(KEY, []);
    expect(due(reports, time.now)).toEqual(['m1']);
  });

  it('resolve once they are recorded, and not before', async () => {
    const { reports } = someReports();
    const [first, second] = ['m1', 'm2'].map((id) => reports.rejected(KEY, aRejection(id), never));
    expect(await fate(first!)).toBe('pending');
    reports.recorded(KEY, [aRejection('m1')]);
    expect(await fate(first!)).toBe('resolved');
    expect(await fate(second!)).toBe('pending');
  });

  it('are taken once by their MessageId, however often they come, and all who wait are told', async () => {
    const { reports, wakes } = someReports();
    const both = [reports.rejected(KEY, aRejection('m1'), never), reports.rejected(KEY, aRejection('m1'), never)];
    expect(due(reports, NOW)).toEqual(['m1']);
    expect(wakes).toHaveLength(1);
    reports.recorded(KEY, [aRejection('m1')]);
    expect(await Promise.all(both.map(fate))).toEqual(['resolved', 'resolved']);
  });

  it('that were recorded before resolve at once and ask for nothing', async () => {
    const { reports, wakes, time } = someReports();
    void reports.rejected(KEY, aRejection('m1'), never);
    reports.recorded(KEY, [aRejection('m1')]);
    wakes.length = 0;
    time.now += 60_000;
    expect(await fate(reports.rejected(KEY, aRejection('m1'), never))).toBe('resolved');
    expect(due(reports, time.now)).toEqual([]);
    expect(wakes).toEqual([]);
  });

  it('are remembered by the newest thousand of their ids', async () => {
    const { reports, time } = someReports();
    const ids = Array.from({ length: 1001 }, (_, index) => `m${index}`);
    for (const id of ids) void reports.rejected(KEY, aRejection(id), never);
    reports.recorded(
      KEY,
      ids.map((id) => aRejection(id)),
    );
    time.now += 1000;
    expect(await fate(reports.rejected(KEY, aRejection('m1'), never))).toBe('resolved');
    expect(await fate(reports.rejected(KEY, aRejection('m0'), never))).toBe('pending');
  });

  it('are each of one resource: another is neither woken nor told', async () => {
    const { reports, wakes } = someReports();
    const other = reports.rejected('deploy/other', aRejection('m1'), never);
    void reports.rejected(KEY, aRejection('m1'), never);
    expect(wakes).toEqual([
      ['deploy/other', 0],
      [KEY, 0],
    ]);
    reports.recorded(KEY, [aRejection('m1')]);
    expect(await fate(other)).toBe('pending');
  });
});

describe('a resource that is deleted and created again', () => {
  it('records nothing that the earlier one of its name refused, and its message comes again', async () => {
    const { reports } = someReports();
    const earlier = reports.rejected(KEY, aRejection('m1'), never, 'uid-1');
    const later = reports.rejected(KEY, aRejection('m2'), never, 'uid-2');
    const ids = (uid: string) => reports.of(KEY, NOW, uid).rejections.map(({ messageId }) => messageId);
    expect([ids('uid-1'), ids('uid-2')]).toEqual([['m1'], ['m2']]);
    reports.discardOthers(KEY, 'uid-2');
    await expect(earlier).rejects.toThrow('deploy/web was deleted and created again');
    expect(ids('uid-1')).toEqual([]);
    reports.recorded(KEY, [aRejection('m2')]);
    expect(await fate(later)).toBe('resolved');
  });
});

describe('who waits for a rejection', () => {
  it('is told of an abort at once, with its reason', async () => {
    const { reports } = someReports();
    const abort = new AbortController();
    const told = reports.rejected(KEY, aRejection('m1'), abort.signal);
    abort.abort(new Error('stopping'));
    await expect(told).rejects.toThrow('stopping');
  });

  it('is told if the abort came before the question', async () => {
    const { reports } = someReports();
    await expect(reports.rejected(KEY, aRejection('m1'), AbortSignal.abort(new Error('too late')))).rejects.toThrow(
      'too late',
    );
  });

  it('does not take the rejection back by going away: the next one to ask gets the same answer', async () => {
    const { reports } = someReports();
    const abort = new AbortController();
    void reports.rejected(KEY, aRejection('m1'), abort.signal).catch(() => {});
    abort.abort();
    const again = reports.rejected(KEY, aRejection('m1'), never);
    expect(due(reports, NOW)).toEqual(['m1']);
    reports.recorded(KEY, [aRejection('m1')]);
    expect(await fate(again)).toBe('resolved');
  });

  it('leaves no listener behind', async () => {
    const { reports } = someReports();
    const abort = new AbortController();
    let listeners = 0;
    const { signal } = abort;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const told = reports.rejected(KEY, aRejection('m1'), signal);
    expect(listeners).toBe(1);
    reports.recorded(KEY, [aRejection('m1')]);
    await told;
    expect(await fate(Promise.resolve())).toBe('resolved');
    expect(listeners).toBe(0);
  });

  it('is told that the resource is gone, and nothing is kept of it', async () => {
    const { reports } = someReports();
    const told = reports.rejected(KEY, aRejection('m1'), never);
    reports.forget(KEY);
    await expect(told).rejects.toThrow('deploy/web is gone');
    expect(reports.of(KEY, NOW)).toEqual({ queue: undefined, createFailure: undefined, rejections: [] });
  });

  it('may be nobody any more when the resource goes: nothing rejects unheard', async () => {
    const { reports } = someReports();
    const abort = new AbortController();
    const left = reports.rejected(KEY, aRejection('m1'), abort.signal);
    abort.abort(new Error('stopping'));
    await expect(left).rejects.toThrow('stopping');
    const never = reports.rejected(KEY, aRejection('m2'), abort.signal);
    await expect(never).rejects.toThrow('stopping');
    const unheard: unknown[] = [];
    const hear = (error: unknown) => unheard.push(error);
    process.on('unhandledRejection', hear);
    onTestFinished(() => void process.off('unhandledRejection', hear));
    reports.forget(KEY);
    await fate(new Promise(() => {}));
    expect(unheard).toEqual([]);
  });
});

describe('what is told of a resource that nobody knows', () => {
  it('is nothing, and recording for it does nothing', () => {
    const { reports, wakes } = someReports();
    reports.recorded(KEY, [aRejection('m1')]);
    reports.forget(KEY);
    expect(reports.of(KEY, NOW)).toEqual({ queue: undefined, createFailure: undefined, rejections: [] });
    expect(wakes).toEqual([]);
  });
});

describe('the state of a queue', () => {
  const reading = (changes: object = {}): QueueState => ({
    kind: 'reading',
    since: 1000,
    lastReadAt: 5000,
    ...changes,
  });
  const failing = (changes: object = {}): QueueState => ({
    kind: 'failing',
    since: 1000,
    lastReadAt: 5000,
    reason: 'AccessDenied',
    message: 'not allowed',
    lasting: true,
    ...changes,
  });
  const off = (changes: object = {}): QueueState => ({
    kind: 'off',
    reason: 'Suspended',
    message: 'suspended',
    ...changes,
  });
  const cases: [sentence: string, before: QueueState | undefined, after: QueueState, isNews: boolean][] = [
    ['the first word of it is news', undefined, reading(), true],
    ['one more successful read is none', reading(), reading({ lastReadAt: 25_000 }), false],
    ['the first successful read is', reading({ lastReadAt: 0 }), reading(), true],
    ['a read after a silence that may have turned a condition is', reading(), reading({ lastReadAt: 65_001 }), true],
    ['a read after a silence that cannot have is not', reading(), reading({ lastReadAt: 65_000 }), false],
    ['reading that began anew is', reading(), reading({ since: 2000 }), true],
    ['reading that fails is', reading(), failing(), true],
    ['the same failure again is not', failing(), failing({ lastReadAt: 9000 }), false],
    ['another failure is', failing(), failing({ reason: 'QueueDoesNotExist' }), true],
    ['the same failure in other words is', failing(), failing({ message: 'still not allowed' }), true],
    ['reading again after a failure is', failing(), reading(), true],
    ['being switched off is', reading(), off(), true],
    ['being off for the same reason is not', off(), off(), false],
    ['being off for another reason is', off(), off({ reason: 'QueueShared' }), true],
  ];
  for (const [sentence, before, after, isNews] of cases) {
    it(sentence, () => {
      const { reports, wakes } = someReports();
      if (before) reports.queue(KEY, before);
      wakes.length = 0;
      reports.queue(KEY, after);
      expect(wakes).toEqual(isNews ? [[KEY, 0]] : []);
      expect(reports.of(KEY, NOW).queue).toBe(after);
    });
  }
});

describe('trouble with creating Jobs', () => {
  const trouble = { reason: 'Forbidden', message: 'quota', template: false };

  it('that ends if the resource was forgotten meanwhile leaves nothing behind and wakes nobody', () => {
    const { reports, wakes } = someReports();
    reports.createFailure(KEY, { reason: 'Forbidden', message: 'quota', template: false });
    reports.forget(KEY);
    wakes.length = 0;
    reports.createFailure(KEY, undefined);
    expect(wakes).toEqual([]);
    expect(reports.size).toBe(0);
  });

  it('is news if it begins, changes or ends, and otherwise not', () => {
    const { reports, wakes } = someReports();
    const told: [typeof trouble | undefined, news: number][] = [
      [undefined, 0],
      [trouble, 1],
      [{ ...trouble }, 0],
      [{ ...trouble, message: 'another quota' }, 1],
      [{ ...trouble, reason: 'Invalid', message: 'another quota' }, 1],
      [undefined, 1],
      [undefined, 0],
    ];
    for (const [state, news] of told) {
      wakes.length = 0;
      reports.createFailure(KEY, state);
      expect(wakes).toEqual(Array(news).fill([KEY, 0]));
      expect(reports.of(KEY, NOW).createFailure).toBe(state);
    }
  });
});
