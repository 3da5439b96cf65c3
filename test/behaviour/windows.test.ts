import { describe, expect, test } from 'vitest';
import {
  deployed,
  ended,
  eventually,
  inWorld,
  MovableClock,
  production,
  running,
  served,
  turns,
  waiting,
} from './world.ts';

const HOUR = 3_600_000;

/** Opens in so many hours from now, at a full minute. */
const inHours = (hours: number) => {
  const opening = new Date(Math.ceil((Date.now() + hours * HOUR) / 60_000) * 60_000);
  const [day, month] = [opening.getUTCDate(), opening.getUTCMonth() + 1];
  return { opening, schedule: `${opening.getUTCMinutes()} ${opening.getUTCHours()} ${day} ${month} *` };
};
const withWindows = (...windows: object[]) => ({ environments: [{ name: 'production', windows }] });

describe.concurrent('windows', () => {
  test(
    'a deploy waits for its window, says until when, and starts when the window opens, however long it waited',
    inWorld(async (world) => {
      const clock = new MovableClock();
      const { opening, schedule } = inHours(6);
      const { ask } = await served(world, withWindows({ kind: 'Allow', schedule, durationSeconds: 3600 }), { clock });
      await ask('v1.0.0', 0);
      const [entry] = await waiting(world, 'v1.0.0');
      expect(entry).toMatchObject({
        until: opening.toISOString(),
        why: expect.stringContaining('it opens at'),
        reasons: ['Closed'],
      });
      expect(await production(world)).toMatchObject({ closedUntil: opening.toISOString() });
      clock.advance(opening.getTime() - clock.now());
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      expect(await production(world)).not.toHaveProperty('closed');
    }),
  );

  test(
    'what runs when the window closes runs on, and what comes then waits',
    inWorld(async (world) => {
      world.script = () => 'run';
      const clock = new MovableClock();
      const { schedule } = inHours(-1);
      const { ask } = await served(world, withWindows({ kind: 'Allow', schedule, durationSeconds: 7200 }), { clock });
      await ask('v1.0.0', 0);
      const { job } = await running(world, 'v1.0.0');
      clock.advance(2 * HOUR);
      await eventually('the lane is closed', async () => (await production(world))?.closed !== undefined);
      await ask('v1.0.1', 1);
      const [entry] = await waiting(world, 'v1.0.1');
      expect(entry?.why).toContain('no window of kind Allow is open');
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      await waiting(world, 'v1.0.1');
      expect(deployed(world)).toEqual(['v1.0.0']);
    }),
  );

  test.for([
    ['an hour that no day has', { schedule: '0 99 * * *' }, 'schedule: found "0 99 * * *"'],
    ['a time zone that the tz database has not', { timeZone: 'BST' }, 'timeZone: found "BST"'],
  ] as const)(
    'a window with %s keeps its environment closed and says which field is wrong; another one deploys',
    ([, changes, words], context) =>
      inWorld(async (world) => {
        const windows = [{ kind: 'Allow', schedule: '* * * * *', durationSeconds: 3600, ...changes }];
        const { ask } = await served(world, { environments: [{ name: 'production', windows }, { name: 'staging' }] });
        await ask('v1.0.0', 0);
        const { message } = await turns(world, 'web', 'Ready', 'False', 'InvalidWindow');
        expect(message).toContain(`spec.environments[production].windows[0].${words}`);
        await waiting(world, 'v1.0.0');
        await ask('v2.0.0', 0, { environment: 'staging' });
        expect(await ended(world, 'web', 'v2.0.0')).toMatchObject({ result: 'Succeeded' });
        await world.edit('web', { environments: [{ name: 'production', windows: [] }] });
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
        await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      })(context),
  );

  test(
    'an operator that comes back long after the window opened ships nothing stale',
    inWorld(async (world) => {
      const { schedule } = inHours(3);
      const spec = withWindows({ kind: 'Allow', schedule, durationSeconds: 8 * 3600 });
      const { ask, operator } = await served(world, spec);
      await ask('v1.0.0', 0);
      await waiting(world, 'v1.0.0');
      await operator.stop();
      world.startOperator({ clock: new MovableClock(5 * HOUR) });
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
        result: 'Missed',
        reason: 'StartingDeadlineExceeded',
      });
      expect(deployed(world)).toEqual([]);
    }),
  );
});
