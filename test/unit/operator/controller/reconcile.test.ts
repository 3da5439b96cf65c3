import { describe, expect, it } from 'vitest';
import { ANNOTATION } from '../../../../src/api/names.ts';
import type { KubeObject } from '../../../../src/kube/client.ts';
import type { ContainerState, Job, Pod } from '../../../../src/lanes/job.ts';
import { aRawSpec, aResource, at } from '../../../kit/builders.ts';
import {
  aRefusal,
  aRejection,
  CAPDEPLOYJOBS,
  type Call,
  CORE_EVENTS,
  CRD,
  JOBS,
  KEY,
  PODS,
  Rig,
  refusing,
} from './rig.ts';

/** A resource that has come to rest, with nothing of that in the calls. */
async function atRest(spec: Record<string, unknown> = {}): Promise<Rig> {
  const rig = new Rig(spec);
  await rig.settle();
  rig.forgetCalls();
  return rig;
}

/** A deploy that was claimed and resumed, and whose container runs. */
async function deploying(rig: Rig) {
  const { name } = rig.job().metadata;
  await rig.pass();
  const job = rig.findJob({ metadata: { name } } as never)!;
  rig.pod(job);
  await rig.settle();
  rig.forgetCalls();
  return job;
}

const isStatus = ({ verb }: Call) => verb === 'replaceStatus';
const isResume = ({ verb, body }: Call) => verb === 'patch' && (body?.spec as { suspend?: boolean })?.suspend === false;
const looks = ({ calls }: Rig) => calls.map(({ verb, plural }) => `${verb} ${plural}`);
const LIVE_LOOK = ['get capdeployjobs', 'list jobs', 'list pods'];
const minutes = (count: number) => count * 60_000;

describe('at rest', () => {
  const states: [sentence: string, prepare: (rig: Rig) => Promise<unknown>][] = [
    ['nothing has ever been deployed', async () => {}],
    ['a deploy runs', deploying],
    [
      'a deploy runs and others wait',
      async (rig) => {
        await deploying(rig);
        rig.job({ id: 'second', sentAt: at(-30) });
        rig.job({ id: 'third', environment: 'staging', suspended: true, started: -10 });
      },
    ],
    [
      'the last deploy has failed and its Job is kept',
      async (rig) => {
        rig.job({ started: -10, finished: 'Failed' });
      },
    ],
    [
      'the lane is frozen and a request waits',
      async (rig) => {
        rig.change(CAPDEPLOYJOBS, 'web', { spec: { suspend: true } });
        rig.job();
      },
    ],
  ];
  for (const [sentence, prepare] of states) {
    it(`asks the API server for nothing and writes nothing where ${sentence}`, async () => {
      const rig = await atRest();
      await prepare(rig);
      await rig.settle();
      rig.forgetCalls();
      for (let passes = 0; passes < 5; passes += 1) {
        await rig.pass();
        rig.clock.advance(7000);
      }
      expect(rig.calls).toEqual([]);
      expect(rig.events).toEqual([]);
    });
  }

  it('counts what waits and runs in each lane', async () => {
    const rig = await atRest();
    await deploying(rig);
    await rig.pass();
    expect(rig.counted).toEqual([
      [
        'lanes',
        KEY,
        [
          { environment: 'production', waiting: 0, active: 1 },
          { environment: 'staging', waiting: 0, active: 0 },
        ],
      ],
    ]);
  });

  it('counts its lanes before anything else, and if its status cannot be stored, too', async () => {
    const lanes = [
      { environment: 'production', waiting: 0, active: 0 },
      { environment: 'staging', waiting: 0, active: 0 },
    ];
    const rig = new Rig();
    rig.before = refusing(isStatus);
    await expect(rig.pass()).rejects.toThrow();
    expect(rig.counted).toEqual([['lanes', KEY, lanes]]);
    rig.before = undefined;
    rig.counted.length = 0;
    rig.job({ expiresAt: at(-10) });
    rig.clock.advance(minutes(1));
    await rig.pass();
    expect(rig.counted).toEqual([
      ['lanes', KEY, lanes],
      ['ended', KEY, 'production', 'Missed'],
    ]);
  });

  it('counts no lane of an environment that the spec has lost, unless something waits or runs there', async () => {
    const rig = await atRest();
    await deploying(rig);
    rig.change(CAPDEPLOYJOBS, 'web', { spec: { environments: [{ name: 'staging' }] } });
    await rig.settle();
    const counted = () => rig.counted.filter(([what]) => what === 'lanes').at(-1)?.[2];
    const staging = { environment: 'staging', waiting: 0, active: 0 };
    expect(counted()).toEqual([staging, { environment: 'production', waiting: 0, active: 1 }]);
    const [job] = rig.store.list(JOBS).items;
    rig.store.delete(JOBS, 'deploy', job?.metadata.name ?? '');
    for (const { metadata } of rig.store.list(PODS).items) rig.store.delete(PODS, 'deploy', metadata.name);
    await rig.settle();
    // The status goes on naming it.
    expect(rig.lane()).toMatchObject({ name: 'production', lastResult: 'Unknown' });
    expect(counted()).toEqual([staging]);
  });

  it('asks for no look at a fixed time', async () => {
    expect(await (await atRest()).pass()).toEqual({});
  });
});

