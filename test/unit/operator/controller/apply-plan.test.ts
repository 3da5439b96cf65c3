import { describe, expect, it } from 'vitest';
import { ANNOTATION } from '../../../../src/api/names.ts';
import type { Removal } from '../../../../src/lanes/lane.ts';
import { aClaim, aHistoryEntry } from '../../../kit/builders.ts';
import { aPlan, aRefusal, aRejection, type Call, JOBS, KEY, Rig, refusing } from './rig.ts';

/** A plan that asks for one thing of each kind. */
function everything(rig: Rig) {
  const mark = rig.job({ id: 'marked', environment: 'staging', resumedByHand: true });
  const touch = rig.job({ id: 'touched' });
  const start = rig.job({ id: 'started' });
  const other = rig.job({ id: 'other', environment: 'staging' });
  const remove: Removal = { job: rig.job({ id: 'removed' }), reason: 'recorded' };
  const rejection = aRejection('m1');
  const plan = aPlan({
    status: { waiting: 0, active: 1, environments: [{ name: 'production', active: [aClaim(start)] }] },
    mark: [mark],
    touch: [touch],
    start: [start, other],
    remove: [remove],
    ended: [aHistoryEntry(remove.job)],
    rejected: [rejection],
    adopted: [mark],
  });
  return {
    plan,
    seen: rig.observation({ rejections: [rejection] }),
    mark,
    touch,
    start,
    other,
    remove: remove.job,
    rejection,
  };
}

const isStatus = ({ verb }: Call) => verb === 'replaceStatus';
const isPatchOf = (name: string) => (call: Call) => call.verb === 'patch' && call.name === name;
const isDeleteOf = (name: string) => (call: Call) => call.verb === 'delete' && call.name === name;

describe('the order of the writes', () => {
  it('is: marks and touches, the status, what is told, the resumes, the deletes', async () => {
    const rig = new Rig();
    const { plan, seen, mark, touch, start, other, remove } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, true);
    expect(rig.writes).toEqual([
      `patch jobs ${mark.metadata.name}`,
      `patch jobs ${touch.metadata.name}`,
      'replaceStatus capdeployjobs web',
      `patch jobs ${start.metadata.name}`,
      `patch jobs ${other.metadata.name}`,
      `delete jobs ${remove.metadata.name}`,
    ]);
  });

  it('tells of records and rejections after the status is stored, and of starts and deletes after each of them', async () => {
    const rig = new Rig();
    const { plan, seen } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, true);
    expect(rig.diary).toEqual([
      'patch jobs',
      'patch jobs',
      'replaceStatus capdeployjobs',
      'recorded m1',
      'deploy ended',
      'Event Succeeded',
      'Event NotJSON',
      'a Job runs that this operator has no claim on: it holds the lane now',
      'Event Adopted',
      'patch jobs',
      'deploy started',
      'Event Started',
      'patch jobs',
      'deploy started',
      'Event Started',
      'delete jobs',
      'Job deleted',
    ]);
  });

  it('writes no status if it is not to change, and does all the rest', async () => {
    const rig = new Rig();
    const { plan, seen, start, remove } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, false);
    expect(rig.writes).not.toContain('replaceStatus capdeployjobs web');
    expect(rig.findJob(start)?.spec.suspend).toBe(false);
    expect(rig.findJob(remove)).toBeUndefined();
    expect(rig.diary).toContain('recorded m1');
  });
});

