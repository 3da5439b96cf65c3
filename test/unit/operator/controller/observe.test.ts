import { describe, expect, it } from 'vitest';
import { specOf } from '../../../../src/api/capdeployjob.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { PAGE_SIZE } from '../../../../src/kube/list-all.ts';
import { Observer } from '../../../../src/operator/controller/observe.ts';
import { aClaim, aJob, aWaitingEntry } from '../../../kit/builders.ts';
import { aRefusal, aRejection, CAPDEPLOYJOBS, type Call, JOBS, KEY, PODS, Rig, refusing } from './rig.ts';

const names = (objects: readonly { metadata: { name: string } }[] = []) => objects.map(({ metadata }) => metadata.name);
const isListOf = (plural: string) => (call: Call) => call.verb === 'list' && call.plural === plural;

describe('a live look', () => {
  it('reads the resource, then the Jobs, then the Pods, each once', async () => {
    const rig = new Rig();
    await rig.observer.live(KEY, undefined);
    expect(rig.calls.map(({ verb, plural }) => `${verb} ${plural}`)).toEqual([
      'get capdeployjobs',
      'list jobs',
      'list pods',
    ]);
  });

  it('begins no read before the one before it has been answered', async () => {
    const rig = new Rig();
    const job = rig.job();
    // What is there at the moment of the read before is not there yet, and is seen all the same.
    rig.after = ({ plural }) => {
      if (plural === 'capdeployjobs') rig.job({ id: 'younger than the resource' });
      if (plural === 'jobs') rig.pod(job);
    };
    const seen = await rig.observer.live(KEY, undefined);
    expect(seen?.jobs).toHaveLength(2);
    expect(seen?.pods).toHaveLength(1);
  });

  it('takes its time before the lists, so that nothing in them is older than the moment they are said to be of', async () => {
    const rig = new Rig();
    const begun = rig.now();
    rig.after = () => rig.clock.advance(40_000);
    const seen = await rig.observer.live(KEY, undefined);
    expect(seen?.now).toBe(begun);
  });

  it('is undefined if the resource is gone, and lists nothing then', async () => {
    const rig = new Rig();
    rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
    expect(await rig.observer.live(KEY, undefined)).toBeUndefined();
    expect(rig.calls).toHaveLength(1);
  });

  for (const plural of ['capdeployjobs', 'jobs', 'pods']) {
    it(`fails where the ${plural} cannot be read, rather than taking them for absent`, async () => {
      const rig = new Rig();
      rig.before = refusing(
        (call) => call.plural === plural,
        () => aRefusal('retryable', 'no answer'),
      );
      await expect(rig.observer.live(KEY, undefined)).rejects.toThrow('no answer');
    });
  }

  it('fails if the Jobs are gone as a type, rather than taking the resource for gone', async () => {
    const rig = new Rig();
    rig.before = refusing(isListOf('jobs'), () => aRefusal('gone', 'no such type'));
    await expect(rig.observer.live(KEY, undefined)).rejects.toThrow('no such type');
  });

  it('asks for live lists: no resourceVersion, and by the labels of this resource alone', async () => {
    const rig = new Rig();
    await rig.observer.live(KEY, undefined);
    const labelSelector = 'app.kubernetes.io/managed-by=capdeployjob,capdeployjob.dev/name=web';
    for (const { query } of rig.calls.slice(1)) {
      expect(query).toEqual({ namespace: 'deploy', labelSelector, limit: PAGE_SIZE });
    }
  });

  it('sees all Jobs and Pods, however many pages they fill', async () => {
    const rig = new Rig();
    for (const id of ['r1', 'r2', 'r3', 'r4', 'r5']) rig.pod(rig.job({ id }));
    // An API server may give less than it is asked for.
    const list: KubeClient['list'] = (type, options) => rig.client.list(type, { ...options, limit: 2 });
    const seen = await new Observer({ ...rig, client: { ...rig.client, list } }).live(KEY, undefined);
    expect(new Set(names(seen?.jobs)).size).toBe(5);
    expect(new Set(names(seen?.pods)).size).toBe(5);
    expect(rig.calls.filter(isListOf('jobs'))).toHaveLength(3);
  });

  it("sees a stranger's Job that names the resource, and none that names another or none", async () => {
    const rig = new Rig();
    const stranger = rig.job({ id: 'stranger', owner: 'somebody-else' });
    const renamed = rig.job({ id: 'renamed' });
    rig.change(JOBS, renamed.metadata.name, { metadata: { labels: { 'capdeployjob.dev/name': 'other' } } });
    const stripped = rig.job({ id: 'stripped' });
    rig.change(JOBS, stripped.metadata.name, { metadata: { labels: { 'app.kubernetes.io/managed-by': null } } });
    const seen = await rig.observer.live(KEY, undefined);
    expect(names(seen?.jobs)).toEqual(names([stranger]));
  });

  it('shows no secret in the words of a Pod or a Job, by which a status says why a deploy does not start', async () => {
    const rig = new Rig();
    const message = 'Get "https://b.s3.amazonaws.com/k?X-Amz-Signature=sesame": denied';
    rig.pod(rig.job({ started: -10 }), { waiting: { reason: 'ErrImagePull', message } });
    const seen = await rig.observer.live(KEY, undefined);
    expect(JSON.stringify(seen?.pods)).toContain('b.s3.amazonaws.com/k?X-Amz-Signature=[redacted]');
    expect(JSON.stringify(seen?.pods)).not.toContain('sesame');
  });

  it('remembers what it shows: Pods that were seen, and that a Job runs after all', async () => {
    const rig = new Rig();
    const job = rig.job({ started: -10 });
    rig.pod(job);
    rig.memory.noteAbsent([job.metadata.uid], 1);
    await rig.observer.live(KEY, undefined);
    expect(rig.memory.podWasSeen(job.metadata.uid)).toBe(true);
    expect(rig.memory.containerWasSeen(job.metadata.uid)).toBe(true);
    expect(rig.memory.absentSince(job.metadata.uid)).toBeUndefined();
  });

  it('carries the resource as it is stored, under whose resourceVersion the status is written', async () => {
    const rig = new Rig();
    rig.syncCaches();
    rig.change(CAPDEPLOYJOBS, 'web', { spec: { suspend: true } });
    const seen = await rig.observer.live(KEY, undefined);
    expect(seen?.resource).toEqual(rig.resource);
    expect(seen?.spec?.suspend).toBe(true);
  });
});