describe('work', () => {
  it('is looked at live, and then the claim is stored before the Job is resumed', async () => {
    const rig = await atRest();
    const job = rig.job();
    await rig.pass();
    expect(looks(rig)).toEqual([...LIVE_LOOK, 'replaceStatus capdeployjobs', 'patch jobs']);
    expect(rig.lane()?.active).toMatchObject([{ job: job.metadata.name, uid: job.metadata.uid }]);
    expect(rig.findJob(job)?.spec.suspend).toBe(false);
  });

  it('is planned anew from the live look: what was due before and is not in the cache yet goes first', async () => {
    const rig = await atRest();
    const late = rig.job({ id: 'late', sentAt: at(-30) });
    rig.syncCaches();
    const early = rig.job({ id: 'early', sentAt: at(-60) });
    await rig.reconciler.reconcile(KEY);
    expect(rig.findJob(early)?.spec.suspend).toBe(false);
    expect(rig.findJob(late)?.spec.suspend).toBe(true);
  });

  it('is not begun if the live look shows that the resource was suspended since', async () => {
    const rig = await atRest();
    const job = rig.job();
    rig.syncCaches();
    rig.change(CAPDEPLOYJOBS, 'web', { spec: { suspend: true } });
    await rig.reconciler.reconcile(KEY);
    expect(rig.findJob(job)?.spec.suspend).toBe(true);
    expect(rig.lane()).toMatchObject({ frozen: 'spec.suspend is true', waiting: [{ job: job.metadata.name }] });
  });

  it('that only a stale cache shows is no work: nothing is written or announced', async () => {
    const rig = await atRest();
    const job = rig.job();
    rig.syncCaches();
    await rig.reconciler.reconcile(KEY);
    rig.pod(rig.findJob(job)!);
    rig.forgetCalls();
    // The caches have the Job still waiting.
    expect(await rig.secondReconciler().reconcile(KEY)).toEqual({});
    expect(looks(rig)).toEqual(LIVE_LOOK);
    expect(rig.events).toEqual([]);
  });

  it('is looked for again two seconds after a write, for a watch that is down just then', async () => {
    const rig = await atRest();
    rig.job();
    expect(await rig.pass()).toEqual({ requeueAfterMs: 2000 });
  });

  it('of rejections alone is recorded and told of', async () => {
    const rig = await atRest();
    const told = rig.reports.rejected(KEY, aRejection('m1'), new AbortController().signal);
    await rig.pass();
    await told;
    expect(rig.resource.status).toMatchObject({ rejectionsCount: 1, rejections: [{ messageId: 'm1' }] });
    expect(rig.diary).toEqual(['replaceStatus capdeployjobs', 'recorded m1', 'Event NotJSON']);
  });

  it('of rejections whose turn has not come is asked for at that turn: an earlier wake may have swallowed theirs', async () => {
    const rig = await atRest();
    void rig.reports.rejected(KEY, aRejection('m1'), new AbortController().signal);
    await rig.pass();
    rig.clock.advance(300);
    const told = rig.reports.rejected(KEY, aRejection('m2'), new AbortController().signal);
    expect(await rig.pass()).toEqual({ requeueAfterMs: 700 });
    rig.clock.advance(700);
    await rig.pass();
    await told;
    expect(rig.resource.status).toMatchObject({ rejectionsCount: 2 });
    expect(await rig.pass()).toEqual({});
  });

  it('of rejections that stand in the status already is told as recorded without a write', async () => {
    const rig = await atRest();
    rig.setStatus({ ...rig.resource.status, rejections: [aRejection('m1')], rejectionsCount: 1 });
    const told = rig.reports.rejected(KEY, aRejection('m1'), new AbortController().signal);
    await rig.pass();
    await told;
    expect(looks(rig)).toEqual(LIVE_LOOK);
  });

  it('of marking a Job that was resumed by hand is done, also while another deploy has the lane', async () => {
    const rig = await atRest();
    await deploying(rig);
    const byHand = rig.job({ id: 'by hand', resumedByHand: true });
    await rig.settle();
    expect(rig.findJob(byHand)?.metadata.annotations?.[ANNOTATION.startedAt]).toBe(byHand.status?.startTime);
  });

  it('of marking it again is done if a person removed the mark, although the status is complete', async () => {
    const rig = await atRest();
    const job = await deploying(rig);
    rig.change(JOBS, job.metadata.name, { metadata: { annotations: { [ANNOTATION.startedAt]: null } } });
    await rig.pass();
    expect(rig.writes).toEqual([`patch jobs ${job.metadata.name}`]);
    expect(rig.findJob(job)?.metadata.annotations?.[ANNOTATION.startedAt]).toBeDefined();
  });

  it('of deleting what has had its time is waited for and done, though the status stays as it is', async () => {
    const rig = await atRest({ ttlSecondsAfterFinished: 60 });
    const job = rig.job({ started: -10, finished: 'Complete' });
    expect(await rig.settle()).toEqual({ requeueAfterMs: 60_000 });
    rig.forgetCalls();
    rig.clock.advance(60_000);
    await rig.pass();
    expect(rig.writes).toEqual([`delete jobs ${job.metadata.name}`]);
  });

  it('changes nothing that is cached', async () => {
    const rig = await atRest();
    await deploying(rig);
    rig.job({ id: 'second', started: -20, finished: 'Failed' });
    // The caches are frozen: who changes what is shared, fails.
    await expect(rig.settle()).resolves.toBeDefined();
  });
});

