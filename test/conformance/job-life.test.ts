/** What becomes of a Job: the real Job controller, or the local one, and Pods that the tests play. */

import { describe, expect, test } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import type { Json } from './api.ts';
import { container, job } from './objects.ts';
import { Player } from './play.ts';
import { suite } from './suite.ts';

const it = suite();
const player = new Player(it);
const start = (name: string, spec: object = {}) => it.api.post(it.jobs, job(name, { suspend: false, ...spec }));
const suspend = (name: string, to: boolean) => it.api.patch(`${it.jobs}/${name}`, { spec: { suspend: to } });
/** The status of a Job without its times. */
const counts = ({ status }: Json) => {
  const { conditions: _c, startTime: _s, completionTime: _t, ...rest } = status;
  return rest;
};
const NONE = { ready: 0, terminating: 0, uncountedTerminatedPods: {} };
const BACKOFF = { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
const LATE = { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };

describe.concurrent('a Job', () => {
  test('that is created suspended has no Pod and no startTime; resumed it starts, and succeeds with its Pod', async () => {
    await it.api.post(it.jobs, job('good'));
    const waiting = await player.condition('good', 'Suspended');
    expect(counts(waiting)).toEqual(NONE);
    expect(waiting.status).not.toHaveProperty('startTime');
    expect(waiting.status.conditions).toEqual([
      {
        type: 'Suspended',
        status: 'True',
        reason: 'JobSuspended',
        message: 'Job suspended',
        lastProbeTime: expect.any(String),
        lastTransitionTime: expect.any(String),
      },
    ]);
    expect(await player.pods('good')).toEqual([]);

    expect((await suspend('good', false)).body.metadata.generation).toBe(2);
    const name = await player.runningPodOf('good');
    const running = await player.job('good');
    expect(counts(running)).toEqual({ ...NONE, active: 1, ready: 1 });
    expect(running.status.startTime).toMatch(/^\d{4}-.*Z$/);
    expect(running.status.conditions).toMatchObject([
      { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' },
    ]);

    await player.become(name, 'Succeeded');
    const done = await player.condition('good', 'Complete');
    expect(counts(done)).toEqual({ ...NONE, succeeded: 1 });
    expect(player.conditions(done)).toEqual(['SuccessCriteriaMet', 'Complete']);
    const reached = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
    expect(done.status.conditions.slice(1)).toMatchObject([reached, reached]);
    expect(done.status.completionTime).toMatch(/^\d{4}-.*Z$/);
    await eventually('four Events', async () => (await player.eventsOf('good')).length >= 4);
    expect(await player.eventsOf('good')).toEqual([
      'Normal Completed Job completed',
      'Normal Resumed Job resumed',
      'Normal SuccessfulCreate Created pod: <pod>',
      'Normal Suspended Job suspended',
    ]);
  });

  test('gives its Pod the template, its labels, its finalizer, and itself as the controller', async () => {
    const { uid } = (await start('pod')).body.metadata;
    const { metadata, spec, status } = await player.podOf('pod');
    expect(metadata).toMatchObject({
      name: expect.stringMatching(/^pod-[b-z2-9]{5}$/),
      generateName: 'pod-',
      labels: {
        app: 'web',
        'batch.kubernetes.io/controller-uid': uid,
        'batch.kubernetes.io/job-name': 'pod',
        'controller-uid': uid,
        'job-name': 'pod',
      },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name: 'pod', uid, controller: true, blockOwnerDeletion: true },
      ],
      finalizers: ['batch.kubernetes.io/job-tracking'],
    });
    expect(spec).toMatchObject({ restartPolicy: 'Never', containers: [{ name: 'deploy', image: 'app:1' }] });
    expect(status.phase).toBe('Pending');
  });

  test('that succeeded lets go of its Pod, and is written to no more', async () => {
    await start('let-go');
    const name = await player.runningPodOf('let-go');
    await player.become(name, 'Succeeded');
    const { metadata } = await player.condition('let-go', 'Complete');
    const pod = (await it.api.get(`${it.pods}/${name}`)).body;
    expect(pod.metadata).not.toHaveProperty('finalizers');
    await it.api.delete(`${it.pods}/${name}`);
    await eventually('the end of the Pod', async () => (await player.pods('let-go')).length === 0);
    expect((await player.job('let-go')).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  test('with backoffLimit 0 fails with its Pod, and makes no other', async () => {
    await start('bad');
    await player.become(await player.runningPodOf('bad'), 'Failed');
    const failed = await player.condition('bad', 'Failed');
    expect(counts(failed)).toEqual({ ...NONE, failed: 1 });
    expect(failed.status.conditions).toMatchObject([
      { type: 'FailureTarget', ...BACKOFF },
      { type: 'Failed', ...BACKOFF },
    ]);
    expect(failed.status).not.toHaveProperty('completionTime');
    expect(await player.pods('bad')).toHaveLength(1);
    await eventually('two Events', async () => (await player.eventsOf('bad')).length >= 2);
    expect(await player.eventsOf('bad')).toEqual([
      'Normal SuccessfulCreate Created pod: <pod>',
      'Warning BackoffLimitExceeded Job has reached the specified backoff limit',
    ]);
  });

  test('past its deadline deletes its Pod, and is Failed when that has ended', async () => {
    await start('late', { activeDeadlineSeconds: 3 });
    const name = await player.runningPodOf('late');
    const ending = await player.condition('late', 'FailureTarget');
    expect(player.conditions(ending)).toEqual(['FailureTarget']);
    await eventually('the Pod to be counted', async () => (await player.job('late')).status.failed === 1);
    expect(counts(await player.job('late'))).toEqual({ ...NONE, failed: 1, terminating: 1 });
    const pod = (await it.api.get(`${it.pods}/${name}`)).body;
    expect(pod.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(pod.status.phase).toBe('Running');
    expect(player.conditions(await player.job('late'))).toEqual(['FailureTarget']);
    await player.become(name, 'Failed');
    const failed = await player.condition('late', 'Failed');
    expect(counts(failed)).toEqual({ ...NONE, failed: 1 });
    expect(failed.status.conditions).toMatchObject([
      { type: 'FailureTarget', ...LATE },
      { type: 'Failed', ...LATE },
    ]);
    await player.letGo(name);
    await eventually('three Events', async () => (await player.eventsOf('late')).length >= 3);
    expect(await player.eventsOf('late')).toEqual([
      'Normal SuccessfulCreate Created pod: <pod>',
      'Normal SuccessfulDelete Deleted pod: <pod>',
      'Warning DeadlineExceeded Job was active longer than specified deadline',
    ]);
  });

  test('that is suspended while it runs deletes its Pod, counts no failure, and forgets when it started', async () => {
    await start('halted');
    const name = await player.runningPodOf('halted');
    await suspend('halted', true);
    await player.condition('halted', 'Suspended');
    const halted = await eventually('the Pod to be terminating', async () => {
      const current = await player.job('halted');
      return current.status.active === undefined && current.status.terminating === 1 && current;
    });
    expect(counts(halted)).toEqual({ ...NONE, terminating: 1 });
    // OLDER_MINORS in differences.ts.
    expect('startTime' in halted.status).toBe(it.minor < 36);
    await player.become(name, 'Failed');
    await player.letGo(name);
    await eventually('the end of the Pod', async () => (await player.pods('halted')).length === 0);
    await eventually('nothing to be terminating', async () => (await player.job('halted')).status.terminating === 0);
    expect(counts(await player.job('halted'))).toEqual(NONE);
    expect(player.conditions(await player.job('halted'))).toEqual(['Suspended']);
    // Resumed again, it starts afresh.
    await suspend('halted', false);
    expect((await player.podOf('halted')).metadata.name).not.toBe(name);
    await eventually('a new startTime', async () => (await player.job('halted')).status.startTime);
  });

  test('that is suspended counts no success of a Pod that it has told to end', async () => {
    await start('too-late');
    const name = await player.runningPodOf('too-late');
    await suspend('too-late', true);
    await eventually('the Pod to be terminating', async () => (await player.job('too-late')).status.terminating === 1);
    await player.become(name, 'Succeeded');
    await player.letGo(name);
    await eventually('the end of the Pod', async () => (await player.pods('too-late')).length === 0);
    await eventually('nothing to be terminating', async () => (await player.job('too-late')).status.terminating === 0);
    expect(counts(await player.job('too-late'))).toEqual(NONE);
    expect(player.conditions(await player.job('too-late'))).toEqual(['Suspended']);
  });

  test('under podReplacementPolicy Failed makes no second Pod while the first terminates, and fails with it', async () => {
    await start('by-hand');
    const name = await player.runningPodOf('by-hand');
    await it.api.delete(`${it.pods}/${name}`);
    await eventually('a Pod to be terminating', async () => (await player.job('by-hand')).status.terminating === 1);
    expect(counts(await player.job('by-hand'))).toEqual({ ...NONE, terminating: 1 });
    expect(await player.pods('by-hand')).toHaveLength(1);
    await player.become(name, 'Failed');
    const failed = await player.condition('by-hand', 'Failed');
    expect(counts(failed)).toEqual({ ...NONE, failed: 1 });
    expect(failed.status.conditions).toMatchObject([
      { type: 'FailureTarget', ...BACKOFF },
      { type: 'Failed', ...BACKOFF },
    ]);
    await player.letGo(name);
  });

  test('whose Pod is deleted before it met a node fails when the Pod is collected', async () => {
    await start('early');
    const { name } = (await player.podOf('early')).metadata;
    await it.api.delete(`${it.pods}/${name}`);
    // Whoever collects such Pods looks every 20 s in the real world.
    const failed = await player.condition('early', 'Failed');
    expect(counts(failed)).toEqual({ ...NONE, failed: 1 });
    await eventually('the end of the Pod', async () => (await player.pods('early')).length === 0);
  });

  test('under TerminatingOrFailed counts a Pod that terminates as failed, and waits before it makes another', async () => {
    await start('again', { podReplacementPolicy: 'TerminatingOrFailed', backoffLimit: 3 });
    const name = await player.runningPodOf('again');
    await it.api.delete(`${it.pods}/${name}`);
    await eventually('the Pod to be counted', async () => (await player.job('again')).status.failed === 1);
    expect(counts(await player.job('again'))).toEqual({ ...NONE, failed: 1, terminating: 1 });
    expect(await player.pods('again')).toHaveLength(1);
    await player.letGo(name);
  });

  test('that is deleted in the background takes its running Pod along, when the kubelet has ended it', async () => {
    await start('gone');
    const name = await player.runningPodOf('gone');
    await it.api.delete(`${it.jobs}/gone`, { propagationPolicy: 'Background' });
    const left = await eventually('the Pod to be terminating, and let go of', async () => {
      const { body } = await it.api.get(`${it.pods}/${name}`);
      return body.metadata.deletionTimestamp !== undefined && body.metadata.finalizers === undefined && body;
    });
    expect(left.metadata.deletionGracePeriodSeconds).toBe(30);
    await player.letGo(name);
    expect((await it.api.get(`${it.pods}/${name}`)).status).toBe(404);
  });

  test('whose Pod is refused says so in an Event, has nothing active, and tries again', async () => {
    const serviceAccountName = 'comes-later';
    const template = job('refused', {}, { serviceAccountName, containers: [container()] });
    await it.api.post(it.jobs, { ...template, spec: { ...template.spec, suspend: false } });
    const [first] = await eventually('an Event', async () => {
      const all = await player.eventsOf('refused');
      return all.length > 0 && all;
    });
    expect(first).toMatch(
      new RegExp(
        `^Warning FailedCreate Error creating: pods "refused-.*" is forbidden: error looking up service account ${it.ns}/comes-later: serviceaccount "comes-later" not found$`,
      ),
    );
    expect((await player.job('refused')).status).not.toHaveProperty('active');
    await it.api.post(`/api/v1/namespaces/${it.ns}/serviceaccounts`, { metadata: { name: serviceAccountName } });
    expect((await player.podOf('refused')).spec.serviceAccountName).toBe(serviceAccountName);
  });
});