describe('what each write carries', () => {
  it('names the uid and the resourceVersion of the observation in every single one', async () => {
    const rig = new Rig();
    const { plan, seen, mark, touch, start, other, remove } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, true);
    const expected = [mark, touch, seen.resource, start, other, remove].map(({ metadata }) => ({
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    }));
    expect(rig.calls.map(({ under }) => under)).toEqual(expected);
  });

  it('resumes a Job and says that it was started in one and the same patch', async () => {
    const rig = new Rig();
    const { plan, seen, start } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, true);
    expect(rig.calls.find(isPatchOf(start.metadata.name))?.body).toEqual({
      spec: { suspend: false },
      metadata: {
        annotations: { [ANNOTATION.startedAt]: new Date(rig.now()).toISOString(), [ANNOTATION.abortedBy]: null },
      },
    });
  });

  it('touches a Job without resuming it and without the mark of a start', async () => {
    const rig = new Rig();
    const { plan, seen, touch } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, true);
    expect(rig.calls.find(isPatchOf(touch.metadata.name))?.body).toEqual({
      metadata: { annotations: { [ANNOTATION.unclaimedAt]: new Date(rig.now()).toISOString() } },
    });
    const after = rig.findJob(touch);
    expect(after?.spec.suspend).toBe(true);
    expect(after?.metadata.resourceVersion).not.toBe(touch.metadata.resourceVersion);
  });

  it('marks a Job that was resumed by hand with the time at which the Job controller saw it start', async () => {
    const rig = new Rig();
    const { plan, seen, mark } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, true);
    expect(rig.findJob(mark)?.metadata.annotations?.[ANNOTATION.startedAt]).toBe(mark.status?.startTime);
  });

  it('takes off with the mark of a start the name of who would have aborted what waited', async () => {
    const rig = new Rig();
    const mark = rig.job({ resumedByHand: true, annotations: { [ANNOTATION.abortedBy]: 'alice' } });
    await rig.applyPlan.apply(KEY, rig.observation(), aPlan({ mark: [mark] }), false);
    expect(rig.findJob(mark)?.metadata.annotations).not.toHaveProperty([ANNOTATION.abortedBy]);
  });

  it('marks with the present if the Job controller has forgotten or not yet said when it started', async () => {
    const rig = new Rig();
    const mark = rig.job({ resumedByHand: true, suspended: true });
    await rig.applyPlan.apply(KEY, rig.observation(), aPlan({ mark: [mark] }), false);
    const marked = rig.findJob(mark);
    expect(marked?.metadata.annotations?.[ANNOTATION.startedAt]).toBe(new Date(rig.now()).toISOString());
    expect(marked?.spec.suspend).toBe(true);
  });

  it('stores the status that was planned and nothing else of the resource', async () => {
    const rig = new Rig();
    const { plan, seen } = everything(rig);
    await rig.applyPlan.apply(KEY, seen, plan, true);
    expect(rig.resource.status).toEqual(plan.status);
    expect(rig.resource.spec).toEqual(seen.resource.spec);
    expect(rig.resource.metadata.generation).toBe(seen.resource.metadata.generation);
  });
});

describe('a write that is refused before the status is stored', () => {
  for (const step of ['mark', 'touch', 'status'] as const) {
    it(`ends the pass there where it is the ${step}: nothing later is written and nothing is told`, async () => {
      const rig = new Rig();
      const all = everything(rig);
      const isStep = step === 'status' ? isStatus : isPatchOf(all[step].metadata.name);
      rig.before = refusing(isStep, () => aRefusal('forbidden', `no ${step}`));
      await expect(rig.applyPlan.apply(KEY, all.seen, all.plan, true)).rejects.toThrow(`no ${step}`);
      const done = { mark: 0, touch: 1, status: 2 }[step];
      expect(rig.diary).toEqual(Array(done).fill('patch jobs'));
      expect(rig.calls).toHaveLength(done + 1);
      expect(rig.findJob(all.start)?.spec.suspend).toBe(true);
      expect(rig.findJob(all.remove)).toBeDefined();
    });
  }

  it('is refused if the resource has moved since it was seen, and no Job is resumed', async () => {
    const rig = new Rig();
    const { plan, seen, start } = everything(rig);
    rig.change({ ...JOBS, group: 'capdeployjob.dev', version: 'v1alpha1', plural: 'capdeployjobs' }, 'web', {
      metadata: { labels: { moved: 'yes' } },
    });
    await expect(rig.applyPlan.apply(KEY, seen, plan, true)).rejects.toMatchObject({ kind: 'conflict' });
    expect(rig.findJob(start)?.spec.suspend).toBe(true);
  });

  it('keeps the claim if another client has just resumed the Job that is to be touched', async () => {
    const rig = new Rig();
    const touch = rig.job();
    const seen = rig.observation();
    rig.change(JOBS, touch.metadata.name, { spec: { suspend: false } });
    await expect(rig.applyPlan.apply(KEY, seen, aPlan({ touch: [touch] }), true)).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(rig.resource.status).toEqual(seen.resource.status);
  });

  it('leaves a rejection pending, so that its message is not settled', async () => {
    const rig = new Rig();
    const { plan, seen, rejection } = everything(rig);
    let isSettled = false;
    void rig.reports.rejected(KEY, rejection, new AbortController().signal).then(() => {
      isSettled = true;
    });
    rig.before = refusing(isStatus, () => aRefusal('conflict'));
    await expect(rig.applyPlan.apply(KEY, seen, plan, true)).rejects.toThrow();
    expect(isSettled).toBe(false);
    expect(rig.reports.of(KEY, rig.now()).rejections).toEqual([rejection]);
  });
});