describe('somebody else who wrote first', () => {
  for (const kind of ['conflict', 'gone'] as const) {
    for (const [what, matches] of [
      ['status', isStatus],
      ['resume', isResume],
    ] as const) {
      it(`is no error where the ${what} is refused with ${kind}: it is looked at again at once`, async () => {
        const rig = await atRest();
        const job = rig.job();
        rig.before = refusing(matches, () => aRefusal(kind));
        expect(await rig.pass()).toEqual({ requeueAfterMs: 20 });
        expect(rig.diary).toContain('another client wrote first, looking again');
        rig.before = undefined;
        await rig.pass();
        expect(rig.findJob(job)?.spec.suspend).toBe(false);
      });
    }
  }

  it('is seen in the claim: of two operators that begin at the same moment one resumes the Job', async () => {
    const rig = await atRest();
    const job = rig.job();
    rig.syncCaches();
    const results = await Promise.all([rig.reconciler.reconcile(KEY), rig.secondReconciler().reconcile(KEY)]);
    expect(results).toContainEqual({ requeueAfterMs: 20 });
    expect(rig.calls.filter(isResume)).toHaveLength(1);
    expect(rig.events.filter(({ reason }) => reason === 'Started')).toHaveLength(1);
    expect(rig.findJob(job)?.spec.suspend).toBe(false);
  });
});

