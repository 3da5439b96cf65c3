import { describe, expect, it } from 'vitest';
import { type Choice, choicesOf, choiceValue, type FormMetadata, readMetadata } from '../../../src/chat/form.ts';
import { confirmView } from '../../../src/chat/form-confirm-view.ts';
import { type FormContent, formView, repositoryOptions, revisionOptions } from '../../../src/chat/form-view.ts';
import type { LaneFacts } from '../../../src/chat/lane-facts.ts';
import type { Target } from '../../../src/chat/target.ts';
import { LANGUAGES, type Language } from '../../../src/chat/texts/language.ts';
import { checkView } from '../../kit/slack/block-kit/blocks.ts';
import { suggestionAnswer } from '../../kit/slack/block-kit/elements.ts';
import { isObject, type Json } from '../../kit/slack/json.ts';
import { renderBlocks } from '../../kit/slack/render.ts';
import { Team } from '../../kit/slack/team.ts';

const NOW = Date.parse('2026-11-30T10:00:00Z');
const team = new Team();
team.addUser('alice');
team.addUser('bob');
team.addChannel('prod', { members: ['alice'] });
team.addChannel('deploys', { members: ['alice'] });

const environment = (name: string, over: object = {}) => ({
  name,
  isProtected: false,
  needsConfirmation: false,
  ...over,
});
const target = (over: Partial<Target> = {}): Target => ({
  name: 'deploy/web',
  repositories: ['livesense/web'],
  tasks: ['deploy'],
  environments: [environment('staging'), environment('production', { isProtected: true, needsConfirmation: true })],
  resource: undefined,
  ...over,
});

const LANE: LaneFacts = {
  current: { revision: 'v1.0.0', by: { kind: 'person', user: 'U0BOB' }, finishedAt: '2026-11-30T08:00:00Z' },
  unsure: { task: 'deploy', revision: 'v1.0.1', result: 'Failed' },
  active: {
    task: 'deploy',
    revision: 'v1.0.2',
    by: { kind: 'claim', text: 'slack:T0TEAM/U0ALICE alice' },
    since: '2026-11-30T09:58:00Z',
    why: 'ImagePullBackOff',
  },
  waiting: ['v1.0.3', 'v1.0.4', 'v1.0.5', 'v1.0.6'].map((revision) => ({ task: 'deploy', revision })),
  frozen: { text: 'alice: incident 42' },
  closed: { why: 'no window of kind Allow is open', until: '2026-12-01T00:00:00Z' },
  usualMs: 125_000,
};

interface Changes extends Partial<Omit<FormContent, 'metadata' | 'place'>> {
  metadata?: Partial<FormMetadata>;
  environment?: string;
  lane?: LaneFacts | undefined;
  target?: Target;
}

function content(language: Language, changes: Changes = {}): FormContent {
  const { metadata, environment: name, lane, target: chosen = target(), ...over } = changes;
  const choices = choicesOf([chosen]);
  const choice = choices[0] as Choice;
  return {
    metadata: { language, channel: 'C0PROD', picksChannel: false, chosen: {}, ...metadata },
    problems: [],
    channels: [],
    choices,
    place: {
      channel: 'C0PROD',
      choice,
      environments: chosen.environments,
      environment: chosen.environments.find((each) => each.name === name),
      lane,
    },
    fields: {},
    staleMs: undefined,
    reader: { now: NOW, timeZone: 'Asia/Tokyo' },
    ...over,
  };
}

const view = (changes: Changes = {}, language: Language = 'en') => formView(content(language, changes));
const shown = ({ blocks }: { blocks: unknown }): string => renderBlocks(team, blocks as Json[]);
const problemsOf = (made: unknown): string[] => checkView(made, '/view');

/** The element with an action id. */
const element = (made: { blocks: unknown }, actionId: string): Json | undefined =>
  (made.blocks as Json[]).map((block) => block.element).find((each) => isObject(each) && each.action_id === actionId) as
    | Json
    | undefined;

