import { describe, expect, it } from 'vitest';
import { suggestionAnswer } from '../../../dev/local-slack/block-kit/elements.ts';
import type { Json } from '../../../dev/local-slack/json.ts';
import { readFrozenText } from '../../../src/api/freeze.ts';
import { type Choice, choicesOf, choiceValue, readMetadata } from '../../../src/chat/form.ts';
import { formView, repositoryOptions, revisionOptions } from '../../../src/chat/form-view.ts';
import type { LaneState } from '../../../src/chat/lane-state.ts';
import { LANGUAGES, type Language } from '../../../src/chat/texts/language.ts';
import { content, element, environment, LANE, NOW, problemsOf, question, shown, target, view } from './a-form.ts';

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
    const texts = { requestedBy: long(256), revision: long(244), task: long(100) };
    const [waiting] = LANE.waiting;
    const lane: LaneState = {
      ...LANE,
      current: { ...LANE.current!, ...texts },
      unsure: { ...LANE.unsure!, ...texts },
      active: { ...LANE.active!, ...texts, why: long(512) },
      waiting: Array.from({ length: 100 }, () => ({ ...waiting!, ...texts })),
      frozen: readFrozenText('production', long(256)),
      closed: { why: long(512), until: '2026-12-01T00:00:00Z' },
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
      reader: { now: NOW, timeZone: 'Asia/Tokyo', language, trustedSenders: [] },
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
    const lane: LaneState = { ...LANE, current: { ...LANE.current!, requestedBy: 'slack:T0TEAM/SOMEBODY x' } };
    const made = view({ environment: 'production', lane });
    expect(problemsOf(made)).toEqual([]);
    expect(shown(made)).toContain('v1.0.0 is there since 17:00 · by SOMEBODY');
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
      frozen: readFrozenText('production', hostile),
      active: { ...LANE.active!, why: hostile, requestedBy: hostile },
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
      'v1.0.0 | v1.0.0 | production · Failed · 1 d 2 h ago',
    ]);
    expect(offered('v1.0')).toEqual(['use v1.0 | v1.0 | ', 'v1.0.0 | v1.0.0 | production · Failed · 1 d 2 h ago']);
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