describe('an API server that refuses or does not answer', () => {
  const steps: [what: string, matches: (call: Call) => boolean][] = [
    ['the resource cannot be read', ({ verb }) => verb === 'get'],
    ['the Jobs cannot be listed', ({ verb, plural }) => verb === 'list' && plural === 'jobs'],
    ['the Pods cannot be listed', ({ verb, plural }) => verb === 'list' && plural === 'pods'],
    ['the status cannot be stored', isStatus],
    ['the Job cannot be resumed', isResume],
  ];
  for (const [what, matches] of steps) {
    it(`reaches the work queue, which tries again later, where ${what}`, async () => {
      const rig = await atRest();
      rig.job();
      rig.before = refusing(matches, () => aRefusal('forbidden', 'not allowed'));
      await expect(rig.pass()).rejects.toThrow('not allowed');
    });
  }

  it('is not asked as fast as it answers, though the claim that was stored wakes its own resource', async () => {
    const rig = await atRest();
    const job = rig.job();
    rig.before = refusing(isResume, () => aRefusal('forbidden'));
    await expect(rig.pass()).rejects.toThrow();
    rig.forgetCalls();
    for (const waited of [0, 40, 59]) {
      rig.clock.advance(waited);
      expect(await rig.pass()).toEqual({ requeueAfterMs: expect.any(Number) });
    }
    expect(rig.calls).toEqual([]);
    expect(await rig.pass()).toEqual({ requeueAfterMs: 1 });
    rig.clock.advance(1);
    await expect(rig.pass()).rejects.toThrow();
    // The second time twice as long.
    expect(await rig.pass()).toEqual({ requeueAfterMs: 200 });
    rig.before = undefined;
    rig.clock.advance(200);
    await rig.pass();
    expect(rig.findJob(job)?.spec.suspend).toBe(false);
  });

  it('is asked again when that is due, though the template has longer to wait', async () => {
    const rig = new Rig();
    rig.before = refusing(
      ({ verb, dryRun }) => verb === 'replaceStatus' || dryRun === true,
      () => aRefusal('forbidden'),
    );
    await expect(rig.pass()).rejects.toThrow();
    expect(await rig.pass()).toEqual({ requeueAfterMs: 100 });
  });

  it('is forgiven once it has taken a write: the next refusal is tried again soon', async () => {
    const rig = await atRest();
    rig.job();
    rig.before = refusing(isResume, () => aRefusal('forbidden'));
    await expect(rig.pass()).rejects.toThrow();
    rig.clock.advance(100);
    await expect(rig.pass()).rejects.toThrow();
    rig.before = undefined;
    rig.clock.advance(200);
    await rig.pass();
    rig.job({ id: 'second', environment: 'staging' });
    rig.before = refusing(isResume, () => aRefusal('forbidden'));
    await expect(rig.pass()).rejects.toThrow();
    expect(await rig.pass()).toEqual({ requeueAfterMs: 100 });
  });

  it('does not count as refusing if another client only wrote first', async () => {
    const rig = await atRest();
    const job = rig.job();
    rig.before = refusing(isStatus, () => aRefusal('conflict'));
    await rig.pass();
    rig.before = undefined;
    await rig.pass();
    expect(rig.findJob(job)?.spec.suspend).toBe(false);
  });
});

