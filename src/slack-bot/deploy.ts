import { DEFAULT_TASK } from '../api/deploy-request.ts';
import { formButton } from '../chat/buttons.ts';
import type { Command } from '../chat/command-line.ts';
import { type Answer, answer, type Line } from '../chat/rich-text.ts';
import { deployTexts } from '../chat/texts/deploy.ts';
import type { Language } from '../chat/texts/language.ts';
import type { Handler } from './command.ts';
import { resolveLane } from './resolve.ts';
import { submit } from './submit.ts';

/** `deploy`: a line that says all is sent. One that lacks something gets the form, with the rest filled in. */
export const deploy: Handler = async (bot, { command, asker, profile, id, at }) => {
  const texts = deployTexts[profile.language];
  const withForm = (line: Line) => offerForm(line, command, profile.language);
  const { repository, environment, revision, task = DEFAULT_TASK, reason, notBefore } = command;
  const missing = (['repository', 'environment', 'revision'] as const).filter(
    (field) => command[field] === undefined && (field !== 'revision' || task === DEFAULT_TASK),
  );
  if (repository === undefined || environment === undefined || missing.length > 0) {
    bot.decided({ asker, verb: 'deploy', outcome: 'notUnderstood' });
    return withForm(texts.problem({ kind: 'missing', fields: missing, verb: 'deploy' }));
  }
  const lane = await resolveLane(bot, asker, profile, 'deploy', { repository, environment });
  if ('problem' in lane) return withForm(lane.problem);
  if ('answer' in lane) return lane.answer;
  const { target } = lane;
  if (!target.tasks.includes(task)) {
    bot.decided({ asker, verb: 'deploy', target: target.name, environment, outcome: 'notUnderstood' });
    return withForm(texts.noTask(target.name, task, target.tasks));
  }
  const wanted = { repository: lane.repository, environment, task, revision, notBefore };
  return await submit(bot, { asker, verb: 'deploy', rule: lane.rule, profile, target, wanted, reason, id, sentAt: at });
};

function offerForm(line: Line, command: Command, language: Language): Answer {
  const { repository, environment, revision, task, reason, notBefore } = command;
  const value = { repository, environment, revision, task, reason, notBefore };
  return answer([line], [formButton(deployTexts[language].openForm, value)]);
}
