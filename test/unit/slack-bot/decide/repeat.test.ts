import { describe, expect, it } from 'vitest';
import { aClaim, aJob, at } from '../../../kit/builders.ts';
import { CONFIG } from '../fake-bot.ts';
import { BY_BOB, ended, failed, shownBy, World } from './world.ts';

const GOOD = ended('good', -3600, { revision: 'v1.0.0' });
const BAD = failed('bad', -600, { revision: 'v1.1.0', requestReason: 'the basket' });

/** v1.0.0 is there, and v1.1.0 has failed after it. */
function afterAFailure(options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options);
  world.status({}, [BAD, GOOD]);
  return world;
}

const sentBy = (world: World) => world.fake.queues.sent.map(({ message }) => message);

describe('retry by a click', () => {
  it('says what would happen, and sends the same under a new id', async () => {
    const world = afterAFailure();
    await world.click('retry', BAD.job);
    expect(world.opened).toBe(
      [
        'Retry a deploy',
        'livesense/web → production v1.1.0',
        'Asked for by ⟦@bob⟧ at 2026-03-10 20:59 GMT+9.',
        'Why: the basket',
        'Ended at 2026-03-10 20:50 GMT+9: failed (cap ended with an error).',
        'v1.0.0 is there since 20:00 · by ⟦@bob⟧',
        '⚠ v1.1.0 ended: failed. It may have changed the servers: look at them.',
        'The same is asked for once more, as a new request.',
        '[Retry]',
      ].join('\n'),
    );
    expect(sentBy(world)).toEqual([]);
    expect(await world.confirm()).toBeUndefined();
    expect(sentBy(world)).toEqual([
      {
        id: expect.stringMatching(new RegExp(`^slack-T0TEAM-retry-${BAD.job}-[0-9a-f]{8}-0$`)),
        ...{ repository: 'livesense/web', environment: 'production', task: 'deploy', revision: 'v1.1.0' },
        ...{ sentAt: at(0), requestedBy: 'slack:T0TEAM/U0ALICE alice', reason: `retry of ${BAD.job}`, source: 'slack' },
        slack: { channel: 'C0PROD', threadTs: '1.1' },
      },
    ]);
    expect(world.said).toEqual(['C0PROD 1.1: ⟦@alice⟧ retries livesense/web → production v1.1.0.']);
    expect(world.fake.decisions).toMatchObject([{ verb: 'retry', rule: 1, job: BAD.job, outcome: 'done' }]);
  });

  it('is one deploy if two people click the same button: the id is the same, and so is all that counts', async () => {
    const world = afterAFailure();
    world.fake.facts.members.set('S0RELEASE', ['U0ALICE', 'U0BOB']);
    await world.click('retry', BAD.job);
    await world.click('retry', BAD.job, { user: 'U0BOB' });
    await world.confirm({ viewId: 'V0ALICE' });
    world.fake.clock.advance(5_000);
    await world.confirm({ viewId: 'V0BOB', user: 'U0BOB' });
    const [first, second] = sentBy(world);
    const { requestedBy, sentAt, ...content } = first ?? {};
    expect(second).toMatchObject(content);
    expect([requestedBy, second?.requestedBy]).toEqual(['slack:T0TEAM/U0ALICE alice', 'slack:T0TEAM/U0BOB bob']);
    expect(first).not.toHaveProperty('notBefore');
    expect(first).not.toHaveProperty('expiresAt');
    expect(sentAt).toBe(at(0));
  });

  it('is not sent again if it was asked for already and has not ended', async () => {
    const world = afterAFailure();
    await world.click('retry', BAD.job);
    await world.confirm();
    const [message] = sentBy(world);
    const job = aJob({ ...BY_BOB, id: message?.id ?? '', uid: 'uid-of-retry', revision: 'v1.1.0' });
    world.status({ active: [aClaim(job)] }, [BAD, GOOD]);
    await world.click('retry', BAD.job);
    expect(world.whispered).toBe('Already asked for by ⟦@bob⟧ at 2026-03-10 20:59 GMT+9: it runs.');
    expect(world.fake.voice.opened).toHaveLength(1);
    expect(world.outcomes).toEqual(['retry done', 'retry asked']);
  });

  it('says what became of the first try, and asks anew under another id', async () => {
    const world = afterAFailure();
    await world.click('retry', BAD.job);
    await world.confirm();
    const [first] = sentBy(world);
    const again = failed(first?.id ?? '', -60, { revision: 'v1.1.0' });
    world.status({}, [again, BAD, GOOD]);
    await world.click('retry', BAD.job);
    expect(world.opened).toMatch(
      /Already asked for by ⟦@bob⟧ at .*: it ended: failed \(cap ended with an error\)\.\n\[Ask once more\]$/,
    );
    await world.confirm({ viewId: 'V0SECOND' });
    expect(sentBy(world)[1]?.id).toBe(first?.id.replace(/0$/, '1'));
  });

  it('asks again if the first try ended while the view was open', async () => {
    const world = afterAFailure();
    await world.click('retry', BAD.job);
    const mine = world.submission();
    await world.confirm({ viewId: 'V0OTHER' });
    const [first] = sentBy(world);
    world.status({}, [failed(first?.id ?? '', -1, { revision: 'v1.1.0' }), BAD, GOOD]);
    expect(shownBy(await world.decisions.confirmed(mine))).toMatch(
      /^Retry a deploy\nSomething has changed[\s\S]*once more\]$/,
    );
    expect(sentBy(world)).toHaveLength(1);
  });

  it('says if something newer is there since', async () => {
    const world = new World();
    world.status({}, [ended('newer', -60, { revision: 'v1.2.0' }), BAD, GOOD]);
    await world.click('retry', BAD.job);
    expect(world.opened).toContain('v1.2.0, which is newer than this deploy, is there now.');
  });

  it('asks again if something newer has come while the view was open', async () => {
    const world = afterAFailure();
    await world.click('retry', BAD.job);
    world.status({}, [ended('newer', -1, { revision: 'v1.2.0' }), BAD, GOOD]);
    expect(shownBy(await world.confirm())).toContain('v1.2.0, which is newer than this deploy, is there now.');
    expect(sentBy(world)).toEqual([]);
    expect(world.outcomes).toEqual(['retry outdated']);
  });

  it('is not made of what succeeded, runs or waits', async () => {
    const world = new World();
    const running = await world.asked({ id: 'r1', environment: 'staging' });
    const waiting = await world.asked({ id: 'r2' });
    for (const job of [running, waiting]) {
      await world.click('retry', job);
      expect(world.whispered).toContain('v1.0.0 has not ended.');
    }
    world.status({}, [GOOD]);
    await world.click('retry', GOOD.job);
    expect(world.whispered).toContain('v1.0.0 has succeeded. To deploy the same again');
    expect(world.outcomes).toEqual(['retry outdated', 'retry outdated', 'retry outdated']);
  });

  it.each<['access-denied' | 'unreachable', string, string]>([
    ['access-denied', 'Not sent: TheCode', 'forbidden'],
    ['unreachable', 'Perhaps sent: no clear answer came.', 'unclear'],
  ])('says so if SQS answers %s', async (kind, words, outcome) => {
    const world = afterAFailure();
    await world.click('retry', BAD.job);
    world.fake.queues.failure = kind;
    expect(shownBy(await world.confirm())).toContain(words);
    expect(world.said).toEqual([]);
    expect(world.outcomes).toEqual([`retry ${outcome}`]);
  });
});

