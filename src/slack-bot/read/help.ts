import { VERBS, type Verb } from '../../chat/command-line.ts';
import { type Help, helpAnswer } from '../../chat/help-answer.ts';
import { needsNoRule } from '../../chat/rules.ts';
import type { Target } from '../../chat/target.ts';
import type { Handler } from '../command.ts';
import type { BotContext, Powers } from '../context.ts';
import { EVERYWHERE } from '../permissions.ts';
import { refusalAnswer } from '../refusal.ts';

const POWERS = ['freeze', 'abort', 'approve'] as const satisfies (keyof Powers)[];

/** `help`: the commands, with names that the person may use here, and what the bot itself may not do. */
export const help: Handler = async (bot, { asker, profile }) => {
  const isFile = bot.config().source === 'file';
  const verbs = VERBS.filter((verb) => verb === 'deploy' || needsNoRule(verb) || !isFile);
  const verdictOn = await bot.permissions.forAsker(asker, verbs);
  const overall = verdictOn('help', EVERYWHERE);
  bot.decided({ asker, verb: 'help', outcome: overall.allowed ? 'done' : overall.because });
  if (!overall.allowed) return refusalAnswer(profile.language, overall.because);
  let areAll = true;
  const useful = new Set<Verb>(verbs.filter(needsNoRule));
  const may = (verb: Verb, target: Target, environment: string): boolean => {
    const verdict = verdictOn(verb, { target, environment });
    if (verdict.allowed) useful.add(verb);
    else if (verdict.because === 'lookupFailed') areAll = false;
    return verdict.allowed;
  };
  const ruled = verbs.filter((verb) => !needsNoRule(verb));
  const targets = bot.targets.all().flatMap((target) => {
    const names = target.environments.map(({ name }) => name);
    // Each verb is asked about, for `useful`.
    const environments = names.filter((name) => ruled.filter((verb) => may(verb, target, name)).length > 0);
    return environments.length > 0 ? [{ target, environments }] : [];
  });
  return helpAnswer(
    {
      targets: targets.map(({ target, environments }) => ({
        name: target.name,
        repository: target.repositories[0],
        environments,
      })),
      verbs: verbs.filter((verb) => useful.has(verb)),
      areAll,
      isFile,
      cannot: isFile
        ? []
        : cannot(
            bot,
            targets.map(({ target }) => target),
          ),
    },
    profile.language,
  );
};

/** What the bot itself may not do, each reason once with the targets that it holds for. */
function cannot(bot: BotContext, targets: readonly Target[]): Help['cannot'] {
  return POWERS.flatMap((power) => {
    const byReason = new Map<string, string[]>();
    for (const target of targets) {
      const answer = bot.powers(target)[power];
      if (answer !== true) byReason.set(answer, [...(byReason.get(answer) ?? []), target.name]);
    }
    return [...byReason].map(([why, names]) => ({ power, targets: names, why }));
  });
}
