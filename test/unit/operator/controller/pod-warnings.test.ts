import { describe, expect, it } from 'vitest';
import type { KubeClient, KubeObject } from '../../../../src/kube/client.ts';
import { PAGE_SIZE } from '../../../../src/kube/list-all.ts';
import { WarningEvents } from '../../../../src/operator/controller/pod-warnings.ts';
import { at, NOW } from '../../../kit/builders.ts';
import { aRefusal, CORE_EVENTS, KEY, NAMESPACES, Rig, refusing } from './rig.ts';

let events = 0;

/** Stores a core Event about what has this UID, as the kubelet writes it. */
function anEvent(rig: Rig, uid: string, changes: Record<string, unknown> = {}): void {
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `event-${events++}`, namespace: 'deploy' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'deploy', name: `pod-${uid}`, uid },
    type: 'Warning',
    reason: 'FailedMount',
    message: 'secret "env" not found',
    lastTimestamp: at(0),
    ...changes,
  };
  rig.store.create(CORE_EVENTS, event as unknown as KubeObject);
}

/** All that can happen without time passing has happened. */
const allIsHeard = () => new Promise((resolve) => setImmediate(resolve));

/** A start that began so many seconds before NOW. */
const hanging = (uid: string, seconds = -10) => ({ uid, since: NOW + seconds * 1000 });

const messages = (rig: Rig, ...uids: string[]) => uids.map((uid) => rig.warnings.about(uid)?.message);

async function explained(rig: Rig, ...uids: string[]): Promise<void> {
  const starts = uids.map((uid) => hanging(uid));
  rig.warnings.follow(KEY, starts);
  await allIsHeard();
}

/** Another one on the same API server, whose client is changed. */
function others(rig: Rig, list: KubeClient['list']) {
  const woken: string[] = [];
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  return {
    woken,
    warnings: new WarningEvents({ client: { list }, now: rig.now, wake: (key) => woken.push(key), log }),
  };
}

describe('the Warning Events of starts that hang', () => {
  it('are of what hangs, and nothing else is kept', async () => {
    const rig = new Rig();
    for (const uid of ['a', 'b', 'c']) anEvent(rig, uid, { message: `about ${uid}` });
    await explained(rig, 'a', 'b', 'd');
    expect(messages(rig, 'a', 'b', 'c')).toEqual(['about a', 'about b', undefined]);
    expect(rig.warnings.about('d')).toBeNull();
    expect(rig.warnings.about('c')).toBeUndefined();
    // One CapDeployJob, what is known of three, and the time of one list.
    expect(rig.warnings.size).toBe(5);
  });

  it('are Warnings, of any reason', async () => {
    const rig = new Rig();
    anEvent(rig, 'a', { type: 'Normal', reason: 'Pulling' });
    anEvent(rig, 'b', { reason: 'NeverHeardOf' });
    await explained(rig, 'a', 'b');
    expect(rig.warnings.about('a')).toBeNull();
    expect(rig.warnings.about('b')?.reason).toBe('NeverHeardOf');
  });

  it('are the newest ones, by whichever time they carry', async () => {
    const rig = new Rig();
    // As client-go's newer recorder writes it.
    const newer = {
      reportingComponent: 'kubelet',
      reportingInstance: 'node-1',
      action: 'Mounting',
      lastTimestamp: null,
    };
    const micro = (seconds: number) => at(seconds).replace('Z', '000Z');
    rig.clock.advance(-10_000);
    anEvent(rig, 'a', { message: 'old', lastTimestamp: at(-3) });
    anEvent(rig, 'a', { message: 'newest', lastTimestamp: at(-1) });
    anEvent(rig, 'a', { message: 'older', lastTimestamp: at(-2) });
    anEvent(rig, 'b', { message: 'once', ...newer, eventTime: micro(-3) });
    anEvent(rig, 'b', {
      message: 'again',
      ...newer,
      eventTime: micro(-5),
      series: { count: 2, lastObservedTime: micro(-1) },
    });
    await explained(rig, 'a', 'b');
    expect(rig.warnings.about('a')).toMatchObject({ message: 'newest', at: NOW - 1000 });
    expect(rig.warnings.about('b')).toMatchObject({ message: 'again', at: NOW - 1000 });
  });

  it('are found on whichever page they stand', async () => {
    const rig = new Rig();
    for (const uid of ['a', 'b', 'c', 'd', 'e']) anEvent(rig, uid);
    const { warnings } = others(rig, (type, options) => rig.client.list(type, { ...options, limit: 2 }));
    warnings.follow(KEY, [hanging('a'), hanging('e')]);
    await allIsHeard();
    expect([warnings.about('a'), warnings.about('e')]).not.toContain(null);
    expect(rig.calls).toHaveLength(3);
  });

  it('are forgotten once their start hangs no more, or its CapDeployJob is gone', async () => {
    const rig = new Rig();
    for (const uid of ['a', 'b']) anEvent(rig, uid);
    await explained(rig, 'a', 'b');
    rig.warnings.follow(KEY, [hanging('b')]);
    expect(rig.warnings.about('a')).toBeUndefined();
    expect(rig.warnings.about('b')).not.toBeUndefined();
    expect(rig.warnings.follow(KEY, [])).toBeUndefined();
    expect(rig.warnings.about('b')).toBeUndefined();
    rig.clock.advance(60_001);
    rig.warnings.follow('other/web', [hanging('x', 60)]);
    await allIsHeard();
    // Nothing of the namespace "deploy".
    expect(rig.warnings.size).toBe(3);
  });
});

