import { ANYWHERE, type Refusal } from '../chat/authorise.ts';
import type { Verb } from '../chat/command-line.ts';
import { type Answer, answer, type Line } from '../chat/rich-text.ts';
import { environmentOf, findTarget, nearestOf, type Target } from '../chat/target.ts';
import { deployTexts } from '../chat/texts/deploy.ts';
import type { Asker, Profile } from './asker.ts';
import type { BotContext } from './context.ts';
import { refusalAnswer } from './refusal.ts';

/** A place that a person named, and may use for what was asked. */
export interface Resolved {
  readonly target: Target;
  /** As messages to the target name it. */
  readonly repository: string;
  /** The environments that the person may use for what was asked. */
  readonly environments: readonly string[];
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
  if ('because' in visible) {
    bot.decided({ asker, verb, outcome: visible.because });
    return { answer: refusalAnswer(profile.language, visible.because) };
  }
  const found = findTarget(visible.targets, name);
  if (!('problem' in found)) {
    const environments = visible.visible.find(({ target }) => target === found.target)?.environments ?? [];
    return { ...found, environments };
  }
  if (!visible.areAll) {
    // What a look-up hides may be what was named: to say "there is none" would send the person to the wrong place.
    bot.decided({ asker, verb, outcome: 'lookupFailed' });
    return { answer: refusalAnswer(profile.language, 'lookupFailed') };
  }
  bot.decided({ asker, verb, outcome: 'notUnderstood' });
  return unknown(deployTexts[profile.language].noTarget(found.problem));
}

/** As above, with an environment, and the verdict about exactly that place. */
export async function resolveLane(
  bot: BotContext,
  asker: Asker,
  profile: Profile,
  verb: Verb,
  names: { repository: string; environment: string },
): Promise<(Resolved & { environment: string; rule: number | undefined }) | Unresolved> {
  const resolved = await resolveTarget(bot, asker, profile, verb, names.repository);
  if ('answer' in resolved) return resolved;
  const { target } = resolved;
  const { environment } = names;
  if (!environmentOf(target, environment)) {
    bot.decided({ asker, verb, target: target.name, outcome: 'notUnderstood' });
    const known = resolved.environments;
    const nearest = nearestOf(environment, known);
    return unknown(deployTexts[profile.language].noEnvironment(target.name, environment, known, nearest));
  }
  const verdict = await bot.permissions.ask(asker, verb, { target, environment });
  if (!verdict.allowed) {
    bot.decided({ asker, verb, target: target.name, environment, outcome: verdict.because });
    return { answer: refusalAnswer(profile.language, verdict.because) };
  }
  return { ...resolved, environment, rule: verdict.rule };
}

/** A target, and those of its environments that a person may use for a verb, by the rules of this channel. */
export interface Visible {
  readonly target: Target;
  readonly environments: readonly string[];
}

/**
 * The targets of which the person may use at least one environment for the verb, by the rules of this channel.
 * @returns `areAll` is false if Slack could not say enough to know whether there are more
 */
export async function visibleTargets(
  bot: BotContext,
  asker: Asker,
  verb: Verb,
): Promise<{ visible: Visible[]; targets: Target[]; areAll: boolean } | { because: Refusal }> {
  const verdictOn = await bot.permissions.forAsker(asker, [verb]);
  const overall = verdictOn(verb, { target: ANYWHERE, environment: ANYWHERE });
  if (!overall.allowed) return { because: overall.because };
  let areAll = true;
  const visible = bot.targets.all().flatMap((target) => {
    const verdicts = target.environments.map(({ name }) => ({
      name,
      verdict: verdictOn(verb, { target, environment: name }),
    }));
    areAll &&= verdicts.every(({ verdict }) => verdict.allowed || verdict.because !== 'lookupFailed');
    const environments = verdicts.filter(({ verdict }) => verdict.allowed).map(({ name }) => name);
    return environments.length > 0 ? [{ target, environments }] : [];
  });
  return { visible, targets: visible.map(({ target }) => target), areAll };
}

const unknown = (problem: Line): Unresolved => ({ problem, answer: answer([problem]) });
