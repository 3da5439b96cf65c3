import { describe, expect, test } from 'vitest';
import type { Pod } from '../../../src/lanes/job.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, aPod, at, NOW } from '../../kit/builders.ts';

describe('a started deploy without a running container', () => {
  const lane = (started: number, changes = {}) => {
    const job = aJob({ started });
    return { job, view: aLane({ jobs: [job], previous: { name: 'production', active: [aClaim(job)] }, ...changes }) };
  };

  test('asks for Events once it takes longer than a healthy one: about its Pod, or its Job if there is none', () => {
    const { job, view } = lane(-2);
    expect(planLane(view).explain).toEqual([{ uid: 'uid-of-r1', since: NOW - 2000 }]);
    const pods = [aPod(job, { phase: 'Pending' })];
    expect(planLane({ ...view, pods }).explain).toEqual([{ uid: 'pod-of-uid-of-r1', since: NOW - 2000 }]);
  });

  test('is looked at again when it is slow, to say what it is at', () => {
    const { view } = lane(-2);
    const { wakeAt } = planLane(view);
    expect(wakeAt).toBe(NOW + 6000);
    const later = planLane({ ...view, now: NOW + 6000 });
    expect(later.status?.active?.[0]?.why).toContain('has created no Pod since');
    expect(later.wakeAt).toBe(NOW + 298_000);
  });

  test('is explained by the Pod that is alive, if an earlier one is gone', () => {
    const { job, view } = lane(-30);
    const gone = aPod(job, { phase: 'Failed' });
    delete gone.status!.containerStatuses;
    const pods = [gone, aPod(job, { waiting: { reason: 'ErrImagePull' } })];
    expect(planLane({ ...view, pods }).status?.active?.[0]?.why).toContain('ErrImagePull');
  });

  test('says that init containers ran, if they did, and may have done things', () => {
    const { job, view } = lane(-300);
    const pod = aPod(job, { waiting: { reason: 'PodInitializing' } });
    pod.status!.initContainerStatuses = [
      { name: 'fetch', state: { terminated: { exitCode: 0 } } },
      { name: 'migrate', state: { running: { startedAt: at(-200) } } },
      { name: 'never', state: { waiting: { reason: 'PodInitializing' } } },
    ];
    expect(planLane({ ...view, pods: [pod] }).status?.active?.[0]?.ending?.message).toBe(
      "the deploy's container did not run within podStartDeadlineSeconds (300), " +
        'but init containers did (fetch, migrate) and may have done things: ' +
        `Pod ${pod.metadata.name}: init container migrate has been running since 2026-03-10T11:56:40Z`,
    );
  });

  test('keeps to what was announced of its end, unless an init container has run since', () => {
    const { job, view } = lane(-300);
    const announced = planLane(view).status;
    const pod = aPod(job, { waiting: { reason: 'ErrImagePull' } });
    const ending = (pods: Pod[]) =>
      planLane({ ...view, previous: announced, pods }).status?.active?.[0]?.ending?.message;
    expect(ending([pod])).toBe(announced?.active?.[0]?.ending?.message);
    pod.status!.initContainerStatuses = [{ name: 'migrate', state: { running: {} } }];
    expect(ending([pod])).toContain('init containers did (migrate)');
  });

  test('fits the status, however long the words are', () => {
    const refused = { reason: 'FailedCreate', message: 'x'.repeat(2000), at: NOW };
    const claim = planLane(lane(-300, { warnings: { about: () => refused } }).view).status?.active?.[0];
    expect([claim?.why?.length, claim?.ending?.message?.length]).toEqual([512, 1024]);
  });
});
