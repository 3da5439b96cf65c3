import { afterEach, describe, expect, test } from 'vitest';
import { settle } from '../../kit/clocks.ts';
import { type Fault, type Replica, Replicas } from './replicas.ts';

let world: Replicas;
afterEach(() => world.end());

/** One that leads and one that stands by, both come to rest. */
async function aPair(): Promise<{ leader: Replica; follower: Replica }> {
  world = new Replicas();
  const leader = world.start('a');
  await world.advance(100);
  const follower = world.start('b');
  await world.advance(10_000);
  expect(world.leaders).toEqual(['a']);
  return { leader, follower };
}

/** Milliseconds until it leads; the virtual clock goes on in steps of 100. */
async function leadsAfter(replica: Replica, withinMs = 60_000): Promise<number> {
  const begun = world.clock.now();
  while (!replica.elector.granted() && world.clock.now() - begun < withinMs) await world.advance(100);
  return world.clock.now() - begun;
}

describe('the first replica', () => {
  test('makes the Lease and leads at once', async () => {
    world = new Replicas();
    const { elector } = world.start('a');
    await settle();
    expect(elector.granted()).toBe(true);
    expect(world.record).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    });
  });

  test('renews every two seconds with one request, and says since when it leads', async () => {
    world = new Replicas();
    const { requests } = world.start('a');
    await world.advance(100);
    requests.splice(0);
    await world.advance(60_000);
    expect(requests).toEqual(Array(30).fill('patch'));
    expect(world.record).toMatchObject({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:01:00.000000Z',
      leaseTransitions: 0,
    });
  });

  test.each([
    ['released', { holderIdentity: '', leaseDurationSeconds: 1 }, 0, 4],
    ['without a holder, as `kubectl create` makes it', {}, 0, 1],
    ['left by one that died', { holderIdentity: 'z', leaseDurationSeconds: 15 }, 15_000, 4],
    ['of one that wanted more time', { holderIdentity: 'z', leaseDurationSeconds: 40 }, 40_000, 4],
    ['that says no duration', { holderIdentity: 'z' }, 15_000, 4],
    [
      'whose times lie in the past: clocks are not compared',
      { holderIdentity: 'z', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z' },
      15_000,
      4,
    ],
    [
      'whose times lie in the future',
      { holderIdentity: 'z', leaseDurationSeconds: 15, renewTime: '2030-01-01T00:00:00.000000Z' },
      15_000,
      4,
    ],
  ])('takes over a Lease %s', async (_, spec, afterMs, transitions) => {
    world = new Replicas();
    const counted = Object.keys(spec).length === 0 ? spec : { ...spec, leaseTransitions: 3 };
    await world.person.create(
      { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' },
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'capdeployjob', namespace: 'capdeployjob-system' },
        spec: counted,
      },
    );
    const replica = world.start('a');
    await settle();
    const took = await leadsAfter(replica);
    expect(took).toBe(afterMs);
    expect(world.record).toMatchObject({ holderIdentity: 'a', leaseTransitions: transitions });
  });
});

