import type { InputBlock, KnownBlock, ModalView, PlainTextElement, PlainTextOption } from '@slack/types';
import { DEFAULT_TASK, MAX_TEXT_LENGTH } from '../api/deploy-request.ts';
import {
  blockId,
  type Choice,
  type Chosen,
  choiceValue,
  FORM_ACTIONS,
  FORM_VIEWS,
  type FormField,
  type FormMetadata,
  LONG_REVISION,
  type RecentRevision,
} from './form.ts';
import { laneLines, staleLines } from './lane-lines.ts';
import type { LaneState, Reader } from './lane-state.ts';
import { option, optionValue } from './options.ts';
import { type Line, richText } from './rich-text.ts';
import type { TargetEnvironment } from './target.ts';
import { formTexts } from './texts/form.ts';
import type { Language } from './texts/language.ts';

/**
 * The views of the form of `deploy`. Pure. What people wrote stands in plain_text and rich_text only: nothing of it is
 * parsed. https://docs.slack.dev/reference/views/modal-views
 */

/** https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element: more are asked for as one types. */
const MOST_OPTIONS = 100;
/** https://docs.slack.dev/reference/block-kit/block-elements/radio-button-group-element */
const MOST_RADIO_BUTTONS = 10;
/** A revision's own limit: `REVISION_PATTERN`. */
const LONGEST_REVISION = 244;

/** What is known of the place that was chosen. */
export interface PlaceNow {
  readonly channel: string;
  readonly choice: Choice;
  /** Those that the person may use. */
  readonly environments: readonly TargetEnvironment[];
  readonly environment: TargetEnvironment | undefined;
  /** Of the environment; undefined if the bot sees no cluster. */
  readonly lane: LaneState | undefined;
}

export interface FormContent {
  readonly metadata: FormMetadata;
  /** What keeps the form from being sent, or from being filled in as it was asked for. */
  readonly problems: readonly Line[];
  /** Where the person may deploy, for one who has to choose a channel. */
  readonly channels: readonly string[];
  /** What the person may deploy to, from the channel that was chosen; undefined without one. */
  readonly choices: readonly Choice[] | undefined;
  readonly place: PlaceNow | undefined;
  /** What stands in the fields at first. Fields that the person has filled in keep what they have. */
  readonly fields: Chosen;
  /** How old all this is if the cluster is not seen just now; milliseconds. */
  readonly staleMs: number | undefined;
  readonly reader: Reader;
}

export function formView(content: FormContent): ModalView {
  const { metadata, problems, channels, choices, place, staleMs } = content;
  const { language, channel, picksChannel } = metadata;
  const texts = formTexts[language];
  const isChosen = choices !== undefined && channel !== undefined;
  return {
    ...frame(language),
    callback_id: FORM_VIEWS.form,
    private_metadata: JSON.stringify(metadata),
    submit: plainText(place?.environment?.needsConfirmation ? texts.continue : texts.deploy),
    close: plainText(texts.cancel),
    blocks: [
      ...lines(problems),
      ...(picksChannel ? [channelInput(language, channel)] : []),
      ...(picksChannel && !isChosen && channels.length > 0 ? lines([texts.chooseChannel(channels)]) : []),
      ...(isChosen ? [repositoryInput(language, channel, choices, place?.choice)] : []),
      ...(isChosen && place ? placeBlocks(content, place) : []),
      ...(isChosen && staleMs !== undefined ? lines(staleLines(staleMs, content.reader)) : []),
      ...(isChosen ? lines([texts.announced(channel)]) : []),
    ],
  };
}

function placeBlocks({ metadata: { language }, fields, reader }: FormContent, place: PlaceNow): KnownBlock[] {
  const { choice, environment, lane } = place;
  const texts = formTexts[language];
  const { tasks } = choice.target;
  return [
    environmentInput(language, place),
    ...(environment ? lines(lane ? laneLines(lane, reader) : [texts.notSeen()]) : []),
    ...revisionInputs(language, place, fields.revision),
    ...(tasks.length > 1 ? [taskInput(language, place, fields.task)] : []),
    input('reason', texts.reason, {
      optional: true,
      element: {
        type: 'plain_text_input',
        action_id: FORM_ACTIONS.reason,
        max_length: MAX_TEXT_LENGTH,
        ...initially('initial_value', fields.reason),
      },
    }),
    input('notBefore', texts.notBefore, {
      optional: true,
      hint: plainText(texts.now),
      element: {
        type: 'datetimepicker',
        action_id: FORM_ACTIONS.notBefore,
        ...initially('initial_date_time', isMoment(fields.notBefore) ? fields.notBefore : undefined),
      },
    }),
  ];
}

/** Slack takes ten digits: https://docs.slack.dev/reference/block-kit/block-elements/datetime-picker-element */
const isMoment = (seconds: number | undefined): boolean => /^\d{10}$/.test(String(seconds));

/** Slack offers all channels: which one may be used is checked once it is chosen. */
function channelInput(language: Language, channel: string | undefined): InputBlock {
  return input('channel', formTexts[language].channel, {
    dispatch_action: true,
    element: {
      type: 'conversations_select',
      action_id: FORM_ACTIONS.channel,
      filter: { include: ['public', 'private'], exclude_bot_users: true },
      ...initially('initial_conversation', channel),
    },
  });
}

function repositoryInput(
  language: Language,
  channel: string,
  choices: readonly Choice[],
  chosen: Choice | undefined,
): InputBlock {
  const texts = formTexts[language];
  const optionOf = repositoryOptionOf(choices);
  const common = {
    action_id: FORM_ACTIONS.repository,
    placeholder: plainText(texts.chooseRepository),
    ...initially('initial_option', chosen && optionOf(chosen)),
  };
  const element =
    choices.length <= MOST_OPTIONS
      ? { type: 'static_select' as const, options: choices.map(optionOf), ...common }
      : { type: 'external_select' as const, min_query_length: 0, ...common };
  return input('repository', texts.repository, { dispatch_action: true, element }, [channel]);
}

