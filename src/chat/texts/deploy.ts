import type { Refusal } from '../authorise.ts';
import type { CommandProblem } from '../command-line.ts';
import type { Line } from '../rich-text.ts';
import type { NoTarget } from '../target.ts';

/** What a deploy is, as it was understood. */
export interface Understood {
  readonly repository: string;
  readonly environment: string;
  readonly task: string;
  readonly revision: string | undefined;
  readonly notBefore: string | undefined;
}

/** A deploy in one line: `web → production v1.1.0`. */
export const what = ({ repository, environment, task, revision }: Omit<Understood, 'notBefore'>): Line => [
  { bold: `${repository} → ${environment}` },
  ...(revision === undefined ? [] : [' ', { code: revision }]),
  ...(task === 'deploy' ? [] : [' (', { code: task }, ')']),
];

const names = (list: readonly string[]): string => list.join(', ');

const en = {
  understood: (it: Understood, at: string | undefined): Line => [
    'Understood: ',
    ...what(it),
    ...(at ? [`, not before ${at}`] : []),
  ],
  sent: (name: string): Line => [`Sent to ${name}.`],
  queueNotRead: (why: string): Line => [
    `Its queue is not read just now. The deploy does not start until it is read again: ${why}`,
  ],
  notSent: (why: string): Line => [`Not sent: ${why}`],
  /** @param repository for `status`; undefined if this bot sees no status */
  perhapsSent: (repository: string | undefined, why: string): Line => [
    'Perhaps sent: no clear answer came. ',
    ...(repository === undefined
      ? ['The status of the CapDeployJob shows whether it was sent.']
      : [{ code: `status ${repository}` }, ' shows whether it was sent.']),
    ` To send the same line again makes a second deploy. ${why}`,
  ],
  rejected: (it: Understood, reason: string, message: string): Line => [
    'The operator did not accept ',
    ...what(it),
    `: ${reason}. ${message}`,
  ],
  notSeen: (it: Understood, seconds: number): Line => [
    'After ',
    `${seconds} s nobody has taken up `,
    ...what(it),
    '. It is in the queue; the operator may be down or behind.',
  ],
  failed: (): Line => [
    'Something went wrong in the bot; its log says what. ',
    { code: 'status' },
    ' shows what was done.',
  ],
  mentionFirst: (): Line => ['A command begins with my name. ', { code: 'help' }, ' lists the commands.'],
  late: (): Line => ['Nothing was done: this line came late. Write it again if you still want it.'],
  busy: (): Line => ['Nothing was done: the bot has too much to do. Try again soon.'],
  openForm: 'Open the form',
  tooMany: (perMinute: number): Line => [`Nothing was done: more than ${perMinute} requests a minute. Try again soon.`],
  refused: {
    lookupFailed: 'Could not ask Slack who you are; nothing was done. Try again in a minute.',
    otherTeam: 'Nothing was done: you are not of the team that this bot serves. Ask somebody who is.',
    deleted: 'Nothing was done: your account is deactivated.',
    bot: 'Nothing was done: bots and workflows may not do this. A person has to ask for it.',
    guest: 'Nothing was done: guests may not do this. Ask a member of the workspace.',
    stranger: 'Nothing was done: people of other companies may not do this. Ask a member of the workspace.',
    unseenChannel: 'Nothing was done: I am not in this channel. Invite me (/invite), and try again.',
    sharedChannel: 'Nothing was done: this channel is shared with another company. Use a channel of your own company.',
    archivedChannel: 'Nothing was done: this channel is archived. Use another one.',
    directMessage: 'Nothing was done: ask in a channel, where others see it.',
    noRule: 'Nothing was done: no rule allows you this here. ',
  } satisfies Record<Refusal, string>,
  askWhoami: (): Line => [{ code: 'whoami' }, ' says which rules there are for you.'],
  noTarget: (problem: NoTarget): Line =>
    problem.kind === 'ambiguous'
      ? [{ code: problem.found }, ` is the name of several: ${names(problem.targets)}. Write one of these.`]
      : [
          'There is no ',
          { code: problem.found },
          ' that you may use here',
          ...(problem.nearest ? ['; did you mean ', { code: problem.nearest }, '?'] : ['.']),
        ],
  noEnvironment: (name: string, found: string, known: readonly string[], nearest: string | undefined): Line => [
    `${name} has no environment `,
    { code: found },
    ' that you may use here',
    ...(nearest
      ? ['; did you mean ', { code: nearest }, '?']
      : known.length > 0
        ? [`; known: ${names(known)}.`]
        : ['.']),
  ],
  noTask: (name: string, found: string, known: readonly string[]): Line => [
    `${name} has no task `,
    { code: found },
    `; known: ${names(known)}.`,
  ],
  problem: (problem: CommandProblem): Line => {
    switch (problem.kind) {
      case 'openQuote':
        return ['A quote is opened and not closed.'];
      case 'unknownCommand':
        return ['There is no command ', { code: problem.found }, '. ', { code: 'help' }, ' lists them.'];
      case 'unknownOption':
        return [
          { code: problem.found },
          ` is no option of ${problem.verb}`,
          problem.known.length === 0
            ? '; it has none.'
            : `; known: ${problem.known.map((name) => `--${name}`).join(', ')}.`,
        ];
      case 'noValue':
        return [{ code: problem.option }, ' needs a value after it.'];
      case 'twice':
        return [`There are two values for ${problem.field}.`];
      case 'inAndAt':
        return ['Either --in or --at, not both.'];
      case 'tooManyWords':
        return [
          `${problem.verb} does not take `,
          { code: problem.found.join(' ') },
          '. If it is part of a value, put the whole value between quotes.',
        ];
      case 'missing':
        return [`${problem.verb} lacks: ${names(problem.fields)}.`];
      case 'badTime':
        return [
          `--${problem.field} `,
          { code: problem.found },
          {
            format: ': expected 30m, 2h or 1h30m after --in, and 19:30 or 2026-12-01T19:30 after --at.',
            past: ' is over.',
            far: ' is more than 30 days ahead.',
            timeZone:
              ': your time zone in Slack is not known here; write the offset too, as in 2026-12-01T19:30+09:00.',
          }[problem.problem],
        ];
      case 'badValue':
        return [
          { code: problem.found },
          ` is not usable as ${problem.field}`,
          problem.problem === undefined ? '.' : `: ${problem.problem}`,
        ];
    }
  },
};

