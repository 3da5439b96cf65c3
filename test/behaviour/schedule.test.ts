import { describe, expect, test } from 'vitest';
import { deployed, ended, eventually, inWorld, jobOf, MovableClock, production, served, waiting } from './world.ts';

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

describe.concurrent('notBefore', () => {
  test(
    'a deploy starts at its time and not before, though others ran meanwhile',
    inWorld(async (world) => {
      const clock = new MovableClock();
      const { ask } = await served(world, {}, { clock });
      const notBefore = inSeconds(600);
      await ask('v2.0.0', 0, { notBefore });
      const [entry] = await waiting(world, 'v2.0.0');
      expect(entry).toMatchObject({
        why: `not before ${notBefore}`,
        until: notBefore,
        dueAt: notBefore,
        reasons: ['NotDue'],
      });
      await ask('v1.0.1', 1);
      await ended(world, 'web', 'v1.0.1');
      clock.advance(600_000);
      const { startedAt, result } = await ended(world, 'web', 'v2.0.0');
      expect(result).toBe('Succeeded');
      expect(Date.parse(startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(notBefore));
      expect(deployed(world)).toEqual(['v1.0.1', 'v2.0.0']);
    }),
  );
});

describe.concurrent('expiresAt', () => {
  test(
    'a request that waits when it expires is Missed, and its Job is taken away',
    inWorld(async (world) => {
      const clock = new MovableClock();
      const { ask } = await served(world, { environments: [{ name: 'production', suspend: true }] }, { clock });
      await ask('v1.0.0', 0, { expiresAt: inSeconds(600) });
      await waiting(world, 'v1.0.0');
      clock.advance(600_000);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Missed', reason: 'Expired' });
      await eventually('its Job is gone', async () => (await jobOf(world, 'v1.0.0')) === undefined);
      expect(await production(world)).not.toHaveProperty('waiting');
    }),
  );

  test(
    'a request that has expired when it is read is Missed, and its message is deleted',
    inWorld(async (world) => {
      const { ask, queue } = await served(world);
      await ask('v1.0.0', 0, { expiresAt: inSeconds(-1) });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Missed', reason: 'Expired' });
      await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
      expect(deployed(world)).toEqual([]);
    }),
  );
});
