import { describe, expect, it } from 'vitest';
import type { FormMetadata } from '../../../src/chat/form.ts';
import { formView } from '../../../src/chat/form-view.ts';
import { content, inBoth, LANE, question, shown, view } from './a-form.ts';

describe('what a person sees', () => {
  it('in English', () => {
    expect(shown(view({ environment: 'production', lane: LANE }))).toMatchInlineSnapshot(`
      "Repository: [Type or choose a repository ▾]
      Environment: ( ) staging ( ) production 🔒
      v1.0.0 is there since 17:00 · by ⟦@bob⟧ · usually 2 min 5 s
      ⚠ After that v1.0.1 ended: failed. Look at the servers.
      🚀 v1.0.2 runs since 18:58 (2 min) · by slack:T0TEAM/U0ALICE alice (not verified) · ImagePullBackOff
      4 wait: v1.0.3, v1.0.4, v1.0.5 …
      ❄ Frozen: alice: incident 42
      🔒 Closed: no window of kind Allow is open (until 2026-12-01 09:00)
      Times: Asia/Tokyo
      Revision: [Tag, branch or commit ▾]
      Why (optional): []
      Not before (optional): []
      Announced in ⟦#prod⟧"
    `);
  });

  it('in Japanese', () => {
    expect(shown(view({ environment: 'production', lane: LANE }, 'ja'))).toMatchInlineSnapshot(`
      "リポジトリ: [リポジトリを入力または選択 ▾]
      環境: ( ) staging ( ) production 🔒
      v1.0.0 が 17:00 から稼働 · 依頼: ⟦@bob⟧ · 通常 2分5秒
      ⚠ そのあと v1.0.1 が「失敗」で終了。サーバーを確認してください。
      🚀 v1.0.2 をデプロイ中、18:58 から(2分) · 依頼: slack:T0TEAM/U0ALICE alice(未確認) · ImagePullBackOff
      4 件が待機: v1.0.3, v1.0.4, v1.0.5 …
      ❄ 凍結: alice: incident 42
      🔒 時間外: no window of kind Allow is open(2026-12-01 09:00 まで)
      時刻: Asia/Tokyo
      リビジョン: [タグ、ブランチ、コミット ▾]
      理由 (optional): []
      開始時刻の下限 (optional): []
      通知先: ⟦#prod⟧"
    `);
  });

  it('a lane without anything in it, and a memory that is old', () => {
    const nothing = { current: undefined, unsure: undefined, active: undefined, frozen: undefined, closed: undefined };
    const lane = { ...LANE, ...nothing, waiting: [], usualMs: undefined };
    expect(
      inBoth((language) => view({ environment: 'staging', lane, staleMs: 300_000 }, language)),
    ).toMatchInlineSnapshot(`
      "Repository: [Type or choose a repository ▾]
      Environment: ( ) staging ( ) production 🔒
      no deploy has succeeded yet
      Times: Asia/Tokyo
      Revision: [Tag, branch or commit ▾]
      Why (optional): []
      Not before (optional): []
      ⚠ The cluster is not seen just now. What stands here is 5 min old.
      Announced in ⟦#prod⟧
      ————
      リポジトリ: [リポジトリを入力または選択 ▾]
      環境: ( ) staging ( ) production 🔒
      成功したデプロイはまだありません
      時刻: Asia/Tokyo
      リビジョン: [タグ、ブランチ、コミット ▾]
      理由 (optional): []
      開始時刻の下限 (optional): []
      ⚠ 現在クラスターが見えません。表示は 5分前のものです。
      通知先: ⟦#prod⟧"
    `);
  });

  it('a form of a bot that sees no cluster', () => {
    expect(shown(view({ environment: 'staging' }))).toContain('What runs there is not known');
  });

  it('only environments and the repository if no environment is chosen', () => {
    const text = shown(view());
    expect(text).toContain('( ) staging ( ) production 🔒');
    expect(text).not.toContain('is there since');
  });

  it('the channel first if the form has none', () => {
    const without = {
      metadata: { channel: undefined, picksChannel: true } as Partial<FormMetadata>,
      channels: ['C0PROD', 'C0DEPLOYS'],
      choices: undefined,
    };
    expect(inBoth((language) => formView({ ...content(language, without), place: undefined }))).toMatchInlineSnapshot(`
      "Channel: [ ▾]
      You may deploy in ⟦#prod⟧, ⟦#deploys⟧
      ————
      チャンネル: [ ▾]
      デプロイできるチャンネル: ⟦#prod⟧, ⟦#deploys⟧"
    `);
  });

  it('the question before a deploy', () => {
    expect(inBoth((language) => question(language))).toMatchInlineSnapshot(`
      "livesense/web → production
      v1.0.0 → v1.1.0
      Why: fixes the basket
      Not before: 2026-11-30 20:00 GMT+9
      ────
      v1.0.0 is there since 17:00 · by ⟦@bob⟧ · usually 2 min 5 s
      ⚠ After that v1.0.1 ended: failed. Look at the servers.
      🚀 v1.0.2 runs since 18:58 (2 min) · by slack:T0TEAM/U0ALICE alice (not verified) · ImagePullBackOff
      4 wait: v1.0.3, v1.0.4, v1.0.5 …
      ❄ Frozen: alice: incident 42
      🔒 Closed: no window of kind Allow is open (until 2026-12-01 09:00)
      Times: Asia/Tokyo
      Announced in ⟦#prod⟧
      [Back to the form]
      ————
      livesense/web → production
      v1.0.0 → v1.1.0
      理由: fixes the basket
      開始時刻の下限: 2026-11-30 20:00 GMT+9
      ────
      v1.0.0 が 17:00 から稼働 · 依頼: ⟦@bob⟧ · 通常 2分5秒
      ⚠ そのあと v1.0.1 が「失敗」で終了。サーバーを確認してください。
      🚀 v1.0.2 をデプロイ中、18:58 から(2分) · 依頼: slack:T0TEAM/U0ALICE alice(未確認) · ImagePullBackOff
      4 件が待機: v1.0.3, v1.0.4, v1.0.5 …
      ❄ 凍結: alice: incident 42
      🔒 時間外: no window of kind Allow is open(2026-12-01 09:00 まで)
      時刻: Asia/Tokyo
      通知先: ⟦#prod⟧
      [フォームに戻る]"
    `);
  });
});
