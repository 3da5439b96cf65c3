import type { DeleteOptions } from 'in-memory-kubernetes/store/deletion.ts';
import { mergePatch } from 'in-memory-kubernetes/store/patch.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import type { KubeObject, ResourceType } from '../../src/kube/client.ts';
import { JOBS, PODS } from '../../src/kube/client.ts';
import { abortAsTools, deleteJobByHand, nameAndLeave } from './aborts.ts';
import type { Special } from './profile.ts';
import type { Random } from './random.ts';
import { drawTemplate, type EnvironmentSpec, NAMESPACE, type Place, type ResourceSpec, WINDOWS } from './setting.ts';
import type { Happening } from './specials.ts';
import { annotationOf, finishedAs, isPodAlive } from './truth.ts';
import type { World } from './world.ts';

/** What people do to a cluster with kubectl and git, at any moment and for no reason that the operator knows. */

const isSuspended = (job: KubeObject): boolean => (job.spec as { suspend?: boolean }).suspend === true;
const isOpen = (job: KubeObject): boolean => finishedAs(job) === undefined;
const isLeaving = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

export const patchByHand = (world: World, type: ResourceType, object: KubeObject, patch: unknown): void => {
  const { namespace, name } = object.metadata;
  world.as('somebody', () => world.store.patch(type, namespace, name, (current) => mergePatch(current, patch)));
};

export const deleteByHand = (world: World, type: ResourceType, object: KubeObject, options: DeleteOptions): void => {
  const { namespace, name } = object.metadata;
  world.as('somebody', () => world.store.delete(type, namespace, name, options));
};

/** How people delete a resource. */
export const PROPAGATION = ['Background', 'Background', 'Foreground', 'Orphan'] as const;

/** An act on one Job, Pod or resource that suits. */
function on(
  special: Special,
  type: ResourceType,
  suits: (object: KubeObject) => boolean,
  act: (world: World, object: KubeObject, random: Random) => string | undefined,
): Happening {
  return (world, random) => {
    const found = world.store.list(type, { namespace: NAMESPACE }).items.filter(suits);
    if (found.length === 0) return false;
    const meant = found.filter(({ metadata }) => world.inMind !== undefined && metadata.name.startsWith(world.inMind));
    const object = random.pick(meant.length > 0 && random.chance(0.7) ? meant : found);
    const words = act(world, object, random);
    return world.happened(special, `${object.metadata.name}${words === undefined ? '' : `: ${words}`}`);
  };
}

const deleteJob = (special: Special, propagationPolicy: 'Background' | 'Foreground' | 'Orphan'): Happening =>
  on(
    special,
    JOBS,
    (job) => isOpen(job) && !isLeaving(job),
    (world, job) => {
      deleteJobByHand(world, job, { propagationPolicy });
      return isSuspended(job) ? 'it waited' : 'it ran';
    },
  );

const onOpenJob = (special: Special, act: (world: World, job: KubeObject, random: Random) => string): Happening =>
  on(special, JOBS, (job) => isOpen(job) && !isLeaving(job), act);

const setSuspend = (special: Special, suspend: boolean): Happening =>
  on(
    special,
    JOBS,
    (job) => isOpen(job) && !isLeaving(job) && isSuspended(job) !== suspend,
    (world, job, random) => {
      patchByHand(world, JOBS, job, { spec: { suspend } });
      return suspend || random.chance(0.5) ? undefined : takeBack(world, job, random.magnitude(5, 5_000));
    },
  );

/** Who notices his mistake suspends the Job again. */
function takeBack(world: World, job: KubeObject, ms: number): string {
  const { namespace, name, uid } = job.metadata;
  world.clock.setTimeout(() => {
    const current = world.store.find(JOBS, namespace, name);
    if (current && current.metadata.uid === uid && isOpen(current))
      patchByHand(world, JOBS, current, { spec: { suspend: true } });
  }, ms);
  return `for ${ms} ms`;
}

