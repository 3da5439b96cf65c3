import { type Look, learnt } from './looks.ts';
import type { Oracle } from './oracle.ts';
import { atVersion, type JobTruth, resourceOf } from './truth.ts';

/** What the pass that acts now must know of how a deploy ended, whatever its Job says. */

export const lookAt = (oracle: Oracle, job: JobTruth): Look => oracle.look(resourceOf(job));

/**
 * Exit codes, where each Pod of the Job, up to the look of the pass, proves that its first container ended by itself. One that is gone, and of
 * which its process saw no such proof, may have been missed altogether: then nothing is asked.
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