describe('a resource that goes', () => {
  /** As `kubectl delete` leaves one that has a finalizer. */
  const beginDelete = (rig: Rig) => {
    rig.change(CAPDEPLOYJOBS, 'web', { metadata: { finalizers: ['example.test/keep'] } });
    rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
  };

  it('starts nothing and writes nothing while it is being deleted', async () => {
    const rig = await atRest();
    const job = rig.job();
    beginDelete(rig);
    expect(await rig.pass()).toEqual({});
    expect(rig.calls).toEqual([]);
    expect(rig.findJob(job)?.spec.suspend).toBe(true);
  });

  it('starts nothing if only the live look shows that it is being deleted', async () => {
    const rig = await atRest();
    rig.job();
    rig.syncCaches();
    beginDelete(rig);
    expect(await rig.reconciler.reconcile(KEY)).toEqual({});
    expect(rig.writes).toEqual([]);
  });

  it('is left alone if only the live look shows that it is gone', async () => {
    const rig = await atRest();
    rig.job();
    rig.syncCaches();
    rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
    expect(await rig.reconciler.reconcile(KEY)).toEqual({});
    expect(looks(rig)).toEqual(['get capdeployjobs']);
    expect(rig.counted).toEqual([]);
  });

  it('is forgotten once the cache knows that it is gone, and who waits for a rejection is told', async () => {
    const rig = await atRest();
    const told = rig.reports.rejected(KEY, aRejection('m1'), new AbortController().signal);
    rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
    expect(await rig.pass()).toEqual({ gone: true });
    await expect(told).rejects.toThrow('gone');
    expect(rig.counted).toEqual([['forget', KEY]]);
    expect(rig.calls).toEqual([]);
  });

  it('leaves nothing behind that the next one of its name could take for its own', async () => {
    const rig = await atRest();
    rig.job();
    rig.before = refusing(isStatus, () => aRefusal('forbidden'));
    await expect(rig.pass()).rejects.toThrow();
    rig.before = undefined;
    rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
    await rig.pass();
    rig.createResource();
    rig.forgetCalls();
    await rig.pass();
    expect(looks(rig)).toEqual(['create jobs', ...LIVE_LOOK, 'replaceStatus capdeployjobs']);
  });

  it('is known for itself alone: one whose writes are refused, and that rests, keeps no other one back', async () => {
    const rig = await atRest();
    const { podWasSeen } = rig.memory;
    rig.memory.podWasSeen = (uid) => {
      rig.clock.advance(50);
      return podWasSeen(uid);
    };
    rig.job();
    rig.before = refusing(isStatus, () => aRefusal('forbidden'));
    await expect(rig.pass()).rejects.toThrow();
    expect(await rig.pass()).toEqual({ requeueAfterMs: expect.any(Number) });
    rig.before = undefined;
    rig.store.create(CAPDEPLOYJOBS, {
      ...aResource({ spec: aRawSpec() }),
      metadata: { name: 'other', namespace: 'deploy' },
    });
    rig.syncCaches();
    rig.forgetCalls();
    await rig.reconciler.reconcile('deploy/other');
    expect(looks(rig)).toEqual(['create jobs', ...LIVE_LOOK, 'replaceStatus capdeployjobs']);
  });

  it('and comes again under its name is not told what the template of the earlier one was worth', async () => {
    const rig = await atRest();
    rig.job();
    rig.syncCaches();
    rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
    rig.createResource({ template: { spec: { containers: [] } } });
    expect(await rig.reconciler.reconcile(KEY)).toEqual({ requeueAfterMs: 2000 });
    expect(rig.writes).toEqual([]);
    await rig.pass();
    expect(rig.resource.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'TemplateValid', status: 'False' }),
    );
  });
});

