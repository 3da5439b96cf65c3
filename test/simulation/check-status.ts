import type { CapDeployJobStatus, Claim, HistoryEntry, LaneStatus, Watermark } from '../../src/api/capdeployjob.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { checkClaimedAborter, checkWaitingAborter } from './check-aborts.ts';
import { checkEntry } from './check-entry.ts';
import { checkClaimedEnd } from './check-exits.ts';
import { contentOf } from './check-messages.ts';
import { checkTexts } from './check-texts.ts';
import { checkWaits } from './check-waits.ts';
import type { Sent } from './messages.ts';
import { environmentsOf, type Oracle } from './oracle.ts';
import type { ResourceSpec } from './setting.ts';
import { isJobAlive, isLater, type JobTruth, type ResourceTruth, rulesOut, whyNot } from './truth.ts';
import { Violation } from './violation.ts';

/**
 * An operator has stored a status: invariants 1 and 7, and the promises of the protocol that can be read off one write.
 */
export function checkStatus(oracle: Oracle, truth: ResourceTruth, previous: KubeObject, object: KubeObject): void {
  const before = (previous.status ?? {}) as CapDeployJobStatus;
  const after = (object.status ?? {}) as CapDeployJobStatus;
  noteListed(truth, after);
  checkHistory(oracle, truth, before, after, previous);
  checkRejections(oracle, truth, before, after, previous);
  const names = new Set([...(before.environments ?? []), ...(after.environments ?? [])].map(({ name }) => name));
  for (const name of names) {
    const was = before.environments?.find((lane) => lane.name === name);
    const is = after.environments?.find((lane) => lane.name === name);
    checkNothingFallsOut(name, was, is, after.history ?? []);
    checkWatermark(name, was, is);
    checkWaiting(oracle, truth, name, is, after.history ?? []);
    if (is) checkWaits(oracle, truth, is, previous);
    checkClaim(oracle, truth, name, was?.active?.[0], is?.active?.[0], after, previous);
    if (!was?.active?.length) checkHeld(oracle, truth, name, is);
  }
}

function noteListed(truth: ResourceTruth, { environments = [], history = [] }: CapDeployJobStatus): void {
  const note = (
    environment: string,
    { id, task, revision = '', repository }: Pick<Watermark, 'id' | 'task' | 'revision' | 'repository'>,
  ) => {
    const key = `${environment}|${id}`;
    const contents = truth.listed.get(key) ?? new Set();
    truth.listed.set(key, contents.add(contentOf({ task, revision, repository })));
  };
  for (const { name, active = [], waiting = [], lastStarted = [] } of environments) {
    for (const entry of [...active, ...waiting, ...lastStarted]) note(name, entry);
  }
  for (const entry of history) note(entry.environment, entry);
}

/** Each request has one entry, and what is recorded stays as it was recorded. */
function checkHistory(
  oracle: Oracle,
  truth: ResourceTruth,
  before: CapDeployJobStatus,
  after: CapDeployJobStatus,
  basis: KubeObject,
): void {
  const keyOf = ({ environment, id }: HistoryEntry) => `${environment}|${id}`;
  const now = new Map<string, HistoryEntry>();
  for (const entry of after.history ?? []) {
    if (now.has(keyOf(entry))) throw new Violation('invariant 1', `request ${entry.id} has a second history entry`);
    now.set(keyOf(entry), entry);
  }
  const old = new Set<string>();
  for (const entry of before.history ?? []) {
    old.add(keyOf(entry));
    const kept = now.get(keyOf(entry));
    if (kept === undefined) throw new Violation('invariant 1', `the history entry of ${entry.id} is gone`);
    const isKept = (['result', 'reason', 'finishedAt', 'abortedBy'] as const).every(
      (what) => kept[what] === entry[what],
    );
    if (!isKept) {
      throw new Violation(
        'invariant 7',
        `the history entry of ${entry.id} was changed to ${kept.result} (${kept.reason})`,
      );
    }
  }
  for (const [key, entry] of now) if (!old.has(key)) checkEntry(oracle, truth, entry, before, after, basis);
}

function checkRejections(
  oracle: Oracle,
  truth: ResourceTruth,
  before: CapDeployJobStatus,
  after: CapDeployJobStatus,
  basis: KubeObject,
): void {
  const more = (after.rejectionsCount ?? 0) - (before.rejectionsCount ?? 0);
  const shown = (after.rejections ?? []).filter(({ messageId }) => !truth.rejected.has(messageId));
  if (more < 0) throw new Violation('invariant 7', 'the count of rejections goes back');
  truth.uncertainRejections += Math.max(0, more - shown.length);
  for (const { messageId, reason } of shown) {
    truth.rejected.add(messageId);
    const sent = oracle.sent.find(({ message }) => message.messageId === messageId);
    if (sent === undefined) throw new Violation('invariant 7', `${messageId} is rejected, which nobody sent`);
    const allowed = rejectionsOf(oracle, truth, sent, basis);
    if (allowed.length === 0 || (sent.intent && !allowed.includes(reason))) {
      throw new Violation('invariant 7', `${messageId} is rejected (${reason}), and nothing is wrong with it`);
    }
  }
}

