import { describe, expect, it } from 'vitest';
import { ProcessMemory } from '../../src/controller/memory.ts';
import { aJob, aPod, NOW } from '../lanes/builders.ts';

const running = aJob({ started: -10 });
const { uid } = running.metadata;

describe('a Pod that is seen', () => {
  it('is remembered for its Job, when it is gone too', () => {
    const memory = new ProcessMemory();
    expect(memory.podWasSeen(uid)).toBe(false);
    memory.seePod(aPod(running, { phase: 'Pending' }));
    expect(memory.podWasSeen(uid)).toBe(true);
    expect(memory.containerWasSeen(uid)).toBe(false);
    expect(memory.podWasSeen('another')).toBe(false);
  });

  it('is remembered to have run a container, and not to have run none since', () => {
    const memory = new ProcessMemory();
    memory.seePod(aPod(running));
    expect(memory.containerWasSeen(uid)).toBe(true);
    memory.seePod(aPod(running, { phase: 'Unknown' }));
    expect(memory.containerWasSeen(uid)).toBe(true);
  });

  it('is found by its label where it has lost its owner', () => {
    const memory = new ProcessMemory();
    memory.seePod(aPod(running, { orphaned: true }));
    expect(memory.podWasSeen(uid)).toBe(true);
  });

  it('is passed over where it belongs to no Job', () => {
    const memory = new ProcessMemory();
    const pod = aPod(running, { orphaned: true });
    memory.seePod({ ...pod, metadata: { ...pod.metadata, labels: {} } });
    expect(memory.podWasSeen(uid)).toBe(false);
  });

  it('leaves the end of its log, which stays when the Pod says no more of it', () => {
    const memory = new ProcessMemory();
    memory.seePod(aPod(running, { phase: 'Failed', terminated: { exitCode: 1, message: 'no such branch' } }));
    memory.seePod(aPod(running, { phase: 'Failed' }));
    expect(memory.logTail(uid)).toBe('exit code 1\nno such branch');
  });

  it('has the secrets taken out of its log before it is kept, and its escape sequences with them', () => {
    const memory = new ProcessMemory();
    const message = '\u001b[31mfatal:\u001b[0m https://deploy:hunter2hunter2@git.example/web PASSWORD=hunter2hunter2';
    memory.seePod(aPod(running, { phase: 'Failed', terminated: { exitCode: 1, message } }));
    expect(memory.logTail(uid)).toContain('fatal: https://deploy:[redacted]@git.example/web');
    expect(memory.logTail(uid)).not.toContain('hunter2');
    expect(memory.logTail(uid)).not.toContain('\u001b');
  });

  it('leaves no more than a KiB of its log, and that from the end', () => {
    const memory = new ProcessMemory();
    const message = `${'step\n'.repeat(1000)}the end`;
    memory.seePod(aPod(running, { phase: 'Failed', terminated: { exitCode: 1, message } }));
    expect(Buffer.byteLength(memory.logTail(uid) ?? '')).toBeLessThanOrEqual(1024);
    expect(memory.logTail(uid)).toMatch(/the end$/);
  });
});

describe('an absence', () => {
  it('counts from when it was first noted', () => {
    const memory = new ProcessMemory();
    expect(memory.absentSince(uid)).toBeUndefined();
    memory.noteAbsent([uid, 'another'], NOW);
    memory.noteAbsent([uid], NOW + 5000);
    expect(memory.absentSince(uid)).toBe(NOW);
    expect(memory.absentSince('another')).toBe(NOW);
  });

  it('is over when a live look shows that the Job runs', () => {
    const memory = new ProcessMemory();
    memory.noteAbsent([uid], NOW);
    memory.seeLive([running], []);
    expect(memory.absentSince(uid)).toBeUndefined();
  });

  it('goes on where a live look shows the Job suspended, finished or not at all', () => {
    const memory = new ProcessMemory();
    memory.noteAbsent([uid], NOW);
    memory.seeLive([aJob({ started: -10, suspended: true })], []);
    memory.seeLive([aJob({ started: -10, finished: 'Failed' })], []);
    memory.seeLive([aJob({ id: 'another', uid: 'another', started: -10 })], []);
    expect(memory.absentSince(uid)).toBe(NOW);
  });
});

describe('a live look', () => {
  it('sees its Pods, and notes nothing of Jobs that nothing is known of', () => {
    const memory = new ProcessMemory();
    memory.seeLive([running], [aPod(running)]);
    expect(memory.containerWasSeen(uid)).toBe(true);
    expect(memory.lastSeen(uid)).toBeUndefined();
  });
});

describe('a Job that is resumed', () => {
  it('may get another Pod: what was seen of the one before and of its absence counts no more', () => {
    const memory = new ProcessMemory();
    memory.seePod(aPod(running, { terminated: { exitCode: 1, message: 'halfway' } }));
    memory.noteAbsent([uid], NOW);
    memory.seeResumed(running);
    expect(memory.podWasSeen(uid)).toBe(false);
    expect(memory.containerWasSeen(uid)).toBe(false);
    expect(memory.absentSince(uid)).toBeUndefined();
    expect(memory.logTail(uid)).toBe('exit code 1\nhalfway');
  });

  it('is not noted where nothing is known of it', () => {
    const memory = new ProcessMemory();
    memory.seeResumed(running);
    expect(memory.podWasSeen(uid)).toBe(false);
  });
});

describe('a Job whose deletion is watched', () => {
  it('is kept as it was last, and takes nothing from what else is known of it', () => {
    const memory = new ProcessMemory();
    memory.seePod(aPod(running));
    memory.seeDeleted(running);
    expect(memory.lastSeen(uid)).toBe(running);
    expect(memory.podWasSeen(uid)).toBe(true);
    expect(memory.lastSeen('another')).toBeUndefined();
  });
});

describe('what is remembered in all', () => {
  it('is bounded: of 5001 Jobs the one that was not used for the longest time is forgotten', () => {
    const memory = new ProcessMemory();
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
    const memory = new ProcessMemory();
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
    const memory = new ProcessMemory();
    const other = aJob({ started: -10, id: 'other' });
    memory.seePod(aPod(running));
    memory.seeDeleted(other);
    memory.forget('deploy/another');
    expect(memory.size).toBe(2);
    memory.forget('deploy/web');
    expect(memory.size).toBe(0);
  });
});
