import { VERBS } from '../../chat/command-line.ts';
import { needsNoRule } from '../../chat/rules.ts';
import { whoamiAnswer } from '../../chat/whoami-answer.ts';
import type { Handler } from '../command.ts';
import { EVERYWHERE } from '../permissions.ts';
import { refusalAnswer } from '../refusal.ts';

/** `whoami`: which rules match the person here, and why the others do not. */
export const whoami: Handler = async (bot, { asker, profile }) => {
  const verdict = await bot.permissions.ask(asker, 'whoami', EVERYWHERE);
  bot.decided({ asker, verb: 'whoami', outcome: verdict.allowed ? 'done' : verdict.because });
  // What Slack does not say is what the person wants to know; a guest or a stranger is told no rules.
  if (!verdict.allowed && verdict.because !== 'lookupFailed') return refusalAnswer(profile.language, verdict.because);
  const facts = await bot.permissions.factsOf(
    asker,
    VERBS.filter((verb) => !needsNoRule(verb)),
  );
  const rules = verdict.allowed ? bot.config().rules : [];
  return whoamiAnswer(rules, asker, facts, profile.language);
};
