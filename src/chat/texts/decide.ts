import type { DeployButton } from '../buttons.ts';
import type { Requester } from '../requester.ts';
import type { Line } from '../rich-text.ts';
import { type Understood, what } from './deploy.ts';

/** A deploy, as messages name it. */
export type Deployed = Omit<Understood, 'notBefore'>;

/** Where a deploy stands. Times as people read them. */
export type Standing =
  | { readonly state: 'active'; readonly since: string }
  | { readonly state: 'waiting'; readonly why: string }
  | { readonly state: 'ended'; readonly ending: string; readonly at: string };

export type Lane = Pick<Understood, 'repository' | 'environment'>;

/** What is deployed, in one word. */
export interface Revised {
  readonly revision?: string | undefined;
  readonly task: string;
}

export const lane = ({ repository, environment }: Lane): Line => [{ bold: `${repository} → ${environment}` }];
const who = (by: Requester): Line => {
  if (by.kind === 'unknown') return [];
  return [by.kind === 'person' ? { user: by.user } : { code: by.text }];
};
export const revisionOf = ({ revision, task }: Revised): Line => [{ code: revision ?? task }];

/** What a view shows before somebody decides about a deploy. */
const en = {
  titles: {
    approve: 'Approve a deploy',
    refuse: 'Refuse a deploy',
    abort: 'Abort a deploy',
    retry: 'Retry a deploy',
    rollback: 'Roll back',
  } satisfies Record<DeployButton, string>,
  buttons: {
    approve: 'Approve',
    refuse: 'Refuse',
    abort: 'Abort',
    retry: 'Retry',
    rollback: 'Roll back',
  } satisfies Record<DeployButton, string>,
  askAgain: 'Ask once more',
  cancel: 'Cancel',
  close: 'Close',
  subject: (deploy: Deployed): Line => what(deploy),
  askedBy: (by: Requester, at: string): Line => {
    if (by.kind === 'unknown') return [`Asked for at ${at}. By whom is not known.`];
    if (by.kind === 'person') return ['Asked for by ', { user: by.user }, ` at ${at}.`];
    if (by.kind === 'elsewhere') return ['Asked for by ', { code: by.text }, ` at ${at}, not in Slack.`];
    return [`Asked for at ${at} by somebody who claims to be `, { code: by.text }, '.'];
  },
  why: (reason: string): Line => ['Why: ', reason],
  standing: (standing: Standing): Line => {
    if (standing.state === 'active') return [`Runs since ${standing.since}.`];
    if (standing.state === 'waiting') return ['Has not started: ', standing.why];
    return [`Ended at ${standing.at}: ${standing.ending}.`];
  },
  newer: (revision: string): Line => ['Newer than this deploy: ', { code: revision }, ' is there since.'],
  effects: {
    approve: 'Approved, it starts as soon as nothing else holds it.',
    refuse: 'Refused, it leaves the queue and never starts.',
    abortWaiting: 'Aborted, it leaves the queue and never starts.',
    abortRunning: 'It is stopped where it stands. The servers may be half way between two revisions.',
    retry: 'The same is asked for once more, as a new request.',
  },
  rollsBackTo: (from: string, to: string): Line => [
    'Deploys ',
    { code: to },
    ', which was there before ',
    { code: from },
    '.',
  ],
  rollsBackBy: (task: string): Line => ['Runs the task ', { code: task }, ', which itself chooses the revision.'],
  earlier: (by: Requester, at: string, standing: Standing): Line => {
    const asked: Line = {
      unknown: ['Already asked for'],
      person: ['Already asked for by ', ...who(by)],
      elsewhere: ['Already asked for by ', ...who(by)],
      claim: ['Already asked for by somebody who claims to be ', ...who(by)],
    }[by.kind];
    const became = {
      active: 'it runs.',
      waiting: 'it waits.',
      ended: standing.state === 'ended' ? `it ended: ${standing.ending}.` : '',
    }[standing.state];
    return [...asked, ` at ${at}: ${became}`];
  },
  notVouched: (): Line => [
    'Nobody vouches for who asked: its sender is not among trustedSenders. So nobody has checked that it was not you.',
  ],
  notInSlack: (): Line => ['It was not asked for in Slack. So nobody has checked that it was not you.'],
};

const ja: typeof en = {
  titles: {
    approve: 'デプロイの承認',
    refuse: 'デプロイの却下',
    abort: 'デプロイの中止',
    retry: 'デプロイの再実行',
    rollback: 'ロールバック',
  },
  buttons: { approve: '承認', refuse: '却下', abort: '中止', retry: '再実行', rollback: 'ロールバック' },
  askAgain: 'もう一度依頼する',
  cancel: 'キャンセル',
  close: '閉じる',
  subject: (deploy) => what(deploy),
  askedBy: (by, at) => {
    if (by.kind === 'unknown') return [`依頼: ${at}。依頼者は不明です。`];
    if (by.kind === 'person') return ['依頼: ', { user: by.user }, `、${at}`];
    if (by.kind === 'elsewhere') return ['依頼: ', { code: by.text }, `(Slack 以外から)、${at}`];
    return ['依頼者は ', { code: by.text }, ` を名乗っています(未確認)、${at}`];
  },
  why: (reason) => ['理由: ', reason],
  standing: (standing) => {
    if (standing.state === 'active') return [`実行中: ${standing.since} から`];
    if (standing.state === 'waiting') return ['未開始: ', standing.why];
    return [`終了: ${standing.ending}、${standing.at}`];
  },
  newer: (revision) => ['このデプロイより新しい ', { code: revision }, ' がすでにデプロイされています。'],
  effects: {
    approve: '承認すると、ほかに妨げるものがなくなり次第始まります。',
    refuse: '却下すると、キューから外れ、実行されません。',
    abortWaiting: '中止すると、キューから外れ、実行されません。',
    abortRunning: '途中で止めます。サーバーは 2 つのリビジョンの中間の状態になるかもしれません。',
    retry: '同じ内容を新しいリクエストとして依頼します。',
  },
  rollsBackTo: (from, to) => [{ code: from }, ' の前の ', { code: to }, ' をデプロイします。'],
  rollsBackBy: (task) => ['タスク ', { code: task }, ' を実行します。戻り先のリビジョンはタスクが決めます。'],
  earlier: (by, at, standing) => {
    const asked: Line = {
      unknown: [],
      person: [...who(by), ' が '],
      elsewhere: [...who(by), ' が '],
      claim: [...who(by), '(未確認)が '],
    }[by.kind];
    const became = {
      active: '実行中です。',
      waiting: '待機中です。',
      ended: standing.state === 'ended' ? `「${standing.ending}」で終わりました。` : '',
    }[standing.state];
    return [...asked, `${at} にすでに依頼しています: ${became}`];
  },
  notVouched: () => [
    '依頼者は確認されていません(送信元が trustedSenders にありません)。あなた自身の依頼でないことを確認してください。',
  ],
  notInSlack: () => ['Slack からの依頼ではありません。あなた自身の依頼でないことを確認してください。'],
};

export const decideTexts = { en, ja };
