import type { UnmetHere } from '../authorise.ts';
import type { Verb } from '../command-line.ts';
import type { Line } from '../rich-text.ts';

/** What `whoami` and `help` say. */

/** An example of each command, with names of the reader's own. */
const exampleOf = (repository: string, environment: string): Record<Verb, string> => ({
  deploy: `deploy -r ${repository} -e ${environment} -h v1.0.0 [-t task] [--reason "…"] [--at 19:30 | --in 30m]`,
  status: 'status [repository]',
  queue: `queue ${repository}`,
  history: `history ${repository} [${environment}]`,
  abort: `abort ${repository} ${environment} [job]`,
  retry: `retry ${repository} ${environment} [job]`,
  rollback: `rollback ${repository} ${environment} [job]`,
  approve: `approve ${repository} ${environment} [job]`,
  freeze: `freeze ${repository} ${environment} incident 42`,
  unfreeze: `unfreeze ${repository} ${environment}`,
  whoami: 'whoami',
  help: 'help',
});

const en = {
  you: (user: string, channel: string): Line => ['You are ', { user }, ' in ', { channel }, '.'],
  personUnknown: (): Line => ['⚠ Slack does not say who you are just now, so nothing is allowed. Try again.'],
  channelUnknown: (): Line => ['⚠ Slack does not say what this channel is just now, so nothing is allowed. Try again.'],
  matching: (): Line => ['Rules that match you here:'],
  noneMatch: (): Line => ['No rule matches you here.'],
  others: (): Line => ['Other rules:'],
  noRules: (): Line => ['There are no rules: nobody may do anything.'],
  rule: (place: number, verbs: readonly string[]): Line => ['• ', { code: `rules[${place}]` }, ` ${verbs.join(', ')}`],
  covers: (targets: readonly string[], environments: readonly string[]): string =>
    ` · ${targets.join(', ')} · ${environments.join(', ')}`,
  unmet: {
    channel: 'for other channels',
    person: 'for other people',
    groupUnknown: 'Slack does not say just now whether you are in one of its groups',
  } satisfies Record<UnmetHere, string>,
  between: '; ',
  protectedNote: (): Line => ['A protected environment has to be named by a rule: "*" does not cover it.'],
  moreRules: (count: number): Line => [`… and ${count} more.`],
  commands: (): Line => ['Begin a line with my name, or use the slash command:'],
  does: {
    deploy: 'deploys; what is missing is asked for in a form',
    status: 'what runs, what waits, and why',
    queue: 'what waits, in order, with buttons',
    history: 'what ended last',
    abort: 'ends a deploy, or takes it from the queue',
    retry: 'deploys the same again',
    rollback: 'deploys the revision that was there before',
    approve: 'approves a deploy that waits for it',
    freeze: 'nothing starts until somebody unfreezes it',
    unfreeze: 'ends a freeze',
    whoami: 'which rules there are for you, and why not the others',
    help: 'this',
  } satisfies Record<Verb, string>,
  example: exampleOf,
  yours: (): Line => ['Here you may use:'],
  nothing: (): Line => ['Here no rule lets you use any target. ', { code: 'whoami' }, ' says why.'],
  target: (name: string, environments: readonly string[]): Line => [
    '• ',
    { bold: name },
    `: ${environments.join(', ')}`,
  ],
  moreTargets: (count: number): Line => [`… and ${count} more.`],
  notAll: (): Line => ['⚠ Could not ask Slack for all of your groups: there may be more.'],
  powers: { freeze: 'freeze', abort: 'abort', approve: 'approve' },
  cannot: (verb: string, targets: readonly string[], why: string): Line => [
    `⚠ The bot itself may not ${verb} in ${targets.join(', ')}: `,
    why,
  ],
  file: (): Line => [
    'This bot runs outside the cluster (source: file): it sends deploys, and sees none. Only deploy, whoami and help work.',
  ],
};

const ja: typeof en = {
  you: (user, channel) => ['ユーザー: ', { user }, '、チャンネル: ', { channel }],
  personUnknown: () => [
    '⚠ 現在 Slack からあなたの情報を取得できないため、どの操作も許可されません。もう一度お試しください。',
  ],
  channelUnknown: () => [
    '⚠ 現在 Slack からこのチャンネルの情報を取得できないため、どの操作も許可されません。もう一度お試しください。',
  ],
  matching: () => ['このチャンネルであなたに適用されるルール:'],
  noneMatch: () => ['このチャンネルであなたに適用されるルールはありません。'],
  others: () => ['ほかのルール:'],
  noRules: () => ['ルールが設定されていないため、だれも操作できません。'],
  rule: (place, verbs) => ['• ', { code: `rules[${place}]` }, ` ${verbs.join('、')}`],
  covers: (targets, environments) => ` · ${targets.join('、')} · ${environments.join('、')}`,
  unmet: {
    channel: 'ほかのチャンネル用',
    person: 'ほかの人用',
    groupUnknown: 'グループのメンバーかどうかを現在 Slack に確認できません',
  },
  between: '、',
  protectedNote: () => ['保護対象の環境は "*" に含まれません。ルールに環境名を明記する必要があります。'],
  moreRules: (count) => [`… ほか ${count} 件。`],
  commands: () => ['行の先頭でこのボットにメンションするか、スラッシュコマンドを使ってください:'],
  does: {
    deploy: 'デプロイします。足りない項目はフォームで尋ねます',
    status: '実行中・待機中のデプロイと待機の理由を表示します',
    queue: '待機中のデプロイを順番に、ボタン付きで表示します',
    history: '最近終了したデプロイを表示します',
    abort: '実行中のデプロイを中止するか、待機中のものを取り消します',
    retry: '同じ内容をもう一度デプロイします',
    rollback: '以前のリビジョンに戻します',
    approve: '承認待ちのデプロイを承認します',
    freeze: '環境を凍結します(解除するまで何も開始しません)',
    unfreeze: '凍結を解除します',
    whoami: 'あなたに適用されるルールと、ほかのルールが適用されない理由を表示します',
    help: 'このヘルプを表示します',
  },
  example: exampleOf,
  yours: () => ['ここで使えるもの:'],
  nothing: () => ['ここで使えるものはありません。理由は ', { code: 'whoami' }, ' で確認できます。'],
  target: (name, environments) => ['• ', { bold: name }, `: ${environments.join('、')}`],
  moreTargets: (count) => [`… ほか ${count} 件。`],
  notAll: () => ['⚠ Slack からグループの情報をすべて取得できませんでした。ほかにもあるかもしれません。'],
  powers: { freeze: '凍結', abort: '中止', approve: '承認' },
  cannot: (verb, targets, why) => [`⚠ ${targets.join('、')} での${verb}はボットに許可されていません: `, why],
  file: () => [
    'このボットはクラスターの外で動いています(source: file)。デプロイを送信しますが、状態は参照できません。使えるのは deploy、whoami、help だけです。',
  ],
};

export const aboutTexts = { en, ja };