/** It is another Job of the lane that was meant; and the Job controller has much to do. */
function resumeByMistake(world: World, random: Random): boolean {
  const open = world.store.list(JOBS, { namespace: NAMESPACE }).items.filter((job) => isOpen(job) && !isLeaving(job));
  const meant = open.find(({ metadata }) => metadata.name === world.inMind) ?? open[random.int(open.length)];
  const others = open.filter((job) => job !== meant && laneOf(job) === (meant && laneOf(meant)) && isSuspended(job));
  if (others.length === 0) return false;
  const job = random.pick(others);
  world.jobControllerPausedUntil = world.clock.now() + random.magnitude(2_000, 30_000);
  patchByHand(world, JOBS, job, { spec: { suspend: false } });
  const words = takeBack(world, job, random.magnitude(1_000, 10_000));
  return world.happened('Job is resumed by mistake', `${job.metadata.name}: ${words}`);
}

/** Jobs are named `<resource>-<environment>-<hash>`. */
const laneOf = ({ metadata: { name } }: KubeObject): string => name.slice(0, name.lastIndexOf('-'));

/** The resource that somebody has in mind, or any. */
export const somePlace = ({ inMind, setting: { places } }: World, random: Random): Place =>
  places.find(({ name }) => inMind?.startsWith(`${name}-`)) ?? random.pick(places);

/** Writes a new spec, as git would. */
function edit(
  special: Special,
  change: (spec: ResourceSpec, place: Place, random: Random, world: World) => string | undefined,
): Happening {
  return (world, random) => {
    const place = somePlace(world, random);
    const resource = world.setting.resource(place);
    if (resource === undefined || isLeaving(resource)) return false;
    const spec = structuredClone(resource.spec);
    const words = change(spec, place, random, world);
    if (words === undefined) return false;
    world.as('somebody', () => world.store.update(CAPDEPLOYJOBS, { ...resource, spec }));
    return world.happened(special, `${place.name}: ${words}`);
  };
}

const toggled = (environment: EnvironmentSpec, field: 'requireApproval' | 'suspend' | 'windows'): EnvironmentSpec => {
  const { [field]: before, ...rest } = environment;
  if (before) return rest;
  return { ...rest, [field]: field === 'windows' ? WINDOWS : true };
};

type Act = Exclude<
  Extract<Special, `${'Job is' | 'environment' | 'resource' | 'spec' | 'Pod' | 'node'} ${string}`>,
  'resource is replaced'
>;

