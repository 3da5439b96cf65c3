import { DEFAULT_TASK, revisionProblem } from '../../api/deploy-request.ts';
import {
  type Choice,
  type Chosen,
  choiceValue,
  type FormField,
  type FormMetadata,
  LONG_REVISION,
} from '../../chat/form.ts';
import { optionValue } from '../../chat/options.ts';
import { idOfView } from '../../chat/request-id.ts';
import { answer, type Line } from '../../chat/rich-text.ts';
import { environmentOf, type TargetEnvironment } from '../../chat/target.ts';
import { deployTexts } from '../../chat/texts/deploy.ts';
import { formTexts } from '../../chat/texts/form.ts';
import { parseMessage } from '../../requests/parse-message.ts';
import { readSpec } from '../../requests/read-spec.ts';
import type { Asker, Profile } from '../asker.ts';
import type { BotContext } from '../context.ts';
import { messageOf, type Submission } from '../submit.ts';
import { revisionOf } from './draw.ts';
import type { Rights } from './rights.ts';

/** What a person submits. */
export interface Filled {
  readonly asker: Asker;
  readonly profile: Profile;
  readonly metadata: FormMetadata;
  readonly fields: Chosen;
  readonly viewId: string;
}

/** What may be sent. */
export interface Accepted {
  readonly submission: Submission;
  readonly environment: TargetEnvironment;
}

export type Errors = Partial<Record<FormField, string>>;
export type Checked = Accepted | { readonly errors: Errors };

/** Judges what was submitted: by the rights of now, then as the operator would judge the message. */
export function checkForm(bot: BotContext, rights: Rights, filled: Filled): Checked {
  const { asker, metadata, fields } = filled;
  const texts = formTexts[metadata.language];
  const wrong = (errors: Errors, place: { target?: string; environment?: string } = {}) => {
    bot.decided({ asker, verb: 'deploy', ...place, outcome: 'notUnderstood' });
    return { errors };
  };
  const choice = rights.choices.find((each) => choiceValue(each) === fields.repository);
  if (!choice) return wrong({ repository: texts.gone });
  const { target } = choice;
  const environment = environmentOf(target, fields.environment ?? '');
  const verdict = environment && rights.verdict(target, environment.name);
  const place = { target: target.name, ...(environment ? { environment: environment.name } : {}) };
  if (!environment || !verdict?.allowed) {
    // Who may not use an environment gets the words of one that there is not.
    const because = verdict === undefined || verdict.allowed ? 'notUnderstood' : verdict.because;
    bot.decided({ asker, verb: 'deploy', ...place, outcome: because });
    const { refused } = deployTexts[metadata.language];
    return { errors: { environment: because === 'lookupFailed' ? refused[because] : texts.gone } };
  }
  const wanted = wantedOf(bot, choice, filled);
  if ('errors' in wanted) return wrong(wanted.errors, place);
  const { task, revision, notBefore } = wanted;
  const submission: Submission = {
    asker,
    verb: 'deploy',
    rule: verdict.rule,
    profile: filled.profile,
    target,
    wanted: { repository: choice.repository, environment: environment.name, task, revision, notBefore },
    reason: fields.reason,
    id: idOfView(bot.config().slack.team, filled.viewId),
    sentAt: bot.clock.now(),
  };
  const rejected = rejectionOf(bot, submission);
  return rejected ? wrong(rejected, place) : { submission, environment };
}

interface Wanted {
  readonly task: string;
  readonly revision: string | undefined;
  /** RFC 3339. */
  readonly notBefore: string | undefined;
}

function wantedOf(
  bot: BotContext,
  choice: Choice,
  { metadata: { language }, fields }: Filled,
): Wanted | { errors: Errors } {
  const texts = formTexts[language];
  const problem = (found: Parameters<typeof deployTexts.en.problem>[0]) => textOf(deployTexts[language].problem(found));
  const { tasks } = choice.target;
  const task = tasks.length === 1 ? tasks[0] : tasks.find((each) => optionValue(each) === fields.task);
  if (task === undefined) return { errors: { task: texts.chooseAgain } };
  const found = fields.revision === LONG_REVISION ? undefined : fields.revision;
  const revision = found === undefined ? undefined : revisionOf(bot, choice, found);
  if (found !== undefined && revision === undefined) return { errors: { revision: texts.chooseAgain } };
  if (revision === undefined && task === DEFAULT_TASK) {
    return { errors: { revision: problem({ kind: 'missing', fields: ['revision'], verb: 'deploy' }) } };
  }
  const unsafe = revision === undefined ? undefined : revisionProblem(revision);
  if (revision !== undefined && unsafe !== undefined) {
    return { errors: { revision: problem({ kind: 'badValue', field: 'revision', found: revision, problem: unsafe }) } };
  }
  const notBefore = fields.notBefore === undefined ? undefined : fields.notBefore * 1000;
  if (notBefore !== undefined && notBefore <= bot.clock.now()) return { errors: { notBefore: texts.past } };
  return { task, revision, notBefore: notBefore === undefined ? undefined : new Date(notBefore).toISOString() };
}

const FIELDS: readonly string[] = ['repository', 'environment', 'revision', 'task', 'reason', 'notBefore'];

/** What the operator would say. Without a resource only the operator knows. */
function rejectionOf(bot: BotContext, submission: Submission): Errors | undefined {
  const { resource } = submission.target;
  const read = resource && readSpec(resource);
  // The sender says what is wrong with a spec.
  if (!read || 'problem' in read) return undefined;
  const raw = {
    messageId: '',
    body: JSON.stringify(messageOf(bot, submission)),
    senderId: '',
    sentTimestamp: undefined,
  };
  const { rejection } = parseMessage(raw, read, bot.clock.now());
  if (!rejection) return undefined;
  const field = FIELDS.includes(rejection.field ?? '') ? (rejection.field as FormField) : 'repository';
  return { [field]: rejection.message ?? rejection.reason };
}

/** An error at a field is plain text. */
export const textOf = (line: Line): string => answer([line]).text;
