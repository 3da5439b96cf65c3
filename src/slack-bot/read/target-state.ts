import { laneNow } from '../../actions/lane-now.ts';
import type { Reader } from '../../chat/lane-state.ts';
import { type Answer, answer } from '../../chat/rich-text.ts';
import type { TargetState } from '../../chat/status-answer.ts';
import type { Target } from '../../chat/target.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import type { Call } from '../command.ts';
import type { BotContext } from '../context.ts';

/** What the commands that only read have in common. */

export const readerOf = (bot: BotContext, { profile }: Pick<Call, 'profile'>): Reader => ({
  now: bot.clock.now(),
  timeZone: profile.timeZone,
  language: profile.language,
  trustedSenders: bot.config().trustedSenders,
});

/** @param environments that the reader may see; others of the status are left out */
export function targetState(bot: BotContext, target: Target, environments: readonly string[]): TargetState {
  const status = bot.targets.status(target);
  const { name, repositories } = target;
  return { name, repositories, status, lanes: environments.map((environment) => laneNow(status, environment)) };
}

/** @returns the answer of a bot outside the cluster (`source: file`), which sees no deploys; undefined for another one */
export function outsideCluster(bot: BotContext, { asker, profile, command: { verb } }: Call): Answer | undefined {
  if (bot.config().source !== 'file') return undefined;
  bot.decided({ asker, verb, outcome: 'outsideCluster' });
  return answer([decidedTexts[profile.language].outsideCluster(verb)]);
}
