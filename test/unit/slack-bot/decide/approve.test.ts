import { describe, expect, it } from 'vitest';
import { ANNOTATION, CAPDEPLOYJOBS, FREEZE_PREFIX } from '../../../../src/api/names.ts';
import { JOBS } from '../../../../src/kube/client.ts';
import { aClaim, aJob } from '../../../kit/builders.ts';
import { BOT_SENDER, CONFIG } from '../fake-bot.ts';
import { shownBy, World } from './world.ts';

const approvalOf = (world: World, job: string) =>
  world.rig.store.get(JOBS, 'deploy', job).metadata.annotations?.[ANNOTATION.approvedBy];

const freezeProduction = (world: World) =>
  world.rig.change(CAPDEPLOYJOBS, 'web', {
    metadata: { annotations: { [`${FREEZE_PREFIX}production`]: 'carol: incident 42' } },
  });

describe('approve by a click', () => {
  it('says what would happen, and is done under the name of the person', async () => {
    const world = new World();
    const job = await world.asked({ revision: 'v1.1.0' });
    await world.click('approve', job);
    expect(world.opened).toMatch(/^Approve a deploy\nlivesense\/web → production v1\.1\.0\nAsked for by ⟦@bob⟧/);
    expect(world.opened).toMatch(/Approved, it starts as soon as nothing else holds it\.\n\[Approve\]$/);
    expect(approvalOf(world, job)).toBeUndefined();
    expect(await world.confirm()).toBeUndefined();
    expect(approvalOf(world, job)).toBe('slack:T0TEAM/U0ALICE');
    expect(world.said).toEqual(['C0PROD 1.1: ⟦@alice⟧ approves livesense/web → production v1.1.0.']);
    expect(world.fake.decisions).toMatchObject([{ verb: 'approve', rule: 1, job, outcome: 'done' }]);
  });

  it('shows what else holds the lane', async () => {
    const world = new World();
    const job = await world.asked();
    freezeProduction(world);
    await world.settle();
    await world.click('approve', job);
    expect(world.opened).toContain('❄ Frozen: carol: incident 42');
  });
});

describe('what is shown before an approval', () => {
  it('is what runs, and until when nothing starts', async () => {
    const world = new World();
    const job = await world.asked();
    const { waiting = [] } = world.rig.lane() ?? {};
    const running = aClaim(aJob({ id: 'running', uid: 'uid-of-running', revision: 'v1.0.9' }));
    world.status({ waiting, active: [running], closed: 'outside its windows, which open on Monday' });
    await world.click('approve', job);
    expect(world.opened).toContain('🚀 v1.0.9 runs since 20:59 (30 s) · by alice (not verified)');
    expect(world.opened).toContain('🔒 Closed: outside its windows, which open on Monday');
  });

  it('says how old it is if the API server does not answer', async () => {
    const world = new World();
    const job = await world.asked();
    await world.click('approve', job);
    expect(world.opened).not.toContain('min ago');
    world.fake.targets.stale = 125_000;
    await world.click('approve', job);
    expect(world.opened).toContain('The cluster is not seen just now. What stands here is 2 min 5 s old.');
  });
});

it('speaks the language of the person', async () => {
  const world = new World({ profiles: { U0ALICE: { language: 'ja' } } });
  const job = await world.asked({ revision: 'v1.1.0' });
  await world.click('approve', job);
  expect(world.opened).toMatch(
    /^デプロイの承認\nlivesense\/web → production v1\.1\.0\n依頼: ⟦@bob⟧、2026-03-10 20:59 GMT\+9/,
  );
  expect(world.opened).toMatch(/\[承認\]$/);
  await world.confirm();
  expect(world.said).toEqual(['C0PROD 1.1: ⟦@alice⟧ が承認しました: livesense/web → production v1.1.0']);
  await world.click('approve', 'web-production-gone');
  expect(world.whispered).toContain('このデプロイの記録はもうありません。');
});

describe('four eyes', () => {
  it.each<[string, string]>([
    ['of this team', 'slack:T0TEAM/U0ALICE alice'],
    ['without a name', 'slack:T0TEAM/U0ALICE'],
    ['in another team of the organization', 'slack:T0OTHER/U0ALICE alice'],
  ])('nobody approves what he asked for: %s', async (_, requestedBy) => {
    const world = new World();
    const job = await world.asked({ requestedBy });
    await world.click('approve', job);
    expect(world.whispered).toBe('Nothing was done: who asked for a deploy cannot approve it. Ask somebody else to.');
    expect(world.fake.voice.opened).toEqual([]);
    expect(world.outcomes).toEqual(['approve ownRequest']);
  });

  it('another user, whose id begins with this one, has asked', async () => {
    const world = new World();
    const job = await world.asked({ requestedBy: 'slack:T0TEAM/U0ALICE2 alice' });
    await world.click('approve', job);
    expect(world.fake.voice.opened).toHaveLength(1);
  });

  it('who is named by a sender that nobody trusts does not approve either', async () => {
    const world = new World({ config: `${CONFIG}approveUnverified: true\n` });
    const job = await world.asked({ requestedBy: 'slack:T0TEAM/U0ALICE alice', senderId: 'AIDAEXAMPLE' });
    await world.click('approve', job);
    expect(world.outcomes).toEqual(['approve ownRequest']);
  });
});

