import type { Claim, HistoryEntry, WaitingEntry } from '../../src/api/capdeployjob.ts';
import { lookAt } from './knowable.ts';
import type { Oracle } from './oracle.ts';
import { annotationOf, atVersion, type JobTruth, type RequestTruth } from './truth.ts';
import { Violation } from './violation.ts';

/** Rule 16: who aborted a deploy is who deleted its Job, by the name that he had put on it. */

/**
 * Who deleted a Job with his name on it, as far as the pass that acts now must know: it saw the Job so, or its process
 * was told.
 */
function knowableAborter(oracle: Oracle, job: JobTruth): string | undefined {
  const look = lookAt(oracle, job);
  const object = atVersion(job, look.jobs);
  if (object === undefined) return look.aborters.get(job.uid);
  return object.metadata.deletionTimestamp === undefined ? undefined : annotationOf(object, 'aborted-by');
}

/**
 * @param was what the status before said of the request. @returns what is wrong with what its entry says of who aborted
 * it.
 */
export function wrongAborter(
  oracle: Oracle,
  { jobs }: RequestTruth,
  was: Claim | WaitingEntry | undefined,
  { reason, abortedBy, message = '' }: HistoryEntry,
): string | undefined {
  const told = jobs.filter(({ uid }) => was?.uid === undefined || uid === was.uid);
  if (abortedBy === undefined) {
    const known = was?.abortedBy ?? (told.length === 1 ? knowableAborter(oracle, told[0]!) : undefined);
    if (message.startsWith('aborted by')) return 'its message alone says who aborted it';
    const isNamed = known !== undefined && (reason === 'JobDeleted' || reason === 'JobVanished');
    return isNamed ? `the pass could know that ${known} had deleted its Job` : undefined;
  }
  if (reason !== 'JobDeleted') return `it was not ended by the delete of ${abortedBy}`;
  oracle.world.trace.count('the history says who aborted');
  if (!told.some(({ deleter }) => deleter === abortedBy)) return `${abortedBy} has not deleted its Job`;
  return message.startsWith(`aborted by ${abortedBy}: `) ? undefined : 'its message does not say who aborted it';
}

/** A name in a claim is true when it is written, stays, and is there as soon as the pass could know it. */
export function checkClaimedAborter(oracle: Oracle, was: Claim | undefined, is: Claim): void {
  const before = was?.uid === is.uid ? was : undefined;
  const job = oracle.jobs.get(is.uid);
  if (before?.abortedBy !== undefined && before.abortedBy !== is.abortedBy) {
    throw new Violation(
      'rule 16',
      `${before.abortedBy} had aborted ${is.job}, and now it was ${is.abortedBy ?? 'nobody'}`,
    );
  }
  if (job === undefined || before?.abortedBy !== undefined) return;
  if (is.abortedBy === undefined) {
    const known = before && !is.ending ? knowableAborter(oracle, job) : undefined;
    if (known === undefined) return;
    throw new Violation('rule 16', `${known} had deleted ${is.job}, and its claim is written without that`);
  }
  oracle.world.trace.count('who aborted stands in a claim');
  checkDeleter(job, is.abortedBy);
}

/** The same of what waits, whose Job is on its way out. */
export function checkWaitingAborter(oracle: Oracle, { uid = '', abortedBy }: WaitingEntry): void {
  const job = oracle.jobs.get(uid);
  if (job && abortedBy !== undefined) checkDeleter(job, abortedBy);
}

function checkDeleter({ name, deleter }: JobTruth, abortedBy: string): void {
  if (deleter !== abortedBy) {
    throw new Violation(
      'rule 16',
      `${abortedBy} is said to have aborted ${name}, which ${deleter ?? 'nobody'} deleted`,
    );
  }
}

/** An operator has written a Job: it puts no name there, and none is left where it says that the deploy was started. */
export function checkNameOnJob(job: JobTruth, now: Parameters<typeof annotationOf>[0]): void {
  const [before, after] = [annotationOf(job.object, 'aborted-by'), annotationOf(now, 'aborted-by')];
  if (after !== undefined && after !== before) {
    throw new Violation('rule 16', `an operator writes "${after}" on ${job.name} as the name of who aborts it`);
  }
  const isStarted =
    annotationOf(now, 'started-at') !== undefined && annotationOf(job.object, 'started-at') === undefined;
  if (isStarted && after !== undefined) {
    throw new Violation(
      'rule 16',
      `${job.name} is started, and ${after}, who would have aborted what waited, is still on it`,
    );
  }
}
