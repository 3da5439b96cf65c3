import { describe, expect, it } from 'vitest';
import { deploysOf, findDeploy, previousSuccess } from '../../../src/actions/find-deploy.ts';
import type { CapDeployJobStatus, HistoryEntry } from '../../../src/api/capdeployjob.ts';

const AT = '2026-11-30T09:00:00.000Z';
const request = (job: string, id: string) => ({ job, id, repository: 'web', task: 'deploy', sentAt: AT });
const ended = (job: string, revision: string | undefined, over: Partial<HistoryEntry> = {}): HistoryEntry => ({
  ...request(job, `id-of-${job}`),
  ...{ environment: 'production', result: 'Succeeded', reason: 'Completed', finishedAt: AT, revision },
  ...over,
});

const STATUS: CapDeployJobStatus = {
  environments: [
    {
      name: 'production',
      active: [{ ...request('web-production-aaaa1111', 'id-1'), uid: 'u1', dueAt: AT, since: AT }],
      waiting: [{ ...request('web-production-bbbb1111', 'id-2'), dueAt: AT, why: 'x' }],
      lastSuccessful: { revision: 'v1.2.0', task: 'deploy', job: 'web-production-cccc3333', finishedAt: AT },
    },
    { name: 'staging', waiting: [{ ...request('web-staging-dddd4444', 'id-1'), dueAt: AT, why: 'x' }] },
  ],
  history: [
    ended('web-production-gggg7777', 'v1.3.0', { result: 'Failed' }),
    ended('web-production-cccc3333', 'v1.2.0'),
    ended('web-production-eeee5555', undefined, { task: 'app:restart' }),
    ended('web-staging-ffff6666', 'v1.1.9', { environment: 'staging' }),
    ended('web-production-hhhh8888', 'v1.1.0'),
    ended('web-production-iiii9999', 'v1.0.0'),
  ],
};
const all = deploysOf(STATUS);

it('every deploy of a status is found, what runs first', () => {
  expect(all.map(({ state, entry }) => `${state} ${entry.job.split('-').at(-1)}`)).toEqual([
    ...['active aaaa1111', 'waiting bbbb1111', 'waiting dddd4444', 'ended gggg7777', 'ended cccc3333'],
    ...['ended eeee5555', 'ended ffff6666', 'ended hhhh8888', 'ended iiii9999'],
  ]);
  expect(deploysOf(undefined)).toEqual([]);
});

describe('findDeploy', () => {
  it.each([
    ['web-production-aaaa1111', 'web-production-aaaa1111'],
    ['1111', undefined],
    ['a1111', 'web-production-aaaa1111'],
    ['4444', 'web-staging-dddd4444'],
    ['id-2', 'web-production-bbbb1111'],
    ['id-1', undefined],
  ])('"%s" is %s', (name, job) => {
    if (job) expect(findDeploy(all, name).entry.job).toBe(job);
    else expect(() => findDeploy(all, name)).toThrow(/fits web-.*, web-/);
  });

  it('finds an id in one environment', () => {
    const staging = all.filter(({ environment }) => environment === 'staging');
    expect(findDeploy(staging, 'id-1').entry.job).toBe('web-staging-dddd4444');
  });

  it.each(['444', 'zzzz', '', 'web-production'])('"%s" is no deploy', (name) => {
    expect(() => findDeploy(all, name)).toThrow('a name is that of a Job');
  });
});

describe('previousSuccess', () => {
  it('is the last one with another revision than what is there', () => {
    expect(previousSuccess(STATUS, 'production')?.revision).toBe('v1.1.0');
  });

  it('is nothing if the history knows none', () => {
    expect(previousSuccess(STATUS, 'preview')).toBeUndefined();
    expect(previousSuccess(undefined, 'production')).toBeUndefined();
    expect(previousSuccess({ ...STATUS, history: STATUS.history?.slice(0, 2) }, 'production')).toBeUndefined();
  });
});
