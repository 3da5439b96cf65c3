import { ANYWHERE, type Refusal } from '../chat/authorise.ts';
import type { Verb } from '../chat/command-line.ts';
import { type Answer, answer, type Line } from '../chat/rich-text.ts';
import { environmentOf, findTarget, nearestOf, type Target } from '../chat/target.ts';
import { deployTexts } from '../chat/texts/deploy.ts';
import { formTexts } from '../chat/texts/form.ts';
import type { Asker, Profile } from './asker.ts';
import type { BotContext } from './context.ts';
import type { Decision } from './decision.ts';
import { refusalAnswer } from './refusal.ts';

/** A place that a person named, and may use for what was asked. */
export interface Resolved {
  readonly target: Target;
  /** As messages to the target name it. */
  readonly repository: string;
  /** The environments that the person may use for what was asked. */
  readonly environments: readonly string[];
  /** False if Slack could not say enough to know whether there are more. */
  readonly areAll: boolean;
}

/** Why not, in words. With `problem` a name was not known: other names would help, a form for example. */
export interface Unresolved {
  readonly answer: Answer;
  readonly problem?: Line;
}

/**
 * From names to a target that the person may use for a verb. Who may not use a target learns nothing of it: its name is
 * unknown to him.
 */
export async function resolveTarget(
  bot: BotContext,
  asker: Asker,
  profile: Profile,
  verb: Verb,
  name: string,
): Promise<Resolved | Unresolved> {
  const visible = await visibleTargets(bot, asker, verb);
  if ('because' in visible) return refused(bot, profile, { asker, verb }, visible.because);
  const found = findTarget(visible.targets, name);
  if (!('problem' in found)) {
    const { environments, areAll } = visible.visible.find(({ target }) => target === found.target) as Visible;
    return { ...found, environments, areAll };
  }
  // What a look-up hides may be what was named: to say "there is none" would send the person to the wrong place.
  const because = isUnseen(bot) ? 'unseen' : visible.areAll ? undefined : 'lookupFailed';
  if (because) return refused(bot, profile, { asker, verb }, because);
  bot.decided({ asker, verb, outcome: 'notUnderstood' });
  return unknown(deployTexts[profile.language].noTarget(found.problem));
}

/**
 * As above, with an environment, and the verdict about exactly that place. Who may not use an environment gets the words
 * of one that there is not.
 */
export async function resolveLane(
  bot: BotContext,
  asker: Asker,
  profile: Profile,
  verb: Verb,
  names: { repository: string; environment: string },
): Promise<(Resolved & { environment: string; rule: number | undefined }) | Unresolved> {
  const resolved = await resolveTarget(bot, asker, profile, verb, names.repository);
  if ('answer' in resolved) return resolved;
  const { target, environments, areAll } = resolved;
  const { environment } = names;
  const isThere = environmentOf(target, environment) !== undefined;
  const verdict = isThere ? await bot.permissions.ask(asker, verb, { target, environment }) : undefined;
  if (verdict?.allowed) return { ...resolved, environment, rule: verdict.rule };
  const about = { asker, verb, target: target.name, ...(isThere ? { environment } : {}) };
  if (!areAll || verdict?.because === 'lookupFailed') return refused(bot, profile, about, 'lookupFailed');
  bot.decided({ ...about, outcome: verdict?.because ?? 'notUnderstood' });
  const texts = deployTexts[profile.language];
  const nearest = nearestOf(environment, environments);
  const problem = texts.noEnvironment(target.name, environment, environments, nearest);
  return unknown(nearest ? problem : [...problem, ' ', ...texts.askWhoami()]);
}

/** A target, and those of its environments that a person may use for a verb, by the rules of this channel. */
export type Visible = Pick<Resolved, 'target' | 'environments' | 'areAll'>;

/**
 * The targets of which the person may use at least one environment for the verb, by the rules of this channel.
 * @returns `areAll` is false if Slack could not say enough to know whether there are more; `unseen` if the cluster has not
 * been seen yet, so that there is nothing to use
 */
export async function visibleTargets(
  bot: BotContext,
  asker: Asker,
  verb: Verb,
): Promise<{ visible: Visible[]; targets: Target[]; areAll: boolean } | { because: Refusal | 'unseen' }> {
  const verdictOn = await bot.permissions.forAsker(asker, [verb]);
  const overall = verdictOn(verb, { target: ANYWHERE, environment: ANYWHERE });
  if (!overall.allowed) return { because: overall.because };
  const all = bot.targets.all();
  if (all.length === 0 && isUnseen(bot)) return { because: 'unseen' };
  let areAll = true;
  const visible = all.flatMap((target) => {
    const verdicts = target.environments.map(({ name }) => ({
      name,
      verdict: verdictOn(verb, { target, environment: name }),
    }));
    const isKnown = verdicts.every(({ verdict }) => verdict.allowed || verdict.because !== 'lookupFailed');
    areAll &&= isKnown;
    const environments = verdicts.filter(({ verdict }) => verdict.allowed).map(({ name }) => name);
    return environments.length > 0 ? [{ target, environments, areAll: isKnown }] : [];
  });
  return { visible, targets: visible.map(({ target }) => target), areAll };
}

/** Before the first list of a namespace what is not known there is not known to be missing. */
const isUnseen = (bot: BotContext): boolean => bot.targets.staleMs() === Number.POSITIVE_INFINITY;

/** Logs, counts, and says why. */
export function refused(
  bot: BotContext,
  { language }: Profile,
  about: Omit<Decision, 'outcome'>,
  because: Refusal | 'unseen',
): { answer: Answer } {
  bot.decided({ ...about, outcome: because === 'unseen' ? 'unavailable' : because });
  return { answer: because === 'unseen' ? answer([formTexts[language].unseen()]) : refusalAnswer(language, because) };
}

const unknown = (problem: Line): Unresolved => ({ problem, answer: answer([problem]) });
