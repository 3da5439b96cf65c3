import { ActionError } from '../../actions/action-error.ts';
import { freeze, unfreeze } from '../../actions/freeze.ts';
import type { ResourceName } from '../../actions/names.ts';
import { readFrozenText } from '../../api/freeze.ts';
import { splitKey } from '../../base/object-key.ts';
import { freezerOf } from '../../chat/request-id.ts';
import { type Answer, answer, type Line } from '../../chat/rich-text.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Call, Handler } from '../command.ts';
import type { BotContext } from '../context.ts';
import type { Outcome } from '../decision.ts';
import { outsideCluster } from '../read/target-state.ts';
import { resolveLane } from '../resolve.ts';
import { actionErrorLine } from './possible.ts';

/** `freeze` and `unfreeze`: nothing starts in an environment until it is thawed. All in the channel read who did it. */

export const freezeTyped: Handler = async (bot, call) => {
  const { asker, profile, command } = call;
  const { reason = '' } = command;
  const texts = decidedTexts[profile.language];
  const actor = freezerOf(bot.config().slack.team, asker.user, profile.name);
  return await change(bot, call, 'freeze', async (client, resource, lane) => {
    const { value, replaced } = await freeze(client, actor, resource, lane.environment, reason);
    const { why = '' } = readFrozenText(lane.environment, value);
    const before = replaced === undefined ? [] : [texts.replacesFreeze(replaced)];
    return [texts.freezes(asker.user, lane, why), ...before];
  });
};

export const unfreezeTyped: Handler = async (bot, call) =>
  await change(bot, call, 'unfreeze', async (client, resource, lane) => {
    const was = await unfreeze(client, resource, lane.environment);
    return [decidedTexts[call.profile.language].thaws(call.asker.user, lane, was)];
  });

/** @param act does it, and returns what all are to read */
async function change(
  bot: BotContext,
  call: Call,
  verb: 'freeze' | 'unfreeze',
  act: (
    client: KubeClient,
    resource: ResourceName,
    lane: { repository: string; environment: string },
  ) => Promise<Line[]>,
): Promise<Answer> {
  const { asker, profile, command } = call;
  const texts = decidedTexts[profile.language];
  const outside = outsideCluster(bot, call);
  if (outside) return outside;
  const { repository = '', environment = '' } = command;
  const lane = await resolveLane(bot, asker, profile, verb, { repository, environment });
  if ('answer' in lane) return lane.answer;
  const { target, rule } = lane;
  const decided = (outcome: Outcome) => bot.decided({ asker, verb, target: target.name, environment, rule, outcome });
  const not = (outcome: Outcome, line: Line) => {
    decided(outcome);
    return answer([line]);
  };
  if (!bot.kube || !target.resource) return not('outsideCluster', texts.outsideCluster(verb));
  const power = bot.powers(target).freeze;
  if (power !== true) return not('switchedOff', texts.switchedOff(power));
  const [namespace, name] = splitKey(target.name);
  try {
    const said = await act(bot.kube, { namespace, name }, { repository: target.name, environment });
    decided('done');
    const isSaid = await bot.voice.say(asker.channel, undefined, answer(said));
    return answer(isSaid ? [texts.done()] : said);
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    bot.log.warn({ err: error, target: target.name, environment }, `could not ${verb}`);
    return not(error.kind, actionErrorLine(error, profile.language));
  }
}
