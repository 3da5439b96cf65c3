import type { Claim } from '../../src/api/capdeployjob.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { knowableExit, lookAt, ownEnds } from './knowable.ts';
import { endShown, othersRun } from './looks.ts';
import type { Oracle } from './oracle.ts';
import { atVersion, finishedAs, isPodAlive, type JobTruth } from './truth.ts';
import { Violation } from './violation.ts';

/** What a claim says of an exit, and of a side-car: rules 14 and 15. */

/** A side-car gets so long to end by itself, after the first container has. */
const SIDE_CAR_MS = 60_000;

/** What a claim says of the exit, and of an end that was announced for a side-car's sake. */
export function checkClaimedEnd(oracle: Oracle, was: Claim | undefined, is: Claim): void {
  const before = was?.uid === is.uid ? was : undefined;
  const job = oracle.jobs.get(is.uid);
  if (before?.exit && !same(before.exit, is.exit)) {
    throw new Violation('rule 14', `the exit of ${is.job} stood in its claim, and is changed or gone`);
  }
  if (before?.ending?.reason === 'SidecarEnded' && !same(before.ending, is.ending)) {
    throw new Violation('side-cars', `that ${is.job} is ended for its side-car was announced, and is taken back`);
  }
  if (job === undefined) return;
  if (is.exit && !before?.exit) checkExit(oracle, job, is.exit);
  if (is.exit && !before?.exit) oracle.world.trace.count('exit stands in a claim');
  if (!is.exit && before) checkNothingKept(oracle, job);
  if (is.ending?.reason !== 'SidecarEnded' || before?.ending?.reason === 'SidecarEnded') return;
  checkSideCar(oracle, job, is);
  oracle.world.trace.count('side-car is ended');
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** An exit that is new in a claim is one of that very Job, by itself, at that time. */
function checkExit(oracle: Oracle, job: JobTruth, { code, finishedAt }: NonNullable<Claim['exit']>): void {
  const at = Date.parse(finishedAt);
  const isTrue = job.pods.some((pod) =>
    ownEnds(pod, lookAt(oracle, job)).some((end) => end.code === code && at <= end.at && end.at < at + 1_000),
  );
  if (!isTrue) throw new Violation('rule 14', `the claim of ${job.name} says that it exited with ${code}: it did not`);
  const known = knowableExit(oracle, job);
  if (known !== undefined && (known === 0) !== (code === 0)) {
    throw new Violation('rule 14', `the claim of ${job.name} says ${code}, and another Pod of it exited with ${known}`);
  }
}

/**
 * Rule 14: what is known of the exit, and not recorded, goes into the claim with the first write that says anything of
 * such a state.
 */
function checkNothingKept(oracle: Oracle, job: JobTruth): void {
  const look = lookAt(oracle, job);
  const code = knowableExit(oracle, job);
  if (code === undefined) return;
  const object = atVersion(job, look.jobs);
  const pods = job.pods.flatMap((pod) => atVersion(pod, look.pods) ?? []).filter(isPodAlive);
  const state = object === undefined ? 'is gone' : stateOf(object, pods);
  if (state) {
    throw new Violation('rule 14', `${job.name} ${state}, exited with ${code}, and its claim is written without that`);
  }
}

/** A state of a started Job in which what is known of its exit could be lost. */
function stateOf(job: KubeObject, alive: readonly KubeObject[]): string | undefined {
  if (job.metadata.deletionTimestamp !== undefined) return 'is being deleted';
  if ((job.spec as { suspend?: boolean }).suspend === true) return 'is suspended';
  if (alive.length > 0 && finishedAs(job) !== undefined) return 'has finished before its Pods';
  return alive.some(othersRun) ? 'waits for a side-car' : undefined;
}

/**
 * That a deploy is ended for its side-car: it has ended by itself, so long ago by any clock, its Pod has not, and the
 * claim says how.
 */
function checkSideCar(oracle: Oracle, job: JobTruth, { exit, ending }: Claim): void {
  const { pods } = lookAt(oracle, job);
  const problem = (words: string) =>
    new Violation('side-cars', `${job.name} is to be ended for its side-car: ${words}`);
  const pod = job.pods.find((each) => {
    const object = atVersion(each, pods);
    return object !== undefined && isPodAlive(object) && endShown(object) !== undefined;
  });
  if (pod === undefined) throw problem('none runs on');
  if (!pod.end?.byItself) throw problem('it has not ended by itself');
  const since = Math.max(pod.end.at, oracle.operator?.bornAt ?? 0);
  const ms = oracle.world.clock.now() - since;
  if (ms < SIDE_CAR_MS) throw problem(`only ${ms} ms have passed`);
  if (exit === undefined) throw problem('its exit does not stand in its claim');
  if (ending?.result !== (exit.code === 0 ? 'Succeeded' : 'Failed')) throw problem(`that is not ${ending?.result}`);
}
