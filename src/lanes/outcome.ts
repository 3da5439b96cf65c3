import type { Claim, Deployed, Exit } from '../api/capdeployjob.ts';
import { OUTCOME, type OutcomeReason, type Result } from '../api/reasons.ts';
import { finishedAt, finishedCondition, type Job } from './job.ts';
import { exitOfAll, type PodEnd, traceWords } from './pod-end.ts';

export interface Outcome {
  readonly result: Result;
  readonly reason: OutcomeReason;
  readonly message?: string | undefined;
  /** RFC 3339. */
  readonly finishedAt: string;
  /** When the lane became free, if that was later: a side-car ran on (RFC 3339). */
  readonly freeAt?: string;
  /** What its image says it put in place, if it succeeded. */
  readonly deployed?: Deployed;
}

/** What is known of a started deploy that has ended. */
export interface Ended {
  readonly claim: Claim | undefined;
  /** Its Job as it was seen last; undefined if its deletion was not seen. */
  readonly job: Job | undefined;
  /** Of its Pods, with those that are gone, in the order in which they came. */
  readonly ends: readonly PodEnd[];
  /** RFC 3339. */
  readonly now: string;
}

/** How the first container exited by itself. What the claim holds wins over what this process has seen. */
export const exitOf = ({ claim, ends, now }: Pick<Ended, 'claim' | 'ends' | 'now'>): Exit | undefined =>
  claim?.exit ?? exitOfAll(ends, now);

/**
 * How a deploy ended whose Job has finished. In this order: an exit by itself, the announced end, the verdict of the
 * Job controller.
 * @throws Error if the Job has not finished.
 */
export function outcomeOfFinished(ended: Ended & { job: Job }): Outcome {
  const { job, claim, ends } = ended;
  const condition = finishedCondition(job);
  if (!condition) throw new Error(`Job ${job.metadata.name} has not finished`);
  const at = finishedAt(job);
  const isComplete = condition.type === 'Complete';
  const success = ends.find(({ exit }) => exit?.code === 0);
  if (isComplete && !claim?.exit && (success || !ends.some(({ succeededTooLate }) => succeededTooLate))) {
    // One Pod of several was counted as the success. A person has to know what the others did.
    const others = ends.length > 1 ? ends.filter((end) => end !== success) : [];
    const message = lines(...others.map(({ pod, words }) => `its Job had another Pod: ${words ?? pod}`));
    return {
      result: 'Succeeded',
      reason: OUTCOME.completed,
      ...message,
      finishedAt: success?.exit?.finishedAt ?? at,
      freeAt: at,
      ...deployedOf(success?.exit),
    };
  }
  const failure = `its Job failed (${condition.reason})`;
  const exit = exitOf(ended);
  if (exit) {
    const isPlain = isComplete || condition.reason === OUTCOME.backoffLimitExceeded;
    return outcomeOfExit(ended, exit, at, isPlain ? undefined : failure);
  }
  const { ending } = claim ?? {};
  // The operator's own reason counts if it was about to end the deploy for a failure and the deploy failed first. A
  // deploy that was to be replaced by a newer one, and failed by itself before that, has failed.
  if (ending && (ending.result === 'Failed' || wasDeletedFirst(job) || isComplete))
    return { ...ending, reason: ending.reason as OutcomeReason, ...withPods(ending.message, ends), finishedAt: at };
  const withCause = ends.find(({ cause }) => cause);
  // A Job that is deleted in the foreground stays until its Pod has ended, and its controller counts how the Pod did.
  if (wasDeletedFirst(job) && withCause?.cause === OUTCOME.podDeleted && condition.reason !== OUTCOME.deadlineExceeded)
    return { ...deleted(ends), finishedAt: at };
  if (condition.reason === OUTCOME.deadlineExceeded || !withCause?.cause) {
    const isDeadline = condition.reason === OUTCOME.deadlineExceeded;
    const words = [isDeadline ? undefined : condition.reason, condition.message].filter(Boolean).join(': ');
    const reason = isDeadline ? OUTCOME.deadlineExceeded : OUTCOME.jobFailed;
    return { result: 'Failed', reason, ...withPods(words, ends), finishedAt: at };
  }
  const words = isComplete ? 'its Job counts as complete, but its container had been told to end' : undefined;
  return { result: 'Failed', reason: withCause.cause, ...withPods(words, ends, withCause.cause), finishedAt: at };
}