describe('a write that is refused after the status is stored', () => {
  it('keeps neither another resume nor the deletes from happening, and is reported afterwards', async () => {
    const rig = new Rig();
    const { plan, seen, start, other, remove } = everything(rig);
    rig.before = refusing(isPatchOf(start.metadata.name), () => aRefusal('forbidden', 'no resume'));
    await expect(rig.applyPlan.apply(KEY, seen, plan, true)).rejects.toThrow('no resume');
    expect(rig.findJob(start)?.spec.suspend).toBe(true);
    expect(rig.findJob(other)?.spec.suspend).toBe(false);
    expect(rig.findJob(remove)).toBeUndefined();
  });

  it('keeps no other delete from happening, and is reported afterwards', async () => {
    const rig = new Rig();
    const [stays, goes] = [rig.job({ id: 'stays' }), rig.job({ id: 'goes' })];
    const remove = [stays, goes].map((job): Removal => ({ job, reason: 'ttl' }));
    rig.before = refusing(isDeleteOf(stays.metadata.name), () => aRefusal('forbidden', 'no delete'));
    await expect(rig.applyPlan.apply(KEY, rig.observation(), aPlan({ remove }), false)).rejects.toThrow('no delete');
    expect(rig.findJob(goes)).toBeUndefined();
    expect(rig.diary.filter((line) => line === 'Job deleted')).toHaveLength(1);
  });

  for (const [refused, late] of [
    ['start', 'remove'],
    ['remove', 'start'],
  ] as const) {
    it(`is reported as what it was where it is the ${refused}, and the ${late} only came too late`, async () => {
      const rig = new Rig();
      const all = everything(rig);
      rig.before = ({ name }) => {
        if (name === all[refused].metadata.name) throw aRefusal('forbidden', 'not allowed');
        if (name === all[late].metadata.name) throw aRefusal('conflict', 'too late');
      };
      await expect(rig.applyPlan.apply(KEY, all.seen, all.plan, true)).rejects.toThrow('not allowed');
    });
  }

  it('is the last delete if the API server does not answer: each of hundreds would wait for its own time-out', async () => {
    const rig = new Rig();
    const remove = ['r1', 'r2', 'r3'].map((id): Removal => ({ job: rig.job({ id }), reason: 'history limit' }));
    rig.before = refusing(
      ({ verb }) => verb === 'delete',
      () => aRefusal('retryable', 'timed out', { status: 0 }),
    );
    await expect(rig.applyPlan.apply(KEY, rig.observation(), aPlan({ remove }), false)).rejects.toThrow('timed out');
    expect(rig.calls).toHaveLength(1);
  });

  it('tells of no start if the resume was refused', async () => {
    const rig = new Rig();
    const start = rig.job();
    rig.before = refusing(isPatchOf(start.metadata.name), () => aRefusal('conflict'));
    await expect(rig.applyPlan.apply(KEY, rig.observation(), aPlan({ start: [start] }), true)).rejects.toThrow();
    expect(rig.events).toEqual([]);
    expect(rig.counted).toEqual([]);
  });

  it('resumes no Job that another client changed after it was read', async () => {
    const rig = new Rig();
    const start = rig.job();
    rig.change(JOBS, start.metadata.name, { metadata: { annotations: { [ANNOTATION.unclaimedAt]: 'just now' } } });
    await expect(rig.applyPlan.apply(KEY, rig.observation(), aPlan({ start: [start] }), true)).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(rig.findJob(start)?.spec.suspend).toBe(true);
  });

  it('deletes no Job that was made anew under the same name', async () => {
    const rig = new Rig();
    const seen = rig.job();
    rig.store.delete(JOBS, 'deploy', seen.metadata.name);
    const anew = rig.job();
    const remove: Removal[] = [{ job: seen, reason: 'recorded' }];
    await expect(rig.applyPlan.apply(KEY, rig.observation(), aPlan({ remove }), true)).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(rig.findJob(anew)).toBeDefined();
  });

  it('lets a mistake of the program pass at once, for it is no answer of the API server', async () => {
    const rig = new Rig();
    const { plan, seen, start, remove } = everything(rig);
    rig.before = refusing(isPatchOf(start.metadata.name), () => new TypeError('a mistake'));
    await expect(rig.applyPlan.apply(KEY, seen, plan, true)).rejects.toThrow('a mistake');
    expect(rig.findJob(remove)).toBeDefined();
  });
});
