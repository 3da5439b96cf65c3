import { describe, expect, it } from 'vitest';
import { checkMessageBlocks } from '../../../../dev/local-slack/block-kit/blocks.ts';
import { tokensOf } from '../../../../dev/local-slack/render.ts';
import { ALICE, aWeb, BOB, CONFIG, FakeBot, FILE_CONFIG, render, team } from '../fake-bot.ts';
import { BUSY, busyWeb, NO_KUBE } from './a-busy-web.ts';

const aBot = (language: 'en' | 'ja' = 'en') =>
  new FakeBot({ resources: [busyWeb()], kube: NO_KUBE, profiles: { [ALICE]: { language } } });
const condition = (type: string, status: string, reason: string, message = '') => ({
  ...{ type, status, reason, message, lastTransitionTime: '2026-03-10T11:59:00Z' },
});

describe('status of one target', () => {
  it('says what runs, waits, is frozen and closed, and how it ended', async () => {
    const fake = aBot();
    expect(await fake.ask('status web')).toMatchInlineSnapshot(`
      "Times: Asia/Tokyo
      deploy/web · livesense/web
      production: v1.0.0 is there since 19:00 · by ⟦@alice⟧
      ⚠ v1.0.9 ended: failed. It may have changed the servers: look at them.
      🚀 v1.1.0 runs since 20:58 (1 min 5 s, usually 2 min 12 s) · by ⟦@alice⟧
      ✋ v1.2.0 · waits for an approval · by ⟦@bob⟧
      ⏳ v1.3.0 · waits for its turn · by slack:T0TEAM/U0ALICE <!channel> (not verified)
      ❄ Frozen: ⟦@bob⟧: incident 42 <!here>
      ❌ v1.0.9 failed at 20:01 · cap ended with an error
      staging: no successful deploy is on record
      ⚠ old ended: aborted. It may have changed the servers: look at them.
      ⏳ main · outside its windows · by ci
      🔒 Closed: outside the windows of staging (until 2026-03-11 00:00)
      🛑 old aborted at 2026-03-09 18:36 · somebody deleted its Job"
    `);
    expect(fake.decisions).toMatchObject([{ verb: 'status', target: 'deploy/web', outcome: 'done' }]);
  });

  it('in Japanese', async () => {
    expect(await aBot('ja').ask('status web')).toMatchInlineSnapshot(`
      "時刻: Asia/Tokyo
      deploy/web · livesense/web
      production: v1.0.0 が 19:00 から稼働 · 依頼: ⟦@alice⟧
      ⚠ v1.0.9 が「失敗」で終わりました。サーバーが変更された可能性があります。サーバーを確認してください。
      🚀 v1.1.0 をデプロイ中、20:58 から(1 分 5 秒、通常 2 分 12 秒) · 依頼: ⟦@alice⟧
      ✋ v1.2.0 · 承認待ち · 依頼: ⟦@bob⟧
      ⏳ v1.3.0 · 順番待ち · 依頼: slack:T0TEAM/U0ALICE <!channel>(未確認)
      ❄ 凍結: ⟦@bob⟧: incident 42 <!here>
      ❌ v1.0.9 失敗(20:01) · cap がエラーで終了
      staging: 成功したデプロイの記録はありません
      ⚠ old が「中止」で終わりました。サーバーが変更された可能性があります。サーバーを確認してください。
      ⏳ main · 時間外 · 依頼: ci
      🔒 時間外: outside the windows of staging(2026-03-11 00:00 まで)
      🛑 old 中止(2026-03-09 18:36) · Job が削除された"
    `);
  });

  it('pings nobody by what people wrote, and mentions whom a trusted sender names', async () => {
    const { blocks } = await aBot().answer('status web');
    const mentions = tokensOf(team, blocks).filter(({ kind }) => kind !== 'text');
    expect(mentions).toEqual([
      // Who asked for what is there, for what runs, and for what waits.
      { kind: 'user', id: ALICE },
      { kind: 'user', id: ALICE },
      { kind: 'user', id: BOB },
      // Who froze it.
      { kind: 'user', id: BOB },
    ]);
  });

  it('shows only the environments that the rules cover here', async () => {
    const fake = aBot();
    fake.setConfig(CONFIG.replace('[staging, production]', '[staging]'));
    const said = await fake.ask('status web');
    expect(said).toContain('staging: ');
    expect(said).not.toMatch(/production|v1\.1\.0|incident/);
  });

  it.each([
    [
      'the queue is not read',
      [
        condition('QueueReachable', 'False', 'AccessDenied', 'AWS refuses'),
        condition('Ready', 'False', 'AccessDenied'),
      ],
      '⚠ Its queue is not read: AccessDenied: AWS refuses\nproduction',
    ],
    [
      'it is suspended',
      [condition('QueueReachable', 'Unknown', 'Suspended', 'spec.suspend is true')],
      '⚠ Its queue is not read: Suspended: spec.suspend is true',
    ],
    [
      'Jobs cannot be created',
      [condition('Ready', 'False', 'JobsCannotBeCreated', 'quota')],
      '⚠ The operator reports: JobsCannotBeCreated: quota',
    ],
  ])('says so if %s', async (_, conditions, words) => {
    const fake = aBot();
    fake.targets.set([aWeb({ ...BUSY, conditions })]);
    expect(await fake.ask('status web')).toContain(words);
  });

  it('says so if the operator has not looked yet, and if the memory is old', async () => {
    const fake = new FakeBot();
    expect(await fake.ask('status web')).toContain('⚠ The operator has not looked at it yet.');
    fake.targets.stale = 59_000;
    expect(await fake.ask('status web')).not.toContain('This is from');
    fake.targets.stale = 125_000;
    expect(await fake.ask('status web')).toContain('This is from 2 min 5 s ago.');
  });

  it('has the words of an operator that writes no reasons, and the words of a newer one', async () => {
    const [production] = BUSY.environments;
    const waiting = [
      { ...production?.waiting?.[0], reasons: undefined, why: 'as ever' },
      { ...production?.waiting?.[0], reasons: ['Frozen', 'Eclipse'] },
    ];
    const fake = aBot();
    fake.targets.set([aWeb({ ...BUSY, environments: [{ ...production, waiting }] })]);
    const said = await fake.ask('status web');
    expect(said).toContain('v1.2.0 · as ever');
    expect(said).toContain('v1.2.0 · frozen; Eclipse');
  });
});