describe('rollback by a click', () => {
  it('goes back to what was there before', async () => {
    const world = afterAFailure();
    await world.click('rollback', BAD.job);
    expect(world.opened).toContain('Deploys v1.0.0, which was there before v1.1.0.\n[Roll back]');
    expect(await world.confirm()).toBeUndefined();
    expect(sentBy(world)).toMatchObject([
      { id: expect.stringContaining(`-rollback-${BAD.job}-`), task: 'deploy', revision: 'v1.0.0' },
    ]);
    expect(world.said).toEqual(['C0PROD 1.1: ⟦@alice⟧ rolls back livesense/web → production: v1.1.0 → v1.0.0.']);
    expect(world.outcomes).toEqual(['rollback done']);
  });

  it.each<[string, readonly string[], object]>([
    [
      'if the configuration says so and the CapDeployJob has it',
      ['deploy', 'deploy:rollback'],
      { task: 'deploy:rollback' },
    ],
    ['but not if the CapDeployJob lacks it', ['deploy'], { task: 'deploy', revision: 'v1.0.0' }],
  ])('by the task of the application, %s', async (_, tasks, sent) => {
    const world = afterAFailure({ config: `${CONFIG}rollback: task\n`, spec: { tasks } });
    await world.click('rollback', BAD.job);
    const isByTask = world.opened.includes('Runs the task deploy:rollback, which itself chooses the revision.');
    expect(isByTask).toBe(tasks.length > 1);
    await world.confirm();
    expect(sentBy(world)).toMatchObject([sent]);
    if (isByTask) expect(sentBy(world)[0]).not.toHaveProperty('revision');
  });

  it('says why not if the history knows nothing to go back to', async () => {
    const world = new World();
    world.status({}, [GOOD]);
    await world.click('rollback', GOOD.job);
    expect(world.whispered).toContain('Nothing was done: cannot roll back');
    expect(world.outcomes).toEqual(['rollback notFound']);
  });

  it('is of what has ended only', async () => {
    const world = new World();
    const job = await world.asked({ environment: 'staging' });
    await world.click('rollback', job);
    expect(world.whispered).toContain('still runs: abort it first');
    expect(world.outcomes).toEqual(['rollback refused']);
  });
});