/** For what a message may be rejected. */
export function rejectionsOf(
  oracle: Oracle,
  truth: ResourceTruth,
  { intent, place }: Sent,
  resource: KubeObject,
): string[] {
  if (intent === undefined) return ['its body'];
  const isRemoved =
    truth.removedEnvironments.has(intent.environment) || !environmentsOf(resource).includes(intent.environment);
  const isTaken = oracle.sent.some(
    (other) =>
      other.place === place &&
      other.intent?.id === intent.id &&
      other.intent.environment === intent.environment &&
      contentOf(other.intent) !== contentOf(intent),
  );
  // A Job that was orphaned with its resource, or is somebody else's by now.
  const isForeign = [...oracle.jobs.values()].some((job) => job.request.id === intent.id && job.owner !== truth.uid);
  return [
    ...(isForeign ? ['NameConflict'] : []),
    ...(isRemoved ? ['UnknownEnvironment'] : []),
    ...(isTaken ? ['IdConflict'] : []),
  ];
}

/** What stood in a lane goes on standing somewhere. */
function checkNothingFallsOut(
  name: string,
  was: LaneStatus | undefined,
  is: LaneStatus | undefined,
  history: readonly HistoryEntry[],
): void {
  const stands = new Set([
    ...[...(is?.active ?? []), ...(is?.waiting ?? []), ...(is?.lastStarted ?? [])].map(({ id }) => id),
    ...history.filter(({ environment }) => environment === name).map(({ id }) => id),
  ]);
  for (const { id } of [...(was?.active ?? []), ...(was?.waiting ?? [])]) {
    if (!stands.has(id)) throw new Violation('invariant 1', `request ${id} stood in ${name}, and stands nowhere now`);
  }
}

/** Rule 8: forward only. */
function checkWatermark(name: string, was: LaneStatus | undefined, is: LaneStatus | undefined): void {
  for (const mark of was?.lastStarted ?? []) {
    const now = is?.lastStarted?.find(({ task }) => task === mark.task);
    const isForward =
      now !== undefined &&
      !isLater({ ...mark, dueAt: Date.parse(mark.dueAt) }, { ...now, dueAt: Date.parse(now.dueAt) });
    if (!isForward) {
      throw new Violation(
        'invariant 4',
        `the watermark of ${name} (${mark.task}) moves back from ${mark.id} to ${now?.id}`,
      );
    }
  }
}

/** Who waits has a Job that waits, or had one a moment ago, and has not had its turn. */
function checkWaiting(
  oracle: Oracle,
  truth: ResourceTruth,
  name: string,
  is: LaneStatus | undefined,
  history: readonly HistoryEntry[],
): void {
  const seen = new Set<string>();
  for (const entry of is?.waiting ?? []) {
    const { id, job } = entry;
    checkWaitingAborter(oracle, entry);
    const request = oracle.requests.get(`${truth.uid}/${name}/${id}`);
    checkTexts(request, entry);
    if (!request?.jobs.some((each) => each.name === job)) {
      throw new Violation('invariant 7', `${id} is listed as waiting, and there was never such a Job`);
    }
    if (seen.has(id)) throw new Violation('invariant 7', `${id} is listed as waiting twice`);
    seen.add(id);
    if (history.some((entry) => entry.environment === name && entry.id === id)) {
      throw new Violation('invariant 7', `${id} is listed as waiting, and its end is recorded`);
    }
  }
}

