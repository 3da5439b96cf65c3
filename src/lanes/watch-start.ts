import type { Claim } from '../api/capdeployjob.ts';
import { OUTCOME } from '../api/reasons.ts';
import { bounded } from '../text/truncate.ts';
import { HEALTHY_START_MS, initContainersThatRan, SLOW_START_MS, whyNotRunning } from './explain-start.ts';
import { isAlive, type Job, type Pod } from './job.ts';
import { type Lane, startOf, withWhy } from './lane.ts';

/**
 * A started deploy that has no container yet: its claim says why, and it is ended after podStartDeadlineSeconds.
 * @param claim as the status has it.
 * @param pods those of the Job.
 */
export function watchStart(lane: Lane, claim: Claim, job: Job, pods: readonly Pod[]): void {
  const { now, spec, warnings } = lane.view;
  const { why: previousWhy, ending, ...rest } = claim;
  const since = Date.parse(startOf(job, claim));
  const pod = pods.find(isAlive) ?? pods[0];
  const { why, eventsAbout } = whyNotRunning({ job, pod, since, now, previousWhy, warnings });
  lane.claim = withWhy(rest, why);
  if (eventsAbout !== undefined) lane.explain.push({ uid: eventsAbout, since });
  lane.wake(since + HEALTHY_START_MS);
  lane.wake(since + SLOW_START_MS);
  const deadline = since + spec.podStartDeadlineSeconds * 1000;
  if (now < deadline) {
    lane.wake(deadline);
    return;
  }
  // Written before the Job is deleted, so that a crash in between still tells the truth. If a newer request was to take
  // its place, and is gone, the truth is by now that it did not start.
  const words = whatDidNotRun(pods, spec.podStartDeadlineSeconds);
  const announced = ending?.result === 'Failed' && ending.message?.startsWith(words) ? ending : undefined;
  lane.claim.ending = announced ?? {
    result: 'Failed',
    reason: OUTCOME.podNotStarted,
    message: bounded(`${words}${why ? `: ${why}` : ''}`, 1024),
  };
  lane.remove.push({ job, reason: 'abort' });
}

function whatDidNotRun(pods: readonly Pod[], deadlineSeconds: number): string {
  const within = `within podStartDeadlineSeconds (${deadlineSeconds})`;
  const ran = initContainersThatRan(pods).join(', ');
  if (ran === '') return `no container ran ${within}`;
  return `the deploy's container did not run ${within}, but init containers did (${ran}) and may have done things`;
}
