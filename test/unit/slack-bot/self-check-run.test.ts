import { afterEach, describe, expect, it } from 'vitest';
import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { busy, entry, gone, Played, policies, resource } from './played-policies.ts';

describe('the self-check, as time goes by', () => {
  const stop = new Set<AbortController>();
  afterEach(() => {
    for (const controller of stop) controller.abort();
    stop.clear();
  });

  /** Runs until the test ends. */
  async function run(played: Played, ...resources: CapDeployJob[]): Promise<void> {
    played.resources = resources;
    const controller = new AbortController();
    stop.add(controller);
    void played.check.run(controller.signal);
    await played.clock.advance(0);
  }

  /** The requests of the first check are forgotten. */
  async function running(...resources: CapDeployJob[]): Promise<Played> {
    const played = new Played();
    await run(played, ...resources);
    played.patches.length = 0;
    played.reviewed.length = 0;
    return played;
  }

  it('nothing is asked while everything is on, and all of it again after an hour', async () => {
    const played = await running(busy());
    await played.clock.advance(59 * 60_000);
    expect(played.reviewed).toEqual([]);
    played.answer = () => {};
    await played.clock.advance(2 * 60_000);
    expect(played.logged['deploy/web']).toEqual({ freeze: 'notHeld', abort: 'notHeld', approve: 'notHeld' });
  });

  it('an approval is tried within 2 s on the first deploy that waits', async () => {
    const played = await running(resource());
    await played.clock.advance(60 * 60_000 - 5_000);
    expect(played.patches).toEqual([]);
    played.resources = [busy()];
    await played.clock.advance(2_000);
    expect(played.check.powers(busy())).toEqual({ freeze: true, abort: true, approve: true });
  });

  it('a CapDeployJob is looked at within 2 s of its coming', async () => {
    const played = await running(busy());
    played.resources = [busy(), busy('web', 'other')];
    await played.clock.advance(2_000);
    expect(played.check.powers(busy('web', 'other')).approve).toBe(true);
    expect(played.reviewed).toEqual(['other']);
  });

  it('what was refused is tried again every minute, and not more often', async () => {
    const played = new Played();
    played.answer = () => {};
    await run(played, busy());
    await played.clock.advance(59_000);
    expect(played.reviewed).toHaveLength(1);
    played.answer = policies;
    await played.clock.advance(2_000);
    expect(played.reviewed).toHaveLength(2);
    expect(played.check.powers(busy()).approve).toBe(true);
  });

  it('a right that is missing is looked for every minute: a binding may come after the bot', async () => {
    const played = new Played();
    const { rules } = played;
    played.rules = [];
    await run(played, busy());
    await played.clock.advance(59_000);
    expect(played.reviewed).toHaveLength(1);
    played.rules = rules;
    await played.clock.advance(2_000);
    expect(played.reviewed).toHaveLength(2);
    expect(played.check.powers(busy()).freeze).toBe(true);
  });

  it('a Job that has gone is not tried again and again while a status names it', async () => {
    const played = await running(resource());
    played.answer = (patch) => {
      if (patch.name === 'lost') throw gone();
      policies(patch);
    };
    played.resources = [resource('web', [{ name: 'production', waiting: [entry('lost')] }])];
    const tries = () => played.patches.filter(({ name }) => name === 'lost');
    await played.clock.advance(10 * 60_000);
    expect(tries()).toHaveLength(1);
    // Nothing is remembered for ever.
    await played.clock.advance(60 * 60_000);
    expect(tries()).toHaveLength(2);
  });

  it('a mistake of ours turns nothing on, and is tried again after a minute', async () => {
    const played = new Played();
    played.answer = () => {
      throw new TypeError('a mistake');
    };
    await run(played, busy());
    await played.clock.advance(59_000);
    expect(played.reviewed).toHaveLength(1);
    expect(played.check.powers(busy()).freeze).toContain('has not looked yet');
    played.answer = policies;
    await played.clock.advance(2_000);
    expect(played.check.powers(busy()).freeze).toBe(true);
  });

  it('ends when it is to stop', async () => {
    const played = new Played();
    const controller = new AbortController();
    const ended = played.check.run(controller.signal);
    await played.clock.advance(0);
    controller.abort();
    await ended;
    expect(played.clock.pending).toBe(0);
  });
});