it('knows the Jobs that are there, and those of which a status says that they wait or run', () => {
  const rig = new Rig();
  const there = rig.job({ id: 'there' });
  const active = [aClaim(aJob({ id: 'ran', uid: 'ran' }))];
  const waiting = [aWaitingEntry(aJob({ id: 'waited', uid: 'waited' }))];
  rig.setStatus({ environments: [{ name: 'production', active, waiting }] });
  rig.syncCaches();
  expect([...rig.observer.knownJobs()].toSorted()).toEqual(['ran', 'waited', there.metadata.uid].toSorted());
});

describe('a cached look', () => {
  it('asks the API server for nothing', () => {
    const rig = new Rig();
    const job = rig.job();
    rig.pod(job);
    rig.syncCaches();
    const seen = rig.observer.cached(KEY, undefined);
    expect(names(seen?.jobs)).toEqual([job.metadata.name]);
    expect(seen?.pods).toHaveLength(1);
    expect(seen?.now).toBe(rig.now());
    expect(rig.calls).toEqual([]);
  });

  it('is undefined if the cache knows no such resource', () => {
    const rig = new Rig();
    expect(rig.observer.cached(KEY, undefined)).toBeUndefined();
    rig.syncCaches();
    expect(rig.observer.cached('deploy/other', undefined)).toBeUndefined();
    expect(rig.observer.cached('other/web', undefined)).toBeUndefined();
  });

  it('shows what was cached last, and remembers nothing of it as live', () => {
    const rig = new Rig();
    const job = rig.job({ started: -10 });
    rig.pod(job);
    rig.syncCaches();
    rig.store.delete(PODS, 'deploy', rig.observer.cached(KEY, undefined)?.pods[0]?.metadata.name ?? '');
    rig.memory.noteAbsent([job.metadata.uid], 1);
    expect(rig.observer.cached(KEY, undefined)?.pods).toHaveLength(1);
    expect(rig.memory.podWasSeen(job.metadata.uid)).toBe(false);
    expect(rig.memory.absentSince(job.metadata.uid)).toBe(1);
  });
});

describe('an observation', () => {
  it('carries what intake has told, and rejections only if their turn has come', async () => {
    const rig = new Rig();
    const trouble = { reason: 'Forbidden', message: 'quota', template: false };
    rig.reports.queue(KEY, { kind: 'reading', since: 1, lastReadAt: 2 });
    rig.reports.createFailure(KEY, trouble);
    rig.reports.recorded(KEY, [aRejection('m0')]);
    void rig.reports.rejected(KEY, aRejection('m1'), new AbortController().signal);
    const first = await rig.observer.live(KEY, undefined);
    expect(first).toMatchObject({ queue: { kind: 'reading', lastReadAt: 2 }, createFailure: trouble, rejections: [] });
    rig.clock.advance(1000);
    expect((await rig.observer.live(KEY, undefined))?.rejections).toEqual([aRejection('m1')]);
  });

  it('says what is wrong with a spec that cannot be read, as an older or younger CRD lets one be stored', async () => {
    const rig = new Rig();
    const stored = { ...rig.resource, spec: { ...(rig.resource.spec as object), environments: 'all of them' } };
    const observer = new Observer({ ...rig, client: { ...rig.client, get: async () => stored as never } });
    const seen = await observer.live(KEY, undefined);
    expect(seen?.spec).toBeUndefined();
    expect(seen?.specProblem).toMatch(/environments/);
  });

  it('parses the spec of an object once, and of a new state of it again', () => {
    const rig = new Rig();
    const resource = rig.resource;
    expect(specOf(resource)).toBe(specOf(resource));
    expect(specOf(rig.resource)).not.toBe(specOf(resource));
  });
});
