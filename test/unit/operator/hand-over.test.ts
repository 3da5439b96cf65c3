import { afterEach, describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import { settle } from '../../kit/clocks.ts';
import { Rig, request } from './rig.ts';

let rig: Rig;
afterEach(() => rig.end());

const listed = () => rig.resource.status?.waiting ?? 0;

describe('a follower', () => {
  test('reads no queue and writes nothing, is ready, and knows at once what there is when its turn comes', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    rig.queue.deliver('a', request('one'));
    await rig.until(() => rig.queue.deleted.length === 1);
    await rig.clock.advance(60_000);
    expect(follower.writes).toEqual([]);
    expect(rig.queue.polls.map(({ by }) => by)).toEqual(['a']);
    expect(follower.operator.readiness()).toEqual({ ok: true });
    expect(follower.operator.liveness()).toEqual({ ok: true });
    expect([leader.operator.isLeader(), follower.operator.isLeader()]).toEqual([true, false]);
  });

  test('that may not read the Lease is not ready: it would take the place of one that works', async () => {
    rig = new Rig();
    const replica = rig.start('a');
    replica.faults.hangs = (_, plural) => plural === 'leases';
    await rig.clock.advance(20_000);
    expect(replica.operator.readiness()).toEqual({
      ok: false,
      message:
        'the Lease capdeployjob-system/capdeployjob was not read yet: no answer about the Lease capdeployjob-system/capdeployjob within 5 s',
    });
    replica.faults.hangs = () => false;
    await rig.until(() => replica.operator.readiness().ok);
  });

  test('that has not listed everything does not try to lead', async () => {
    rig = new Rig();
    const replica = rig.start('a');
    replica.faults.hangs = (verb, plural) => verb === 'list' && plural === 'pods';
    await rig.clock.advance(60_000);
    // Its caches had been asked before the test could say so.
    const late = rig.start('b');
    late.faults.hangs = (verb, plural) => verb === 'list' && plural === 'pods';
    await rig.clock.advance(60_000);
    expect(late.operator.isLeader()).toBe(false);
  });
});

describe('a leader that is told to stop while a poll is open', () => {
  test('hands over at once; its poll is waited for, and ends with its own time', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    const stopped = leader.operator.stop();
    expect(await rig.until(() => follower.operator.isLeader())).toBeLessThanOrEqual(200);
    await rig.until(() => rig.queue.polls.some(({ by }) => by === 'b'));
    expect(rig.queue.polls.some(({ by }) => by === 'a')).toBe(true);
    const took = await rig.timed(stopped);
    expect(took).toBeGreaterThan(10_000);
    expect(took).toBeLessThanOrEqual(20_000);
    expect(rig.queue.polls.map(({ by }) => by)).toEqual(['b']);
  });

  test('stores what the poll brings after the hand-over; the new leader lists it; the one that received it deletes it', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    const stopped = leader.operator.stop();
    await rig.until(() => follower.operator.isLeader());
    const statusesOfTheFirst = leader.writes.filter((write) => write === 'replaceStatus capdeployjobs').length;
    rig.queue.deliver('a', request('late'));
    await rig.until(() => rig.queue.deleted.length === 1);
    expect(rig.queue.deleted).toEqual([{ by: 'a', handle: 'handle-1' }]);
    expect(leader.writes.at(-1)).toBe('create jobs');
    expect(leader.writes.filter((write) => write === 'replaceStatus capdeployjobs')).toHaveLength(statusesOfTheFirst);
    expect(follower.writes).toContain('replaceStatus capdeployjobs');
    expect([rig.jobs.length, listed()]).toEqual([1, 1]);
    expect(await rig.timed(stopped)).toBeLessThan(100);
  });

  test('gives back at once what can only be rejected: it records nothing any more', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    const stopped = leader.operator.stop();
    await rig.until(() => follower.operator.isLeader());
    rig.queue.deliver('a', 'not JSON');
    expect(await rig.timed(stopped)).toBeLessThan(100);
    expect(rig.queue.givenBack).toEqual([{ by: 'a', handle: 'handle-1' }]);
    expect(rig.queue.deleted).toEqual([]);
    expect(rig.resource.status?.rejections ?? []).toEqual([]);
    rig.queue.deliver('b', 'not JSON');
    await rig.until(() => rig.queue.deleted.length === 1);
    expect(rig.resource.status?.rejections).toHaveLength(1);
  });

  test('records what it has in flight itself, before it hands over', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    rig.queue.deliver('a', request('in-hand'));
    await settle();
    const stopped = leader.operator.stop();
    await rig.until(() => follower.operator.isLeader());
    expect(listed()).toBe(1);
    expect(leader.writes).toContain('replaceStatus capdeployjobs');
    await rig.timed(stopped);
    expect(rig.queue.deleted).toEqual([{ by: 'a', handle: 'handle-1' }]);
  });

  test('keeps the Lease while a pass is writing, and hands over when its requests had to be aborted', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    leader.faults.hangs = (verb, plural) => verb === 'replaceStatus' && plural === 'capdeployjobs';
    rig.queue.deliver('a', request('one'));
    await rig.until(() => rig.jobs.length === 1);
    await rig.clock.advance(100);
    void leader.operator.stop();
    await rig.clock.advance(3000);
    expect([rig.lease?.spec?.holderIdentity, leader.aborted]).toEqual(['a', 0]);
    expect(await rig.until(() => follower.operator.isLeader())).toBeLessThanOrEqual(1500);
    expect(leader.aborted).toBe(1);
  });

  test('makes messages visible again that no status lists in time: there is no other replica', async () => {
    rig = new Rig();
    const leader = rig.start('a');
    await rig.until(() => rig.queue.polls.length === 1);
    await rig.clock.advance(5000);
    const stopped = leader.operator.stop();
    await rig.clock.advance(1000);
    expect(rig.lease?.spec?.holderIdentity).toBe('');
    rig.queue.deliver('a', request('late'));
    expect(await rig.timed(stopped)).toBeLessThanOrEqual(20_000);
    expect(rig.queue.givenBack).toEqual([{ by: 'a', handle: 'handle-1' }]);
    expect(rig.queue.deleted).toEqual([]);
    expect(rig.jobs).toHaveLength(1);
  });
});

