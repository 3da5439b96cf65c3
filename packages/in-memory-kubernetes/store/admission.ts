/** Admission: what may refuse a write that is valid in itself. */
import { type KubeObject, NAMESPACES, type ResourceType } from '../objects.ts';
import type { ServedType } from '../types/served-types.ts';
import { forbidden, notFound } from './api-error.ts';

export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  type: ServedType;
  subresource: 'status' | undefined;
  /** The object as it would be stored. */
  object: KubeObject;
  before: KubeObject | undefined;
  dryRun: boolean;
  /** What is stored. */
  store: { find(type: ResourceType, namespace: string | undefined, name: string): KubeObject | undefined };
}

/** Throws an ApiError to refuse. */
export type AdmissionCheck = (request: AdmissionRequest) => void;

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

/**
 * NamespaceLifecycle: nothing new where there is no namespace, or in one that is being deleted; some namespaces stay.
 */
export function checkNamespace({ operation, type, object, store }: AdmissionRequest): void {
  if (operation === 'DELETE' && type.storage === '/namespaces' && IMMORTAL.has(object.metadata.name)) {
    throw forbidden(NAMESPACES, object.metadata.name, 'this namespace may not be deleted');
  }
  if (operation !== 'CREATE' || !type.namespaced) return;
  const { name, namespace = '' } = object.metadata;
  const found = store.find(NAMESPACES, undefined, namespace);
  if (found === undefined) throw notFound(NAMESPACES, namespace);
  if (found.metadata.deletionTimestamp === undefined) return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(type, name, why, [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]);
}
