import { statusAnswer } from '../../chat/status-answer.ts';
import type { Handler } from '../command.ts';
import { refused, resolveTarget, visibleTargets } from '../resolve.ts';
import { outsideCluster, readerOf, targetState } from './target-state.ts';

/** `status [repository]`: of all targets, or of one, what runs, what waits, and what keeps deploys from starting. */
export const status: Handler = async (bot, call) => {
  const outside = outsideCluster(bot, call);
  if (outside) return outside;
  const { asker, profile, command } = call;
  const reader = readerOf(bot, call);
  const staleMs = bot.targets.staleMs();
  if (command.repository !== undefined) {
    const resolved = await resolveTarget(bot, asker, profile, 'status', command.repository);
    if ('answer' in resolved) return resolved.answer;
    const { target, environments } = resolved;
    bot.decided({ asker, verb: 'status', target: target.name, outcome: 'done' });
    return statusAnswer([targetState(bot, target, environments)], { areAll: true, staleMs }, reader);
  }
  const visible = await visibleTargets(bot, asker, 'status');
  if ('because' in visible) return refused(bot, profile, { asker, verb: 'status' }, visible.because).answer;
  bot.decided({ asker, verb: 'status', outcome: 'done' });
  const states = visible.visible.map(({ target, environments }) => targetState(bot, target, environments));
  return statusAnswer(states, { areAll: visible.areAll, staleMs }, reader);
};
