import type { FoundDeploy } from '../../actions/find-deploy.ts';
import type { Claim, WaitingEntry } from '../../api/capdeployjob.ts';
import { queueAnswer } from '../../chat/queue-answer.ts';
import type { Handler } from '../command.ts';
import { resolveTarget } from '../resolve.ts';
import { buttonsFor } from './deploy-buttons.ts';
import { outsideCluster, readerOf, targetState } from './target-state.ts';

/** `queue <repository>`: what runs and waits in each environment, and why. */
export const queue: Handler = async (bot, call) => {
  const outside = outsideCluster(bot, call);
  if (outside) return outside;
  const { asker, profile, command } = call;
  const resolved = await resolveTarget(bot, asker, profile, 'queue', command.repository ?? '');
  if ('answer' in resolved) return resolved.answer;
  const { target, environments } = resolved;
  const buttons = await buttonsFor(bot, call, target, ['approve', 'abort']);
  bot.decided({ asker, verb: 'queue', target: target.name, outcome: 'done' });
  return queueAnswer(
    targetState(bot, target, environments),
    bot.targets.staleMs(),
    {
      buttonsOf: (environment, entry) => {
        const deploy = pending(environment, entry);
        return [...buttons('approve', deploy), ...buttons('abort', deploy)];
      },
      botApproves: bot.powers(target).approve === true,
    },
    readerOf(bot, call),
  );
};

const pending = (environment: string, entry: Claim | WaitingEntry): FoundDeploy =>
  'since' in entry ? { environment, state: 'active', entry } : { environment, state: 'waiting', entry };
