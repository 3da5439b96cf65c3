import { describe, expect, test } from 'vitest';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aJob, aLane, aPod, at } from '../../kit/builders.ts';

const DAYS = 86_400;

describe('the lane of a removed environment', () => {
  const ended = {
    name: 'production',
    lastEndedAt: at(-14 * DAYS - 1),
    lastStarted: [{ task: 'deploy', id: 'r0', repository: 'livesense/web', revision: 'v1.0.0', dueAt: at(-15 * DAYS) }],
  };

  test.each([
    ['kept while its watermark may still be needed', { previous: { ...ended, lastEndedAt: at(-14 * DAYS) } }, true],
    ['forgotten after 14 days, which SQS keeps no message longer than', { previous: ended }, false],
    ['forgotten at once where nothing was ever started in it', { previous: { name: 'production' } }, false],
    [
      'kept while a Job of it is there',
      { previous: ended, jobs: [aJob({ started: -5, finished: 'Complete' as const })], recorded: ['r1'] },
      true,
    ],
    ['kept while a Pod of it is there', { previous: ended, pods: [aPod(aJob())] }, true],
  ])('is %s', (_, changes, isKept) => {
    expect(planLane(aLane({ environment: undefined, ...changes })).status !== undefined).toBe(isKept);
  });
});

test('a lane that the spec names is kept though nothing was ever done in it', () => {
  expect(planLane(aLane({ previous: undefined })).status?.name).toBe('production');
});
