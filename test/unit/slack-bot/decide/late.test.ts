import { describe, expect, it } from 'vitest';
import { JOBS } from '../../../../src/kube/client.ts';
import { aRefusal } from '../../operator/controller/rig.ts';
import { seenIn, shownBy, World } from './world.ts';

/** A view that asks whether to abort what runs on staging. */
async function asked(profile = {}): Promise<World> {
  const world = new World({ profiles: { U0ALICE: profile } });
  await world.click('abort', await world.asked({ environment: 'staging' }));
  return world;
}

describe('a submission that takes longer than Slack waits', () => {
  it('is told at once that it is worked on, in the language of the person', async () => {
    expect(shownBy((await asked()).decisions.late((await asked()).submission()))).toMatch(
      /^Abort a deploy\nThis takes longer than usual\./,
    );
    const world = await asked({ language: 'ja' });
    expect(shownBy(world.decisions.late(world.submission()))).toMatch(
      /^デプロイの中止\n通常より時間がかかっています。/,
    );
  });

  it('shows that it is done', async () => {
    const world = await asked();
    const submission = world.submission();
    await world.decisions.afterLate(submission, await world.decisions.confirmed(submission));
    expect(world.fake.voice.updated.map(({ viewId, view }) => [viewId, seenIn(view)])).toEqual([
      ['V0VIEW', 'Abort a deploy\nDone.'],
    ]);
    expect(world.fake.voice.whispers).toEqual([]);
  });

  it('shows why it is not done, and whispers it: the view may be closed', async () => {
    const world = await asked();
    world.rig.before = ({ verb }) => {
      if (verb === 'delete') throw aRefusal('forbidden', 'in the test');
    };
    const submission = world.submission();
    await world.decisions.afterLate(submission, await world.decisions.confirmed(submission));
    expect(seenIn(world.fake.voice.updated[0]?.view)).toContain('Nothing was done: ');
    expect(world.whispered).toContain('Nothing was done: ');
    expect(world.fake.voice.whispers[0]?.asker).toEqual({ user: 'U0ALICE', channel: 'C0PROD', threadTs: '1.1' });
  });
});

describe('a submission that fails for an unexpected reason', () => {
  it('is told so', async () => {
    const world = await asked();
    world.rig.before = () => {
      throw new TypeError('in the test');
    };
    const submission = world.submission();
    await expect(world.decisions.confirmed(submission)).rejects.toThrow(TypeError);
    expect(shownBy(world.decisions.failed(submission))).toMatch(/^Abort a deploy\nSomething went wrong in the bot/);
    expect(world.said).toEqual([]);
    expect(world.rig.store.list(JOBS).items).toHaveLength(1);
  });

  it('is told so even if the view keeps what is not ours', async () => {
    const { decisions } = await asked();
    for (const answer of [decisions.failed({ privateMetadata: '' }), decisions.late({ privateMetadata: '{}' })]) {
      expect(shownBy(answer)).not.toBe('');
    }
  });
});
