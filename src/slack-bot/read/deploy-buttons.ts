import type { Button } from '@slack/types';
import type { FoundDeploy } from '../../actions/find-deploy.ts';
import { type DeployButton, deployButton } from '../../chat/buttons.ts';
import type { Target } from '../../chat/target.ts';
import { decideTexts } from '../../chat/texts/decide.ts';
import type { Call } from '../command.ts';
import type { BotContext } from '../context.ts';
import { outlookOf } from '../decide/outlook.ts';
import { verbOf } from '../decide/subject.ts';

/**
 * @param label by default the name of what is done
 * @returns the button, or none if the click would be refused now
 */
export type ButtonsFor = (kind: DeployButton, deploy: FoundDeploy, label?: string) => Button[];

/**
 * Buttons for the deploys of a target that one person sees. Each click is authorised then; a button that would only
 * refuse is not shown.
 */
export async function buttonsFor(bot: BotContext, call: Call, target: Target, kinds: readonly DeployButton[]) {
  const { asker, profile, at } = call;
  const verdictOn = await bot.permissions.forAsker(asker, kinds.map(verbOf));
  let place = 0;
  const buttons: ButtonsFor = (kind, deploy, label = decideTexts[profile.language].buttons[kind]) => {
    const { environment, entry } = deploy;
    const verdict = verdictOn(verbOf(kind), { target, environment });
    if (!verdict.allowed) return [];
    const { rule } = verdict;
    if (!outlookOf(bot, { kind, asker, profile, target, environment, deploy, rule, at }).may) return [];
    place += 1;
    return [deployButton(kind, label, { target: target.name, environment, job: entry.job }, `${place}`)];
  };
  return buttons;
}