describe('a stop ends within 25 s', () => {
  test.each([
    ['a leader', 15_000],
    ['an operator without election', 0],
  ])('of %s whose polls, writes and reads all hang', async (_, durationMs) => {
    rig = new Rig(durationMs);
    const replica = rig.start('a');
    await rig.until(() => rig.queue.polls.length === 1);
    rig.queue.hangs = true;
    rig.queue.polls[0]?.answer([]);
    await rig.until(() => rig.queue.polls.length === 1);
    replica.faults.hangs = () => true;
    rig.queue.deliver('a', request('one'));
    rig.store.patch(CAPDEPLOYJOBS, 'deploy', 'web', (current) => ({
      ...current,
      spec: { ...(current.spec as object), maxWaiting: 7 },
    }));
    await rig.clock.advance(100);
    const took = await rig.timed(replica.operator.stop());
    expect(took).toBeLessThanOrEqual(25_000);
    expect(replica.aborted).toBeGreaterThan(0);
  });

  test('of a leader whose poll is never answered, and it has handed over long before', async () => {
    rig = new Rig();
    rig.queue.hangs = true;
    const [leader, follower] = await rig.pair();
    const stopped = leader.operator.stop();
    expect(await rig.until(() => follower.operator.isLeader())).toBeLessThanOrEqual(200);
    const took = await rig.timed(stopped);
    // Twenty seconds of its wait time, less the five that it had lasted, and three for a network that is slow.
    expect(took).toBeGreaterThan(15_000);
    expect(took).toBeLessThanOrEqual(21_000);
  });

  test('of a follower: at once', async () => {
    rig = new Rig();
    const [, follower] = await rig.pair();
    expect(await rig.timed(follower.operator.stop())).toBeLessThanOrEqual(10);
    expect(rig.lease?.spec?.holderIdentity).toBe('a');
  });
});

describe('a leader that cannot renew', () => {
  test('has its writes under way aborted at the renew deadline, sends none after it, and says so', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    leader.faults.hangs = () => true;
    rig.queue.deliver('a', request('one'));
    await rig.until(() => leader.lost !== undefined);
    expect(leader.lost).toMatch(/^leadership lost: .* was not renewed for 10 s/);
    expect(leader.aborted).toBeGreaterThan(0);
    expect(leader.operator.isLeader()).toBe(false);
    expect(follower.operator.isLeader()).toBe(false);
    const before = leader.writes.length;
    leader.faults.hangs = () => false;
    await rig.until(() => follower.operator.isLeader());
    await rig.clock.advance(60_000);
    expect(leader.writes).toHaveLength(before);
    expect(rig.jobs).toEqual([]);
    expect(rig.queue.polls.map(({ by }) => by)).toEqual(['b']);
    expect(rig.queue.givenBack).toEqual([]);
  });
});

describe('a leader whose clock is set back by an hour', () => {
  test('ends within a second, for a process that knows nothing of the old time', async () => {
    rig = new Rig();
    const [leader, follower] = await rig.pair();
    rig.clock.setMs = -3_600_000;
    await rig.clock.advance(1_000);
    expect([leader.lost, follower.lost]).toEqual(Array(2).fill('the clock of this machine was set back by 3600 s'));
    expect(leader.operator.isLeader()).toBe(false);
    const next = rig.start('c');
    await rig.until(() => next.operator.isLeader());
    rig.queue.deliver('c', request('one'));
    await rig.until(() => rig.jobs.length === 1);
  });

  test('and is not kept from stopping in order, if it is told to at that moment', async () => {
    rig = new Rig();
    const [leader] = await rig.pair();
    const stopped = leader.operator.stop();
    rig.clock.setMs = -3_600_000;
    await rig.timed(stopped);
    expect(leader.lost).toBeUndefined();
  });
});

describe('/healthz', () => {
  test('finds the reading of a queue that makes no progress, after five minutes', async () => {
    rig = new Rig();
    rig.queue.hangs = true;
    const leader = rig.start('a');
    await rig.until(() => rig.queue.polls.length === 1);
    await rig.clock.advance(4 * 60_000);
    expect(leader.operator.liveness()).toEqual({ ok: true });
    await rig.clock.advance(70_000);
    expect(leader.operator.liveness()).toEqual({
      ok: false,
      message: expect.stringMatching(/^reading the queue of deploy\/web has made no progress for 3\d\d s$/),
    });
    rig.queue.hangs = false;
    rig.queue.polls[0]?.answer([]);
    await rig.clock.advance(1000);
    expect(leader.operator.liveness()).toEqual({ ok: true });
  });

  test('is good for a leader at rest, and for one whose Jobs do not start for half an hour', async () => {
    rig = new Rig();
    const leader = rig.start('a');
    await rig.until(() => rig.queue.polls.length === 1);
    await rig.clock.advance(30 * 60_000);
    expect(leader.operator.liveness()).toEqual({ ok: true });
    rig.store.admission.push(({ operation, type: { plural } }) => {
      if (operation === 'CREATE' && plural === 'jobs') throw new Error('exceeded quota');
    });
    rig.queue.deliver('a', request('one'));
    for (let minute = 0; minute < 30; minute += 1) {
      await rig.clock.advance(60_000);
      expect(leader.operator.liveness()).toEqual({ ok: true });
    }
  });
});
