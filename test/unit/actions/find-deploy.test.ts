import { describe, expect, it } from 'vitest';
import { deploysOf, findDeploy, findRequest, rollbackTarget } from '../../../src/actions/find-deploy.ts';
import type { CapDeployJobStatus, HistoryEntry } from '../../../src/api/capdeployjob.ts';

const AT = '2026-11-30T09:00:00.000Z';
const request = (job: string, id: string) => ({ job, id, repository: 'web', task: 'deploy', sentAt: AT });
const ended = (job: string, revision: string | undefined, over: Partial<HistoryEntry> = {}): HistoryEntry => ({
  ...request(job, `id-of-${job}`),
  ...{ environment: 'production', result: 'Succeeded', reason: 'Completed', startedAt: AT, finishedAt: AT, revision },
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

it("an id that looks like the end of another Job's name does not pass for it", () => {
  const [active] = all;
  const forged = {
    ...active!,
    entry: { ...active!.entry, job: 'web-production-xxxx0000', id: 'bbbb1111' },
  } as typeof active;
  expect(() => findDeploy([...all, forged!], 'bbbb1111')).toThrow(
    'fits web-production-bbbb1111, web-production-xxxx0000',
  );
  expect(findDeploy([...all, forged!], 'web-production-bbbb1111').entry.id).toBe('id-2');
});

it('a request is found by its whole id in its environment, wherever it stands', () => {
  expect(findRequest(STATUS, 'production', 'id-1')).toMatchObject({
    state: 'active',
    entry: { job: 'web-production-aaaa1111' },
  });
  expect(findRequest(STATUS, 'staging', 'id-1')).toMatchObject({ state: 'waiting' });
  expect(findRequest(STATUS, 'production', 'id-of-web-production-cccc3333')).toMatchObject({ state: 'ended' });
  expect(findRequest(STATUS, 'staging', 'id-2')).toBeUndefined();
  expect(findRequest(STATUS, 'production', 'web-production-aaaa1111')).toBeUndefined();
  expect(findRequest(undefined, 'production', 'id-1')).toBeUndefined();
});

describe('rollbackTarget', () => {
  const target = (history: HistoryEntry[], from?: HistoryEntry) =>
    rollbackTarget({ ...STATUS, history }, 'production', from)?.revision;
  const history = STATUS.history!;

  it('is the last success before the deploy that was started last', () => {
    // v1.3.0 failed half way: back to v1.2.0, which was there before.
    expect(target(history)).toBe('v1.2.0');
    expect(target(history.slice(1))).toBe('v1.1.0');
  });

  it('is the last success before the deploy that it is asked of, with another revision', () => {
    const again = ended('web-production-jjjj0000', 'v1.2.0');
    expect(target([again, ...history.slice(1)], again)).toBe('v1.1.0');
    expect(target(history, history[4])).toBe('v1.0.0');
  });

  it('goes by deploys alone: a restart says nothing about the revision, and what never started changed nothing', () => {
    const restart = ended('web-production-kkkk0000', undefined, { task: 'app:restart' });
    const { startedAt: _, ...missed } = ended('web-production-llll0000', 'v1.4.0', { result: 'Missed' });
    const migrated = ended('web-production-nnnn0000', 'v1.4.0', { task: 'db:migrate' });
    expect(target([restart, missed, migrated, ...history.slice(1)])).toBe('v1.1.0');
  });

  it('is nothing after a rollback by a task: nobody knows to which revision that went', () => {
    const rollback = ended('web-production-mmmm0000', undefined, { task: 'deploy:rollback' });
    expect(target([rollback, ...history])).toBeUndefined();
    expect(target([{ ...rollback, result: 'Failed' }, ...history])).toBe('v1.2.0');
  });

  it('is nothing if the history knows none', () => {
    expect(rollbackTarget(STATUS, 'preview')).toBeUndefined();
    expect(rollbackTarget(undefined, 'production')).toBeUndefined();
    expect(target(history.slice(-1))).toBeUndefined();
    expect(target(history, ended('web-production-gone0000', 'v0.9.0'))).toBeUndefined();
  });
});
