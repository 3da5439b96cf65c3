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
  if (!('problem' in found)) return found;
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
    const known = target.environments.map((each) => each.name);
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

/** The targets of which the person may use at least one environment for the verb, by the rules of this channel. */
export async function visibleTargets(
  bot: BotContext,
  asker: Asker,
  verb: Verb,
): Promise<{ targets: Target[] } | { because: Refusal }> {
  const verdictOn = await bot.permissions.forAsker(asker, [verb]);
  const overall = verdictOn(verb, { target: ANYWHERE, environment: ANYWHERE });
  if (!overall.allowed) return { because: overall.because };
  return {
    targets: bot.targets
      .all()
      .filter(
        (target) =>
          verdictOn(verb, { target, environment: ANYWHERE }).allowed &&
          target.environments.some(({ name }) => verdictOn(verb, { target, environment: name }).allowed),
      ),
  };
}

const unknown = (problem: Line): Unresolved => ({ problem, answer: answer([problem]) });
