import type { KnownBlock } from '@slack/types';
import { describe, expect, it } from 'vitest';
import { checkMessageBlocks } from '../../../../dev/local-slack/block-kit/blocks.ts';
import { aJob, at, aWaitingEntry } from '../../../kit/builders.ts';
import { ALICE, aWeb, BOB, CONFIG, FakeBot, render } from '../fake-bot.ts';
import { BUSY, busyWeb, NO_KUBE } from './a-busy-web.ts';

const aBot = (language: 'en' | 'ja' = 'en') =>
  new FakeBot({ resources: [busyWeb()], kube: NO_KUBE, profiles: { [ALICE]: { language } } });
const buttonsOf = (blocks: readonly KnownBlock[]) =>
  blocks.flatMap((block) => (block.type === 'actions' ? block.elements : [])) as { action_id: string; value: string }[];

describe('the queue of a target', () => {
  it('is shown in its order, with what the reader may do', async () => {
    const fake = aBot();
    expect(await fake.ask('queue web')).toMatchInlineSnapshot(`
      "deploy/web · livesense/web
      Times: Asia/Tokyo
      production: v1.0.0 is there since 19:00 · by ⟦@alice⟧
      ⚠ v1.0.9 ended: failed. It may have changed the servers: look at them.
      ❄ Frozen: ⟦@bob⟧: incident 42 <!here>
      🚀 v1.1.0 runs since 20:58 (1 min 5 s, usually 2 min 12 s) · by ⟦@alice⟧
      [Abort]
      1. ✋ v1.2.0 · waits for an approval · by ⟦@bob⟧ · asked at 20:59
      Why: fixes the basket
      [Approve] [Abort]
      2. ⏳ v1.3.0 · waits for its turn · by slack:T0TEAM/U0ALICE <!channel> (not verified) · asked at 20:59
      [Abort]
      staging: no successful deploy is on record
      ⚠ old ended: aborted. It may have changed the servers: look at them.
      🔒 Closed: outside the windows of staging (until 2026-03-11 00:00)
      1. ⏳ main · outside its windows · by ci · asked at 20:59
      [Abort]"
    `);
    expect(fake.decisions).toMatchObject([{ verb: 'queue', target: 'deploy/web', outcome: 'done' }]);
  });

  it('in Japanese', async () => {
    expect(await aBot('ja').ask('queue web')).toMatchInlineSnapshot(`
      "deploy/web · livesense/web
      時刻: Asia/Tokyo
      production: v1.0.0 が 19:00 から稼働 · 依頼: ⟦@alice⟧
      ⚠ v1.0.9 が「失敗」で終わりました。サーバーが変更された可能性があります。サーバーを確認してください。
      ❄ 凍結: ⟦@bob⟧: incident 42 <!here>
      🚀 v1.1.0 をデプロイ中、20:58 から(1 分 5 秒、通常 2 分 12 秒) · 依頼: ⟦@alice⟧
      [中止]
      1. ✋ v1.2.0 · 承認待ち · 依頼: ⟦@bob⟧ · 20:59 に依頼
      理由: fixes the basket
      [承認] [中止]
      2. ⏳ v1.3.0 · 順番待ち · 依頼: slack:T0TEAM/U0ALICE <!channel>(未確認) · 20:59 に依頼
      [中止]
      staging: 成功したデプロイの記録はありません
      ⚠ old が「中止」で終わりました。サーバーが変更された可能性があります。サーバーを確認してください。
      🔒 時間外: outside the windows of staging(2026-03-11 00:00 まで)
      1. ⏳ main · 時間外 · 依頼: ci · 20:59 に依頼
      [中止]"
    `);
  });

  it('has buttons that name the deploy, each id once in the message', async () => {
    const buttons = buttonsOf((await aBot().answer('queue web')).blocks);
    expect(new Set(buttons.map(({ action_id }) => action_id)).size).toBe(buttons.length);
    expect(buttons.map(({ action_id }) => action_id.split(':')[0])).toEqual([
      'abort',
      'approve',
      'abort',
      'abort',
      'abort',
    ]);
    const [running] = BUSY.environments[0]?.active ?? [];
    expect(JSON.parse(buttons[0]?.value ?? '')).toEqual({
      ...{ target: 'deploy/web', environment: 'production', job: running?.job },
    });
  });
});

describe('a button is not shown', () => {
  it('if no rule allows what it does', async () => {
    const fake = aBot();
    fake.setConfig(CONFIG.replace('abort, approve, freeze', 'freeze'));
    expect(buttonsOf((await fake.answer('queue web')).blocks)).toEqual([]);
  });

  it('in another channel', async () => {
    const fake = aBot();
    expect(buttonsOf((await fake.answer('queue web', { user: BOB, channel: 'C0DEPLOYS' })).blocks)).toEqual([]);
  });

  it('if the reader asked for it: four eyes', async () => {
    const fake = aBot();
    fake.setConfig(CONFIG.replace(`users: [${ALICE}]`, `users: [${BOB}]`));
    const said = await fake.ask('queue web', { user: BOB });
    expect(said).toContain('[Abort]');
    expect(said).not.toContain('[Approve]');
  });

  it('if the bot itself may not: the operator says how', async () => {
    const fake = aBot();
    fake.powers = { freeze: true, abort: 'no right to delete jobs', approve: 'no right to patch jobs' };
    const said = await fake.ask('queue web');
    expect(said).not.toMatch(/\[Approve\]|\[Abort\]/);
    expect(said).toContain('kubectl annotate …');
  });
});

it('a thousand waiting requests with the longest texts fit into a message', async () => {
  const long = { revision: 'r'.repeat(244), requestedBy: '<'.repeat(256), senderId: 'AIDA' };
  const waiting = Array.from({ length: 1000 }, (_, place) =>
    aWaitingEntry(aJob({ id: `r${place}`, ...long }), { requestReason: '!'.repeat(256), why: 'y'.repeat(512) }),
  );
  const environments = [
    { name: 'production', waiting, frozen: 'f'.repeat(256), closed: 'c'.repeat(512), closedUntil: at(60) },
  ];
  const fake = new FakeBot({ resources: [aWeb({ environments })], kube: NO_KUBE });
  const answer = await fake.answer('queue web');
  expect(checkMessageBlocks(answer.blocks, '/blocks')).toEqual([]);
  const shown = buttonsOf(answer.blocks).length;
  expect(shown).toBeGreaterThan(2);
  // Of sections: the other environment is one, too.
  expect(render(answer)).toMatch(new RegExp(`… and ${1000 - shown + 1} more\\.$`));
});