/** The target is named if the repository alone does not tell two of them apart. */
function repositoryOptionOf(choices: readonly Choice[]): (choice: Choice) => PlainTextOption {
  const counts = new Map<string, number>();
  for (const { repository } of choices) counts.set(repository, (counts.get(repository) ?? 0) + 1);
  return (choice) => {
    const { repository, target } = choice;
    return option(counts.get(repository) === 1 ? repository : `${repository} (${target.name})`, choiceValue(choice));
  };
}

/** @param typed what the person has typed into the menu of repositories */
export function repositoryOptions(choices: readonly Choice[], typed: string): PlainTextOption[] {
  const wanted = typed.trim().toLowerCase();
  return choices
    .filter(({ repository, target }) => `${repository} ${target.name}`.toLowerCase().includes(wanted))
    .slice(0, MOST_OPTIONS)
    .map(repositoryOptionOf(choices));
}

function environmentInput(language: Language, place: PlaceNow): InputBlock {
  const { environments, environment } = place;
  const texts = formTexts[language];
  const options = environments.map(environmentOption);
  const common = {
    action_id: FORM_ACTIONS.environment,
    options,
    ...initially('initial_option', environment && environmentOption(environment)),
  };
  const element =
    options.length <= MOST_RADIO_BUTTONS
      ? { type: 'radio_buttons' as const, ...common }
      : { type: 'static_select' as const, placeholder: plainText(texts.chooseEnvironment), ...common };
  return input('environment', texts.environment, { dispatch_action: true, element }, aboutOf(place));
}

/** What the fields of a repository depend on. */
const aboutOf = ({ channel, choice }: PlaceNow): string[] => [channel, choiceValue(choice)];

const environmentOption = ({ name, isProtected }: TargetEnvironment): PlainTextOption =>
  option(isProtected ? `${name} 🔒` : name, name);

/** A menu; and a field of its own for a revision that is longer than the value of an option. */
function revisionInputs(language: Language, place: PlaceNow, revision: string | undefined): InputBlock[] {
  const texts = formTexts[language];
  const about = aboutOf(place);
  const isLong = revision !== undefined && (revision === LONG_REVISION || optionValue(revision) !== revision);
  // Only a deploy cannot do without one.
  const optional = !place.choice.target.tasks.every((task) => task === DEFAULT_TASK);
  if (isLong) {
    const element = {
      type: 'plain_text_input' as const,
      action_id: FORM_ACTIONS.longRevision,
      max_length: LONGEST_REVISION,
      ...initially('initial_value', revision === LONG_REVISION ? undefined : revision),
    };
    return [input('revision', texts.longRevision, { optional, element }, about, 'long')];
  }
  const element = {
    type: 'external_select' as const,
    action_id: FORM_ACTIONS.revision,
    min_query_length: 0,
    placeholder: plainText(texts.chooseRevision),
    ...initially('initial_option', revision === undefined ? undefined : option(revision, revision)),
  };
  return [input('revision', texts.revision, { optional, dispatch_action: true, element }, about)];
}

/** @param typed what the person has typed into the menu of revisions, as `fold` left it */
export function revisionOptions(
  language: Language,
  recent: readonly RecentRevision[],
  typed: string,
  now: number,
): PlainTextOption[] {
  const texts = formTexts[language];
  const isLong = optionValue(typed) !== typed;
  const fitting = recent
    .filter(({ revision }) => revision !== typed && revision.includes(typed))
    .map(({ revision, environment, result, finishedAt }) =>
      option(revision, optionValue(revision), texts.ended(environment, result, now - Date.parse(finishedAt))),
    );
  const first = typed === '' ? [] : [isLong ? option(texts.longer, LONG_REVISION) : option(texts.use(typed), typed)];
  return [...first, ...fitting].slice(0, MOST_OPTIONS);
}

function taskInput(language: Language, place: PlaceNow, chosen: string | undefined): InputBlock {
  const { tasks } = place.choice.target;
  const initial = tasks.find((task) => [task, optionValue(task)].includes(chosen ?? DEFAULT_TASK)) ?? tasks[0];
  const taskOption = (task: string) => option(task, optionValue(task));
  const element = {
    type: 'static_select' as const,
    action_id: FORM_ACTIONS.task,
    options: tasks.map(taskOption),
    ...initially('initial_option', initial === undefined ? undefined : taskOption(initial)),
  };
  return input('task', formTexts[language].task, { element }, aboutOf(place));
}

/** A view that only says something. */
export const messageView = (language: Language, said: readonly Line[]): ModalView => ({
  ...frame(language),
  close: plainText(formTexts[language].close),
  blocks: lines(said),
});

export const frame = (language: Language) => ({
  type: 'modal' as const,
  title: plainText(formTexts[language].title),
});

export const lines = (said: readonly Line[]): KnownBlock[] => (said.length === 0 ? [] : [richText(said)]);

export const plainText = (text: string): PlainTextElement => ({ type: 'plain_text', text, emoji: false });

function input(
  field: FormField,
  label: string,
  block: Omit<InputBlock, 'type' | 'block_id' | 'label'>,
  about: readonly string[] = [],
  kind = '',
): InputBlock {
  return { type: 'input', block_id: blockId(field, about) + kind, label: plainText(label), ...block };
}

/** Slack refuses an initial value that is undefined. */
const initially = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