export const ACTS: Record<Act, Happening> = {
  'Job is deleted': deleteJob('Job is deleted', 'Background'),
  'Job is deleted in the foreground': deleteJob('Job is deleted in the foreground', 'Foreground'),
  'Job is orphaned': deleteJob('Job is orphaned', 'Orphan'),
  'Job is aborted by name': onOpenJob('Job is aborted by name', abortAsTools),
  'Job is named, and not deleted': onOpenJob('Job is named, and not deleted', nameAndLeave),
  'Job is suspended': setSuspend('Job is suspended', true),
  'Job is resumed by hand': setSuspend('Job is resumed by hand', false),
  'Job is resumed by mistake': resumeByMistake,
  'Job is approved': on(
    'Job is approved',
    JOBS,
    (job) => isOpen(job) && isSuspended(job),
    (world, job, random) => {
      const isApproved = Boolean(annotationOf(job, 'approved-by'));
      const who = isApproved && random.chance(0.5) ? null : 'bob';
      patchByHand(world, JOBS, job, { metadata: { annotations: { 'capdeployjob.dev/approved-by': who } } });
      return who === null ? 'taken back' : 'by bob';
    },
  ),
  'environment is frozen or thawed': (world, random) => {
    const place = somePlace(world, random);
    const resource = world.setting.resource(place);
    if (resource === undefined || isLeaving(resource)) return false;
    const environment = random.pick(place.environments);
    const annotation = `freeze.capdeployjob.dev/${environment}`;
    const isFrozen = resource.metadata.annotations?.[annotation] !== undefined;
    const patch = { metadata: { annotations: { [annotation]: isFrozen ? null : 'alice: incident 42' } } };
    patchByHand(world, CAPDEPLOYJOBS, resource, patch);
    return world.happened('environment is frozen or thawed', `${environment} ${isFrozen ? 'thawed' : 'frozen'}`);
  },
  'resource is suspended or resumed': edit('resource is suspended or resumed', (spec) => {
    spec.suspend = !spec.suspend;
    return spec.suspend ? 'suspended' : 'resumed';
  }),
  'spec is edited': edit('spec is edited', (spec, _place, random, world) => {
    const what = random.pick(['policy', 'maxWaiting', 'requireApproval', 'suspend', 'windows', 'template'] as const);
    if (what === 'policy') spec.concurrencyPolicy = random.pick(['Queue', 'Supersede', 'Replace']);
    else if (what === 'maxWaiting') spec.maxWaiting = random.pick([1, 2, 20]);
    else if (what === 'template') spec.template = drawTemplate(random, world.profile.sideCars);
    else {
      const index = random.int(spec.environments.length);
      const environment = spec.environments[index];
      if (environment === undefined) return undefined;
      spec.environments[index] = toggled(environment, what);
    }
    return what;
  }),
  'environment is removed or added': edit('environment is removed or added', (spec, place, random) => {
    const name = random.pick(place.environments);
    const isThere = spec.environments.some((environment) => environment.name === name);
    if (isThere && spec.environments.length === 1) {
      // A resource has one at least: another takes its place.
      spec.environments = [{ name: 'elsewhere' }];
    } else if (isThere) spec.environments = spec.environments.filter((environment) => environment.name !== name);
    else spec.environments.push({ name });
    return `${name} ${isThere ? 'removed' : 'added'}`;
  }),
  'resource is deleted': on(
    'resource is deleted',
    CAPDEPLOYJOBS,
    (resource) => !isLeaving(resource),
    (world, resource, random) => {
      const propagationPolicy = random.pick(PROPAGATION);
      deleteByHand(world, CAPDEPLOYJOBS, resource, { propagationPolicy });
      return propagationPolicy;
    },
  ),
  'resource is created again': (world, random) => {
    const missing = world.setting.places.filter((place) => world.setting.resource(place) === undefined);
    if (missing.length === 0) return false;
    const place = random.pick(missing);
    world.setting.create(place);
    return world.happened('resource is created again', place.name);
  },
  'Pod is deleted': on(
    'Pod is deleted',
    PODS,
    (pod) => isPodAlive(pod) && !isLeaving(pod),
    (world, pod) => {
      deleteByHand(world, PODS, pod, {});
      return undefined;
    },
  ),
  // An eviction by the API: the condition first, the deletion soon after it.
  'Pod is drained': on(
    'Pod is drained',
    PODS,
    (pod) => isPodAlive(pod) && !isLeaving(pod),
    (world, pod, random) => {
      world.as('somebody', () => world.nodes.announceDisruption(pod, 'EvictionByEvictionAPI'));
      const { namespace, name, uid } = pod.metadata;
      world.clock.setTimeout(
        () => {
          const current = world.store.find(PODS, namespace, name);
          if (current && current.metadata.uid === uid && !isLeaving(current)) deleteByHand(world, PODS, current, {});
        },
        random.magnitude(1, 5_000),
      );
      return undefined;
    },
  ),
  'node is lost': on('node is lost', PODS, isPodAlive, (world, pod, random) => {
    world.nodes.lose(pod);
    const { namespace, name, uid } = pod.metadata;
    // The node's Pods are deleted by the taint manager after a while, and stay Terminating.
    world.clock.setTimeout(
      () => {
        const current = world.store.find(PODS, namespace, name);
        if (!current || current.metadata.uid !== uid || isLeaving(current)) return;
        world.nodes.announceDisruption(current, 'DeletionByTaintManager');
        world.store.delete(PODS, namespace, name, {});
      },
      random.magnitude(1_000, 60_000),
    );
    return undefined;
  }),
};