describe('their texts', () => {
  const told = async (changes: Record<string, unknown>) => {
    const rig = new Rig();
    anEvent(rig, 'a', changes);
    await explained(rig, 'a');
    return rig.warnings.about('a');
  };

  it('are one line without control characters, escape sequences, direction marks and secrets', async () => {
    const hostile = 'pull\u001b[31m of\u202e x\u0000\n\tfailed: https://bob:hunter2hunter2@registry.example.com/';
    const clean = 'pull of x failed: https://bob:[redacted]@registry.example.com/';
    const warning = await told({ message: hostile, reason: 'Odd\u001b[0m\n\u200f' });
    expect(warning).toMatchObject({ message: clean, reason: 'Odd' });
  });

  it('are bounded', async () => {
    expect((await told({ message: 'x '.repeat(100_000) }))?.message).toHaveLength(1024);
  });

  it('leave out what differs each time a Warning is repeated, and nothing else that looks like it', async () => {
    const sandbox = 'f00d'.repeat(16);
    const digest = `registry.example.com/web@sha256:${sandbox}`;
    const request = 'RequestID: 6ba7b810-9dad-11d1-80b4-00c04fd430c8';
    const message = `(combined from similar events): sandbox "${sandbox}" of ${digest}: ${request}, no IP`;
    expect((await told({ message }))?.message).toBe(`sandbox "…" of ${digest}: RequestID: …, no IP`);
  });
});

