import type { CapDeployJobStatus, HistoryEntry } from '../../src/api/capdeployjob.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { wrongAborter } from './check-aborts.ts';
import { isInDoubt, wrongEnd } from './check-ends.ts';
import { checkTexts } from './check-texts.ts';
import type { Oracle } from './oracle.ts';
import type { ResourceSpec } from './setting.ts';
import {
  annotationOf,
  atVersion,
  finishedAs,
  isLater,
  type JobTruth,
  type RequestTruth,
  type ResourceTruth,
  rulesOut,
} from './truth.ts';
import { Violation } from './violation.ts';

/** Invariant 7: a history entry that is new in a status tells what has happened. */
export function checkEntry(
  oracle: Oracle,
  truth: ResourceTruth,
  entry: HistoryEntry,
  before: CapDeployJobStatus,
  after: CapDeployJobStatus,
  basis: KubeObject,
): void {
  const request = oracle.requests.get(`${truth.uid}/${entry.environment}/${entry.id}`);
  if (request === undefined) throw new Violation('invariant 7', `request ${entry.id} is recorded, and had no Job`);
  checkTexts(request, entry);
  const seen = oracle.look(truth.name).jobs;
  for (const start of request.starts) start.isAcknowledged ||= start.version <= seen;
  const problem =
    untruth(oracle, truth, request, entry, before, after, basis, seen) ??
    untrueEnd(oracle, request, entry, before) ??
    wrongAborter(oracle, request, stoodAs(entry, before), entry);
  // Somebody resumed it behind the pass that recorded it otherwise: there is no second record.
  for (const start of request.starts) if (start.byHand && start.version > seen) start.isUntraceable = true;
  if (problem) {
    throw new Violation('invariant 7', `${entry.id} is recorded ${entry.result} (${entry.reason}), but ${problem}`);
  }
}

/** What the status said of its request before. */
function stoodAs({ environment, id }: HistoryEntry, { environments = [] }: CapDeployJobStatus) {
  const lane = environments.find(({ name }) => name === environment);
  return [...(lane?.active ?? []), ...(lane?.waiting ?? [])].find((each) => each.id === id);
}

/** Of a deploy that was started: it ended otherwise. */
function untrueEnd(
  oracle: Oracle,
  request: RequestTruth,
  entry: HistoryEntry,
  before: CapDeployJobStatus,
): string | undefined {
  if (!['Succeeded', 'Failed', 'Aborted', 'Unknown'].includes(entry.result)) return undefined;
  const lane = before.environments?.find(({ name }) => name === entry.environment);
  const claim = lane?.active?.find(({ id }) => id === entry.id);
  return wrongEnd(oracle, request, claim, entry);
}

