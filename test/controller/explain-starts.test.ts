import { describe, expect, it } from 'vitest';
import { explainStarts } from '../../src/controller/explain-starts.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import type { Job, Pod } from '../../src/lanes/job.ts';
import { at } from '../lanes/builders.ts';
import { aRefusal, CORE_EVENTS, Rig, refusing } from './rig.ts';

let events = 0;

/** Stores a core Event about an object, as the Job controller or the kubelet writes it. */
function anEvent(rig: Rig, about: Job | Pod, changes: Record<string, unknown> = {}): void {
  const { name, namespace, uid } = about.metadata;
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `event-${events++}`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Job', namespace, name, uid },
    reason: 'FailedCreate',
    message: 'violates PodSecurity',
    lastTimestamp: at(0),
    ...changes,
  };
  rig.store.create(CORE_EVENTS, event as unknown as KubeObject);
}

describe('Events of a start without a container', () => {
  it('are read of the Job and of its Pods, and of nothing else', async () => {
    const rig = new Rig();
    const [job, other] = [rig.job({ started: -10 }), rig.job({ id: 'other', started: -10 })];
    const [pod, pods] = [rig.pod(job), [rig.pod(other)]];
    anEvent(rig, job);
    anEvent(rig, pod, { reason: 'FailedMount', message: 'secret "web-ssh-key" not found' });
    anEvent(rig, other, { message: 'not asked for' });
    anEvent(rig, pods[0]!, { message: 'not asked for' });
    const { uid } = job.metadata;
    expect(await explainStarts(rig.client, rig.memory, rig.seen({ pods: [pod, ...pods] }), [uid])).toBe(true);
    expect(rig.memory.events(uid).map(({ message }) => message)).toEqual([
      'violates PodSecurity',
      'secret "web-ssh-key" not found',
    ]);
    expect(rig.memory.events(other.metadata.uid)).toEqual([]);
    expect(rig.calls.map(({ query }) => query?.fieldSelector).sort()).toEqual(
      [`involvedObject.uid=${uid}`, `involvedObject.uid=${pod.metadata.uid}`].sort(),
    );
  });

  it('are kept in the order in which they happened, by whichever time they carry', async () => {
    const rig = new Rig();
    const job = rig.job({ started: -10 });
    // As client-go's newer recorder writes it.
    const newer = { reportingComponent: 'kubelet', reportingInstance: 'node-1', action: 'Mounting', type: 'Warning' };
    anEvent(rig, job, {
      ...newer,
      message: 'third',
      lastTimestamp: null,
      eventTime: at(-1).replace('Z', '000Z'),
    });
    anEvent(rig, job, { message: 'second', lastTimestamp: at(-2) });
    anEvent(rig, job, { message: 'first', lastTimestamp: at(-3) });
    await explainStarts(rig.client, rig.memory, rig.seen(), [job.metadata.uid]);
    expect(rig.memory.events(job.metadata.uid).map(({ message }) => message)).toEqual(['first', 'second', 'third']);
  });

  it('are not read again within five seconds, and are at the next look that the plan asks for', async () => {
    const rig = new Rig();
    const { uid } = rig.job({ started: -10 }).metadata;
    const seen = rig.seen();
    // The read itself takes a while.
    rig.after = () => rig.clock.advance(30);
    expect(await explainStarts(rig.client, rig.memory, seen, [uid])).toBe(true);
    expect(await explainStarts(rig.client, rig.memory, { ...seen, now: seen.now + 4999 }, [uid])).toBe(false);
    expect(rig.calls).toHaveLength(1);
    // lanes: EXPLAIN_MS after the look before.
    expect(await explainStarts(rig.client, rig.memory, { ...seen, now: seen.now + 5000 }, [uid])).toBe(true);
    expect(rig.calls).toHaveLength(2);
  });

  it('are read of each start that asks for it, and of none where none does', async () => {
    const rig = new Rig();
    const uids = ['r1', 'r2'].map((id) => rig.job({ id, started: -10 }).metadata.uid);
    expect(await explainStarts(rig.client, rig.memory, rig.seen(), [])).toBe(false);
    rig.memory.setEvents(uids[0]!, [], rig.now());
    expect(await explainStarts(rig.client, rig.memory, rig.seen(), uids)).toBe(true);
    expect(rig.calls.map(({ query }) => query?.fieldSelector)).toEqual([`involvedObject.uid=${uids[1]}`]);
  });

  it('are best effort: without the right to read them the start goes unexplained, and is not asked for all the time', async () => {
    const rig = new Rig();
    const { uid } = rig.job({ started: -10 }).metadata;
    rig.before = refusing(
      ({ plural }) => plural === 'events',
      () => aRefusal('forbidden'),
    );
    await explainStarts(rig.client, rig.memory, rig.seen(), [uid]);
    expect(rig.memory.events(uid)).toEqual([]);
    expect(await explainStarts(rig.client, rig.memory, rig.seen(), [uid])).toBe(false);
  });

  it('stay known where they cannot be read for once: the status does not come and go with the API server', async () => {
    const rig = new Rig();
    const job = rig.job({ started: -10 });
    const { uid } = job.metadata;
    anEvent(rig, job);
    await explainStarts(rig.client, rig.memory, rig.seen(), [uid]);
    rig.clock.advance(5000);
    rig.before = refusing(({ plural }) => plural === 'events');
    await explainStarts(rig.client, rig.memory, rig.seen(), [uid]);
    expect(rig.memory.events(uid).map(({ message }) => message)).toEqual(['violates PodSecurity']);
  });

  it('fail the pass where it is a mistake of the program', async () => {
    const rig = new Rig();
    const { uid } = rig.job({ started: -10 }).metadata;
    rig.before = refusing(
      () => true,
      () => new TypeError('a mistake'),
    );
    await expect(explainStarts(rig.client, rig.memory, rig.seen(), [uid])).rejects.toThrow('a mistake');
  });
});
