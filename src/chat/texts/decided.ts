import type { DeployButton } from '../buttons.ts';
import type { Line } from '../rich-text.ts';
import { type Deployed, type Lane, lane, type Revised, revisionOf } from './decide.ts';
import { what } from './deploy.ts';

/** What is said after a decision about a deploy: to the one who decided, and to all. */

const en = {
  // Why nothing was done.
  outsideCluster: (verb: string): Line => [
    `${verb} is not possible here: this bot runs outside the cluster (source: file), sees no deploys and changes none.`,
  ],
  switchedOff: (why: string): Line => ['Nothing was done: the bot itself may not do this. ', why],
  notOnRecord: (): Line => [
    'Nothing was done: this deploy is not on record any more. ',
    { code: 'status' },
    ' and ',
    { code: 'history' },
    ' show what is.',
  ],
  oldButton: (): Line => [
    'Nothing was done: this button is of another version of the bot. ',
    { code: 'help' },
    ' lists the commands.',
  ],
  notOpened: (): Line => ['Nothing was done: Slack did not open the question in time. Click again.'],
  hasEnded: (deploy: Deployed, ending: string, at: string): Line => [
    'Nothing was done: ',
    ...what(deploy),
    ` ended at ${at}: ${ending}.`,
  ],
  hasStarted: (deploy: Deployed): Line => [
    'Nothing was done: ',
    ...what(deploy),
    ' has started. Abort it if that is what you want.',
  ],
  notEnded: (deploy: Deployed): Line => [
    'Nothing was done: ',
    ...what(deploy),
    ' has not ended. Wait for it, or abort it.',
  ],
  hasSucceeded: (deploy: Deployed): Line => [
    'Nothing was done: ',
    ...what(deploy),
    ' has succeeded. To deploy the same again, ask for it as a new deploy.',
  ],
  needsNoApproval: (deploy: Deployed): Line => [
    'Nothing was done: ',
    ...what(deploy),
    ' needs no approval. ',
    { code: 'status' },
    ' says what it waits for.',
  ],
  approvedAlready: (deploy: Deployed, by: Line): Line => [
    'Nothing was done: ',
    ...what(deploy),
    ' is approved already, by ',
    ...by,
    '.',
  ],
  ownRequest: (): Line => ['Nothing was done: who asked for a deploy cannot approve it. Ask somebody else to.'],
  unverified: (): Line => [
    'Nothing was done: nobody vouches for who asked for this deploy, so it cannot be approved here. Its sender is not ' +
      'among trustedSenders. Ask for it with ',
    { code: 'deploy' },
    ' in Slack, or approve it with kubectl.',
  ],
  noUid: (): Line => ['Nothing was done: the status does not name the Job in full yet. Try again in a minute.'],
  changed: (): Line => ['Something has changed since you were asked, so nothing was done. This is how it is now:'],
  stale: (minutes: number): Line => [
    `Nothing was done: the API server has not answered for ${minutes} min, and nobody knows what is there now.`,
  ],
  notDone: (why: string): Line => ['Nothing was done: ', why],
  perhapsDone: (why: string): Line => [
    'Perhaps done: no clear answer came. ',
    { code: 'status' },
    ' shows it. You may safely do it again. ',
    why,
  ],
  working: (): Line => ['This takes longer than usual. The answer will appear here.'],
  done: (): Line => ['Done.'],

  // For a line without a job.
  several: (): Line => ['There are several. Choose one, or write the end of the name of its Job after the line.'],
  more: (count: number): Line => [`And ${count} more.`],
  none: {
    abort: (it: Lane): Line => ['Nothing runs or waits in ', ...lane(it), '.'],
    approve: (it: Lane): Line => ['Nothing waits for an approval in ', ...lane(it), '.'],
    retry: (it: Lane): Line => [
      'Since its last success no deploy of ',
      ...lane(it),
      ' has failed. To retry an older one, write the end of the name of its Job after the line.',
    ],
  },

  // What all read.
  said: {
    approve: (user: string, it: Deployed): Line => [{ user }, ' approves ', ...what(it), '.'],
    refuse: (user: string, it: Deployed): Line => [{ user }, ' refuses ', ...what(it), '.'],
    abort: (user: string, it: Deployed): Line => [{ user }, ' aborts ', ...what(it), '.'],
    retry: (user: string, it: Deployed): Line => [{ user }, ' retries ', ...what(it), '.'],
  } satisfies Record<Exclude<DeployButton, 'rollback'>, unknown>,
  rollsBack: (user: string, it: Lane, from: string, to: Revised): Line => [
    { user },
    ' rolls back ',
    ...lane(it),
    ': ',
    { code: from },
    ' → ',
    ...revisionOf(to),
    '.',
  ],
  freezes: (user: string, it: Lane, reason: string): Line => [{ user }, ' freezes ', ...lane(it), ': ', reason],
  replacesFreeze: (text: string): Line => ['It was frozen before: ', text],
  thaws: (user: string, it: Lane, text: string): Line => [
    { user },
    ' unfreezes ',
    ...lane(it),
    '. It was frozen: ',
    text,
  ],
};