describe('the list of Warning Events', () => {
  it('is one for a namespace, of Warnings alone, live and by pages', async () => {
    const rig = new Rig();
    rig.store.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
    for (const key of ['deploy/a', 'deploy/b', 'other/a']) rig.warnings.follow(key, [hanging(key)]);
    await allIsHeard();
    rig.warnings.follow('deploy/c', [hanging('c')]);
    const query = { fieldSelector: 'type=Warning', limit: PAGE_SIZE };
    expect(rig.calls.map(({ verb, plural, query }) => [verb, plural, query])).toEqual([
      ['list', 'events', { namespace: 'deploy', ...query }],
      ['list', 'events', { namespace: 'other', ...query }],
    ]);
  });

  it('is shared by passes that run side by side, and no pass waits for it', async () => {
    const rig = new Rig();
    anEvent(rig, 'uid-3');
    const answer = Promise.withResolvers<void>();
    const { warnings, woken } = others(rig, async (type, options) => {
      await answer.promise;
      return rig.client.list(type, options);
    });
    for (let pass = 0; pass < 16; pass += 1) warnings.follow(`deploy/web-${pass}`, [hanging(`uid-${pass}`)]);
    // One that takes longer than lists are good for is waited for all the same.
    rig.clock.advance(61_000);
    warnings.follow('deploy/web-0', [hanging('uid-0')]);
    expect([warnings.about('uid-3'), woken]).toEqual([undefined, []]);
    answer.resolve();
    await allIsHeard();
    expect(rig.calls).toHaveLength(1);
    expect(warnings.about('uid-3')).toMatchObject({ reason: 'FailedMount' });
  });

  it('says nothing of what began to hang after its first page was there', async () => {
    const rig = new Rig();
    for (const uid of ['late', 'x', 'late']) anEvent(rig, uid);
    const { warnings } = others(rig, async (type, options) => {
      const page = await rig.client.list(type, { ...options, limit: 1 });
      if (options?.continue !== undefined) warnings.follow('deploy/b', [hanging('late')]);
      return page as never;
    });
    warnings.follow('deploy/a', [hanging('early')]);
    await allIsHeard();
    expect(rig.calls).toHaveLength(3);
    expect(warnings.about('early')).toBeNull();
    expect(warnings.about('late')).toBeUndefined();
  });

  it('wakes only the resources about which it says something new', async () => {
    const rig = new Rig();
    const look = async () => {
      rig.woken.length = 0;
      for (const uid of ['a', 'b', 'c']) rig.warnings.follow(`deploy/${uid}`, [hanging(uid, 100)]);
      rig.clock.advance(5_000);
      await allIsHeard();
      return rig.woken;
    };
    anEvent(rig, 'b');
    await look();
    await look();
    anEvent(rig, 'a', { lastTimestamp: at(9) });
    expect(await look()).toEqual(['deploy/a']);
  });

  it('comes every five seconds while a start is young, then less and less often, every minute in the end', async () => {
    const rig = new Rig();
    const lists: number[] = [];
    rig.before = () => lists.push((rig.now() - NOW) / 1000);
    for (let dueAt = NOW; dueAt < NOW + 400_000; ) {
      rig.clock.advance(dueAt - rig.now());
      dueAt = rig.warnings.follow(KEY, [hanging('a', -2)])!;
      await allIsHeard();
    }
    const gaps = lists.slice(1).map((time, index) => time - lists[index]!);
    expect(gaps).toEqual([5, 5, 5, 5, 10, 10, 20, 20, 40, 40, 60, 60, 60]);
  });

  it('comes every five seconds again once a new start hangs beside old ones', async () => {
    const rig = new Rig();
    const lists = () => rig.calls.length;
    rig.warnings.follow('deploy/old', [hanging('old', -600)]);
    await allIsHeard();
    rig.clock.advance(59_999);
    expect(rig.warnings.follow('deploy/old', [hanging('old', -600)])).toBe(NOW + 60_000);
    expect(lists()).toBe(1);
    const dueAt = rig.warnings.follow('deploy/new', [hanging('new', 58)])!;
    expect([lists(), dueAt]).toEqual([2, NOW + 64_999]);
    await allIsHeard();
    rig.clock.advance(4_999);
    rig.warnings.follow('deploy/new', [hanging('new', 58)]);
    expect(lists()).toBe(2);
    rig.clock.advance(1);
    rig.warnings.follow('deploy/new', [hanging('new', 58)]);
    expect(lists()).toBe(3);
  });

  it('goes by the youngest start of a CapDeployJob', async () => {
    const rig = new Rig();
    await explained(rig, 'a');
    const starts = [hanging('old', -600), hanging('young', -5), hanging('older', -700)];
    expect(rig.warnings.follow(KEY, starts)).toBe(NOW + 5_000);
  });
});

describe('a list that fails', () => {
  const failing = [
    ['the API server is down', () => aRefusal('retryable')],
    ['there is no right to read Events', () => aRefusal('forbidden')],
    ['it is a mistake of the program', () => new TypeError('a mistake')],
  ] as const;
  for (const [why, error] of failing) {
    it(`takes nothing back that was told, says so in the log, and is tried again in its time: ${why}`, async () => {
      const rig = new Rig();
      anEvent(rig, 'a');
      await explained(rig, 'a');
      rig.clock.advance(5_000);
      rig.before = refusing(() => true, error);
      rig.diary.length = 0;
      await explained(rig, 'a', 'b');
      await explained(rig, 'a', 'b');
      expect(rig.calls).toHaveLength(2);
      expect(messages(rig, 'a')).toEqual(['secret "env" not found']);
      expect(rig.warnings.about('b')).toBeUndefined();
      expect(rig.diary).toEqual(['Events cannot be listed: starts that hang may go unexplained']);
      rig.before = undefined;
      rig.clock.advance(5_000);
      await explained(rig, 'a', 'b');
      expect(rig.warnings.about('b')).toBeNull();
    });
  }

  it('takes nothing back if it fails on a later page', async () => {
    const rig = new Rig();
    for (const uid of ['x', 'y', 'a']) anEvent(rig, uid);
    const { warnings } = others(rig, (type, options) => rig.client.list(type, { ...options, limit: 1 }));
    warnings.follow(KEY, [hanging('a')]);
    await allIsHeard();
    rig.clock.advance(5_000);
    rig.before = refusing(
      ({ query }) => query?.continue !== undefined,
      () => aRefusal('gone'),
    );
    warnings.follow(KEY, [hanging('a')]);
    await allIsHeard();
    expect(warnings.about('a')).toMatchObject({ reason: 'FailedMount' });
  });
});
