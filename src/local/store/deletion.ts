/** What a DELETE makes of an object: nothing at all, or one that waits for finalizers or its grace period (`pkg/registry/rest/delete.go`). */
import type { KubeObject, ResourceType } from '../../kube/client.ts';
import { timestamp } from '../clock.ts';
import type { ServedType } from '../types/served-types.ts';
import { conflict } from './api-error.ts';
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
  type: ResourceType,
  object: KubeObject,
  wanted: { uid?: string | undefined; resourceVersion?: string | undefined },
): void {
  const { uid, resourceVersion, name } = object.metadata;
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    throw conflict(type, name, `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${uid}`);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    throw conflict(
      type,
      name,
      `Precondition failed: ResourceVersion in precondition: ${wanted.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
    );
  }
}

/** Pods that run get time to end; those that never met a node, or have finished, do not need it. */
function graceOf(type: ServedType, object: KubeObject, options: DeleteOptions): number {
  if (type.storage !== '/pods') return 0;
  const finished = ['Succeeded', 'Failed'].includes(textAt(object, 'status', 'phase') ?? '');
  if (finished || textAt(object, 'spec', 'nodeName') === undefined) return 0;
  return options.gracePeriodSeconds ?? Number(at(object, 'spec', 'terminationGracePeriodSeconds') ?? 30);
}

function finalizersAfter(type: ServedType, object: KubeObject, options: DeleteOptions): string[] {
  let finalizers = object.metadata.finalizers ?? [];
  if (type.storage === 'apiextensions.k8s.io/customresourcedefinitions' && !finalizers.includes(DEFINITION_FINALIZER)) {
    if (object.metadata.deletionTimestamp === undefined) finalizers = [...finalizers, DEFINITION_FINALIZER];
  }
  if (options.propagationPolicy === undefined) return finalizers;
  const others = finalizers.filter((each) => each !== FOREGROUND_FINALIZER && each !== ORPHAN_FINALIZER);
  if (options.propagationPolicy === 'Foreground') return [...others, FOREGROUND_FINALIZER];
  return options.propagationPolicy === 'Orphan' ? [...others, ORPHAN_FINALIZER] : others;
}

/** The object that stays, marked as being deleted; undefined where it goes at once. The same object where nothing changes. */
export function deletionOf(
  type: ServedType,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): KubeObject | undefined {
  const namespace = type.storage === '/namespaces';
  const finalizers = finalizersAfter(type, object, options);
  const asked = graceOf(type, object, options);
  const before = object.metadata.deletionGracePeriodSeconds;
  const already = object.metadata.deletionTimestamp !== undefined;
  const grace = already && typeof before === 'number' ? Math.min(before, asked) : asked;
  const contents = namespace && ((at(object, 'spec', 'finalizers') as unknown[] | undefined) ?? []).length > 0;
  if (grace === 0 && finalizers.length === 0 && !contents) return undefined;
  const next = clone(object);
  if (finalizers.length > 0) next.metadata.finalizers = [...finalizers];
  else delete next.metadata.finalizers;
  if (!already || grace !== before) {
    next.metadata.deletionTimestamp = timestamp(now + grace * 1000);
    next.metadata.deletionGracePeriodSeconds = grace;
    if (next.metadata.generation !== undefined) next.metadata.generation += 1;
  }
  if (namespace) next.status = { phase: 'Terminating' };
  return equal(next, object) ? object : next;
}