const ja: typeof en = {
  understood: (it, at) => ['依頼内容: ', ...what(it), ...(at ? [`(${at} 以降に開始)`] : [])],
  sent: (name) => [`${name} に送信しました。`],
  queueNotRead: (why) => [`現在このキューの読み取りが止まっています。再開されるまでデプロイは開始されません: ${why}`],
  notSent: (why) => [`送信できませんでした: ${why}`],
  perhapsSent: (repository, why) => [
    '送信できたかどうか確認できません(応答がはっきりしません)。',
    ...(repository === undefined
      ? ['CapDeployJob の status で確認してください。']
      : [{ code: `status ${repository}` }, ' で確認してください。']),
    `同じ行をもう一度送ると別のデプロイになります。${why}`,
  ],
  rejected: (it, reason, message) => ['オペレーターが受け付けませんでした: ', ...what(it), `(${reason})。${message}`],
  notSeen: (it, seconds) => [
    `${seconds} 秒たってもまだ処理が始まっていません: `,
    ...what(it),
    '。メッセージはキューにあります。オペレーターが停止または遅延している可能性があります。',
  ],
  failed: () => [
    'ボットの内部でエラーが起きました。詳細はログにあります。結果は ',
    { code: 'status' },
    ' で確認してください。',
  ],
  mentionFirst: () => [
    '行の先頭でボットにメンションし、続けてコマンドを書いてください。',
    { code: 'help' },
    ' で一覧を見られます。',
  ],
  late: () => ['何も実行していません: この行は遅れて届きました。まだ必要であれば、もう一度書いてください。'],
  busy: () => ['何も実行していません: ボットが混み合っています。しばらくしてからもう一度お試しください。'],
  openForm: 'フォームを開く',
  tooMany: (perMinute) => [
    `何も実行していません: 1 分あたり ${perMinute} 件を超えました。しばらくしてからもう一度お試しください。`,
  ],
  refused: {
    lookupFailed:
      'Slack からあなたの情報を取得できませんでした。何も実行していません。1 分後にもう一度お試しください。',
    otherTeam:
      '何も実行していません: このボットが担当するワークスペースのメンバーではありません。メンバーに依頼してください。',
    deleted: '何も実行していません: アカウントが無効です。',
    bot: '何も実行していません: ボットやワークフローからは実行できません。人が依頼する必要があります。',
    guest: '何も実行していません: ゲストは実行できません。ワークスペースのメンバーに依頼してください。',
    stranger: '何も実行していません: 社外の方は実行できません。ワークスペースのメンバーに依頼してください。',
    unseenChannel:
      '何も実行していません: ボットがこのチャンネルに参加していません。/invite で招待してから、もう一度お試しください。',
    sharedChannel:
      '何も実行していません: このチャンネルは社外と共有されています。社内だけのチャンネルを使ってください。',
    archivedChannel: '何も実行していません: このチャンネルはアーカイブされています。ほかのチャンネルを使ってください。',
    directMessage: '何も実行していません: ほかの人に見えるチャンネルで依頼してください。',
    noRule: '何も実行していません: このチャンネルでこの操作をあなたに許可するルールがありません。',
  },
  askWhoami: () => [{ code: 'whoami' }, ' で自分に関係するルールを確認できます。'],
  noTarget: (problem) =>
    problem.kind === 'ambiguous'
      ? [
          { code: problem.found },
          ` に当てはまるものが複数あります: ${problem.targets.join('、')}。いずれかを指定してください。`,
        ]
      : [
          { code: problem.found },
          ' という対象はここでは使えません',
          ...(problem.nearest ? ['。', { code: problem.nearest }, ' のことですか?'] : ['。']),
        ],
  noEnvironment: (name, found, known, nearest) => [
    `${name} の環境 `,
    { code: found },
    ' はここでは使えません',
    ...(nearest
      ? ['。', { code: nearest }, ' のことですか?']
      : known.length > 0
        ? [`。使えるのは ${known.join('、')} です。`]
        : ['。']),
  ],
  noTask: (name, found, known) => [
    `${name} にタスク `,
    { code: found },
    ` はありません。使えるのは ${known.join('、')} です。`,
  ],
  problem: (problem) => {
    switch (problem.kind) {
      case 'openQuote':
        return ['引用符が閉じられていません。'];
      case 'unknownCommand':
        return [{ code: problem.found }, ' というコマンドはありません。', { code: 'help' }, ' で一覧を見られます。'];
      case 'unknownOption':
        return [
          `${problem.verb} に `,
          { code: problem.found },
          ' というオプションはありません。',
          problem.known.length === 0 ? '' : `使えるのは ${problem.known.map((name) => `--${name}`).join('、')} です。`,
        ];
      case 'noValue':
        return [{ code: problem.option }, ' のあとに値が必要です。'];
      case 'twice':
        return [`${problem.field} の値が 2 つあります。`];
      case 'inAndAt':
        return ['--in と --at はどちらか一方だけです。'];
      case 'tooManyWords':
        return [
          `${problem.verb} は `,
          { code: problem.found.join(' ') },
          ' を受け付けません。値の一部であれば、値全体を引用符で囲んでください。',
        ];
      case 'missing':
        return [`${problem.verb} に足りない項目: ${problem.fields.join('、')}。`];
      case 'badTime':
        return [
          `--${problem.field} `,
          { code: problem.found },
          {
            format: ': --in には 30m、2h、1h30m、--at には 19:30 または 2026-12-01T19:30 のように書いてください。',
            past: ' は過去の時刻です。',
            far: ' は 30 日を超えているため指定できません。',
            timeZone: ': Slack のタイムゾーンが不明です。2026-12-01T19:30+09:00 のように時差も書いてください。',
          }[problem.problem],
        ];
      case 'badValue':
        return [
          { code: problem.found },
          ` は ${problem.field} に使えません`,
          problem.problem === undefined ? '。' : `: ${problem.problem}`,
        ];
    }
  },
};

export const deployTexts = { en, ja };
