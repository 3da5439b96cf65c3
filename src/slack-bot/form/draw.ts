import type { ModalView } from '@slack/types';
import { laneNow } from '../../actions/lane-now.ts';
import type { FormValue } from '../../chat/buttons.ts';
import { type Choice, type Chosen, choiceValue, type FormMetadata, recentRevisions } from '../../chat/form.ts';
import { formView, type PlaceNow } from '../../chat/form-view.ts';
import type { LaneState } from '../../chat/lane-state.ts';
import { optionValue } from '../../chat/options.ts';
import { type Answer, answer, type Line } from '../../chat/rich-text.ts';
import type { Target } from '../../chat/target.ts';
import { deployTexts } from '../../chat/texts/deploy.ts';
import { formTexts } from '../../chat/texts/form.ts';
import type { Language } from '../../chat/texts/language.ts';
import type { Asker, Profile } from '../asker.ts';
import type { BotContext } from '../context.ts';
import type { Outcome } from '../decision.ts';
import { readerOf } from '../read/target-state.ts';
import { prefilled } from './prefill.ts';
import { channelsFor, choiceOf, type Membership, type NoRights, type Rights, rightsOf, staleMs } from './rights.ts';

/** A form as it is to be shown next. */
export interface Sketch {
  readonly user: string;
  readonly profile: Profile;
  readonly metadata: FormMetadata;
  readonly fields: Chosen;
  /** Of a button; its names may be short ones, or none. */
  readonly prefill?: FormValue;
  readonly problems?: readonly Line[];
}

/** A form, or why there is none. */
export type Drawn = { form: ModalView } | { refused: Answer };

/** Draws the form with what the person may use now. */
export async function drawForm(bot: BotContext, membership: Membership, sketch: Sketch): Promise<Drawn> {
  const { user, profile, problems = [] } = sketch;
  const { picksChannel } = sketch.metadata;
  const texts = formTexts[sketch.metadata.language];
  const known = await channelOf(bot, membership, sketch);
  if ('refused' in known) return known;
  const { channel, channels } = known;
  const metadata = { ...sketch.metadata, channel, chosen: {} };
  const content = {
    metadata,
    channels,
    fields: sketch.fields,
    reader: readerOf(bot, { profile }),
    staleMs: staleMs(bot),
  };
  const withoutChoices = (lines: readonly Line[]) => ({
    form: formView({ ...content, problems: lines, choices: undefined, place: undefined }),
  });
  if (channel === undefined) return withoutChoices(problems);
  const asker = { user, channel, threadTs: metadata.threadTs };
  const rights = await rightsOf(bot, membership, asker, metadata);
  if ('because' in rights) {
    refuse(bot, asker, rights.because);
    const line = noRightsLine(metadata.language, channel, rights.because);
    return picksChannel ? withoutChoices([...problems, line]) : { refused: answer([line]) };
  }
  const filled = sketch.prefill
    ? prefilled(rights, sketch.prefill, metadata.language)
    : { fields: sketch.fields, problems: [] };
  const choice = choiceOf(rights, filled.fields.repository);
  const { fields, isGone: isRevisionGone } = withRevision(bot, choice, filled.fields);
  const place = choice && placeOf(bot, rights, choice, { channel, name: fields.environment });
  const isGone =
    isRevisionGone ||
    (fields.repository !== undefined && !choice) ||
    (fields.environment !== undefined && place && !place.environment);
  return {
    form: formView({
      ...content,
      metadata: { ...metadata, chosen: chosenOf(place, fields) },
      problems: [...problems, ...filled.problems, ...(isGone ? [[texts.gone]] : [])],
      choices: rights.choices,
      place,
      fields,
    }),
  };
}

/** Where the form is for: known, or the only one that it can be for. */
async function channelOf(
  bot: BotContext,
  membership: Membership,
  { metadata, user, problems }: Sketch,
): Promise<{ channel: string | undefined; channels: readonly string[] } | { refused: Answer }> {
  const { channel, language } = metadata;
  if (channel !== undefined) return { channel, channels: [] };
  const { channels, areAll } = await channelsFor(bot, membership, user);
  const [first] = channels;
  if (first === undefined && areAll && !problems) {
    bot.decided({ asker: { user, channel: '' }, verb: 'deploy', outcome: 'noRule' });
    return { refused: answer([formTexts[language].noChannel()]) };
  }
  return { channel: channels.length === 1 && areAll ? first : undefined, channels };
}

/** @param at the channel, and the name of the environment that was chosen */
function placeOf(
  bot: BotContext,
  rights: Rights,
  choice: Choice,
  { channel, name }: { channel: string; name: string | undefined },
): PlaceNow {
  const environments = rights.environmentsOf(choice.target);
  const only = environments.length === 1 ? environments[0] : undefined;
  const environment = name === undefined ? only : environments.find((each) => each.name === name);
  const lane = environment && laneOf(bot, choice.target, environment.name);
  return { channel, choice, environments, environment, lane };
}

/** What the form remembers: what it shows belongs to; or what to fill in once a repository is chosen. */
function chosenOf(place: PlaceNow | undefined, { repository: _, ...fields }: Chosen): Chosen {
  if (place === undefined) return fields;
  const { choice, environment } = place;
  return { repository: choiceValue(choice), ...(environment === undefined ? {} : { environment: environment.name }) };
}

/** @returns undefined if the bot sees no cluster */
export const laneOf = (bot: BotContext, target: Target, environment: string): LaneState | undefined =>
  target.resource && laneNow(bot.targets.status(target), environment);

/** A revision may be named by what stands for it in the menu. @returns undefined if nothing has that name any more */
export function revisionOf(bot: BotContext, { target, repository }: Choice, value: string): string | undefined {
  if (!value.startsWith('#')) return value;
  const recent = recentRevisions(bot.targets.status(target), repository);
  return recent.find(({ revision }) => optionValue(revision) === value)?.revision;
}

/** With the revision written in full. */
function withRevision(bot: BotContext, choice: Choice | undefined, fields: Chosen) {
  const { revision, ...rest } = fields;
  if (choice === undefined || revision === undefined) return { fields, isGone: false };
  const found = revisionOf(bot, choice, revision);
  return found === undefined ? { fields: rest, isGone: true } : { fields: { ...rest, revision: found }, isGone: false };
}

/** Why there is no form here, in words. */
export function noRightsLine(language: Language, channel: string, because: NoRights): Line {
  if (because === 'unseen') return formTexts[language].unseen();
  if (because === 'notMember' || because === 'membershipUnknown') return formTexts[language][because](channel);
  const texts = deployTexts[language];
  return [texts.refused[because], ...(because === 'noRule' ? texts.askWhoami() : [])];
}

/** Logs and counts. */
export function refuse(bot: BotContext, asker: Asker, because: NoRights): void {
  bot.decided({ asker, verb: 'deploy', outcome: outcomeOf(because) });
}

function outcomeOf(because: NoRights): Outcome {
  switch (because) {
    case 'notMember':
      return 'noRule';
    case 'membershipUnknown':
      return 'lookupFailed';
    case 'unseen':
      return 'unavailable';
    default:
      return because;
  }
}
