/**
 * What a DELETE makes of an object: nothing at all, or one that waits for finalizers or its grace period
 * (`pkg/registry/rest/delete.go`).
 */

import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import type { ServedType } from '../types/served-types.ts';
import { deleteConflict } from './api-error.ts';
import { at, clone, equal, textAt } from './json.ts';

export interface DeleteOptions {
  preconditions?: undefined | { uid?: string | undefined; resourceVersion?: string | undefined };
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  gracePeriodSeconds?: number | undefined;
  dryRun?: boolean | undefined;
}

export const FOREGROUND_FINALIZER = 'foregroundDeletion';
export const ORPHAN_FINALIZER = 'orphan';
export const DEFINITION_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

export function checkPreconditions(
  type: ServedType,
  object: KubeObject,
  wanted: { uid?: string | undefined; resourceVersion?: string | undefined },
): void {
  const { uid, resourceVersion, name } = object.metadata;
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const words = `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw deleteConflict(type, name, words);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    const words = `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw deleteConflict(type, name, words);
  }
}

/**
 * Pods that run get time to end; those that never met a node, or have finished, do not need it. Undefined: a type
 * without grace.
 */
function graceOf(type: ServedType, object: KubeObject, options: DeleteOptions): number | undefined {
  if (type.storage !== '/pods') return undefined;
  const finished = ['Succeeded', 'Failed'].includes(textAt(object, 'status', 'phase') ?? '');
  if (finished || textAt(object, 'spec', 'nodeName') === undefined) return 0;
  const asked = options.gracePeriodSeconds ?? Number(at(object, 'spec', 'terminationGracePeriodSeconds') ?? 30);
  return asked < 0 ? 1 : asked;
}

function finalizersAfter(type: ServedType, object: KubeObject, options: DeleteOptions): string[] {
  let finalizers = object.metadata.finalizers ?? [];
  if (type.storage === 'apiextensions.k8s.io/customresourcedefinitions' && !finalizers.includes(DEFINITION_FINALIZER)) {
    if (object.metadata.deletionTimestamp === undefined) finalizers = [...finalizers, DEFINITION_FINALIZER];
  }
  const { propagationPolicy: policy } = options;
  if (policy === undefined) return finalizers;
  const others = finalizers.filter((each) => each !== FOREGROUND_FINALIZER && each !== ORPHAN_FINALIZER);
  if (policy === 'Foreground') return [...others, FOREGROUND_FINALIZER];
  return policy === 'Orphan' ? [...others, ORPHAN_FINALIZER] : others;
}

/** The object marked as being deleted, whether it then stays or goes; the same object where nothing changes. */
export function deletionOf(type: ServedType, object: KubeObject, options: DeleteOptions, now: number): KubeObject {
  const finalizers = finalizersAfter(type, object, options);
  const asked = graceOf(type, object, options);
  const before = object.metadata.deletionGracePeriodSeconds;
  const already = object.metadata.deletionTimestamp !== undefined;
  const grace = already && typeof before === 'number' ? Math.min(before, asked ?? 0) : asked;
  const stays = finalizers.length > 0 || type.storage === '/namespaces';
  // What has no grace and goes at once is shown, and told to watches, as it was.
  if (grace === undefined && !stays) return clone(object);
  const next = clone(object);
  if (finalizers.length > 0) next.metadata.finalizers = [...finalizers];
  else delete next.metadata.finalizers;
  if (!already || grace !== before) {
    next.metadata.deletionTimestamp = timestamp(now + (grace ?? 0) * 1000);
    // Namespaces have their own way to go.
    if (type.storage !== '/namespaces') next.metadata.deletionGracePeriodSeconds = grace ?? 0;
    if (!already && next.metadata.generation !== undefined) next.metadata.generation += 1;
  }
  if (type.storage === '/namespaces') next.status = { phase: 'Terminating' };
  return equal(next, object) ? object : next;
}
