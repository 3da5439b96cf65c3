import { abort } from '../../actions/abort.ts';
import { approve } from '../../actions/approve.ts';
import type { FoundDeploy } from '../../actions/find-deploy.ts';
import type { DeployName } from '../../actions/names.ts';
import { splitKey } from '../../base/object-key.ts';
import { endingOf, whoLine } from '../../chat/lane-lines.ts';
import { actorOf } from '../../chat/request-id.ts';
import { isFromTrusted, slackUserOf } from '../../chat/requester.ts';
import type { Line } from '../../chat/rich-text.ts';
import { environmentOf } from '../../chat/target.ts';
import { decideTexts } from '../../chat/texts/decide.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import { timeOf } from '../../chat/texts/time.ts';
import type { BotContext } from '../context.ts';
import { readerOf } from '../read/target-state.ts';
import { ageLines, askedBy, beforeStartLines, deployLines, laneOf, nowThereLines } from './facts.ts';
import { impossible, type Outlook } from './possible.ts';
import { repeatOutlook } from './repeat-outlook.ts';
import { deployedOf, type Subject } from './subject.ts';

/** Says what a decision would do now, by the newest status that was seen, or why it cannot be taken. */
export function outlookOf(bot: BotContext, subject: Subject): Outlook {
  const { kind, target, deploy, profile } = subject;
  const texts = decidedTexts[profile.language];
  if (!target.resource || !bot.kube) return impossible('outsideCluster', texts.outsideCluster(kind));
  if (kind === 'retry' || kind === 'rollback') return repeatOutlook(bot, subject, target.resource);
  const power = bot.powers(target)[kind === 'approve' ? 'approve' : 'abort'];
  if (power !== true) return impossible('switchedOff', texts.switchedOff(power));
  if (!deploy) return impossible('outdated', texts.notOnRecord());
  if (deploy.state === 'ended') {
    const ending = endingOf(deploy.entry, readerOf(bot, subject));
    return impossible('outdated', texts.hasEnded(deployedOf(deploy), ending, timeOf(deploy.entry.finishedAt, profile)));
  }
  return kind === 'approve' ? approvalOutlook(bot, subject, deploy) : abortOutlook(bot, subject, deploy);
}

type Pending = Extract<FoundDeploy, { state: 'active' | 'waiting' }>;

function abortOutlook(bot: BotContext, subject: Subject, deploy: Pending): Outlook {
  const { kind, asker, profile } = subject;
  const texts = decideTexts[profile.language];
  const { effects } = texts;
  const deployed = deployedOf(deploy);
  const isWaiting = deploy.state === 'waiting';
  if (kind === 'refuse' && !isWaiting) {
    return impossible('outdated', decidedTexts[profile.language].hasStarted(deployed));
  }
  const name = nameOf(subject, deploy);
  if (!name) return impossible('outdated', decidedTexts[profile.language].noUid());
  const effect = kind === 'refuse' ? effects.refuse : isWaiting ? effects.abortWaiting : effects.abortRunning;
  const actor = actorOf(bot.config().slack.team, asker.user);
  return {
    may: true,
    job: name.job,
    lines: [
      ...deployLines(bot, subject, deploy),
      ...nowThereLines(bot, subject, laneOf(bot, subject)),
      [effect],
      ...ageLines(bot, subject),
    ],
    seen: `${deploy.state} ${name.uid}`,
    isAskedBefore: false,
    deed: { by: 'kube', act: (client) => abort(client, actor, name, isWaiting ? 'waiting' : 'running') },
    said: decidedTexts[profile.language].said[kind === 'refuse' ? 'refuse' : 'abort'](asker.user, deployed),
  };
}

function approvalOutlook(bot: BotContext, subject: Subject, deploy: Pending): Outlook {
  const { asker, profile } = subject;
  const texts = decideTexts[profile.language];
  const refusals = decidedTexts[profile.language];
  const deployed = deployedOf(deploy);
  if (deploy.state === 'active') return impossible('outdated', refusals.hasStarted(deployed));
  const { entry } = deploy;
  if (!entry.approvalMissing) {
    const by = entry.approvedBy;
    return impossible(
      'outdated',
      by === undefined ? refusals.needsNoApproval(deployed) : refusals.approvedAlready(deployed, whoLine(by)),
    );
  }
  // Four eyes: whatever the sender is worth, who is named is not asked to prove that he did not ask.
  if (slackUserOf(entry.requestedBy) === asker.user) return impossible('ownRequest', refusals.ownRequest());
  if (!mayBeApproved(bot, subject, deploy)) return impossible('unverified', refusals.unverified());
  const name = nameOf(subject, deploy);
  if (!name) return impossible('outdated', refusals.noUid());
  const lane = laneOf(bot, subject);
  const actor = actorOf(bot.config().slack.team, asker.user);
  return {
    may: true,
    job: name.job,
    lines: [
      ...deployLines(bot, subject, deploy),
      ...nowThereLines(bot, subject, lane),
      ...beforeStartLines(bot, subject, lane),
      [texts.effects.approve],
      ...doubtLines(bot, subject, deploy),
      ...ageLines(bot, subject),
    ],
    seen: `waiting ${name.uid}`,
    isAskedBefore: false,
    deed: { by: 'kube', act: (client) => approve(client, actor, name) },
    said: refusals.said.approve(asker.user, deployed),
  };
}

/** In a protected environment somebody must vouch for who asked, or anybody who may send could approve his own request. */
function mayBeApproved(bot: BotContext, { target, environment }: Subject, { entry }: FoundDeploy): boolean {
  const { trustedSenders, approveUnverified } = bot.config();
  // An environment that the target does not have any more is not known to be unprotected.
  const isProtected = environmentOf(target, environment)?.isProtected ?? true;
  return !isProtected || approveUnverified || isFromTrusted(entry, trustedSenders);
}

/** What the one who approves has to know: it was not, or could not be, checked that another person asked. */
export function doubtLines(bot: BotContext, { profile }: Subject, deploy: FoundDeploy): Line[] {
  const texts = decideTexts[profile.language];
  const by = askedBy(bot, deploy);
  if (by.kind === 'person') return [];
  return [by.kind === 'elsewhere' ? texts.notInSlack() : texts.notVouched()];
}

/** @returns undefined if an older operator has not written the uid of what waits */
function nameOf({ target }: Subject, { entry: { job, uid } }: Pending): DeployName | undefined {
  const [namespace] = splitKey(target.name);
  return uid === undefined ? undefined : { namespace, job, uid };
}