describe('a request of which nobody knows who asked', () => {
  it.each<[string, string]>([
    ['another role', 'AROAOTHERID123456789:slack-bot'],
    ['a role whose session has the name of the trusted one', `AROAOTHERID123456789:${BOT_SENDER}`],
    ['an id that begins as the trusted one', `${BOT_SENDER}2:slack-bot`],
    ['nobody', ''],
  ])('is not approved in a protected environment if the sender is %s', async (_, senderId) => {
    const world = new World();
    const job = await world.asked({ senderId });
    await world.click('approve', job);
    expect(world.whispered).toContain('nobody vouches for who asked for this deploy, so it cannot be approved here');
    expect(world.outcomes).toEqual(['approve unverified']);
  });

  it('is not approved in an environment that the CapDeployJob does not have any more: nobody knows if it was protected', async () => {
    const world = new World({ config: CONFIG.replace('[staging, production]', '[staging, production, preview]') });
    const job = await world.asked({ senderId: 'AIDAEXAMPLE' });
    const { waiting = [] } = world.rig.lane() ?? {};
    world.rig.setStatus({ environments: [{ name: 'preview', waiting }] });
    world.seen();
    await world.click('approve', job);
    expect(world.outcomes).toEqual(['approve unverified']);
  });

  it('is approved with approveUnverified: true, and who approves is told', async () => {
    const world = new World({ config: `${CONFIG}approveUnverified: true\n` });
    const job = await world.asked({ senderId: 'AIDAEXAMPLE' });
    await world.click('approve', job);
    expect(world.opened).toContain('by somebody who claims to be slack:T0TEAM/U0BOB bob.');
    expect(world.opened).toContain('nobody has checked that it was not you.');
    expect(await world.confirm()).toBeUndefined();
    expect(approvalOf(world, job)).toBe('slack:T0TEAM/U0ALICE');
  });

  it('is not approved if the configuration changes while the view is open', async () => {
    const world = new World({ config: `${CONFIG}approveUnverified: true\n` });
    const job = await world.asked({ senderId: 'AIDAEXAMPLE' });
    await world.click('approve', job);
    world.fake.setConfig(CONFIG);
    expect(shownBy(await world.confirm())).toContain('nobody vouches');
    expect(approvalOf(world, job)).toBeUndefined();
  });

  it('is told of a trusted sender that names no user of Slack', async () => {
    const world = new World();
    const job = await world.asked({ requestedBy: 'nightly build' });
    await world.click('approve', job);
    expect(world.opened).toContain('Asked for by nightly build at');
    expect(world.opened).toContain('It was not asked for in Slack. So nobody has checked');
  });

  it('is told as a line answers, too', async () => {
    const world = new World({ config: `${CONFIG}approveUnverified: true\n` });
    const job = await world.asked({ senderId: 'AIDAEXAMPLE' });
    expect(await world.fake.ask(`approve web production ${job}`)).toContain('Done.\nNobody vouches for who asked');
    expect(approvalOf(world, job)).toBe('slack:T0TEAM/U0ALICE');
  });
});

describe('what needs no approval', () => {
  it('is said of a deploy that runs, of one that waits for its turn, and of one that is approved already', async () => {
    const world = new World();
    const running = await world.asked({ id: 'r1', environment: 'staging' });
    const next = await world.asked({ id: 'r2', environment: 'staging' });
    await world.click('approve', running);
    expect(world.whispered).toContain('v1.0.0 has started. Abort it');
    await world.click('approve', next);
    expect(world.whispered).toContain('v1.0.0 needs no approval.');
    const job = await world.asked({ id: 'r3' });
    freezeProduction(world);
    world.rig.change(JOBS, job, { metadata: { annotations: { [ANNOTATION.approvedBy]: 'carol' } } });
    await world.settle();
    await world.click('approve', job);
    expect(world.whispered).toContain('v1.0.0 is approved already, by carol.');
    expect(world.outcomes).toEqual(['approve outdated', 'approve outdated', 'approve outdated']);
  });

  it('is seen on submission, too: somebody else was faster', async () => {
    const world = new World();
    const job = await world.asked();
    await world.click('approve', job);
    world.rig.change(JOBS, job, { metadata: { annotations: { [ANNOTATION.approvedBy]: 'carol' } } });
    await world.settle();
    expect(shownBy(await world.confirm())).toContain('has started');
    expect(approvalOf(world, job)).toBe('carol');
    expect(world.said).toEqual([]);
  });

  it('is not approved if the status does not name the Job by its uid', async () => {
    const world = new World();
    const job = await world.asked();
    const [entry] = world.rig.lane()?.waiting ?? [];
    if (!entry) throw new Error('it does not wait');
    const { uid: _, ...rest } = entry;
    world.status({ waiting: [rest] });
    for (const kind of ['approve', 'abort']) {
      await world.click(kind, job);
      expect(world.whispered).toContain('the status does not name the Job in full yet');
    }
    expect(world.fake.voice.opened).toEqual([]);
  });
});
