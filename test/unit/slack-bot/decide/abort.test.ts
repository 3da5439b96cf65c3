import { describe, expect, it } from 'vitest';
import { ANNOTATION } from '../../../../src/api/names.ts';
import { JOBS } from '../../../../src/kube/client.ts';
import { aRefusal } from '../../operator/controller/rig.ts';
import { shownBy, World } from './world.ts';

const isThere = (world: World, job: string) => world.rig.store.find(JOBS, 'deploy', job) !== undefined;

describe('abort by a click', () => {
  it('says what would happen, and does nothing yet', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging', reason: 'the basket' });
    await world.click('abort', job);
    expect(world.opened).toBe(
      [
        'Abort a deploy',
        'livesense/web → staging v1.0.0',
        'Asked for by ⟦@bob⟧ at 2026-03-10 20:59 GMT+9.',
        'Why: the basket',
        'Runs since 2026-03-10 21:00 GMT+9.',
        'no successful deploy is on record',
        'It is stopped where it stands. The servers may be half way between two revisions.',
        '[Abort]',
      ].join('\n'),
    );
    expect(isThere(world, job)).toBe(true);
    expect(world.said).toEqual([]);
    expect(world.outcomes).toEqual([]);
  });

  it('is done on submission, under the name of the person, and said in the thread', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    await world.click('abort', job);
    world.rig.forgetCalls();
    const names: unknown[] = [];
    world.rig.before = ({ verb }) => {
      if (verb !== 'delete') return;
      names.push(world.rig.store.get(JOBS, 'deploy', job).metadata.annotations?.[ANNOTATION.abortedBy]);
    };
    expect(await world.confirm()).toBeUndefined();
    expect(isThere(world, job)).toBe(false);
    expect(names).toEqual(['slack:T0TEAM/U0ALICE']);
    expect(world.rig.writes).toEqual([`patch jobs ${job}`, `delete jobs ${job}`]);
    expect(world.said).toEqual(['C0PROD 1.1: ⟦@alice⟧ aborts livesense/web → staging v1.0.0.']);
    expect(world.fake.decisions).toEqual([
      {
        asker: { user: 'U0ALICE', channel: 'C0PROD', threadTs: '1.1' },
        ...{ verb: 'abort', target: 'deploy/web', environment: 'staging', rule: 1, job, outcome: 'done' },
      },
    ]);
  });

  it('takes a request that waits out of its lane', async () => {
    const world = new World();
    const job = await world.asked();
    await world.click('abort', job);
    expect(world.opened).toContain('Aborted, it leaves the queue and never starts.');
    expect(await world.confirm()).toBeUndefined();
    expect(isThere(world, job)).toBe(false);
  });

  it('asks again if the deploy has started since: that is another decision', async () => {
    const world = new World();
    const job = await world.asked();
    await world.click('abort', job);
    world.rig.change(JOBS, job, { metadata: { annotations: { [ANNOTATION.approvedBy]: 'carol' } } });
    await world.settle();
    const again = await world.confirm();
    expect(shownBy(again)).toMatch(/^Abort a deploy\nSomething has changed since you were asked.*\n.*v1\.0\.0\n/);
    expect(shownBy(again)).toContain('Runs since');
    expect(isThere(world, job)).toBe(true);
    expect(world.outcomes).toEqual(['abort outdated']);
    const privateMetadata = again?.view.private_metadata ?? '';
    expect(await world.confirm({ privateMetadata, viewHash: 'h2' })).toBeUndefined();
    expect(isThere(world, job)).toBe(false);
  });

  it('is not done if the bot had not seen the start: the API server knows better', async () => {
    const world = new World();
    const job = await world.asked();
    await world.click('abort', job);
    world.rig.change(JOBS, job, { metadata: { annotations: { [ANNOTATION.approvedBy]: 'carol' } } });
    await world.rig.settle();
    expect(shownBy(await world.confirm())).toContain('has started since');
    expect(isThere(world, job)).toBe(true);
    expect(world.said).toEqual([]);
    expect(world.outcomes).toEqual(['abort refused']);
  });

  it.each<[string, string]>([
    ['forbidden', 'Nothing was done: '],
    ['retryable', 'Perhaps done: no clear answer came.'],
  ])('says so if the API server answers %s', async (kind, words) => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    await world.click('abort', job);
    world.rig.before = ({ verb }) => {
      if (verb === 'delete') throw aRefusal(kind as 'forbidden', 'in the test');
    };
    expect(shownBy(await world.confirm())).toContain(words);
    expect(world.said).toEqual([]);
    expect(world.outcomes).toEqual([`abort ${kind === 'forbidden' ? 'forbidden' : 'unclear'}`]);
  });

  it('is done once if Slack delivers a submission twice', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    await world.click('abort', job);
    expect(await Promise.all([world.confirm(), world.confirm()])).toEqual([undefined, undefined]);
    expect(world.said).toHaveLength(1);
  });

  it('is said once if two people submit it', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    await world.click('abort', job);
    await world.click('abort', job);
    await world.confirm({ viewId: 'V0ALICE' });
    expect(shownBy(await world.confirm({ viewId: 'V0OTHER' }))).toContain('Nothing was done: ');
    expect(world.said).toHaveLength(1);
    expect(world.outcomes).toEqual(['abort done', 'abort notFound']);
  });
});

describe('refuse', () => {
  it('takes a request that waits out of its lane', async () => {
    const world = new World();
    const job = await world.asked();
    await world.click('refuse', job);
    expect(world.opened).toMatch(
      /^Refuse a deploy\n[\s\S]*Refused, it leaves the queue and never starts\.\n\[Refuse\]$/,
    );
    expect(await world.confirm()).toBeUndefined();
    expect(isThere(world, job)).toBe(false);
    expect(world.said).toEqual(['C0PROD 1.1: ⟦@alice⟧ refuses livesense/web → production v1.0.0.']);
    expect(world.outcomes).toEqual(['abort done']);
  });

  it('stops nothing that runs', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    await world.click('refuse', job);
    expect(world.whispered).toContain('has started. Abort it if that is what you want.');
    expect(world.fake.voice.opened).toEqual([]);
  });
});
