/**
 * The API server's paths (Kubernetes docs, "API concepts: Resource URIs"): the core group under `/api/v1`, every other
 * under `/apis/<group>/<version>`, a namespaced object under `/namespaces/<ns>/<plural>/<name>`.
 */

import type { ResourceType } from '../client.ts';

/** Path of a collection: in one namespace, or in all of them if `namespace` is undefined. */
export function collectionPath(type: ResourceType, namespace: string | undefined): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  return namespace === undefined
    ? `${root}/${type.plural}`
    : `${root}/namespaces/${segment(namespace)}/${segment(type.plural)}`;
}

/** Path of one object, or of its sub-resource. */
export function objectPath(type: ResourceType, namespace: string, name: string, subresource?: 'status'): string {
  const path = `${collectionPath(type, namespace)}/${segment(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/**
 * One URI-encoded path segment.
 * @throws TypeError for '', '.' and '..', which encoding does not change: a request for an object named '' would be one
 * for the whole collection (a DELETE of it, at worst).
 */
function segment(value: string): string {
  if (value === '' || value === '.' || value === '..') throw new TypeError(`"${value}" is not the name of an object`);
  return encodeURIComponent(value);
}

/** `?a=1&b=2` from the parameters that have a value, '' if none has. */
export function queryString(parameters: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, String(value));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