describe('a claimed Job that is gone', () => {
  it('is not taken for gone on the word of the cache', async () => {
    const rig = await atRest();
    const { uid } = rig.job().metadata;
    await rig.pass();
    rig.hide(JOBS);
    await rig.pass();
    expect(rig.memory.absentSince(uid)).toBeUndefined();
    expect(rig.lane()?.active).toMatchObject([{ uid }]);
  });

  it('is timed from the end of the live look that missed it, and recorded half a minute later', async () => {
    const rig = await atRest();
    const { name, uid } = rig.job().metadata;
    await rig.pass();
    rig.store.delete(JOBS, 'deploy', name);
    rig.after = ({ plural }) => plural === 'pods' && rig.clock.advance(500);
    await rig.pass();
    const missedAt = rig.now();
    expect(rig.memory.absentSince(uid)).toBe(missedAt);
    rig.after = undefined;
    const { requeueAfterMs = 0 } = await rig.pass();
    expect(requeueAfterMs).toBe(30_000);
    rig.clock.advance(29_999);
    await rig.pass();
    expect(rig.resource.status?.history).toBeUndefined();
    rig.clock.advance(1);
    await rig.pass();
    expect(rig.resource.status?.history).toMatchObject([{ job: name, result: 'Unknown' }]);
    expect(rig.lane()?.active).toBeUndefined();
  });

  it('is waited for by time that has passed: a clock that is set forward ends nothing', async () => {
    const rig = await atRest();
    const { name, uid } = rig.job().metadata;
    await rig.pass();
    rig.store.delete(JOBS, 'deploy', name);
    await rig.pass();
    rig.setMs = 60_000;
    rig.clock.advance(100);
    await rig.pass();
    expect(rig.lane()?.active).toMatchObject([{ uid }]);
    rig.clock.advance(29_900);
    await rig.pass();
    expect(rig.lane()?.active).toBeUndefined();
  });
});

describe('when to look again', () => {
  it('is when the last request that waits is Missed', async () => {
    const rig = await atRest({ suspend: true, waitingDeadlineSeconds: 3600 });
    rig.job({ sentAt: at(-60) });
    expect(await rig.settle()).toEqual({ requeueAfterMs: minutes(59) + 1 });
  });

  it('is when the template is to be tried again, and that earlier than anything that is later', async () => {
    const rig = new Rig({ suspend: true, waitingDeadlineSeconds: 3600 });
    rig.job({ sentAt: at(-60) });
    rig.before = refusing(
      ({ dryRun }) => dryRun === true,
      () => aRefusal('forbidden'),
    );
    expect(await rig.settle()).toEqual({ requeueAfterMs: 10_000 });
    rig.clock.advance(10_000);
    expect(await rig.pass()).toEqual({ requeueAfterMs: 20_000 });
  });

  it('is when a container has had its time to start', async () => {
    const rig = await atRest();
    const { name } = rig.job().metadata;
    await rig.pass();
    const result = await rig.pass();
    expect(rig.findJob({ metadata: { name } } as never)?.spec.suspend).toBe(false);
    expect(result).toEqual({ requeueAfterMs: 2000 });
  });
});

