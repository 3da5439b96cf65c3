import { ApiError } from 'in-memory-kubernetes/store/api-error.ts';
import type { DeleteOptions } from 'in-memory-kubernetes/store/deletion.ts';
import { mergePatch } from 'in-memory-kubernetes/store/patch.ts';
import { JOBS, type KubeObject } from '../../src/kube/client.ts';
import type { Random } from './random.ts';
import { annotationOf, finishedAs } from './truth.ts';
import { expiredWatch } from './watch.ts';
import type { World } from './world.ts';

/**
 * How people abort: by hand, as our tools do, or only half. deploy/admission is in force: each under his own name, and
 * over nobody else's.
 */

/** Who aborts with a name. */
const PEOPLE = ['alice', 'carol'] as const;
/** Who has never heard of names. */
const NOBODY = 'dave';

/**
 * Somebody deletes a Job. Where another's name stands on it, that is refused, and he writes his own first, as the
 * refusal says.
 */
export function deleteJobByHand(world: World, job: KubeObject, options: DeleteOptions): void {
  const { namespace, name, uid } = job.metadata;
  if (annotationOf(job, 'aborted-by') !== undefined && finishedAs(job) === undefined) writeName(world, job, NOBODY);
  world.asPerson(NOBODY, () => world.store.delete(JOBS, namespace, name, { ...options, preconditions: { uid } }));
}

function writeName(world: World, job: KubeObject, who: string): KubeObject {
  const { namespace, name } = job.metadata;
  const patch = { metadata: { annotations: { 'capdeployjob.dev/aborted-by': who } } };
  return world.asPerson(who, () => world.store.patch(JOBS, namespace, name, (current) => mergePatch(current, patch)));
}

/** He writes his name, and never comes to the delete; somebody else may. @returns who. */
export function nameAndLeave(world: World, job: KubeObject, random: Random): string {
  const [who, other] = random.chance(0.5) ? PEOPLE : PEOPLE.toReversed();
  writeName(world, job, who!);
  if (random.chance(0.3)) world.clock.setTimeout(() => abortUnseen(world, job, other!), random.magnitude(20, 20_000));
  return `by ${who}`;
}

/**
 * Another one aborts it in a moment in which no operator watches: what they know of the Job is the name of who did not.
 */
function abortUnseen(world: World, { metadata: { namespace, name, uid } }: KubeObject, who: string): void {
  const current = world.store.find(JOBS, namespace, name);
  const isThere = current?.metadata.uid === uid && current?.metadata.deletionTimestamp === undefined;
  if (world.isDraining || current === undefined || !isThere || finishedAs(current) !== undefined) return;
  for (const watch of [...world.watches]) if (watch.type.plural === JOBS.plural) watch.end(expiredWatch());
  writeName(world, current, who);
  world.asPerson(who, () => world.store.delete(JOBS, namespace, name, { propagationPolicy: 'Background' }));
  world.trace.count('another one aborts while nobody watches');
}

/**
 * He writes his name, and a while later deletes that very state of the Job; where it has moved, he looks again, or
 * gives up. @returns who.
 */
export function abortAsTools(world: World, job: KubeObject, random: Random): string {
  const who = random.pick(PEOPLE);
  deleteSoon(world, writeName(world, job, who), who, random);
  return `by ${who}`;
}

function deleteSoon(world: World, { metadata }: KubeObject, who: string, random: Random): void {
  const { namespace, name, uid, resourceVersion } = metadata;
  const propagationPolicy = random.pick(['Background', 'Background', 'Foreground'] as const);
  world.clock.setTimeout(
    () => {
      const current = world.store.find(JOBS, namespace, name);
      if (current === undefined || current.metadata.uid !== uid) return;
      const isOver = finishedAs(current) !== undefined || current.metadata.deletionTimestamp !== undefined;
      try {
        const preconditions = { uid, resourceVersion };
        world.asPerson(who, () => world.store.delete(JOBS, namespace, name, { propagationPolicy, preconditions }));
        world.trace.count('a deploy is aborted by name');
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 409) throw error;
        world.trace.count('the Job has moved since its name was written');
        if (!isOver && random.chance(0.5)) deleteSoon(world, writeName(world, current, who), who, random);
      }
    },
    random.magnitude(1, random.chance(0.3) ? 20_000 : 500),
  );
}
