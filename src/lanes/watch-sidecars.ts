import type { Claim, Exit } from '../api/capdeployjob.ts';
import { OUTCOME } from '../api/reasons.ts';
import { bounded } from '../text/truncate.ts';
import { firstContainerName, isAlive, type Job, nativeSidecars, type Pod } from './job.ts';
import type { Lane } from './lane.ts';

/** How long the rest of a Pod may run on after `cap` has exited. */
export const SIDECARS_MS = 60_000;
/** The kubelet ends native side-cars by itself, and reports it within this time: that needs no words. */
const HEALTHY_END_MS = 2_000;

/**
 * `cap` has exited by itself, and its Job is there. If its Pods have ended, the Job controller is about to say so, and
 * nothing is written: a healthy deploy costs no further write. If a side-car runs on, the claim says so and holds the
 * exit. After a minute it announces that the operator ends the Pod. That is never taken back, because what it rests on
 * does not change any more.
 */
export function watchSidecars(lane: Lane, claim: Claim, job: Job, exit: Exit): void {
  const { now, monotonicNow } = lane.view;
  const { why: previousWhy, ending, ...rest } = claim;
  const announced = ending?.reason === OUTCOME.sidecarEnded ? ending : undefined;
  const pod = lane.podsOf(job.metadata.uid).find(isAlive);
  const since = exitedSince(lane, claim, job);
  const names = pod ? runningSidecars(pod) : [];
  lane.claim = rest;
  if (!announced && names.length === 0) {
    if (pod) explainLatePod(lane, rest, pod, exit, previousWhy, since);
    return;
  }
  const why = pod && `${whyLaneIsHeld(pod, exit)}. The operator ends the Pod ${SIDECARS_MS / 1000} s after that exit`;
  lane.claim = { ...rest, exit, ...(why ? { why: bounded(why, 512) } : {}) };
  const leftMs = since + SIDECARS_MS - monotonicNow;
  if (!announced && leftMs > 0) {
    lane.wake(now + leftMs);
    return;
  }
  const ranOn = `${names.map((name) => `container ${name}`).join(', ')} ran on for ${SIDECARS_MS / 1000} s`;
  lane.claim.ending = announced ?? {
    result: exit.code === 0 ? 'Succeeded' : 'Failed',
    reason: OUTCOME.sidecarEnded,
    message: bounded(`${ranOn}, so the operator ended the Pod`, 1024),
  };
  lane.remove.push({ job, reason: 'abort' });
}

/**
 * Since when the exit is known, by the clock of `monotonicNow`. An exit that an earlier process wrote into the claim,
 * and that nothing proves any more, is as old as it says.
 */
function exitedSince(lane: Lane, { exit }: Claim, job: Job): number {
  const { memory, now, monotonicNow } = lane.view;
  const ageMs = exit ? Math.max(0, now - Date.parse(exit.finishedAt)) : 0;
  return memory.exitedSince(job.metadata.uid) ?? monotonicNow - ageMs;
}

/**
 * No ordinary container runs on: the kubelet ends the rest by itself. To delete the Job would not make it quicker. The
 * exit is not written: a kubelet that has ended the Pod itself may still be about to say so.
 */
function explainLatePod(
  lane: Lane,
  rest: Claim,
  pod: Pod,
  exit: Exit,
  previousWhy: string | undefined,
  since: number,
): void {
  const { now, monotonicNow } = lane.view;
  const why = bounded(whyLaneIsHeld(pod, exit), 512);
  // If the claim says so already, it stays: a process that saw the exit later must not take it back.
  if (previousWhy !== why && monotonicNow - since < HEALTHY_END_MS)
    lane.wake(now + since + HEALTHY_END_MS - monotonicNow);
  else lane.claim = { ...rest, why };
}

/** What holds the lane of a deploy whose first container has exited. */
export const whyLaneIsHeld = (pod: Pod, { code }: Pick<Exit, 'code'>): string =>
  `the first container has exited (exit code ${code}), but Pod ${pod.metadata.name} goes on: ${whatGoesOn(pod)}`;

function whatGoesOn(pod: Pod): string {
  const names = runningSidecars(pod).map((name) => `container ${name}`);
  const native = runningNativeSidecars(pod).map((name) => `native side-car ${name}`);
  const sidecars = (names.length > 0 ? names : native).join(', ');
  // On a busy node this alone takes seconds, without any side-car.
  return sidecars ? `${sidecars} runs` : 'its kubelet has not said yet that the Pod has ended';
}

/** Ordinary containers of a Pod, but the first, that have not ended. (The kubelet ends native side-cars itself.) */
export function runningSidecars(pod: Pod): string[] {
  const first = firstContainerName(pod);
  return (pod.status?.containerStatuses ?? [])
    .filter(({ name, state }) => name !== first && state?.terminated === undefined)
    .map(({ name }) => name);
}

/** Native side-cars of a Pod that have not ended: init containers that the kubelet ends after the ordinary ones. */
function runningNativeSidecars(pod: Pod): string[] {
  const native = nativeSidecars(pod);
  return (pod.status?.initContainerStatuses ?? [])
    .filter(({ name, state }) => native.includes(name) && state?.terminated === undefined)
    .map(({ name }) => name);
}
