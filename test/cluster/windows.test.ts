import { beforeAll, describe, expect, test } from 'vitest';
import { readSchedule } from '../../src/lanes/cron.ts';
import { type ApiStatus, openCluster } from './cluster.ts';
import { uniqueName } from './resources.ts';

/**
 * What a CronJob of a real API server takes and refuses: a window goes by the same rules. Dry runs: none is created.
 */
const cluster = openCluster();
let namespace: string;
beforeAll(async () => {
  namespace = await cluster.namespace();
});

/** @returns the fields that the API server refuses. */
async function refusedOfCronJob(schedule: string, timeZone: string): Promise<string[]> {
  const pod = { restartPolicy: 'Never', containers: [{ name: 'cap', image: 'registry.example.com/web-deploy:1' }] };
  const { status, body } = await cluster.request<ApiStatus>('POST', `/apis/batch/v1/namespaces/${namespace}/cronjobs`, {
    query: { dryRun: 'All' },
    body: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: uniqueName() },
      spec: { schedule, timeZone, jobTemplate: { spec: { template: { spec: pod } } } },
    },
  });
  if (status === 201) return [];
  expect(status, JSON.stringify(body)).toBe(422);
  return (body.details?.causes ?? []).map(({ field }) => field.replace(/^spec\./, ''));
}

function refusedOfWindow(schedule: string, timeZone: string): string[] {
  const read = readSchedule(schedule, timeZone);
  return 'problem' in read ? [read.field] : [];
}

describe.concurrent('of a time zone', () => {
  const taken = ['UTC', 'Etc/UTC', 'GMT', 'Asia/Tokyo', 'Asia/Calcutta', 'US/Eastern', 'EST5EDT', 'Etc/GMT-9'];
  test.each(taken)('%s is taken by both', async (timeZone) => {
    expect(await refusedOfCronJob('0 9 * * *', timeZone)).toEqual([]);
    expect(refusedOfWindow('0 9 * * *', timeZone)).toEqual([]);
  });

  const refused = ['BST', 'CST', 'IST', '+09', '+09:00', 'GMT+9', 'asia/tokyo', 'utc', 'Local', 'Mars/Phobos', ''];
  test.each(refused)('"%s" is refused by both', async (timeZone) => {
    expect(await refusedOfCronJob('0 9 * * *', timeZone)).toEqual(['timeZone']);
    expect(refusedOfWindow('0 9 * * *', timeZone)).toEqual(['timeZone']);
  });
});

describe.concurrent('of a schedule', () => {
  test.each(['0 9 * JAN mon-FRI', '*/5 9-17/2 1,15 * *', '0 9 */1 * MON', '0 9 *,5 * MON', '0 9 * * SUN-SUN'])(
    '%s is taken by both',
    async (schedule) => {
      expect(await refusedOfCronJob(schedule, 'UTC')).toEqual([]);
      expect(refusedOfWindow(schedule, 'UTC')).toEqual([]);
    },
  );

  test.each([
    '61 9 * * *',
    '0 9 L * *',
    '0 9 15W * *',
    '0 9 * * FRI-SUN',
    '0 9 * * MONDAY',
    '0 9 *,99 * *',
    '0 9-24/2 * * *',
    '0 0 9 * * *',
  ])('%s is refused by both', async (schedule) => {
    expect(await refusedOfCronJob(schedule, 'UTC')).toEqual(['schedule']);
    expect(refusedOfWindow(schedule, 'UTC')).toEqual(['schedule']);
  });

  test('7 for a Sunday, as in crontab(5), is taken by a window alone', async () => {
    expect(await refusedOfCronJob('0 9 * * 7', 'UTC')).toEqual(['schedule']);
    expect(refusedOfWindow('0 9 * * 7', 'UTC')).toEqual([]);
  });
});
