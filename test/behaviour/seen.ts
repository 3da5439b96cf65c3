import { isDeepStrictEqual } from 'node:util';
import type { CapDeployJob, CapDeployJobStatus, HistoryEntry, WaitingEntry } from '../../src/api/capdeployjob.ts';
import { ANNOTATION } from '../../src/api/names.ts';
import { EVENTS, type KubeObject } from '../../src/kube/client.ts';
import type { Job } from '../../src/lanes/job.ts';
import { eventually } from '../kit/eventually.ts';
import type { Played } from '../kit/played-kubelet.ts';
import type { World } from './world.ts';

export const lane = (status: CapDeployJobStatus | undefined, environment: string) =>
  status?.environments?.find(({ name }) => name === environment);

/** The lane of production in the status of the CapDeployJob. */
export const production = async (world: World) => lane((await world.resource('web')).status, 'production');

/** The history entry of a revision, once there is one. */
export async function ended(world: World, name: string, revision: string): Promise<HistoryEntry> {
  return eventually(`${revision} of ${name} ends`, async () => {
    const { status } = await world.resource(name);
    return status?.history?.find((entry) => entry.revision === revision);
  });
}

export const condition = (resource: CapDeployJob, type: string) =>
  resource.status?.conditions?.find((each) => each.type === type);

/** The operator has looked at the spec as it is now: what is sent from here on meets no older one. */
export const specIsSeen = (world: World, name = 'web') =>
  eventually(`the spec of ${name} is seen`, async () => {
    const { metadata, status } = await world.resource(name);
    return status?.observedGeneration === metadata.generation;
  });

/** Waits until a condition of the resource has this status and reason. */
export async function turns(world: World, name: string, type: string, status: string, reason: string) {
  return eventually(`${type} of ${name} turns ${status} for ${reason}`, async () => {
    const found = condition(await world.resource(name), type);
    return found?.status === status && found.reason === reason ? found : undefined;
  });
}

/** The deploy of a revision, once its container runs. */
export const running = (world: World, revision: string): Promise<Played> =>
  eventually(`${revision} runs`, () =>
    world.kubelet.diary.find(({ env, endedAt }) => env.REVISION === revision && endedAt === undefined),
  );

/** What waits in production, once it is these revisions in this order. */
export async function waiting(world: World, ...revisions: string[]): Promise<WaitingEntry[]> {
  return eventually(`${revisions.join(', ')} wait`, async () => {
    const entries = lane((await world.resource('web')).status, 'production')?.waiting ?? [];
    return (
      isDeepStrictEqual(
        entries.map(({ revision }) => revision),
        revisions,
      ) && entries
    );
  });
}

/** The revisions that were deployed, in the order in which their containers began to run. */
export const deployed = (world: World, environment = 'production'): (string | undefined)[] =>
  world.kubelet.diary.filter((played) => played.environment === environment).map(({ env }) => env.REVISION);

/** What ran at the same time as another deploy of its environment: there must be none (invariant 3). */
export function overlaps(world: World, environment = 'production'): string[] {
  const inLane = world.kubelet.diary.filter((played) => played.environment === environment);
  const begunBeforeEndOf = (one: Played, other: Played) => one.startedAt < (other.endedAt ?? Number.POSITIVE_INFINITY);
  return inLane.flatMap((one, index) =>
    inLane
      .slice(index + 1)
      .filter((other) => begunBeforeEndOf(one, other) && begunBeforeEndOf(other, one))
      .map((other) => `${one.job} (${one.env.REVISION}) and ${other.job} (${other.env.REVISION})`),
  );
}

/** The operator's Events of a reason, or all of them. */
export async function operatorEvents(world: World, reason?: string): Promise<KubeObject[]> {
  const { items } = await world.kube.list(EVENTS, { namespace: world.namespace });
  return items.filter(
    (event) => event.reportingController === 'capdeployjob.dev/controller' && event.reason === (reason ?? event.reason),
  );
}

/** The Job of a revision, where there is one. */
export async function jobOf(world: World, revision: string): Promise<(Job & KubeObject) | undefined> {
  const jobs = await world.jobs('web');
  return jobs.find(({ metadata }) => metadata.annotations?.[ANNOTATION.revision] === revision) as Job & KubeObject;
}
