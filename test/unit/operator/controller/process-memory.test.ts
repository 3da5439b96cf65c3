import { describe, expect, it } from 'vitest';
import { ProcessMemory } from '../../../../src/operator/controller/process-memory.ts';
import { aJob, aPod, NOW, stamp } from '../../../kit/builders.ts';

const running = aJob({ started: -10 });
const { uid } = running.metadata;

describe('a Pod that is seen', () => {
  it('is remembered for its Job, when it is gone too', () => {
    const memory = new ProcessMemory(() => NOW);
    expect(memory.podWasSeen(uid)).toBe(false);
    memory.seePod(aPod(running, { phase: 'Pending' }));
    expect(memory.podWasSeen(uid)).toBe(true);
    expect(memory.containerWasSeen(uid)).toBe(false);
    expect(memory.podWasSeen('another')).toBe(false);
  });

  it('is remembered to have run a container, and not to have run none since', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running));
    expect(memory.containerWasSeen(uid)).toBe(true);
    memory.seePod(aPod(running, { phase: 'Unknown' }));
    expect(memory.containerWasSeen(uid)).toBe(true);
  });

  it('is found by its label if it has lost its owner', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running, { orphaned: true }));
    expect(memory.podWasSeen(uid)).toBe(true);
  });

  it('is passed over if it belongs to no Job', () => {
    const memory = new ProcessMemory(() => NOW);
    const pod = aPod(running, { orphaned: true });
    memory.seePod({ ...pod, metadata: { ...pod.metadata, labels: {} } });
    expect(memory.podWasSeen(uid)).toBe(false);
  });

  it('leaves the end of its log, which stays when the Pod says no more of it', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running, { phase: 'Failed', terminated: { exitCode: 1, message: 'no such branch' } }));
    memory.seePod(aPod(running, { phase: 'Failed' }));
    expect(memory.podEnds(uid)).toMatchObject([{ exit: { code: 1 }, log: 'no such branch' }]);
  });

  it('has the secrets taken out of its log before it is kept, and its escape sequences with them', () => {
    const memory = new ProcessMemory(() => NOW);
    const message = '\u001b[31mfatal:\u001b[0m https://deploy:hunter2hunter2@git.example/web PASSWORD=hunter2hunter2';
    memory.seePod(aPod(running, { phase: 'Failed', terminated: { exitCode: 1, message } }));
    const [end] = memory.podEnds(uid);
    expect(end?.log).toContain('fatal: https://deploy:[redacted]@git.example/web');
    expect(JSON.stringify(end)).not.toContain('hunter2');
    expect(JSON.stringify(end)).not.toContain('\\u001b');
  });

  it('leaves no more than a KiB of its log, and that from the end', () => {
    const memory = new ProcessMemory(() => NOW);
    const message = `${'step\n'.repeat(1000)}the end`;
    memory.seePod(aPod(running, { phase: 'Failed', terminated: { exitCode: 1, message } }));
    const { log = '' } = memory.podEnds(uid)[0] ?? {};
    expect(Buffer.byteLength(log)).toBeLessThanOrEqual(1024);
    expect(log).toMatch(/the end$/);
  });
});

describe('the end of a Pod', () => {
  const good = { terminated: { exitCode: 0, finishedAt: stamp(0) } };

  it('is what the version proved that showed it, whatever is told to end after that', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running, good));
    memory.seePod(aPod(running, { ...good, terminating: true }), true);
    expect(memory.podEnds(uid)).toMatchObject([{ exit: { code: 0 } }]);
  });

  it('is remembered by Pod, in the order in which they came', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running, good));
    memory.seePod(aPod(running, { name: 'another' }));
    expect(memory.podEnds(uid).map(({ exit }) => exit?.code)).toEqual([0, undefined]);
    expect(memory.podEnds('another')).toEqual([]);
  });

  it('is told of one that is gone without a word', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running), true);
    expect(memory.podEnds(uid)).toMatchObject([{ cause: 'PodDeleted' }]);
  });

  it('has secrets and escapes taken out of what the Pod says, too', () => {
    const memory = new ProcessMemory(() => NOW);
    const message = 'no room\u001b[31m\n for PASSWORD=hunter2hunter2';
    memory.seePod(aPod(running, { phase: 'Failed', reason: 'OutOfcpu', message }));
    const { words = '' } = memory.podEnds(uid)[0] ?? {};
    expect(words).toContain('OutOfcpu: no room for PASSWORD=[redacted]');
  });

  it('is timed by the monotonic clock from when it was first seen, and again after a restart', () => {
    let monotonicNow = 1_000;
    const memory = new ProcessMemory(() => monotonicNow);
    memory.seePod(aPod(running));
    expect(memory.exitedSince(uid)).toBeUndefined();
    memory.seePod(aPod(running, good));
    monotonicNow = 9_000;
    memory.seePod(aPod(running, good));
    expect(memory.exitedSince(uid)).toBe(1_000);
    memory.seePod(aPod(running, { restarts: 1 }));
    expect(memory.exitedSince(uid)).toBeUndefined();
    memory.seePod(aPod(running, { ...good, restarts: 1 }));
    expect(memory.exitedSince(uid)).toBe(9_000);
    memory.seePod(aPod(running, { name: 'another' }));
    expect(memory.exitedSince(uid)).toBeUndefined();
  });

  it('is kept of ten Pods of a Job at most', () => {
    const memory = new ProcessMemory(() => NOW);
    for (let index = 0; index < 20; index += 1) memory.seePod(aPod(running, { name: `pod-${index}` }));
    expect(memory.podEnds(uid).map(({ pod }) => pod)).toEqual(Array.from({ length: 10 }, (_, n) => `pod-${n + 10}`));
  });
});

