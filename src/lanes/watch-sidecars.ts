import type { Claim, Exit } from '../api/capdeployjob.ts';
import { OUTCOME } from '../api/reasons.ts';
import { isAlive, type Job, type Pod } from './job.ts';
import type { Lane } from './lane.ts';
import { runningNativeSidecars, runningSidecars } from './pod-end.ts';
import { bounded } from './text.ts';

/** So long after `cap` has exited the rest of its Pod may run on. */
export const SIDECARS_MS = 60_000;
/** The kubelet ends native side-cars by itself, and says so by and by: that is no news. */
const HEALTHY_END_MS = 2_000;

/**
 * `cap` has exited by itself, and its Job is there. Where its Pods have ended, the Job controller is about to say so, and nothing is written: a
 * healthy deploy costs no write more. Where a side-car runs on, the claim says so and holds the exit; after a minute it announces that the
 * operator ends the Pod. That is never taken back: what it rests on does not change any more.
 */
export function watchSidecars(lane: Lane, claim: Claim, job: Job, exit: Exit): void {
  const { memory, now, elapsed } = lane.view;
  const { why: _, ending, ...held } = claim;
  const announced = ending?.reason === OUTCOME.sidecarEnded ? ending : undefined;
  const pod = lane.podsOf(job.metadata.uid).find(isAlive);
  const since = memory.exitedSince(job.metadata.uid) ?? elapsed;
  const names = pod ? runningSidecars(pod) : [];
  lane.claim = held;
  if (!announced && !pod) return;
  // What the claim says already is no news: a process that saw the exit later must not take it back.
  const isNews = !announced && !claim.exit && names.length === 0;
  if (isNews && elapsed - since < HEALTHY_END_MS) {
    lane.wake(now + since + HEALTHY_END_MS - elapsed);
    return;
  }
  lane.claim = { ...held, exit, ...(pod ? { why: bounded(whyHeld(pod, exit), 512) } : {}) };
  const leftMs = since + SIDECARS_MS - elapsed;
  if (!announced && leftMs > 0) {
    lane.wake(now + leftMs);
    return;
  }
  lane.claim.ending = announced ?? {
    result: exit.code === 0 ? 'Succeeded' : 'Failed',
    reason: OUTCOME.sidecarEnded,
    message: bounded(`${whatRanOn(pod)} ran on for ${SIDECARS_MS / 1000} s, so the operator ended the Pod`, 1024),
  };
  lane.remove.push({ job, reason: 'abort' });
}

const whyHeld = (pod: Pod, { code }: Exit): string =>
  `the first container has exited (exit code ${code}), but Pod ${pod.metadata.name} goes on: ${whatGoesOn(pod)}. ` +
  `The operator ends the Pod ${SIDECARS_MS / 1000} s after that exit`;

const whatGoesOn = (pod: Pod): string => {
  const sidecars = sidecarsOf(pod);
  // On a node that is busy this alone takes seconds, without any side-car.
  return sidecars ? `${sidecars} runs` : 'its kubelet has not said yet that the Pod has ended';
};

const whatRanOn = (pod: Pod | undefined): string => (pod && sidecarsOf(pod)) || 'the Pod';

function sidecarsOf(pod: Pod): string {
  const names = runningSidecars(pod).map((name) => `container ${name}`);
  return (names.length > 0 ? names : runningNativeSidecars(pod).map((name) => `native side-car ${name}`)).join(', ');
}