function untruth(
  oracle: Oracle,
  truth: ResourceTruth,
  request: RequestTruth,
  { result, reason, startedAt, environment, sentAt, notBefore }: HistoryEntry,
  before: CapDeployJobStatus,
  after: CapDeployJobStatus,
  basis: KubeObject,
  seen: number,
): string | undefined {
  const { jobs, starts } = request;
  // Of the Job that was looked at: its message may have come again since, sent at another time.
  const asked = { ...request, dueAt: Math.max(Date.parse(sentAt), Date.parse(notBefore ?? sentAt)) };
  const spec = basis.spec as ResourceSpec;
  // By its own clock, or by that of the API server, which says when a Job was created.
  const now = Math.max(oracle.operator?.clock.now() ?? 0, oracle.world.clock.now());
  const lane = after.environments?.find(({ name }) => name === environment);
  const claim = before.environments
    ?.find(({ name }) => name === environment)
    ?.active?.find(({ id }) => id === request.id);
  const known = starts.filter((start) => !start.isUntraceable && start.version <= seen);
  const never = known.length > 0 ? `it was started (${known[0]!.job.name})` : undefined;
  // Of a claim whose Job is gone: a second delivery may have made another one of its name, which somebody resumed.
  const told = claim ? jobs.filter(({ uid }) => uid === claim.uid) : jobs;
  switch (result) {
    case 'Succeeded':
      if (!startedAt) return 'its entry tells no start';
      return undefined;
    case 'Failed':
      if (!startedAt) return 'its entry tells no start';
      if (reason === 'PodNotStarted')
        return claim?.ending || jobs.some((job) => job.finished) ? undefined : 'nobody ended it';
      return undefined;
    case 'Aborted':
    case 'Unknown':
      if (told.some((job) => hasCompleted(job, seen) && !(claim?.ending && isInDoubt(job))))
        return 'its Job has completed';
      if (reason === 'Replaced') return claim?.ending ? undefined : 'no newer request was to take its place';
      if (reason === 'JobSuspended') {
        if (!jobs.some((job) => job.suspendedByHand)) return 'nobody suspended it';
        // Rule 9: that write is refused where the Job has moved since it was looked at.
        const isMarked = jobs.some((job) => annotationOf(job.object, 'started-at') !== undefined);
        return isMarked ? undefined : 'its Job had not been marked as started';
      }
      return jobs.some((job) => job.deletedBy === 'somebody' || job.deletedBy === 'the cluster')
        ? undefined
        : 'nobody deleted its Job';
    case 'Superseded': {
      if (never) return never;
      const others = [...oracle.requests.values()].filter(
        (other) => other.environment === environment && other.jobs[0]?.owner === truth.uid,
      );
      if (reason === 'NewerRequest') {
        const standing = new Set(
          [...(lane?.waiting ?? []), ...(lane?.active ?? []), ...(after.history ?? [])].map(({ id }) => id),
        );
        return others.some((other) => isLater(other, asked) && standing.has(other.id))
          ? undefined
          : 'there is no newer request';
      }
      const overtaken = others.some(
        (other) => rulesOut(other, request) && isLater(other, asked) && other.starts.length > 0,
      );
      // What stands there as started is asked by its own place: its message may have come again since, sent at another
      // time.
      const started = [
        ...(lane?.active ?? []),
        ...(after.history ?? []).filter((each) => each.environment === environment && each.startedAt !== undefined),
      ];
      const standsBefore = started.some(
        ({ id, task, sentAt, notBefore }) =>
          rulesOut({ task }, request) &&
          isLater({ id, dueAt: Math.max(Date.parse(sentAt), Date.parse(notBefore ?? sentAt)) }, asked),
      );
      return overtaken || standsBefore ? undefined : 'nothing that was due later was started';
    }
    case 'Missed': {
      if (never) return never;
      if (reason === 'Expired')
        return now >= (request.expiresAt ?? Number.POSITIVE_INFINITY) ? undefined : 'it has not expired';
      const seconds = reason === 'WaitingDeadlineExceeded' ? spec.waitingDeadlineSeconds : spec.startingDeadlineSeconds;
      return now - asked.dueAt > seconds * 1000 - 1000 ? undefined : 'its time is not over';
    }
    case 'Refused':
      if (never) return never;
      if (reason === 'EnvironmentRemoved') {
        return spec.environments.some(({ name }) => name === environment) ? 'its environment is there' : undefined;
      }
      // Of those that were ahead of it, one may have its turn by the same write.
      return (lane?.waiting?.length ?? 0) + (lane?.active?.length ?? 0) >= spec.maxWaiting
        ? undefined
        : 'there is room';
    default:
      return `there is no such result`;
  }
}

/** It is Complete; where it was there when the pass looked, it was so by then. */
function hasCompleted(job: JobTruth, seen: number): boolean {
  if (job.finished !== 'Complete' || job.deletedBy === 'somebody' || wasResumedSince(job, seen)) return false;
  const object = atVersion(job, seen);
  return object === undefined || finishedAs(object) === 'Complete';
}

/** Somebody had suspended it, as the pass saw, and resumed it again when the pass had looked. */
const wasResumedSince = ({ start, suspendedByHand }: JobTruth, seen: number): boolean =>
  suspendedByHand && start?.byHand === true && start.version > seen;
