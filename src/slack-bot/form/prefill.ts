import { momentOf } from '../../api/rfc3339.ts';
import type { FormValue } from '../../chat/buttons.ts';
import { type Chosen, choiceValue } from '../../chat/form.ts';
import type { Line } from '../../chat/rich-text.ts';
import { findTarget, nearestOf } from '../../chat/target.ts';
import { deployTexts } from '../../chat/texts/deploy.ts';
import type { Language } from '../../chat/texts/language.ts';
import { choiceOf, type Rights } from './rights.ts';

const MINUTE_MS = 60_000;

/** From names in a button, which a line had, to fields. What is not known is said. */
export function prefilled(rights: Rights, value: FormValue, language: Language): { fields: Chosen; problems: Line[] } {
  const { repository, notBefore, ...given } = value;
  const rest: Chosen = { ...given, ...secondsOf(notBefore) };
  const texts = deployTexts[language];
  const found = repository === undefined ? undefined : findTarget(rights.targets, repository);
  if (found && 'problem' in found) return { fields: rest, problems: [texts.noTarget(found.problem)] };
  const choice = found ?? choiceOf(rights, undefined);
  // Until a repository is chosen nobody knows what the rest is.
  if (!choice) return { fields: rest, problems: [] };
  const { environment, task, ...others } = rest;
  const { target } = choice;
  const fields: Chosen = { ...others, repository: choiceValue(choice) };
  const problems: Line[] = [];
  const names = rights.environmentsOf(target).map(({ name }) => name);
  if (environment !== undefined && names.includes(environment)) fields.environment = environment;
  else if (environment !== undefined) {
    problems.push(texts.noEnvironment(target.name, environment, names, nearestOf(environment, names)));
  }
  if (task !== undefined && target.tasks.includes(task)) fields.task = task;
  else if (task !== undefined) problems.push(texts.noTask(target.name, task, target.tasks));
  return { fields, problems };
}

/** The picker shows minutes: with another value than it shows, the deploy would start before the time that was read. */
function secondsOf(notBefore: string | undefined): Chosen {
  const moment = notBefore === undefined ? undefined : momentOf(notBefore);
  return moment === undefined ? {} : { notBefore: Math.ceil(moment / MINUTE_MS) * 60 };
}