/**
 * Anybody may delete a Job that has finished, and that is no abort: the name on it may be that of another person. Times
 * of objects are in whole seconds, so a delete and the end that it causes can have the same time.
 */
const wasDeletedFirst = (job: Job): boolean =>
  job.metadata.deletionTimestamp !== undefined &&
  Date.parse(job.metadata.deletionTimestamp) <= Date.parse(finishedAt(job));

/** How a deploy ended whose Job was suspended by hand. */
export function outcomeOfSuspended(ended: Ended): Outcome {
  const exit = exitOf(ended);
  if (exit) return outcomeOfExit(ended, exit, ended.now, 'its Job was suspended by hand');
  const { ends, now } = ended;
  const message = withPods('the running Job was suspended by hand', ends);
  return { result: 'Aborted', reason: OUTCOME.jobSuspended, ...message, finishedAt: now };
}

/** How a deploy ended whose Job is gone. */
export function outcomeOfVanished(ended: Ended): Outcome {
  const { claim, job: last, ends, now } = ended;
  if (last && finishedCondition(last)) return outcomeOfFinished({ ...ended, job: last });
  const { ending } = claim ?? {};
  const exit = exitOf(ended);
  if (exit) {
    const byUs = ending && ending.reason !== OUTCOME.sidecarEnded ? `it was being ended (${ending.reason})` : undefined;
    return outcomeOfExit(ended, exit, now, ending ? byUs : 'its Job was deleted');
  }
  if (ending)
    return { ...ending, reason: ending.reason as OutcomeReason, ...withPods(ending.message, ends), finishedAt: now };
  // The claim has a name only if the Job was seen being deleted.
  if (last || claim?.abortedBy !== undefined) return { ...deleted(ends), finishedAt: now };
  const words = 'the Job was gone when an operator looked again: what it did is not known';
  return { result: 'Unknown', reason: OUTCOME.vanished, ...withPods(words, ends), finishedAt: now };
}

const deleted = (ends: readonly PodEnd[]) => ({
  result: 'Aborted' as const,
  reason: OUTCOME.jobDeleted,
  ...withPods('the Job was deleted', ends),
});

/**
 * 0 is a success and anything else a failure, whatever happened to the Job.
 * @param freeAt when the lane became free (RFC 3339).
 * @param despite what happened to the Job, if that looks like another end.
 */
function outcomeOfExit({ claim, job, ends }: Ended, exit: Exit, freeAt: string, despite: string | undefined): Outcome {
  const { code, finishedAt } = exit;
  const sidecar = ends.find(({ sidecarFailed }) => sidecarFailed)?.sidecarFailed;
  // A Job that finished first was not ended by the operator, whatever it had announced.
  const isOver = job !== undefined && finishedCondition(job) !== undefined && !wasDeletedFirst(job);
  const isEnded = claim?.ending?.reason === OUTCOME.sidecarEnded && !isOver;
  const result = code === 0 ? 'Succeeded' : 'Failed';
  const about = isEnded ? claim?.ending?.message : undefined;
  const isFailedSidecar = code === 0 && !isEnded && sidecar !== undefined;
  const reason = isEnded ? OUTCOME.sidecarEnded : isFailedSidecar ? OUTCOME.sidecarFailed : exit.reason;
  const isPlain = code === 0 && !about && !despite && !isFailedSidecar;
  // Its log comes last, where people look first.
  const because = despite && `${despite}, but its container exited by itself`;
  const message = isPlain ? {} : lines(about, because, isFailedSidecar ? sidecar : undefined, exit.message);
  return { result, reason: reason as OutcomeReason, ...message, finishedAt, freeAt, ...deployedOf(exit) };
}

function deployedOf(exit: Deployed | undefined): { deployed?: Deployed } {
  const { commit, committedAt, release } = exit ?? {};
  const deployed = {
    ...(commit ? { commit } : {}),
    ...(committedAt ? { committedAt } : {}),
    ...(release ? { release } : {}),
  };
  return Object.keys(deployed).length > 0 ? { deployed } : {};
}

/** What the operator says, what the Pods say, and the end of the log. */
function withPods(words: string | undefined, ends: readonly PodEnd[], reason?: OutcomeReason): { message?: string } {
  const log = ends.findLast((end) => end.log)?.log;
  return lines(words, ...ends.map((end) => end.words), reason && traceWords(reason), log);
}

function lines(...parts: (string | undefined)[]): { message?: string } {
  const message = parts.filter(Boolean).join('\n');
  return message ? { message } : {};
}
