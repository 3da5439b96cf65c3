import { type Look, learnt, restartsOf } from './looks.ts';
import type { Oracle } from './oracle.ts';
import { atVersion, type FirstEnd, type JobTruth, type PodTruth, resourceOf } from './truth.ts';

/** What the pass that acts now must know of how a deploy ended, whatever its Job says. */

export const lookAt = (oracle: Oracle, job: JobTruth): Look => oracle.look(resourceOf(job));

/**
 * Exit codes, where each Pod of the Job, up to the look of the pass, proves that its first container ended by itself.
 * One that is gone, and of which its process saw no such proof, may have been missed altogether: then nothing is asked.
 */
export function knowableExits(oracle: Oracle, job: JobTruth): readonly number[] {
  const look = lookAt(oracle, job);
  const codes = job.pods
    .filter(({ version }) => version <= look.pods)
    .map((pod) => {
      const object = atVersion(pod, look.pods);
      const known = look.known.get(pod.uid);
      return (object ? learnt(known, object) : known)?.code;
    });
  const proved = codes.filter((code) => code !== undefined);
  return proved.length === codes.length ? proved : [];
}

/** Of several the one that failed counts. */
export function knowableExit(oracle: Oracle, job: JobTruth): number | undefined {
  const codes = knowableExits(oracle, job);
  return codes.find((code) => code !== 0) ?? codes[0];
}

/**
 * Ends by itself, of a run that the pass saw, or of a later one: one that was started again when it looked has ended no
 * more.
 */
export function ownEnds(pod: PodTruth, look: Look): readonly FirstEnd[] {
  const object = atVersion(pod, look.pods);
  return pod.ends.slice(object === undefined ? 0 : restartsOf(object)).filter(({ byItself }) => byItself);
}
