import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { NAMESPACES } from '../../src/kube/client.ts';
import type { Random } from './random.ts';
import { QueueModel } from './sqs-model.ts';
import type { World } from './world.ts';

export const NAMESPACE = 'deploy';
export const TASKS = ['deploy', 'deploy:restart', 'deploy:rollback'] as const;

export interface EnvironmentSpec {
  name: string;
  requireApproval?: boolean;
  suspend?: boolean;
  concurrencyPolicy?: 'Queue' | 'Supersede' | 'Replace';
  windows?: { kind: string; schedule: string; durationSeconds: number }[];
}

/** A spec as people write it; all times are short, so that a run sees them pass. */
export interface ResourceSpec {
  environments: EnvironmentSpec[];
  concurrencyPolicy: 'Queue' | 'Supersede' | 'Replace';
  maxWaiting: number;
  suspend: boolean;
  startingDeadlineSeconds: number;
  waitingDeadlineSeconds: number;
  [field: string]: unknown;
}

/** The first five minutes of each ten are open. */
export const WINDOWS = [{ kind: 'Allow', schedule: '*/10 * * * *', durationSeconds: 300 }];

const IMAGE = 'registry.example/web-deploy';

/** A template as people write it: some have a side-car beside `cap`, a native one, or an init container. */
export function drawTemplate(random: Random, sideCars: number): object {
  const cap = { name: 'cap', image: `${IMAGE}:${random.int(99)}` };
  const initContainers = [
    ...(random.chance(0.15) ? [{ name: 'prepare', image: `${IMAGE}:1` }] : []),
    ...(random.chance(sideCars / 3) ? [{ name: 'proxy', image: `${IMAGE}:1`, restartPolicy: 'Always' }] : []),
  ];
  // Its name comes before `cap`: kubelets sort by name what they say of containers.
  const agent = { name: 'agent', image: `${IMAGE}:1` };
  return {
    spec: {
      ...(initContainers.length > 0 ? { initContainers } : {}),
      containers: random.chance(sideCars) ? [cap, agent] : [cap],
    },
  };
}

/** One resource of the world, whether it exists just now or not. */
export interface Place {
  readonly name: string;
  readonly queue: QueueModel;
  /** Environments that its messages name. */
  readonly environments: readonly string[];
  /** As it was created, and is created again. */
  readonly spec: ResourceSpec;
}

/** The resources and queues of a run, drawn from its seed. */
export class Setting {
  readonly places: Place[];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    world.store.create(NAMESPACES, { metadata: { name: NAMESPACE } });
    const random = world.random('setting');
    const names = random.chance(0.35) ? ['web', 'api'] : ['web'];
    this.places = names.map((name) => this.#draw(name, random));
    for (const place of this.places) this.create(place);
  }

  queueAt(url: string): QueueModel {
    const name = url.slice(url.lastIndexOf('/') + 1);
    return this.places.find(({ queue }) => queue.name === name)!.queue;
  }

  create({ name, spec }: Place): void {
    this.#world.as('somebody', () =>
      this.#world.store.create(CAPDEPLOYJOBS, {
        apiVersion: 'capdeployjob.dev/v1alpha1',
        kind: 'CapDeployJob',
        metadata: { name, namespace: NAMESPACE },
        spec,
      }),
    );
  }

  /** The resource as the store has it. */
  resource({ name }: Place): (KubeObject & { spec: ResourceSpec }) | undefined {
    return this.#world.store.find(CAPDEPLOYJOBS, NAMESPACE, name) as (KubeObject & { spec: ResourceSpec }) | undefined;
  }

  #draw(name: string, random: Random): Place {
    const queue = new QueueModel(this.#world, `${name}-deploy`, this.#world.profile.maxReceiveCount);
    this.#world.queues.set(queue.name, queue);
    const environments = random.pick([['production'], ['production'], ['production', 'staging']]);
    const { theme } = this.#world.profile;
    const all = ['Queue', 'Supersede', 'Replace'] as const;
    const policies = theme === 'the newest wins' ? (['Replace'] as const) : all;
    const spec: ResourceSpec = {
      queue: {
        url: `https://sqs.ap-northeast-1.amazonaws.com/123456789012/${queue.name}`,
        waitTimeSeconds: 20,
        visibilityTimeoutSeconds: random.pick([10, 30, 60]),
      },
      environments: environments.map((environment) => ({
        name: environment,
        ...(random.chance(theme === 'looks take long' ? 0.6 : 0.2) ? { requireApproval: true } : {}),
        ...(random.chance(0.15) ? { windows: WINDOWS } : {}),
        ...(random.chance(0.2) ? { concurrencyPolicy: random.pick(policies) } : {}),
      })),
      tasks: [...TASKS],
      concurrencyPolicy: random.pick(policies),
      maxWaiting: random.pick([2, 3, 20]),
      suspend: false,
      startingDeadlineSeconds: random.pick([120, 300]),
      waitingDeadlineSeconds: random.pick([600, 900]),
      podStartDeadlineSeconds: random.pick([20, 60]),
      activeDeadlineSeconds: random.pick([60, 120]),
      successfulJobsHistoryLimit: random.int(3),
      failedJobsHistoryLimit: random.int(3),
      ...(random.chance(0.3) ? { ttlSecondsAfterFinished: random.int(60) } : {}),
      template: drawTemplate(random, this.#world.profile.sideCars),
    };
    return { name, queue, environments, spec };
  }
}
