import type { WaitingReason } from '../../api/reasons.ts';
import type { Requester } from '../requester.ts';
import type { Line } from '../rich-text.ts';

/** What `status`, `queue` and `history` show. Times are as the reader's clock has them. */
const en = {
  /** Of a name that nobody vouches for it is said that it is a claim. */
  by: (requester: Requester): Line => {
    if (requester.kind === 'unknown') return [];
    if (requester.kind === 'person') return [' · by ', { user: requester.user }];
    if (requester.kind === 'elsewhere') return [' · by ', requester.text];
    return [' · by ', { code: requester.text }, ' (not verified)'];
  },
  there: (at: string): string => ` is there since ${at}`,
  thereUnknown: 'no successful deploy is on record',
  unsure: (revision: string, result: string): Line => [
    '⚠ ',
    { code: revision },
    ` ended: ${result}. It may have changed the servers: look at them.`,
  ],
  runs: (since: string, took: string, usual: string | undefined): string =>
    ` runs since ${since} (${took}${usual === undefined ? '' : `, usually ${usual}`})`,
  waits: (why: string): string => ` · ${why}`,
  sent: (at: string): string => ` · asked at ${at}`,
  askedWhy: (reason: string): Line => ['Why: ', reason],
  usually: (duration: string): string => ` · usually ${duration}`,
  wait: (count: number): string => `${count} ${count === 1 ? 'waits' : 'wait'}: `,
  nothingWaits: 'nothing runs, nothing waits',
  moreWait: (count: number): Line => [`… and ${count} more wait`],
  until: (at: string): string => ` (until ${at})`,
  frozen: (by: Line): Line => ['❄ Frozen: ', ...by],
  closed: (why: string, until: string): Line => ['🔒 Closed: ', why, until],
  last: (result: string, at: string): string => ` ${result} at ${at}`,
  queueNotRead: (why: string): Line => ['⚠ Its queue is not read: ', why],
  notReady: (why: string): Line => ['⚠ The operator reports: ', why],
  noStatus: (): Line => ['⚠ The operator has not looked at it yet.'],
  stale: (age: string): Line => [`⚠ The API server does not answer. This is from ${age} ago.`],
  notAll: (): Line => ['⚠ Could not ask Slack for all of your groups: there may be more.'],
  moreTargets: (count: number): Line => [`… and ${count} more; `, { code: 'status <repository>' }, ' shows one.'],
  moreEntries: (count: number): Line => [`… and ${count} more.`],
  zone: (timeZone: string): Line => [`Times: ${timeZone}`],
  noTargets: (): Line => ['There is nothing that you may see here. ', { code: 'whoami' }, ' says why.'],
  noHistory: (): Line => ['Nothing has ended yet, as far as is on record.'],
  took: (duration: string): string => ` · in ${duration}`,
  rollbackTo: (revision: string): string => `Roll back to ${revision}`,
  reasons: {
    Next: 'starts next',
    LaneBusy: 'waits for its turn',
    Frozen: 'frozen',
    Closed: 'outside its windows',
    ApprovalMissing: 'waits for an approval',
    NotDue: 'not due yet',
    PodStuck: 'an ended Pod still holds the environment',
    ForeignDeploy: 'another Job holds the environment',
    Interrupted: 'it was suspended by hand after its start',
    HandResumed: 'it was resumed by hand, and runs',
    BeingDeleted: 'its Job is being deleted',
  } satisfies Record<WaitingReason, string>,
  notBefore: (at: string): string => `not before ${at}`,
  between: '; ',
};

const ja: typeof en = {
  by: (requester) => {
    if (requester.kind === 'unknown') return [];
    if (requester.kind === 'person') return [' · 依頼: ', { user: requester.user }];
    if (requester.kind === 'elsewhere') return [' · 依頼: ', requester.text];
    return [' · 依頼: ', { code: requester.text }, '(未確認)'];
  },
  there: (at) => ` が ${at} から稼働`,
  thereUnknown: '成功したデプロイの記録はありません',
  unsure: (revision, result) => [
    '⚠ ',
    { code: revision },
    ` が「${result}」で終わりました。サーバーが変更された可能性があります。サーバーを確認してください。`,
  ],
  runs: (since, took, usual) => ` をデプロイ中、${since} から(${took}${usual === undefined ? '' : `、通常 ${usual}`})`,
  waits: (why) => ` · ${why}`,
  sent: (at) => ` · ${at} に依頼`,
  askedWhy: (reason) => ['理由: ', reason],
  usually: (duration) => ` · 通常 ${duration}`,
  wait: (count) => `${count} 件が待機中: `,
  nothingWaits: '実行中・待機中のデプロイはありません',
  moreWait: (count) => [`… ほか ${count} 件が待機中`],
  until: (at) => `(${at} まで)`,
  frozen: (by) => ['❄ 凍結: ', ...by],
  closed: (why, until) => ['🔒 時間外: ', why, until],
  last: (result, at) => ` ${result}(${at})`,
  queueNotRead: (why) => ['⚠ キューの読み取りが止まっています: ', why],
  notReady: (why) => ['⚠ オペレーターの報告: ', why],
  noStatus: () => ['⚠ オペレーターがまだ確認していません。'],
  stale: (age) => [`⚠ 現在 API サーバーが応答しません。${age}前の情報です。`],
  notAll: () => ['⚠ Slack からグループの情報をすべて取得できませんでした。ほかにもあるかもしれません。'],
  moreTargets: (count) => [`… ほか ${count} 件。`, { code: 'status <repository>' }, ' で個別に見られます。'],
  moreEntries: (count) => [`… ほか ${count} 件。`],
  zone: (timeZone) => [`時刻: ${timeZone}`],
  noTargets: () => ['ここで見られるものはありません。理由は ', { code: 'whoami' }, ' で確認できます。'],
  noHistory: () => ['終了したデプロイの記録はありません。'],
  took: (duration) => ` · ${duration}`,
  rollbackTo: (revision) => `${revision} に戻す`,
  reasons: {
    Next: '次に開始',
    LaneBusy: '順番待ち',
    Frozen: '凍結中',
    Closed: '時間外',
    ApprovalMissing: '承認待ち',
    NotDue: '開始時刻待ち',
    PodStuck: '終わったデプロイの Pod が残っている',
    ForeignDeploy: '別の Job が環境を使っている',
    Interrupted: '開始後に手動で一時停止された',
    HandResumed: '手動で再開され、実行中',
    BeingDeleted: 'Job を削除中',
  },
  notBefore: (at) => `${at} 以降に開始`,
  between: '、',
};

export const readingTexts = { en, ja };
