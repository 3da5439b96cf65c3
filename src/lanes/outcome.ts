import { OUTCOME, type Result } from '../api/reasons.ts';
import { finishedAt, finishedCondition, firstContainerStatus, type Job, type Pod } from './job.ts';

export interface Outcome {
  readonly result: Result;
  readonly reason: string;
  readonly message?: string | undefined;
  /** RFC 3339. */
  readonly finishedAt: string;
}

/**
 * How a finished Job ended.
 * @param logTail what is known of the end of its log, from its Pod's termination message.
 * @throws Error where the Job has not finished.
 */
export function outcomeOf(job: Job, logTail: string | undefined): Outcome {
  const condition = finishedCondition(job);
  if (!condition) throw new Error(`Job ${job.metadata.name} has not finished`);
  if (condition.type === 'Complete') {
    return { result: 'Succeeded', reason: OUTCOME.completed, finishedAt: finishedAt(job) };
  }
  const words = [condition.message, logTail].filter(Boolean).join('\n');
  return {
    result: 'Failed',
    reason: condition.reason || OUTCOME.jobFailed,
    ...(words ? { message: words } : {}),
    finishedAt: finishedAt(job),
  };
}

/**
 * The end of a deploy's log as its Pod carries it: the kubelet puts it into the termination message (FallbackToLogsOnError), so that no
 * right on logs is needed. Raw: the caller redacts and bounds it.
 */
export function terminationMessage(pod: Pod): string | undefined {
  const first = firstContainerStatus(pod);
  const terminated = first?.state?.terminated ?? first?.lastState?.terminated;
  if (!terminated) return undefined;
  const exit = terminated.exitCode === 0 ? undefined : `exit code ${terminated.exitCode}`;
  return [exit, terminated.message].filter(Boolean).join('\n') || undefined;
}