describe('a follower', () => {
  test('asks nothing while the leader renews: it watches', async () => {
    const { follower } = await aPair();
    follower.requests.splice(0);
    await world.advance(10 * 60_000, 1000);
    expect(follower.requests).toEqual([]);
    expect(world.leaders).toEqual(['a']);
    expect(follower.seenLeaders).toEqual(['a']);
  });

  test('leads in the moment in which the leader releases the Lease', async () => {
    const { leader, follower } = await aPair();
    await leader.elector.stop();
    expect(leader.elector.granted()).toBe(false);
    await settle();
    await settle();
    expect(world.leaders).toEqual(['b']);
    expect(world.record).toMatchObject({ holderIdentity: 'b', leaseDurationSeconds: 15, leaseTransitions: 1 });
    expect(follower.seenLeaders).toEqual(['a', 'b']);
    expect(leader.lost).toBeUndefined();
  });

  test.each([0, 3_600_000, -3_600_000])(
    'whose clock is %d ms ahead leads 15 s after the last renewal of a leader that died, and not before',
    async (aheadMs) => {
      world = new Replicas();
      const leader = world.start('a');
      await world.advance(100);
      const follower = world.start('b', { aheadMs });
      await world.advance(30_000);
      expect(world.leaders).toEqual(['a']);
      const renewedAt = Date.parse(world.record!.renewTime!);
      await leader.elector.abandon();
      await leadsAfter(follower);
      expect(world.clock.now() - renewedAt).toBeGreaterThanOrEqual(15_000);
      expect(world.clock.now() - renewedAt).toBeLessThanOrEqual(15_100);
    },
  );

  test('is not kept waiting by what others write beside the record of a leader that died', async () => {
    const { leader, follower } = await aPair();
    await leader.elector.abandon();
    const begun = world.clock.now();
    for (let second = 0; second < 15 && !follower.elector.granted(); second += 1) {
      await world.edit({ metadata: { annotations: { second: String(second) } } });
      await world.advance(1000);
    }
    await leadsAfter(follower);
    expect(world.clock.now() - begun).toBeLessThanOrEqual(15_100);
  });

  test('that was stopped for an hour and wakes does not take the Lease of one that has renewed it all the time', async () => {
    const { follower } = await aPair();
    follower.pause();
    await world.advance(3_600_000, 60_000);
    follower.resume();
    expect(await world.advance(60_000)).toBe(1);
    expect(world.leaders).toEqual(['a']);
  });

  test('whose watch is down asks every 2 to 4.4 s, by chance, and hears of the release so', async () => {
    const { leader, follower } = await aPair();
    follower.fault = (verb) => (verb === 'watch' || verb === 'list' ? 'refused' : undefined);
    world.store.endWatches();
    // The watch that was open is tried again before its end counts as a failure.
    await world.advance(20_000);
    world.clock.randomValue = 0.25;
    await world.advance(10_000);
    const asked = async (ms: number) => {
      follower.requests.splice(0);
      await world.advance(ms);
      return follower.requests.filter((verb) => verb === 'get').length;
    };
    expect(await asked(26_000)).toBe(10);
    world.clock.randomValue = 0.75;
    await world.advance(10_000);
    expect(await asked(38_000)).toBe(10);
    await leader.elector.stop();
    expect(await leadsAfter(follower)).toBeLessThanOrEqual(3800);
  });

  test('that is stopped has written nothing', async () => {
    const { follower } = await aPair();
    await follower.elector.stop();
    expect(follower.requests.filter((verb) => verb !== 'get' && verb !== 'list')).toEqual([]);
    expect(world.record?.holderIdentity).toBe('a');
  });

  test('that is stopped while its attempt is not answered releases the Lease that it may have got', async () => {
    world = new Replicas();
    const replica = world.start('a');
    replica.fault = (verb) => (verb === 'create' ? 'done, no answer' : undefined);
    await world.advance(1000);
    expect(world.record?.holderIdentity).toBe('a');
    expect(world.leaders).toEqual([]);
    const stopped = replica.elector.stop();
    await world.advance(500);
    await stopped;
    expect(world.record?.holderIdentity).toBe('');
  });

  test('takes the Lease that it got without an answer as soon as it sees that', async () => {
    world = new Replicas();
    const replica = world.start('a');
    replica.fault = (verb) => (verb === 'create' ? 'done, no answer' : undefined);
    expect(await leadsAfter(replica)).toBeLessThanOrEqual(5200);
    expect(world.record).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
  });

  test('is one of three: one of them leads, each time', async () => {
    const { leader } = await aPair();
    world.start('c');
    world.start('d');
    await world.advance(5000);
    await leader.elector.abandon();
    expect(await world.advance(20_000)).toBe(1);
    const [second] = world.leaders;
    await world.all.find(({ name }) => name === second)!.elector.stop();
    expect(await world.advance(5000)).toBe(1);
    expect(world.leaders).toHaveLength(1);
    expect(world.record?.leaseTransitions).toBe(2);
  });
});