describe('what a person sees', () => {
  it('in English', () => {
    expect(shown(view({ environment: 'production', lane: LANE }))).toMatchInlineSnapshot(`
      "Repository: [Type or choose a repository ▾]
      Environment: ( ) staging ( ) production 🔒
      Runs now: v1.0.0 · ⟦@bob⟧ · 2 h ago (usually 2 min)
      After it: v1.0.1 ended as Failed; look at the servers
      Deploying: v1.0.2 · claims to be slack:T0TEAM/U0ALICE alice · for 2 min · ImagePullBackOff
      Waiting: 4 (v1.0.3, v1.0.4, v1.0.5 …)
      Frozen: alice: incident 42
      Closed: no window of kind Allow is open (until 2026-12-01 09:00 GMT+9)
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
      稼働中: v1.0.0 · ⟦@bob⟧ · 2 時間前 (所要時間の目安 2 分)
      その後: v1.0.1 が Failed で終了。サーバーを確認してください
      デプロイ中: v1.0.2 · 自称 slack:T0TEAM/U0ALICE alice · 2 分経過 · ImagePullBackOff
      待ち: 4 件 (v1.0.3, v1.0.4, v1.0.5 …)
      凍結中: alice: incident 42
      時間外: no window of kind Allow is open (2026-12-01 09:00 GMT+9 まで)
      リビジョン: [タグ、ブランチ、コミット ▾]
      理由 (optional): []
      開始時刻の下限 (optional): []
      通知先: ⟦#prod⟧"
    `);
  });

  it('a lane without anything in it, and a memory that is old', () => {
    const nothing = { current: undefined, unsure: undefined, active: undefined, frozen: undefined, closed: undefined };
    const lane = { ...nothing, waiting: [], usualMs: undefined };
    expect(
      inBoth((language) => view({ environment: 'staging', lane, staleMs: 300_000 }, language)),
    ).toMatchInlineSnapshot(`
      "Repository: [Type or choose a repository ▾]
      Environment: ( ) staging ( ) production 🔒
      Runs now: no successful deploy is on record
      Waiting: nothing
      Revision: [Tag, branch or commit ▾]
      Why (optional): []
      Not before (optional): []
      ⚠ The cluster is not seen just now. What stands here is 5 min old.
      Announced in ⟦#prod⟧
      ————
      リポジトリ: [リポジトリを入力または選択 ▾]
      環境: ( ) staging ( ) production 🔒
      稼働中: 成功したデプロイの記録がありません
      待ち: なし
      リビジョン: [タグ、ブランチ、コミット ▾]
      理由 (optional): []
      開始時刻の下限 (optional): []
      ⚠ 現在クラスターが見えません。表示は 5 分前のものです。
      通知先: ⟦#prod⟧"
    `);
  });

  it('a form of a bot that sees no cluster', () => {
    expect(shown(view({ environment: 'staging' }))).toContain('What runs there is not known');
  });

  it('only environments and the repository if no environment is chosen', () => {
    const text = shown(view());
    expect(text).toContain('( ) staging ( ) production 🔒');
    expect(text).not.toContain('Runs now');
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
      Runs now: v1.0.0 · ⟦@bob⟧ · 2 h ago (usually 2 min)
      After it: v1.0.1 ended as Failed; look at the servers
      Deploying: v1.0.2 · claims to be slack:T0TEAM/U0ALICE alice · for 2 min · ImagePullBackOff
      Waiting: 4 (v1.0.3, v1.0.4, v1.0.5 …)
      Frozen: alice: incident 42
      Closed: no window of kind Allow is open (until 2026-12-01 09:00 GMT+9)
      Announced in ⟦#prod⟧
      [Back to the form]
      ————
      livesense/web → production
      v1.0.0 → v1.1.0
      理由: fixes the basket
      開始時刻の下限: 2026-11-30 20:00 GMT+9
      ────
      稼働中: v1.0.0 · ⟦@bob⟧ · 2 時間前 (所要時間の目安 2 分)
      その後: v1.0.1 が Failed で終了。サーバーを確認してください
      デプロイ中: v1.0.2 · 自称 slack:T0TEAM/U0ALICE alice · 2 分経過 · ImagePullBackOff
      待ち: 4 件 (v1.0.3, v1.0.4, v1.0.5 …)
      凍結中: alice: incident 42
      時間外: no window of kind Allow is open (2026-12-01 09:00 GMT+9 まで)
      通知先: ⟦#prod⟧
      [フォームに戻る]"
    `);
  });
});

/** A view in all languages, after Block Kit has taken it. */
function inBoth(make: (language: Language) => { blocks: unknown }): string {
  const views = LANGUAGES.map(make);
  expect(views.flatMap(problemsOf)).toEqual([]);
  return views.map(shown).join('\n————\n');
}

const question = (language: Language, over: Partial<Parameters<typeof confirmView>[0]> = {}) =>
  confirmView({
    metadata: { language, channel: 'C0PROD', picksChannel: false, chosen: {} },
    wanted: {
      repository: 'livesense/web',
      environment: 'production',
      task: 'deploy',
      revision: 'v1.1.0',
      notBefore: '2026-11-30T11:00:00.000Z',
    },
    reason: 'fixes the basket',
    lane: LANE,
    problems: [],
    staleMs: undefined,
    reader: { now: NOW, timeZone: 'Asia/Tokyo' },
    ...over,
  });

describe('Block Kit', () => {
  it('takes the button: Continue if the environment asks once more, else Deploy', () => {
    expect(view({ environment: 'production' }).submit?.text).toBe('Continue');
    expect(view({ environment: 'staging' }).submit?.text).toBe('Deploy');
    expect(view().submit?.text).toBe('Deploy');
  });

  it.each([10, 11, 50])('takes %i environments', (count) => {
    const environments = Array.from({ length: count }, (_, place) => environment(`environment-${place}`));
    const made = view({ target: target({ environments }), environment: 'environment-3' });
    expect(problemsOf(made)).toEqual([]);
    expect(element(made, 'form-environment')?.type).toBe(count > 10 ? 'static_select' : 'radio_buttons');
  });

  it.each([1, 100, 101, 250])('takes %i repositories', (count) => {
    const choices = choicesOf(
      Array.from({ length: count }, (_, place) =>
        target({ name: `deploy/a${place}`, repositories: [`org/a${place}`] }),
      ),
    );
    const made = formView({ ...content('en'), choices, place: undefined });
    expect(problemsOf(made)).toEqual([]);
    expect(element(made, 'form-repository')?.type).toBe(count > 100 ? 'external_select' : 'static_select');
  });

  it('offers a task only if there are several', () => {
    expect(element(view(), 'form-task')).toBeUndefined();
    const made = view({ target: target({ tasks: ['deploy', 'deploy:rollback'] }) });
    expect(element(made, 'form-task')).toMatchObject({ initial_option: { value: 'deploy' } });
    // Only a deploy cannot do without a revision.
    const revision = (blocks: unknown) =>
      (blocks as Json[]).find(({ block_id }) => String(block_id).startsWith('revis'));
    expect([view(), made].map(({ blocks }) => revision(blocks)?.optional)).toEqual([false, true]);
  });

  it.each(LANGUAGES)('takes the longest of everything (%s)', (language) => {
    const long = (length: number) => 'x'.repeat(length);
    const name = `${long(63)}/${long(63)}`;
    const many = Array.from({ length: 100 }, (_, place) =>
      target({
        name: name + place,
        repositories: [`r${place}${long(137)}`],
        tasks: Array.from({ length: 20 }, (__, each) => `t${each}${long(98)}`),
        environments: Array.from({ length: 50 }, (__, each) =>
          environment(`e${each}${long(47)}`, { isProtected: true, needsConfirmation: true }),
        ),
      }),
    );
    const [first] = choicesOf(many) as [Choice];
    const lane: LaneFacts = {
      current: { revision: long(244), by: { kind: 'claim', text: long(256) }, finishedAt: '2026-11-30T08:00:00Z' },
      unsure: { task: long(100), revision: long(244), result: 'Failed' },
      active: {
        task: long(100),
        since: '2026-11-30T08:00:00Z',
        why: long(512),
        by: { kind: 'claim', text: long(256) },
      },
      waiting: Array.from({ length: 100 }, () => ({ task: 'deploy', revision: long(244) })),
      frozen: { text: long(256) },
      closed: { why: long(512), until: '2026-12-01T00:00:00Z' },
      usualMs: 1,
    };
    const chosen = {
      repository: choiceValue(first),
      environment: long(50),
      revision: long(244),
      task: long(75),
      reason: '"'.repeat(256),
      notBefore: 1_799_999_999,
    };
    const metadata = {
      language,
      channel: `C${long(20)}`.toUpperCase(),
      threadTs: long(40),
      picksChannel: true,
      chosen,
    };
    const shared = {
      staleMs: 1e9,
      reader: { now: NOW, timeZone: 'Asia/Tokyo' },
      problems: [[long(1000)], [long(600)]],
    };
    const made = formView({
      ...shared,
      metadata,
      channels: ['C0PROD'],
      choices: choicesOf(many),
      place: {
        channel: 'C0PROD',
        choice: first,
        environments: first.target.environments,
        environment: first.target.environments[0],
        lane,
      },
      fields: chosen,
    });
    expect(problemsOf(made)).toEqual([]);
    const asked = question(language, {
      ...shared,
      metadata: { ...metadata, shown: long(244) },
      wanted: {
        repository: long(140),
        environment: long(50),
        task: long(100),
        revision: long(244),
        notBefore: undefined,
      },
      reason: long(256),
      lane,
    });
    expect(problemsOf(asked)).toEqual([]);
    for (const { private_metadata } of [made, asked]) expect(readMetadata(private_metadata ?? '')).toBeDefined();
    const problems: string[] = [];
    suggestionAnswer({ options: repositoryOptions(choicesOf(many), '') }, '', problems);
    expect(problems).toEqual([]);
  });

  it('takes who asked if that is no id of a user', () => {
    const lane: LaneFacts = { ...LANE, current: { ...LANE.current!, by: { kind: 'person', user: 'SOMEBODY' } } };
    const made = view({ environment: 'production', lane });
    expect(problemsOf(made)).toEqual([]);
    expect(shown(made)).toContain('Runs now: v1.0.0 · SOMEBODY · 2 h ago');
  });

  it('takes no moment that its picker does not take', () => {
    const moment = (notBefore: number) => element(view({ fields: { notBefore } }), 'form-not-before');
    expect(moment(1_800_000_000)).toMatchObject({ initial_date_time: 1_800_000_000 });
    expect(moment(1)).not.toHaveProperty('initial_date_time');
  });

  it('parses nothing that people wrote', () => {
    const hostile = '<!channel> *b* <https://evil.example|x> :tada:';
    const lane = {
      ...LANE,
      frozen: { text: hostile },
      active: { ...LANE.active!, why: hostile, by: { kind: 'claim' as const, text: hostile } },
    };
    const made = [
      view({ environment: 'production', lane, problems: [[hostile]], fields: { reason: hostile } }),
      question('en', { lane, reason: hostile }),
    ];
    expect(made.map(problemsOf)).toEqual([[], []]);
    const text = JSON.stringify(made);
    expect(text).not.toContain('mrkdwn');
    expect(text.match(/"emoji":true/)).toBeNull();
    expect(text).not.toMatch(/"type":"(broadcast|link|emoji)"/);
  });
});

describe('repositories', () => {
  const targets = [
    target({ name: 'deploy/web' }),
    target({ name: 'other/web' }),
    target({ name: 'deploy/api', repositories: ['livesense/api'] }),
  ];

  it('are named with their target if another one has the same', () => {
    const texts = repositoryOptions(choicesOf(targets), '').map(({ text }) => text.text);
    expect(texts).toEqual(['livesense/web (deploy/web)', 'livesense/web (other/web)', 'livesense/api']);
  });

  it('are found by a part of a name, without regard to case', () => {
    expect(repositoryOptions(choicesOf(targets), ' API ').map(({ text }) => text.text)).toEqual(['livesense/api']);
    expect(repositoryOptions(choicesOf(targets), 'nothing')).toEqual([]);
  });

  it('stay apart if their names differ only in what a menu cannot show', () => {
    const long = ['a', 'b'].map((end) => target({ repositories: [`${'x'.repeat(139)}${end}`] }));
    const options = repositoryOptions(choicesOf(long), '');
    expect(new Set(options.map(({ value }) => value)).size).toBe(2);
    expect(new Set(options.map(({ description }) => description?.text)).size).toBe(2);
  });
});

describe('revisions', () => {
  const recent = [
    { revision: 'v1.1.0', environment: 'staging', result: 'Succeeded', finishedAt: '2026-11-30T08:00:00Z' },
    { revision: 'v1.0.0', environment: 'production', result: 'Failed', finishedAt: '2026-11-29T08:00:00Z' },
  ];
  const offered = (typed: string, language: Language = 'en') =>
    revisionOptions(language, recent, typed, NOW).map(({ text, value, description }) =>
      [text.text, value, description?.text ?? ''].join(' | '),
    );

  it('are those of late, and first what was typed', () => {
    expect(offered('')).toEqual([
      'v1.1.0 | v1.1.0 | staging · Succeeded · 2 h ago',
      'v1.0.0 | v1.0.0 | production · Failed · 26 h ago',
    ]);
    expect(offered('v1.0')).toEqual(['use v1.0 | v1.0 | ', 'v1.0.0 | v1.0.0 | production · Failed · 26 h ago']);
    expect(offered('v1.1.0', 'ja')).toEqual(['v1.1.0 を使う | v1.1.0 | ']);
  });

  it('that are longer than an option can be are asked for in a field of their own', () => {
    expect(offered('x'.repeat(75))[0]).toContain('x'.repeat(75));
    expect(offered('x'.repeat(76))).toEqual(['A longer revision: type it below | + | ']);
    const element76 = (revision: string) => element(view({ fields: { revision } }), 'form-long-revision');
    expect(element76('x'.repeat(75))).toBeUndefined();
    expect(element76('x'.repeat(76))).toMatchObject({ initial_value: 'x'.repeat(76), max_length: 244 });
    expect(element76('+')).not.toHaveProperty('initial_value');
  });

  it('that are longer and were deployed have a short name in the menu', () => {
    const revision = `feature/${'x'.repeat(100)}`;
    const [first] = revisionOptions('en', [{ ...recent[0]!, revision }], '', NOW);
    expect(first?.value).toMatch(/^#[0-9a-f]{40}$/);
    expect(`${first?.text.text}${first?.description?.text}`.replace('……', '')).toBe(revision);
  });

  it('fit into a menu', () => {
    const many = Array.from({ length: 200 }, (_, place) => ({ ...recent[0]!, revision: `${place}${'y'.repeat(70)}` }));
    const problems: string[] = [];
    suggestionAnswer({ options: revisionOptions('en', many, 'y'.repeat(70), NOW) }, '', problems);
    expect(problems).toEqual([]);
  });
});
