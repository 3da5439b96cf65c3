/** Builders of the objects that these tests are about, and the pieces that they run on. */

import { VirtualClock } from 'in-memory-kubernetes/clock.ts';
import { ApiError } from 'in-memory-kubernetes/store/api-error.ts';
import { isObject } from 'in-memory-kubernetes/store/json.ts';
import { Store } from 'in-memory-kubernetes/store/store.ts';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import type { KubeObject, ResourceType } from '../objects.ts';
import { JOBS, PODS } from '../objects.ts';

export { NAMESPACES } from '../objects.ts';
export const SECRETS: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };
export const CONFIG_MAPS: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
export const LEASES: ResourceType = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease' };
export const DEFINITIONS: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
};
export { CAPDEPLOYJOBS, JOBS, PODS };

type Json = Record<string, unknown>;

/** A store on a clock that stands still. */
export function newStore(): { store: Store; clock: VirtualClock } {
  const clock = new VirtualClock('2030-01-01T00:00:00Z');
  let made = 0;
  const newUid = (): string => {
    made += 1;
    return `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`;
  };
  return { store: new Store({ clock, newUid, random: sequence() }), clock };
}

/** Numbers that look random and are the same in every run. */
function sequence(): () => number {
  let state = 42;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

export function namespace(name: string): Json {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function secret(name: string, values: Record<string, string>, namespaceName = 'default'): Json {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: namespaceName }, stringData: values };
}

export function configMap(name: string, data: Record<string, string> = {}, metadata: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', ...metadata }, data };
}

export function container(more: Json = {}): Json {
  return { name: 'deploy', image: 'app:1', ...more };
}

export function pod(name: string, spec: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { restartPolicy: 'Never', containers: [container()], ...spec },
  };
}

export function job(name: string, spec: Json = {}, podSpec: Json = {}, metadata: Json = {}): Json {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: 'default', ...metadata },
    spec: {
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { restartPolicy: 'Never', containers: [container()], ...podSpec },
      },
      ...spec,
    },
  };
}

/** A small CapDeployJob type, to test what schemas do; the project's own CRD is tested elsewhere. */
export function definition(schema: Json = SCHEMA, version: Json = {}): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'capdeployjobs.capdeployjob.dev' },
    spec: {
      group: 'capdeployjob.dev',
      scope: 'Namespaced',
      names: { plural: 'capdeployjobs', kind: 'CapDeployJob', shortNames: ['cdj'] },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: schema },
          additionalPrinterColumns: [
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Waiting', type: 'integer', jsonPath: '.status.waiting' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          ...version,
        },
      ],
    },
  };
}

export const SCHEMA: Json = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['url'],
      properties: {
        url: { type: 'string', maxLength: 20, pattern: '^https://' },
        wait: { type: 'integer', minimum: 0, maximum: 20, default: 20 },
        policy: { type: 'string', enum: ['Queue', 'Supersede'] },
        ttl: { type: 'integer', nullable: true },
        tags: { type: 'array', maxItems: 2, items: { type: 'string' } },
        environments: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, approve: { type: 'boolean', default: false } },
          },
        },
        template: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};

export function capDeployJob(name: string, spec: Json = {}, metadata: Json = {}): KubeObject {
  return {
    apiVersion: 'capdeployjob.dev/v1alpha1',
    kind: 'CapDeployJob',
    metadata: { name, namespace: 'default', ...metadata },
    spec: { url: 'https://q', ...spec },
  };
}

/** The ApiError that a call throws, as `409 Conflict: words`. */
export function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ApiError) return `${error.code} ${error.reason}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

/** Puts values into copies of objects, deeply: `merged(job('a'), { spec: { suspend: true } })`. */
export function merged(object: KubeObject, change: Json): KubeObject {
  const merge = (left: unknown, right: unknown): unknown => {
    if (!isObject(left) || !isObject(right)) return right;
    const names = new Set([...Object.keys(left), ...Object.keys(right)]);
    return Object.fromEntries(
      [...names].map((name) => [name, name in right ? merge(left[name], right[name]) : left[name]]),
    );
  };
  return merge(object, change) as KubeObject;
}

/** Waits until a condition holds; fails with the last words of `describe` after five seconds. */
export async function until<T>(
  condition: () => T | undefined | false,
  describe: () => string = () => 'a condition',
): Promise<T> {
  const end = Date.now() + 5000;
  for (;;) {
    const found = condition();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${describe()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
