import type { LaneFacts } from '../lane-facts.ts';
import type { Requester } from '../requester.ts';
import type { Line } from '../rich-text.ts';
import { what as deployOf, type Understood } from './deploy.ts';
import { timeOf } from './time.ts';

/** How the reader counts: the time now in epoch milliseconds, and the reader's time zone. */
export interface Reader {
  readonly now: number;
  readonly timeZone: string;
}

const MINUTE_MS = 60_000;

/** A stretch of time in its largest unit. @param units of seconds, minutes, hours and days */
function span(ms: number, [second, minute, hour, day]: readonly [string, string, string, string]): string {
  const minutes = ms / MINUTE_MS;
  if (minutes < 1.5) return `${Math.max(0, Math.round(ms / 1000))} ${second}`;
  if (minutes < 90) return `${Math.round(minutes)} ${minute}`;
  if (minutes < 36 * 60) return `${Math.round(minutes / 60)} ${hour}`;
  return `${Math.round(minutes / 1440)} ${day}`;
}

const spanEn = (ms: number): string => span(ms, ['s', 'min', 'h', 'days']);
const spanJa = (ms: number): string => span(ms, ['秒', '分', '時間', '日']);

/** Slack refuses the whole view for a mention of what is no id of a user. */
const USER_ID = /^[UW][A-Z0-9]{2,20}$/;

/** @param claim what stands before a name for which nobody vouches */
function by(requester: Requester, claim: string): Line {
  if (requester.kind === 'unknown') return [];
  if (requester.kind === 'person') {
    const { user } = requester;
    return [' · ', USER_ID.test(user) ? { user } : user];
  }
  return [` · ${requester.kind === 'claim' ? claim : ''}${requester.text}`];
}

const what = ({ revision, task }: { revision?: string | undefined; task: string }) => ({ code: revision ?? task });

/** Names of the first requests that wait; all of them would fill the form. */
const MOST_WAITING = 3;

const firstOf = (waiting: LaneFacts['waiting']): Line => [
  ...waiting.slice(0, MOST_WAITING).flatMap((each, place) => [place === 0 ? '' : ', ', what(each)]),
  waiting.length > MOST_WAITING ? ' …' : '',
];

const since = (moment: string, { now }: Reader): number => Math.max(0, now - Date.parse(moment));

const en = {
  title: 'Deploy',
  deploy: 'Deploy',
  continue: 'Continue',
  cancel: 'Cancel',
  close: 'Close',
  back: 'Back to the form',
  channel: 'Channel',
  repository: 'Repository',
  environment: 'Environment',
  revision: 'Revision',
  longRevision: 'Revision (tag, branch or commit)',
  task: 'Task',
  reason: 'Why',
  notBefore: 'Not before',
  now: 'Empty: as soon as possible.',
  chooseRepository: 'Type or choose a repository',
  chooseEnvironment: 'Choose an environment',
  chooseRevision: 'Tag, branch or commit',
  longer: 'A longer revision: type it below',
  use: (revision: string): string => `use ${revision}`,
  ended: (environment: string, result: string, ms: number): string => `${environment} · ${result} · ${spanEn(ms)} ago`,
  lane: ({ current, unsure, active, waiting, frozen, closed, usualMs }: LaneFacts, reader: Reader): Line[] => [
    current
      ? [
          'Runs now: ',
          { code: current.revision },
          ...by(current.by, 'claims to be '),
          ` · ${spanEn(since(current.finishedAt, reader))} ago`,
          usualMs === undefined ? '' : ` (usually ${spanEn(usualMs)})`,
        ]
      : ['Runs now: no successful deploy is on record'],
    ...(unsure ? [['After it: ', what(unsure), ` ended as ${unsure.result}; look at the servers`]] : []),
    ...(active
      ? [
          [
            'Deploying: ',
            what(active),
            ...by(active.by, 'claims to be '),
            ` · for ${spanEn(since(active.since, reader))}`,
            active.why === undefined ? '' : ` · ${active.why}`,
          ],
        ]
      : []),
    waiting.length === 0 ? ['Waiting: nothing'] : [`Waiting: ${waiting.length} (`, ...firstOf(waiting), ')'],
    ...(frozen ? [[`Frozen: ${frozen.text}`]] : []),
    ...(closed
      ? [[`Closed: ${closed.why}`, closed.until === undefined ? '' : ` (until ${timeOf(closed.until, reader)})`]]
      : []),
  ],
  notSeen: (): Line => ['What runs there is not known: this bot sees no cluster.'],
  stale: (ms: number): Line => [`⚠ The cluster is not seen just now. What stands here is ${spanEn(ms)} old.`],
  unseen: (): Line => ['Nothing was done: the bot has not seen the cluster yet. Try again soon.'],
  announced: (channel: string): Line => ['Announced in ', { channel }],
  loading: (): Line => ['Loading… / 読み込み中…'],
  checking: (): Line => ['Checking…'],
  notSent: (): Line => ['The form has not been sent.'],
  sent: (): Line => ['Sent. The answer is in the channel.'],
  sentBefore: (it: Understood): Line => [
    'This form was submitted before, with ',
    ...deployOf(it),
    '. What stands in it now was not sent; open a new form for it.',
  ],
  expired: (): Line => ['This form is of an older version. Nothing was done; open a new one.'],
  couldNotOpen: (): Line => ['Slack did not open the form: a click is good for 3 s. Try again.'],
  chooseChannel: (channels: readonly string[]): Line => [
    'You may deploy in ',
    ...channels.flatMap((channel, place) => [place === 0 ? '' : ', ', { channel }]),
  ],
  noChannel: (): Line => [
    'There is no channel of yours in which a rule lets you deploy. In a channel, ',
    { code: 'whoami' },
    ' says which rules there are for you.',
  ],
  notMember: (channel: string): Line => ['Nothing was done: you are not a member of ', { channel }, '.'],
  membershipUnknown: (channel: string): Line => [
    'Nothing was done: could not ask Slack whether you are a member of ',
    { channel },
    '. Try again.',
  ],
  gone: 'You may not use this here. Choose again.',
  chooseAgain: 'Choose again.',
  past: 'This time is over.',
  question: (it: Understood): Line => [{ bold: `${it.repository} → ${it.environment}` }],
  change: (from: string | undefined, { revision, task }: Understood): Line => [
    ...(from === undefined || revision === undefined || task !== 'deploy' ? [] : [{ code: from }, ' → ']),
    { code: revision ?? task },
    ...(revision === undefined || task === 'deploy' ? [] : [' (', { code: task }, ')']),
  ],
  because: (reason: string): Line => [`Why: ${reason}`],
  notBeforeAt: (at: string): Line => [`Not before: ${at}`],
  changed: (): Line => ['⚠ Meanwhile another revision runs there. Look again.'],
};

