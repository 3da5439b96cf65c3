import { ActionError } from '../../actions/action-error.ts';
import type { FoundDeploy } from '../../actions/find-deploy.ts';
import type { Asking, Repeat } from '../../actions/repeat.ts';
import { retry } from '../../actions/retry.ts';
import { rollback } from '../../actions/rollback.ts';
import type { CapDeployJob } from '../../api/capdeployjob.ts';
import { DEFAULT_TASK } from '../../api/deploy-request.ts';
import { STALE_MS } from '../../chat/lane-lines.ts';
import { requestedByOf } from '../../chat/request-id.ts';
import type { Line } from '../../chat/rich-text.ts';
import { decideTexts } from '../../chat/texts/decide.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import { timeOf } from '../../chat/texts/time.ts';
import type { BotContext } from '../context.ts';
import { readerOf } from '../read/target-state.ts';
import type { Submission } from '../submit.ts';
import { ageLines, askedBy, beforeStartLines, deployLines, laneOf, nowThereLines } from './facts.ts';
import { actionErrorLine, impossible, type Outlook } from './possible.ts';
import { deployedOf, type Subject, standingOf } from './subject.ts';

/** Capistrano's own way back: https://capistranorb.com/documentation/getting-started/rolling-back/ */
const ROLLBACK_TASK = 'deploy:rollback';

/** What a retry or a rollback would do now: both ask for a new deploy, by a message to the queue. */
export function repeatOutlook(bot: BotContext, subject: Subject, resource: CapDeployJob): Outlook {
  const { kind, deploy, profile } = subject;
  const refusals = decidedTexts[profile.language];
  // An old memory names a wrong revision.
  const ageMs = bot.targets.staleMs();
  if (ageMs > STALE_MS) return impossible('unavailable', refusals.stale(Math.round(ageMs / STALE_MS)));
  if (kind === 'retry') {
    if (!deploy) return impossible('outdated', refusals.notOnRecord());
    if (deploy.state !== 'ended') return impossible('outdated', refusals.notEnded(deployedOf(deploy)));
    if (deploy.entry.result === 'Succeeded') {
      return impossible('outdated', refusals.hasSucceeded(deployedOf(deploy)));
    }
  }
  try {
    return kind === 'retry' && deploy ? retryOutlook(bot, subject, deploy) : rollbackOutlook(bot, subject, resource);
  } catch (error) {
    if (!(error instanceof ActionError)) throw error;
    return impossible(error.kind, actionErrorLine(error, profile.language));
  }
}

function retryOutlook(bot: BotContext, subject: Subject, deploy: FoundDeploy): Outlook {
  const { asker, profile } = subject;
  const texts = decideTexts[profile.language];
  const { job } = deploy.entry;
  const made = retry(bot.targets.status(subject.target), deploy, askingOf(bot, subject, `retry of ${job}`));
  const said = decidedTexts[profile.language].said.retry(asker.user, deployedOf(deploy));
  return outlook(bot, subject, made, { job, deploy, effect: [texts.effects.retry], said });
}

function rollbackOutlook(bot: BotContext, subject: Subject, resource: CapDeployJob): Outlook {
  const { asker, profile, target, environment, deploy } = subject;
  const texts = decideTexts[profile.language];
  const isByTask = bot.config().rollback === 'task' && target.tasks.includes(ROLLBACK_TASK);
  const choice = { from: deploy, task: isByTask ? ROLLBACK_TASK : undefined };
  const reason = deploy ? `rollback of ${deploy.entry.job}` : `rollback of ${environment}`;
  const made = rollback(resource, environment, choice, askingOf(bot, subject, reason));
  const { from, to } = made;
  const fromName = from.revision ?? from.task;
  const { repository, task = DEFAULT_TASK, revision } = made.message;
  const effect = to?.revision === undefined ? texts.rollsBackBy(task) : texts.rollsBackTo(fromName, to.revision);
  const said = decidedTexts[profile.language].rollsBack(asker.user, { repository, environment }, fromName, {
    revision,
    task,
  });
  const origin: FoundDeploy = { environment, state: 'ended', entry: from };
  return outlook(bot, subject, made, { job: from.job, deploy: origin, effect, said });
}

interface Words {
  readonly job: string;
  readonly deploy: FoundDeploy;
  readonly effect: Line;
  readonly said: Line;
}

function outlook(bot: BotContext, subject: Subject, made: Repeat, { job, deploy, effect, said }: Words): Outlook {
  const [last] = made.earlier;
  const before = last ? [earlierLine(bot, subject, last)] : [];
  // The same id again would be the same deploy.
  if (last && last.state !== 'ended') return impossible('asked', before.flat());
  const lane = laneOf(bot, subject);
  return {
    may: true,
    job,
    lines: [
      ...deployLines(bot, subject, deploy),
      ...nowThereLines(bot, subject, lane),
      ...beforeStartLines(bot, subject, lane, deploy),
      effect,
      ...before,
      ...ageLines(bot, subject),
    ],
    seen: `${made.message.id} ${lane.current?.job ?? ''}`,
    isAskedBefore: last !== undefined,
    deed: { by: 'queue', submission: submissionOf(subject, made, job) },
    said,
  };
}

const earlierLine = (bot: BotContext, { profile }: Subject, found: FoundDeploy): Line =>
  decideTexts[profile.language].earlier(
    askedBy(bot, found),
    timeOf(found.entry.sentAt, profile),
    standingOf(found, readerOf(bot, { profile })),
  );

const askingOf = (bot: BotContext, { asker, profile, at }: Subject, reason: string): Asking => {
  const { team } = bot.config().slack;
  return {
    idPrefix: `slack-${team}`,
    requestedBy: requestedByOf(team, asker.user, profile.name),
    source: 'slack',
    sentAt: new Date(at).toISOString(),
    reason,
  };
};

function submissionOf(subject: Subject, { message }: Repeat, job: string): Submission {
  const { kind, asker, rule, profile, target, at } = subject;
  const { id, repository, environment, task = DEFAULT_TASK, revision, reason } = message;
  const wanted = { repository, environment, task, revision, notBefore: undefined };
  const verb = kind === 'rollback' ? 'rollback' : 'retry';
  return { asker, verb, rule, profile, target, wanted, reason, job, id, sentAt: at };
}