describe('a leader that cannot renew', () => {
  test.each<[string, Fault]>([
    ['refused', 'refused'],
    ['not answered', 'no answer'],
    ['carried out, and never answered', 'done, no answer'],
  ])(
    'because its requests are %s leads no more 10 s after its last renewal, long before another one does',
    async (_, fault) => {
      const { leader, follower } = await aPair();
      const renewedAt = Date.parse(world.record!.renewTime!);
      leader.fault = fault;
      while (leader.elector.granted()) expect(await world.advance(100)).toBeLessThanOrEqual(1);
      expect(world.clock.now() - renewedAt).toBe(10_000);
      expect(leader.lost).toMatch(
        /^leadership lost: the Lease capdeployjob-system\/capdeployjob was not renewed for 10 s/,
      );
      expect(leader.elector.signal.aborted).toBe(true);
      const writtenAt = Date.parse(world.record!.renewTime!);
      while (world.leaders.length === 0) await world.advance(100);
      expect(follower.elector.granted()).toBe(true);
      expect(world.clock.now() - writtenAt).toBeGreaterThanOrEqual(15_000);
      expect(world.clock.now() - writtenAt).toBeLessThanOrEqual(15_100);
      leader.fault = undefined;
      expect(await world.advance(60_000)).toBe(1);
      expect(world.leaders).toEqual(['b']);
    },
  );

  test.each<[string, Fault, number]>([
    ['the API server is away for 7 s', 'refused', 7000],
    ['one renewal is lost', 'no answer', 1900],
    ['one renewal takes effect and is not answered', 'done, no answer', 1900],
  ])('leads on where %s', async (_, fault, ms) => {
    const { leader } = await aPair();
    leader.fault = fault;
    await world.advance(ms);
    leader.fault = undefined;
    expect(await world.advance(60_000)).toBe(1);
    expect(world.leaders).toEqual(['a']);
    expect(world.record?.leaseTransitions).toBe(0);
  });

  test('notices it before anything else happens when it was stopped, and wakes', async () => {
    const { leader } = await aPair();
    leader.pause();
    await world.advance(22_000);
    expect(world.leaders).toEqual(['b']);
    leader.resume();
    // No timer of its own has fired yet: its first question is answered by the clock alone.
    expect(leader.elector.granted()).toBe(false);
    await world.advance(60_000);
    expect(world.leaders).toEqual(['b']);
    expect(leader.lost).toMatch(/not renewed for 2\d(\.\d)? s$/);
  });

  test('counts from when a renewal was sent, not from when its answer came: others count from in between', async () => {
    const { leader } = await aPair();
    leader.answersAfterMs = 4000;
    // Sent, and taken by the API server, within two seconds; answered four later.
    await world.advance(2000);
    const sentAt = Date.parse(world.record!.renewTime!);
    await world.advance(4000);
    leader.fault = 'refused';
    while (leader.elector.granted()) await world.advance(100);
    expect(world.clock.now() - sentAt).toBe(10_000);
  });

  test('is not deceived by a clock that is set back', async () => {
    const { leader } = await aPair();
    leader.fault = 'refused';
    leader.wallAheadMs = -3_600_000;
    await world.advance(10_000);
    expect(leader.elector.granted()).toBe(false);
  });

  test('leads on if its clock is put forward or back and the API server answers', async () => {
    const { leader } = await aPair();
    for (const ahead of [3_600_000, -3_600_000, 0]) {
      leader.wallAheadMs = ahead;
      expect(await world.advance(20_000)).toBe(1);
    }
    expect(world.leaders).toEqual(['a']);
  });
});

describe('a Lease that somebody changes', () => {
  test('beside the record: the leader writes anew, over the new version, and leads on', async () => {
    const { leader } = await aPair();
    leader.requests.splice(0);
    await world.edit({ metadata: { labels: { team: 'deploy' } } });
    await world.advance(2000);
    expect(leader.requests).toEqual(['patch', 'get', 'patch']);
    expect(world.lease?.metadata.labels).toEqual({ team: 'deploy' });
    expect(world.leaders).toEqual(['a']);
  });

  test('to another holder: the leader leads no more with its next renewal, and says who does', async () => {
    const { leader, follower } = await aPair();
    await world.edit({ spec: { holderIdentity: 'thief', leaseTransitions: 7 } });
    await world.advance(2000);
    expect(leader.lost).toBe('leadership lost: the Lease capdeployjob-system/capdeployjob is held by thief');
    expect(await leadsAfter(follower)).toBeGreaterThanOrEqual(12_900);
    expect(world.record?.leaseTransitions).toBe(8);
  });

  test('so that it has no holder: a follower may take it', async () => {
    const { leader, follower } = await aPair();
    await world.edit({ spec: { holderIdentity: '' } });
    await world.advance(2000);
    expect(world.leaders).toEqual(['b']);
    expect(leader.lost).toBe('leadership lost: the Lease capdeployjob-system/capdeployjob is held by b');
    expect(follower.lost).toBeUndefined();
  });

  test('so that it has no holder, and there is no follower: the leader takes it again', async () => {
    world = new Replicas();
    world.start('a');
    await world.advance(1000);
    await world.edit({ spec: { holderIdentity: '' } });
    await world.advance(2000);
    expect(world.record).toMatchObject({ holderIdentity: 'a', leaseTransitions: 1 });
    expect(world.leaders).toEqual(['a']);
  });

  test('by deleting it: the leader makes it again, its count and beginning go on, and no follower steps in between', async () => {
    const { follower } = await aPair();
    await world.edit({ spec: { leaseTransitions: 5 } });
    await world.advance(2000);
    const { acquireTime } = world.record!;
    const uid = world.lease!.metadata.uid;
    await world.delete();
    expect(await world.advance(60_000)).toBe(1);
    expect(world.leaders).toEqual(['a']);
    expect(world.lease!.metadata.uid).not.toBe(uid);
    expect(world.record).toMatchObject({ holderIdentity: 'a', leaseTransitions: 5, acquireTime });
    expect(follower.requests).not.toContain('create');
  });

  test('by deleting it after its holder died: a follower makes it again when the time of that one is over', async () => {
    const { leader, follower } = await aPair();
    await leader.elector.abandon();
    await world.delete();
    const took = await leadsAfter(follower);
    expect(took).toBeGreaterThanOrEqual(12_900);
    expect(took).toBeLessThanOrEqual(15_100);
  });
});

