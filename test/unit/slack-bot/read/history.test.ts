import { describe, expect, it } from 'vitest';
import { checkMessageBlocks } from '../../../../dev/local-slack/block-kit/blocks.ts';
import { RESULTS } from '../../../../src/api/reasons.ts';
import { aHistoryEntry, aJob } from '../../../kit/builders.ts';
import { ALICE, aWeb, BOB, CONFIG, FakeBot, render } from '../fake-bot.ts';
import { BUSY, busyWeb, NO_KUBE } from './a-busy-web.ts';

const aBot = (language: 'en' | 'ja' = 'en') =>
  new FakeBot({ resources: [busyWeb()], kube: NO_KUBE, profiles: { [ALICE]: { language } } });

describe('the history of a target', () => {
  it('is shown, the newest first, with what makes sense now', async () => {
    const fake = aBot();
    const said = await fake.ask('history web');
    expect(said).toMatchInlineSnapshot(`
      "deploy/web
      Times: Asia/Tokyo
      ❌ v1.0.9 failed at 20:01 · production · in 1 min 40 s · by ⟦@bob⟧ · cap ended with an error
      [Retry] [Roll back to v1.0.0]
      ⤵ v1.0.8 overtaken at 19:59 · production · by ci · a newer request took its place
      [Retry]
      ✅ v1.0.0 deployed at 19:00 · production · in 2 min 4 s · by ⟦@alice⟧
      ✅ v0.9.0 deployed at 2026-03-09 20:00 · production · in 2 min 20 s · by slack:T0TEAM/U0ALICE <!channel> (not verified)
      🛑 old aborted at 2026-03-09 18:36 · staging · in 2 min 20 s · by ⟦@bob⟧ · somebody deleted its Job (⟦@bob⟧)
      [Retry]"
    `);
    expect(said).not.toContain('secret of the log');
    expect(fake.decisions).toMatchObject([{ verb: 'history', target: 'deploy/web', outcome: 'done' }]);
  });

  it('in Japanese', async () => {
    expect(await aBot('ja').ask('history web')).toMatchInlineSnapshot(`
      "deploy/web
      時刻: Asia/Tokyo
      ❌ v1.0.9 失敗(20:01) · production · 1 分 40 秒 · 依頼: ⟦@bob⟧ · cap がエラーで終了
      [再実行] [v1.0.0 に戻す]
      ⤵ v1.0.8 新しいデプロイに置き換え(19:59) · production · 依頼: ci · より新しい依頼に置き換えられた
      [再実行]
      ✅ v1.0.0 デプロイ完了(19:00) · production · 2 分 4 秒 · 依頼: ⟦@alice⟧
      ✅ v0.9.0 デプロイ完了(2026-03-09 20:00) · production · 2 分 20 秒 · 依頼: slack:T0TEAM/U0ALICE <!channel>(未確認)
      🛑 old 中止(2026-03-09 18:36) · staging · 2 分 20 秒 · 依頼: ⟦@bob⟧ · Job が削除された (⟦@bob⟧)
      [再実行]"
    `);
  });

  it('of one environment', async () => {
    const said = await aBot().ask('history web staging');
    expect(said).toMatch(/^deploy\/web → staging\n/);
    expect(said).not.toContain('v1.0.0');
  });

  it('leaves out the environments that no rule covers here', async () => {
    const fake = aBot();
    fake.setConfig(CONFIG.replace('[staging, production]', '[staging]'));
    expect(await fake.ask('history web')).not.toMatch(/production|v1\.0/);
    expect(await fake.ask('history web production')).toMatch(/^deploy\/web has no environment production that you/);
  });

  it('has no buttons for who may not, and names the task if that chooses the revision', async () => {
    const fake = aBot();
    expect(await fake.ask('history web', { user: BOB, channel: 'C0DEPLOYS' })).not.toContain('[Roll back');
    fake.setConfig(`${CONFIG}rollback: task\n`);
    expect(await fake.ask('history web')).toContain('[Roll back]');
  });

  it('offers no retry of what a newer success has overtaken, and no way back from it', async () => {
    const fake = aBot();
    const newer = aHistoryEntry(aJob({ id: 'r9', revision: 'v2' }));
    fake.targets.set([aWeb({ ...BUSY, history: [newer, ...BUSY.history] })]);
    const lines = (await fake.ask('history web production')).split('\n');
    expect(lines.filter((line) => line.startsWith('['))).toEqual(['[Roll back to v1.0.0]']);
    expect(lines[3]).toBe('[Roll back to v1.0.0]');
  });

  it('says so if nothing has ended', async () => {
    expect(await new FakeBot().ask('history web')).toContain('Nothing has ended yet');
  });

  it('knows every result; a reason of a newer operator is its own word', async () => {
    const history = RESULTS.map((result, place) =>
      aHistoryEntry(aJob({ id: `r${place}`, revision: `v${place}` }), { result, reason: 'Eclipse' }),
    );
    const fake = new FakeBot({ resources: [aWeb({ history })] });
    const said = await fake.ask('history web');
    for (const mark of ['✅', '❌', '🛑', '⤵', '🚫']) expect(said).toContain(mark);
    expect(said.match(/Eclipse/g)).toHaveLength(RESULTS.length);
  });

  it('shows ten, and fits with the longest texts', async () => {
    const long = { revision: 'r'.repeat(244), requestedBy: '<!channel>'.repeat(25), senderId: 'AIDA' };
    const history = Array.from({ length: 50 }, (_, place) =>
      aHistoryEntry(aJob({ id: `r${place}`, ...long }), { result: 'Aborted', abortedBy: '&'.repeat(256) }),
    );
    const fake = new FakeBot({ resources: [aWeb({ history })], kube: NO_KUBE });
    const answer = await fake.answer('history web');
    expect(checkMessageBlocks(answer.blocks, '/blocks')).toEqual([]);
    const short = new FakeBot({
      resources: [
        aWeb({
          history: history.map((entry) => ({ ...entry, revision: 'v1', requestedBy: 'x', abortedBy: undefined })),
        }),
      ],
    });
    expect((await short.ask('history web')).match(/🛑/g)).toHaveLength(10);
    expect(render(answer)).toMatch(/… and \d more\.$/);
  });
});