const ja: typeof en = {
  outsideCluster: (verb) => [
    `${verb} はここでは使えません: このボットはクラスターの外で動いており(source: file)、デプロイを参照することも変えることもできません。`,
  ],
  switchedOff: (why) => ['何も実行していません: ボットにこの操作の権限がありません。', why],
  notOnRecord: () => [
    '何も実行していません: このデプロイの記録はもうありません。',
    { code: 'status' },
    ' と ',
    { code: 'history' },
    ' で確認してください。',
  ],
  oldButton: () => [
    '何も実行していません: このボタンは別のバージョンのボットが表示したものです。',
    { code: 'help' },
    ' でコマンドの一覧を見られます。',
  ],
  notOpened: () => ['何も実行していません: 確認画面を時間内に開けませんでした。もう一度押してください。'],
  hasEnded: (deploy, ending, at) => [
    '何も実行していません: ',
    ...what(deploy),
    ` は ${at} に「${ending}」で終わりました。`,
  ],
  hasStarted: (deploy) => [
    '何も実行していません: ',
    ...what(deploy),
    ' はすでに開始しています。必要なら中止してください。',
  ],
  notEnded: (deploy) => [
    '何も実行していません: ',
    ...what(deploy),
    ' はまだ終わっていません。終了を待つか、中止してください。',
  ],
  hasSucceeded: (deploy) => [
    '何も実行していません: ',
    ...what(deploy),
    ' は成功しています。もう一度デプロイするには、新しいデプロイとして依頼してください。',
  ],
  needsNoApproval: (deploy) => [
    '何も実行していません: ',
    ...what(deploy),
    ' は承認不要です。待機の理由は ',
    { code: 'status' },
    ' で確認できます。',
  ],
  approvedAlready: (deploy, by) => [
    '何も実行していません: ',
    ...what(deploy),
    ' はすでに ',
    ...by,
    ' が承認しています。',
  ],
  ownRequest: () => [
    '何も実行していません: 自分が依頼したデプロイは承認できません。ほかの人に承認を依頼してください。',
  ],
  unverified: () => [
    '何も実行していません: 依頼者が確認されていないため、ここでは承認できません(送信元が trustedSenders にありません)。Slack で ',
    { code: 'deploy' },
    ' を使って依頼するか、kubectl で承認してください。',
  ],
  noUid: () => [
    '何も実行していません: ステータスに Job の情報がまだ揃っていません。1 分ほどしてからもう一度お試しください。',
  ],
  changed: () => ['確認している間に状況が変わったため、何も実行していません。現在の状況:'],
  stale: (minutes) => [
    `何も実行していません: API サーバーが ${minutes} 分間応答しておらず、現在の状態が分かりません。`,
  ],
  notDone: (why) => ['何も実行していません: ', why],
  perhapsDone: (why) => [
    '実行できたかどうか確認できません(応答がはっきりしません)。',
    { code: 'status' },
    ' で確認してください。同じ操作をもう一度行っても問題ありません。',
    why,
  ],
  working: () => ['通常より時間がかかっています。結果はここに表示します。'],
  done: () => ['完了しました。'],

  several: () => ['複数あります。ボタンで選ぶか、Job 名の末尾を行の最後に書いてください。'],
  more: (count) => [`ほかに ${count} 件あります。`],
  none: {
    abort: (it) => [...lane(it), ' に実行中・待機中のデプロイはありません。'],
    approve: (it) => [...lane(it), ' に承認待ちのデプロイはありません。'],
    retry: (it) => [
      ...lane(it),
      ' では最後に成功したあと、失敗したデプロイはありません。それより前のものは、Job 名の末尾を行の最後に書くと再実行できます。',
    ],
  },

  said: {
    approve: (user, it) => [{ user }, ' が承認しました: ', ...what(it)],
    refuse: (user, it) => [{ user }, ' が却下しました: ', ...what(it)],
    abort: (user, it) => [{ user }, ' が中止しました: ', ...what(it)],
    retry: (user, it) => [{ user }, ' が再実行を依頼しました: ', ...what(it)],
  },
  rollsBack: (user, it, from, to) => [
    { user },
    ' がロールバックを依頼しました: ',
    ...lane(it),
    ' ',
    { code: from },
    ' → ',
    ...revisionOf(to),
  ],
  freezes: (user, it, reason) => [{ user }, ' が凍結しました: ', ...lane(it), ': ', reason],
  replacesFreeze: (text) => ['以前の凍結: ', text],
  thaws: (user, it, text) => [{ user }, ' が凍結を解除しました: ', ...lane(it), '。凍結の内容: ', text],
};

export const decidedTexts = { en, ja };