describe('a leader that stops', () => {
  test('releases the Lease with a duration for which no other replica has to wait', async () => {
    world = new Replicas();
    const { elector } = world.start('a');
    await world.advance(5000);
    await elector.stop();
    expect(world.record).toEqual({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: '2026-01-01T00:00:05.000000Z',
      renewTime: '2026-01-01T00:00:05.000000Z',
      leaseTransitions: 0,
    });
    expect(world.clock.pending).toBe(0);
  });

  test('releases it also if another client changed it meanwhile', async () => {
    const { leader } = await aPair();
    await world.edit({ metadata: { labels: { team: 'deploy' } } });
    await leader.elector.stop();
    expect(world.record?.holderIdentity).not.toBe('a');
  });

  test('leaves it alone if another one holds it', async () => {
    const { leader } = await aPair();
    await world.edit({ spec: { holderIdentity: 'thief' } });
    await leader.elector.stop();
    expect(world.record?.holderIdentity).toBe('thief');
  });

  test.each<[string, Fault]>([
    ['refuses', 'refused'],
    ['does not answer', 'no answer'],
  ])('waits no longer than 2 s where the API server %s', async (_, fault) => {
    const { leader } = await aPair();
    leader.fault = fault;
    let isStopped = false;
    const stopped = leader.elector.stop().then(() => {
      isStopped = true;
    });
    await world.advance(2100);
    expect(isStopped).toBe(true);
    await stopped;
    expect(leader.elector.granted()).toBe(false);
  });
});

describe('what /healthz is told', () => {
  test('nothing of a leader that renews, of a follower that watches, of one that lost', async () => {
    const { leader, follower } = await aPair();
    await world.advance(20 * 60_000, 5000);
    expect([leader.elector.stuck(), follower.elector.stuck()]).toEqual([undefined, undefined]);
    leader.fault = 'refused';
    await world.advance(20_000);
    expect([leader.elector.stuck(), follower.elector.stuck()]).toEqual([undefined, undefined]);
  });

  test('of a follower whose loop hangs in a request: after five minutes, were there one without a time-out', async () => {
    const { follower } = await aPair();
    follower.pause();
    await world.advance(6 * 60_000, 5000);
    expect(follower.elector.stuck()).toMatch(/^has not looked at the Lease for 3\d\d(\.\d)? s$/);
  });
});

test('whatever happens to them, two replicas never lead at once', async () => {
  // A small generator of its own: the same accidents each time.
  let seed = 7;
  const chance = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * n);
  };
  world = new Replicas();
  let started = 0;
  let led = 0;
  const ended = new Set<Replica>();
  for (let step = 0; step < 400; step += 1) {
    const living = world.all.filter((replica) => replica.lost === undefined && !ended.has(replica));
    if (living.length < 3) world.start(`replica-${++started}`, { aheadMs: (chance(3) - 1) * 3_600_000 });
    const victim = living[chance(living.length)];
    const accident = chance(8);
    if (victim && !victim.isPaused && (accident === 1 || accident === 2)) ended.add(victim);
    if (victim?.isPaused) victim.resume();
    else if (accident === 0) victim?.pause();
    else if (accident === 1) await victim?.elector.abandon();
    else if (accident === 2) void victim?.elector.stop();
    else if (accident === 3 && victim) victim.fault = (['refused', 'no answer', 'done, no answer'] as const)[chance(3)];
    else if (victim) victim.fault = undefined;
    world.clock.randomValue = chance(1000) / 1000;
    expect(await world.advance(chance(12_000), 250), `step ${step}`).toBeLessThanOrEqual(1);
    led += world.leaders.length;
  }
  // It is not that nobody ever does.
  expect(led).toBeGreaterThan(100);
});
