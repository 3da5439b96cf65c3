import type { Claim, HistoryEntry } from '../../src/api/capdeployjob.ts';
import { checkReason } from './check-reasons.ts';
import { knowableExit, knowableExits, lookAt, ownEnds } from './knowable.ts';
import { endShown, type Look, shownExit } from './looks.ts';
import type { Oracle } from './oracle.ts';
import { atVersion, finishedAs, isPodAlive, type JobTruth, type RequestTruth } from './truth.ts';

/**
 * How a deploy ended: what its container did counts, and when it was told to end, not what its Job says. Judged twice:
 * by what really happened, and by what the pass could know of it.
 */

/** What is wrong with the entry of a deploy that was started. */
export function wrongEnd(
  oracle: Oracle,
  { jobs }: RequestTruth,
  claim: Claim | undefined,
  entry: HistoryEntry,
): string | undefined {
  const claimed = claim && jobs.find(({ uid }) => uid === claim.uid);
  // A second delivery may have made another Job of a claimed one's name, which somebody resumed.
  const listed = jobs.find(
    (job) => job !== claimed && job.name === entry.job && atVersion(job, lookAt(oracle, job).jobs) && job.start,
  );
  if (!claimed && !listed) return entry.startedAt === undefined ? undefined : 'its Job was not there';
  const problem = claimed && wrongEndOf(oracle, claimed, claim, entry);
  return listed && (problem !== undefined || !claimed) ? wrongEndOf(oracle, listed, undefined, entry) : problem;
}

function wrongEndOf(
  oracle: Oracle,
  job: JobTruth,
  claim: Claim | undefined,
  { result, reason }: HistoryEntry,
): string | undefined {
  const look = lookAt(oracle, job);
  const alive = job.pods.some((pod) => {
    const object = atVersion(pod, look.pods);
    return object !== undefined && isPodAlive(object);
  });
  if (alive) return 'a Pod of it had not ended when the pass looked';
  const source = claim?.exit ? 'its claim said so' : 'the pass could know that';
  const code = claim?.exit?.code ?? decidingExit(oracle, job, look);
  if (code !== undefined && result !== (code === 0 ? 'Succeeded' : 'Failed'))
    return `its container had exited with ${code} by itself, and ${source}`;
  const wrongReason = checkReason(job, claim, reason);
  if (wrongReason) return wrongReason;
  if (result === 'Succeeded') return notSucceeded(job, claim, look);
  if (result !== 'Failed' || claim?.ending?.result === 'Failed' || claim?.exit) return undefined;
  const hasFailed = job.finished === 'Failed' || job.pods.some(({ ends }) => ends.some((end) => end.code !== 0));
  return hasFailed || isInDoubt(job) ? undefined : 'neither its Job nor its container has failed';
}

/** What is known of the exits decides; where they differ, a Job that is Complete has counted the success. */
function decidingExit(oracle: Oracle, job: JobTruth, look: Look): number | undefined {
  const codes = knowableExits(oracle, job);
  const isMixed = codes.includes(0) && codes.some((code) => code !== 0);
  if (!isMixed || job.finished !== 'Complete') return knowableExit(oracle, job);
  const object = atVersion(job, look.jobs);
  return object && finishedAs(object) === 'Complete' ? 0 : undefined;
}

/**
 * A container exited with 0 by itself, and no Pod that was there when the pass looked tells otherwise; of a Job that is
 * Complete, none need be known: then it is enough that none tells otherwise.
 */
function notSucceeded(job: JobTruth, claim: Claim | undefined, look: Look): string | undefined {
  if (claim?.exit?.code === 0) return undefined;
  const hasSucceeded = job.pods.some((pod) => ownEnds(pod, look).some(({ code }) => code === 0));
  const seen = job.pods.flatMap((pod) => atVersion(pod, look.pods) ?? []);
  if (job.finished === 'Complete') {
    const isOtherwise = seen.some((pod) => endShown(pod) !== undefined && shownExit(pod) !== 0);
    return hasSucceeded || !isOtherwise ? undefined : 'its Job counts what a container did after it was told to end';
  }
  if (!hasSucceeded) return 'no container of it has succeeded';
  return seen.every((pod) => endShown(pod)?.code === 0) ? undefined : 'another Pod of it has not';
}

/** A Pod of it has said that it exited with 0, and not that this was by itself: in doubt a deploy has not succeeded. */
export const isInDoubt = ({ pods }: JobTruth): boolean =>
  pods.some(({ versions }) =>
    versions.some(({ object }) => object && endShown(object)?.code === 0 && shownExit(object) === undefined),
  );