const ja: typeof en = {
  title: 'デプロイ',
  deploy: 'デプロイ',
  continue: '確認へ',
  cancel: 'キャンセル',
  close: '閉じる',
  back: 'フォームに戻る',
  channel: 'チャンネル',
  repository: 'リポジトリ',
  environment: '環境',
  revision: 'リビジョン',
  longRevision: 'リビジョン (タグ、ブランチ、コミット)',
  task: 'タスク',
  reason: '理由',
  notBefore: '開始時刻の下限',
  now: '空欄: できるだけ早く開始します。',
  chooseRepository: 'リポジトリを入力または選択',
  chooseEnvironment: '環境を選択',
  chooseRevision: 'タグ、ブランチ、コミット',
  longer: '長いリビジョン: 下の欄に入力してください',
  use: (revision) => `${revision} を使う`,
  ended: (environment, result, ms) => `${environment} · ${result} · ${spanJa(ms)}前`,
  lane: ({ current, unsure, active, waiting, frozen, closed, usualMs }, reader) => [
    current
      ? [
          '稼働中: ',
          { code: current.revision },
          ...by(current.by, '自称 '),
          ` · ${spanJa(since(current.finishedAt, reader))}前`,
          usualMs === undefined ? '' : ` (所要時間の目安 ${spanJa(usualMs)})`,
        ]
      : ['稼働中: 成功したデプロイの記録がありません'],
    ...(unsure ? [['その後: ', what(unsure), ` が ${unsure.result} で終了。サーバーを確認してください`]] : []),
    ...(active
      ? [
          [
            'デプロイ中: ',
            what(active),
            ...by(active.by, '自称 '),
            ` · ${spanJa(since(active.since, reader))}経過`,
            active.why === undefined ? '' : ` · ${active.why}`,
          ],
        ]
      : []),
    waiting.length === 0 ? ['待ち: なし'] : [`待ち: ${waiting.length} 件 (`, ...firstOf(waiting), ')'],
    ...(frozen ? [[`凍結中: ${frozen.text}`]] : []),
    ...(closed
      ? [[`時間外: ${closed.why}`, closed.until === undefined ? '' : ` (${timeOf(closed.until, reader)} まで)`]]
      : []),
  ],
  notSeen: () => ['現在の状態は不明です: このボットからはクラスターが見えません。'],
  stale: (ms) => [`⚠ 現在クラスターが見えません。表示は ${spanJa(ms)}前のものです。`],
  unseen: () => ['何も実行していません: ボットがまだクラスターを確認できていません。しばらくしてからもう一度どうぞ。'],
  announced: (channel) => ['通知先: ', { channel }],
  loading: () => ['読み込み中… / Loading…'],
  checking: () => ['確認中…'],
  notSent: () => ['フォームは送信されていません。'],
  sent: () => ['送信しました。結果はチャンネルで確認してください。'],
  sentBefore: (it) => [
    'このフォームは先に次の内容で送信されています: ',
    ...deployOf(it),
    '。今の内容は送信していません。新しいフォームを開いてください。',
  ],
  expired: () => ['このフォームは古いバージョンのものです。何も実行していません。新しく開いてください。'],
  couldNotOpen: () => ['Slack がフォームを開けませんでした(クリックの有効期間は 3 秒です)。もう一度お試しください。'],
  chooseChannel: (channels) => [
    'デプロイできるチャンネル: ',
    ...channels.flatMap((channel, place) => [place === 0 ? '' : ', ', { channel }]),
  ],
  noChannel: () => [
    '参加中のチャンネルに、デプロイを許可するルールがありません。チャンネルで ',
    { code: 'whoami' },
    ' と入力すると自分に関係するルールを確認できます。',
  ],
  notMember: (channel) => ['何も実行していません: ', { channel }, ' のメンバーではありません。'],
  membershipUnknown: (channel) => [
    '何も実行していません: ',
    { channel },
    ' のメンバーかどうか Slack に確認できませんでした。もう一度お試しください。',
  ],
  gone: 'ここでは使えません。選び直してください。',
  chooseAgain: '選び直してください。',
  past: 'この時刻は過ぎています。',
  question: (it) => [{ bold: `${it.repository} → ${it.environment}` }],
  change: en.change,
  because: (reason) => [`理由: ${reason}`],
  notBeforeAt: (at) => [`開始時刻の下限: ${at}`],
  changed: () => ['⚠ この間に稼働中のリビジョンが変わりました。もう一度確認してください。'],
};

export const formTexts = { en, ja };