describe('an absence', () => {
  it('counts from when it was first noted', () => {
    const memory = new ProcessMemory(() => NOW);
    expect(memory.absentSince(uid)).toBeUndefined();
    memory.noteAbsent([uid, 'another'], NOW);
    memory.noteAbsent([uid], NOW + 5000);
    expect(memory.absentSince(uid)).toBe(NOW);
    expect(memory.absentSince('another')).toBe(NOW);
  });

  it('is over when a live look shows that the Job runs', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.noteAbsent([uid], NOW);
    memory.seeLive([running], []);
    expect(memory.absentSince(uid)).toBeUndefined();
  });

  it('goes on if a live look shows the Job suspended, finished or not at all', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.noteAbsent([uid], NOW);
    memory.seeLive([aJob({ started: -10, suspended: true })], []);
    memory.seeLive([aJob({ started: -10, finished: 'Failed' })], []);
    memory.seeLive([aJob({ id: 'another', uid: 'another', started: -10 })], []);
    expect(memory.absentSince(uid)).toBe(NOW);
  });
});

describe('a live look', () => {
  it('sees its Pods, and notes nothing of Jobs that nothing is known of', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seeLive([running], [aPod(running)]);
    expect(memory.containerWasSeen(uid)).toBe(true);
    expect(memory.lastSeen(uid)).toBeUndefined();
  });
});

describe('a Job that is resumed', () => {
  it('may get another Pod: what was seen of the one before and of its absence counts no more', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running, { terminated: { exitCode: 1, message: 'halfway' } }));
    memory.noteAbsent([uid], NOW);
    memory.seeResumed(running);
    expect(memory.podWasSeen(uid)).toBe(false);
    expect(memory.containerWasSeen(uid)).toBe(false);
    expect(memory.absentSince(uid)).toBeUndefined();
    expect(memory.podEnds(uid)).toMatchObject([{ exit: { code: 1 }, log: 'halfway' }]);
  });

  it('is not noted if nothing is known of it', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seeResumed(running);
    expect(memory.podWasSeen(uid)).toBe(false);
  });
});

describe('a Job whose deletion is watched', () => {
  it('is kept as it was last, and takes nothing from what else is known of it', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seePod(aPod(running));
    memory.seeDeleted(running);
    expect(memory.lastSeen(uid)).toBe(running);
    expect(memory.podWasSeen(uid)).toBe(true);
    expect(memory.lastSeen('another')).toBeUndefined();
  });
});

describe('what is remembered in all', () => {
  it('is bounded: of 5001 Jobs the one that was not used for the longest time is forgotten', () => {
    const memory = new ProcessMemory(() => NOW);
    const uids = Array.from({ length: 5000 }, (_, index) => `uid-${index}`);
    memory.noteAbsent(uids, NOW);
    memory.noteAbsent(['uid-0'], NOW);
    memory.noteAbsent(['one more'], NOW);
    expect(memory.absentSince('uid-0')).toBe(NOW);
    expect(memory.absentSince('uid-1')).toBeUndefined();
    expect(memory.absentSince('uid-2')).toBe(NOW);
    expect(memory.absentSince('one more')).toBe(NOW);
  });

  it('loses what two sweeps did not know, and keeps what is known, or was asked for in between', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.noteAbsent(['known', 'gone', 'back'], NOW);
    const isKnown = (jobUid: string) => jobUid === 'known';
    memory.sweep(isKnown);
    expect(memory.size).toBe(3);
    memory.noteAbsent(['back'], NOW);
    memory.sweep(isKnown);
    expect(memory.absentSince('known')).toBe(NOW);
    expect(memory.absentSince('back')).toBe(NOW);
    expect(memory.absentSince('gone')).toBeUndefined();
    memory.sweep(isKnown);
    expect(memory.size).toBe(1);
  });

  it('of a resource that is gone is lost at once, and what is remembered of others stays', () => {
    const memory = new ProcessMemory(() => NOW);
    const other = aJob({ started: -10, id: 'other' });
    memory.seePod(aPod(running));
    memory.seeDeleted(other);
    memory.forget('deploy/another');
    expect(memory.size).toBe(2);
    memory.forget('deploy/web');
    expect(memory.size).toBe(0);
  });
});

describe('the name on a Job that is deleted', () => {
  const named = aJob({ started: -10, annotations: { 'capdeployjob.dev/aborted-by': 'al\u202eice\n' } });

  it('is that of who deleted it, if the deletion was watched', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seeDeleted(running);
    expect(memory.abortedBy(uid)).toBeUndefined();
    memory.seeDeleted(named);
    expect(memory.abortedBy(uid)).toBe('al ice');
  });

  it('is not known if a list did not show the Job any more: its last name may have been another one', () => {
    const memory = new ProcessMemory(() => NOW);
    memory.seeDeleted(named, true);
    expect([memory.lastSeen(uid), memory.abortedBy(uid)]).toEqual([named, undefined]);
  });
});