describe('a start without a container', () => {
  /** Stores a Warning Event about a Job or Pod. */
  function warn(rig: Rig, { metadata }: Job | Pod, changes: Record<string, unknown>): void {
    const { name, namespace, uid } = metadata;
    rig.store.create(CORE_EVENTS, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `about-${name}`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Job', namespace, name, uid },
      type: 'Warning',
      lastTimestamp: new Date(rig.now()).toISOString(),
      ...changes,
    } as unknown as KubeObject);
  }

  const why = (rig: Rig) => rig.lane()?.active?.[0]?.why;

  it('is explained in the status by the Warning Events about it, as soon as they are read', async () => {
    const rig = await atRest();
    const job = rig.job();
    await rig.pass();
    warn(rig, job, { reason: 'FailedCreate', message: 'violates PodSecurity "restricted:latest"' });
    rig.clock.advance(2000);
    await rig.pass();
    await expect.poll(() => rig.woken).toEqual([KEY]);
    await rig.pass();
    expect(why(rig)).toBe('the Pod is refused: violates PodSecurity "restricted:latest"');
    rig.pod(job, { waiting: { reason: 'ContainerCreating' } });
    await rig.pass();
    expect(why(rig)).toBeUndefined();
  });

  it('has Events listed every five seconds while it is young', async () => {
    const rig = await atRest();
    rig.job();
    await rig.pass();
    const started = rig.now();
    const lists: number[] = [];
    rig.before = ({ plural }) => {
      if (plural === 'events') lists.push((rig.now() - started) / 1000);
    };
    while (lists.length < 4) {
      const { requeueAfterMs = 0 } = await rig.pass();
      await new Promise((resolve) => setImmediate(resolve));
      rig.clock.advance(requeueAfterMs);
    }
    expect(lists).toEqual([2, 7, 12, 17]);
  });

  it('costs nothing more once its container runs, or its CapDeployJob is gone', async () => {
    for (const gone of [false, true]) {
      const rig = await atRest();
      const job = rig.job();
      await rig.pass();
      rig.clock.advance(2000);
      await rig.pass();
      await expect.poll(() => rig.warnings.about(job.metadata.uid)).toBeNull();
      if (gone) rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
      else rig.pod(job);
      await rig.pass();
      expect(rig.warnings.about(job.metadata.uid)).toBeUndefined();
    }
  });

  it('that is healthy costs no write more, and one that is slow costs one, however long it takes', async () => {
    const rig = await atRest();
    const job = rig.job();
    await rig.pass();
    const pod = rig.pod(job, { waiting: { reason: 'ContainerCreating' } });
    rig.clock.advance(7999);
    await rig.settle();
    rig.forgetCalls();
    expect(why(rig)).toBeUndefined();
    for (let looks = 0; looks < 20; looks += 1) {
      rig.clock.advance(5000);
      await rig.pass();
    }
    expect(why(rig)).toContain(`Pod ${pod.metadata.name}: `);
    expect(rig.writes).toEqual(['replaceStatus capdeployjobs web']);
  });

  /** The kubelet says of the Pod's container that it is in this state. */
  function says(rig: Rig, { metadata }: Pod, state: ContainerState): void {
    const pod = rig.store.get(PODS, 'deploy', metadata.name);
    const status = { phase: 'Pending', containerStatuses: [{ name: 'cap', state }] };
    rig.store.update(PODS, { ...pod, status }, { subresource: 'status' });
  }

  it('that changes its words all the time is reworded every half minute, and ends at once', async () => {
    const rig = await atRest();
    const job = rig.job();
    await rig.pass();
    const pod = rig.pod(job, { waiting: { reason: 'ErrImagePull' } });
    await rig.pass();
    expect(why(rig)).toContain('ErrImagePull');
    says(rig, pod, { waiting: { reason: 'ImagePullBackOff' } });
    await rig.pass();
    expect(why(rig)).toContain('ImagePullBackOff');
    rig.clock.advance(10_000);
    rig.forgetCalls();
    says(rig, pod, { waiting: { reason: 'ErrImagePull' } });
    expect(await rig.pass()).toEqual({ requeueAfterMs: 20_000 });
    expect(rig.calls).toEqual([]);
    rig.clock.advance(20_000);
    await rig.pass();
    expect(why(rig)).toContain('ErrImagePull');
    says(rig, pod, { running: {} });
    await rig.pass();
    expect(why(rig)).toBeUndefined();
  });

  it('is reworded with whatever else is to be written', async () => {
    const rig = await atRest();
    const job = rig.job();
    await rig.pass();
    const pod = rig.pod(job, { waiting: { reason: 'ErrImagePull' } });
    await rig.pass();
    says(rig, pod, { waiting: { reason: 'ImagePullBackOff' } });
    await rig.pass();
    says(rig, pod, { waiting: { reason: 'InvalidImageName' } });
    rig.job({ id: 'second', sentAt: at(-30) });
    await rig.pass();
    expect(why(rig)).toContain('InvalidImageName');
  });

  it('is explained by the Pod’s own words without their secrets, escape sequences and direction marks', async () => {
    const rig = await atRest();
    const job = rig.job();
    await rig.pass();
    const message = 'pull\u001b[31m of\u202e x\n failed: https://bob:hunter2hunter2@registry.example.com/';
    rig.pod(job, { waiting: { reason: 'ErrImagePull', message } });
    await rig.pass();
    expect(why(rig)).toMatch(/: ErrImagePull: pull of x failed: https:\/\/bob:\[redacted]@registry.example.com\/$/);
  });

  it('keeps what was told of it when another operator takes over, and Events cannot be listed', async () => {
    const rig = await atRest();
    const job = rig.job();
    await rig.pass();
    const pod = rig.pod(job, { waiting: { reason: 'ContainerCreating' } });
    warn(rig, pod, { reason: 'FailedMount', message: 'secret "env" not found' });
    rig.clock.advance(2000);
    await rig.pass();
    await expect.poll(() => rig.woken).toEqual([KEY]);
    await rig.pass();
    rig.forgetCalls();
    rig.before = refusing(({ plural }) => plural === 'events');
    rig.clock.advance(10_000);
    rig.syncCaches();
    await rig.secondReconciler().reconcile(KEY);
    expect(rig.writes).toEqual([]);
    expect(why(rig)).toContain('secret "env" not found');
  });
});