function checkClaim(
  oracle: Oracle,
  truth: ResourceTruth,
  name: string,
  was: Claim | undefined,
  is: Claim | undefined,
  after: CapDeployJobStatus,
  basis: KubeObject,
): void {
  if (is && (is.uid !== was?.uid || is.since !== was.since)) {
    const job = oracle.jobs.get(is.uid);
    if (job?.owner !== truth.uid || job.request.id !== is.id || job.request.environment !== name) {
      throw new Violation('invariant 7', `the claim of ${name} names ${is.job}, which is not the Job of ${is.id}`);
    }
    if (is.uid !== was?.uid) checkTurn(oracle, truth, name, job, Date.parse(is.since), basis);
    const { writers = new Map() } = oracle.claims.get(is.uid) ?? {};
    oracle.claims.set(is.uid, { since: Date.parse(is.since), basis, version: oracle.version, writers });
    const seen = oracle.look(truth.name).jobs;
    if (job.start && job.start.version <= seen) job.start.isAcknowledged = true;
  }
  if (is) checkTexts(oracle.requests.get(`${truth.uid}/${name}/${is.id}`), is);
  if (is) checkClaimedEnd(oracle, was, is);
  if (is) checkClaimedAborter(oracle, was, is);
  if (is && was?.ending && was.uid === is.uid && !is.ending) checkTakenBack(oracle, truth, is);
  if (is) oracle.claims.get(is.uid)?.writers.set(oracle.operator?.name ?? '', oracle.version);
  if (!was || was.uid === is?.uid) return;
  const job = oracle.jobs.get(was.uid);
  const isRecorded = after.history?.some((entry) => entry.environment === name && entry.id === was.id);
  const pod = job?.pods.find((each) => each.isAlive);
  if (isRecorded && pod) {
    throw new Violation('invariant 3', `the claim of ${was.job} is released, and its Pod is still there`);
  }
  const isGivenUp = after.environments?.some(
    (lane) => lane.name === name && lane.waiting?.some(({ id }) => id === was.id),
  );
  if (!isRecorded && !isGivenUp) throw new Violation('invariant 1', `the claim of ${was.job} is gone without a record`);
}

/**
 * Rule 3: what a pass has seen running gets a lane that nobody has, whoever started it. (A pass that gives up a claim
 * leaves that to the next one.)
 */
function checkHeld(oracle: Oracle, truth: ResourceTruth, name: string, is: LaneStatus | undefined): void {
  if (is?.active?.length || truth.endVersion !== undefined) return;
  const seen = oracle.look(truth.name).jobs;
  const wasSeen = (job: JobTruth) => isJobAlive(job) && job.start !== undefined && job.start.version <= seen;
  const jobs = oracle.jobsIn(`${truth.name}/${name}`).filter(({ owner }) => owner === truth.uid);
  const running = jobs.find((job) => wasSeen(job) && !oracle.isRecorded(job));
  if (running) throw new Violation('rule 3', `${running.name} runs, and its lane is said to be free`);
}

/** Rule 10: the Job is written first, so that a delete that is under way elsewhere is refused. */
function checkTakenBack(oracle: Oracle, { name }: ResourceTruth, { uid, job: jobName }: Claim): void {
  const job = oracle.jobs.get(uid);
  if (!job || !isJobAlive(job) || job.object.metadata.deletionTimestamp !== undefined) return;
  const seen = oracle.look(name).jobs;
  if (Number(job.object.metadata.resourceVersion) > seen) return;
  throw new Violation(
    'rule 10',
    `the announcement that ${jobName} is ended is taken back, and its Job was not written first`,
  );
}

/**
 * Of those that could start, the one that is due first gets the claim; what is overtaken, rolled back or too late is
 * none of them.
 */
function checkTurn(
  oracle: Oracle,
  truth: ResourceTruth,
  name: string,
  { request, start }: JobTruth,
  at: number,
  basis: KubeObject,
): void {
  const { environments = [], concurrencyPolicy, startingDeadlineSeconds } = basis.spec as ResourceSpec;
  const policy = environments.find((environment) => environment.name === name)?.concurrencyPolicy ?? concurrencyPolicy;
  const lane = (basis.status as CapDeployJobStatus | undefined)?.environments?.find((each) => each.name === name);
  if (policy !== 'Queue' || start !== undefined) return;
  const others = [...oracle.requests.values()].filter(
    (other) => other !== request && other.environment === name && other.jobs[0]?.owner === truth.uid,
  );
  for (const other of others) {
    const job = other.jobs.find((each) => each.isPresent && each.isSuspended && each.finished === undefined);
    if (!job || other.starts.length > 0 || !isLater(request, other)) continue;
    // By the same write: somebody had taken it out of the lane.
    if (oracle.isRecorded(job)) continue;
    if (job.object.metadata.deletionTimestamp !== undefined) continue;
    // It moved since the pass looked: approved just now, say.
    if (Number(job.object.metadata.resourceVersion) > oracle.look(truth.name).jobs) continue;
    const isListed = lane?.waiting?.some(({ id }) => id === other.id);
    if (!isListed || whyNot(other, job.object, basis, at) || at - other.dueAt > startingDeadlineSeconds * 1000)
      continue;
    const isOvertaken = others.some(
      (third) =>
        isLater(third, other) &&
        ((rulesOut(third, other) && third.starts.length > 0) || /(^|:)rollback$/.test(third.task)),
    );
    const isOvertakenByThis = /(^|:)rollback$/.test(request.task);
    if (!isOvertaken && !isOvertakenByThis) {
      throw new Violation('contract 4', `${request.id} gets its turn in ${name}, and ${other.id} was due before it`);
    }
  }
}
