import type { WaitingReason } from '../api/reasons.ts';
import { terminating } from './explain-start.ts';
import { isAlive, isRunning, storedRequest } from './job.ts';
import type { Lane } from './lane.ts';

/** Something that keeps a request from starting. */
export interface Cause {
  readonly reason: WaitingReason;
  /** For a person. */
  readonly words: string;
  /** When it ends by itself, if that is known (epoch milliseconds). */
  readonly until?: number | undefined;
}

/**
 * What keeps a lane from a new deploy although nothing is claimed: an unfinished Job that is not suspended, or a Pod
 * that is not finished, whatever owns it. So nothing starts beside a Job resumed by hand, an orphaned Pod, or a Pod on
 * a lost node. Beside a claim that has not been started yet it is also a Job that was resumed and suspended again by
 * hand: a Pod of it may still come, and it has had its turn.
 */
export function occupantOf(lane: Lane): Cause | undefined {
  const { jobs, foreignJobs, pods } = lane.view;
  const job = [...jobs, ...foreignJobs].find(isRunning);
  if (job) {
    // A Job of the resource itself runs without a claim only if a person resumed it.
    const reason = jobs.includes(job) ? 'HandResumed' : 'ForeignDeploy';
    return { reason, words: `Job ${job.metadata.name} runs in this lane` };
  }
  const pod = pods.find(isAlive);
  if (!pod) return interruptedBeside(lane);
  return pod.metadata.deletionTimestamp
    ? { reason: 'PodStuck', words: terminating(pod) }
    : { reason: 'ForeignDeploy', words: `Pod ${pod.metadata.name} runs in this lane` };
}

function interruptedBeside(lane: Lane): Cause | undefined {
  const job = lane.view.jobs.find(
    (other) =>
      other.metadata.uid !== lane.claim?.uid && lane.isInterrupted(other) && !lane.isRecorded(storedRequest(other).id),
  );
  return (
    job && {
      reason: 'Interrupted',
      words: `Job ${job.metadata.name} was suspended after its start, and is to be recorded first`,
    }
  );
}