describe('another operator that contradicts', () => {
  it('has the word for ten seconds where only conditions differ, and a look is waited for', async () => {
    const rig = await atRest();
    rig.reports.queue('deploy/web', { kind: 'reading', since: rig.now(), lastReadAt: rig.now() });
    await rig.settle();
    const mine = rig.resource.status!;
    const saidAt = rig.now();
    rig.clock.advance(3000);
    const theirs = mine.conditions?.map((each) => ({ ...each, message: 'as I see it' }));
    rig.setStatus({ ...mine, conditions: theirs! });
    rig.forgetCalls();
    expect(await rig.pass()).toEqual({ requeueAfterMs: saidAt + 10_000 - rig.now() });
    expect(rig.calls).toEqual([]);
    rig.clock.advance(6999);
    expect(await rig.pass()).toEqual({ requeueAfterMs: 1 });
    rig.clock.advance(1);
    await rig.pass();
    expect(rig.writes).toEqual(['replaceStatus capdeployjobs web']);
    expect(rig.resource.status).toEqual(mine);
  });

  it('is not waited for if there is something new to say', async () => {
    const rig = await atRest();
    const mine = rig.resource.status!;
    rig.setStatus({ ...mine, conditions: mine.conditions!.map((each) => ({ ...each, message: 'as I see it' })) });
    rig.job();
    await rig.pass();
    expect(rig.writes).toContain('replaceStatus capdeployjobs web');
  });
});

describe('a template', () => {
  it('is tried as soon as the resource is there, and never again at rest', async () => {
    const rig = new Rig();
    await rig.settle();
    expect(rig.calls.filter(({ dryRun }) => dryRun)).toHaveLength(1);
    expect(rig.resource.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'TemplateValid', status: 'True' }),
    );
  });

  it('is tried again if intake was refused a Job for it', async () => {
    const rig = await atRest();
    rig.reports.createFailure(KEY, { reason: 'Invalid', message: 'no image', template: false });
    await rig.settle();
    expect(rig.calls.filter(({ dryRun }) => dryRun)).toHaveLength(0);
    rig.reports.createFailure(KEY, { reason: 'Invalid', message: 'no image', template: true });
    await rig.pass();
    expect(rig.calls.filter(({ dryRun }) => dryRun)).toHaveLength(1);
  });

  it('of a spec that cannot be read is not tried, and the lanes are left as they are', async () => {
    const lax = structuredClone(CRD);
    lax.spec.versions[0].schema.openAPIV3Schema.properties.spec = {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    };
    const rig = new Rig({ environments: 'all of them' }, lax);
    const job = rig.job();
    await rig.settle();
    expect(rig.writes).toEqual(['replaceStatus capdeployjobs web']);
    expect(rig.calls.filter(({ dryRun }) => dryRun)).toHaveLength(0);
    expect(rig.resource.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason: 'InvalidSpec' }),
    );
    expect(rig.findJob(job)?.spec.suspend).toBe(true);
  });
});