describe('status of all', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, place) =>
      aWeb(BUSY, {
        metadata: { name: `web${place}` },
        spec: { repositories: [`livesense/${'w'.repeat(100)}${place}`] },
      }),
    );

  it.each([0, 1, 4, 20, 500])('of %i targets fits into a message, and says how many more there are', async (count) => {
    const fake = new FakeBot({ config: CONFIG.replace('[deploy/web]', '["*"]'), resources: many(count) });
    const answer = await fake.answer('status');
    expect(checkMessageBlocks(answer.blocks, '/blocks')).toEqual([]);
    const said = render(answer);
    const shown = said.split('\n').filter((line) => line.startsWith('deploy/web')).length;
    const [, left = '0'] = /… and (\d+) more; status <repository> shows one\.$/.exec(said) ?? [];
    expect(shown + Number(left)).toBe(count);
    if (count > 0) expect(shown).toBeGreaterThan(0);
  });

  it('of many is brief', async () => {
    const fake = new FakeBot({ config: CONFIG.replace('[deploy/web]', '["*"]'), resources: many(4) });
    const said = await fake.ask('status');
    expect(
      said
        .split('\n')
        .slice(0, 8)
        .join('\n')
        .replace(/w{100}/g, 'w'),
    ).toMatchInlineSnapshot(`
      "Times: Asia/Tokyo
      deploy/web0 · livesense/w0
      production: v1.0.0 is there since 19:00 · by ⟦@alice⟧ ⚠ ⏳ 2
      🚀 v1.1.0 runs since 20:58 (1 min 5 s) · by ⟦@alice⟧
      ❄ Frozen: ⟦@bob⟧: incident 42 <!here>
      staging: no successful deploy is on record ⚠ ⏳ 1
      🔒 Closed: outside the windows of staging (until 2026-03-11 00:00)
      deploy/web1 · livesense/w1"
    `);
  });

  it('says why there is nothing', async () => {
    const other = aWeb(undefined, { metadata: { name: 'other' } });
    const fake = new FakeBot({ resources: [other] });
    expect(await fake.ask('status')).toBe('There is nothing that you may see here. whoami says why.');
    expect(await fake.ask('status', { channel: 'C0X' })).toMatch(/^Nothing was done: no rule allows you this here/);
    expect(fake.decisions.map(({ outcome }) => outcome)).toEqual(['done', 'noRule']);
  });
});

describe('what cannot be known is refused', () => {
  it.each(['person', 'channel', 'groups'] as const)('if the %s cannot be looked up', async (failing) => {
    const fake = new FakeBot({ config: CONFIG.replace(`users: [${ALICE}]`, '') });
    fake.facts.failing.add(failing);
    for (const line of ['status', 'status web', 'queue web', 'history web', 'history web production']) {
      expect(await fake.ask(line), line).toMatch(/^Could not ask Slack who you are; nothing was done/);
    }
    expect(fake.decisions.map(({ outcome }) => outcome)).toEqual(Array(5).fill('lookupFailed'));
  });

  it('and what a failed look-up may hide is said to be missing', async () => {
    const rule = `  - { may: [status], targets: [deploy/api], environments: ["*"], channels: [C0PROD], users: [${ALICE}] }\n`;
    const api = aWeb(undefined, { metadata: { name: 'api' }, spec: { repositories: ['livesense/api'] } });
    const config = CONFIG.replace(`    users: [${ALICE}]\n`, '') + rule;
    const fake = new FakeBot({ config, resources: [aWeb(), api] });
    fake.facts.failing.add('groups');
    const said = await fake.ask('status');
    expect(said).toContain('⚠ Could not ask Slack for all of your groups: there may be more.');
    expect(said).toContain('deploy/api');
    expect(said).not.toContain('deploy/web');
  });
});

it.each(['status', 'status web', 'queue web', 'history web'])(
  'a bot outside the cluster says why not: %s',
  async (line) => {
    const fake = new FakeBot({ config: FILE_CONFIG });
    expect(await fake.ask(line)).toMatch(/ is not possible here: this bot runs outside the cluster/);
    expect(fake.decisions).toMatchObject([{ outcome: 'outsideCluster' }]);
  },
);
