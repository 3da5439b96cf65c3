/** The three kinds of patch that the laptop edition takes, each as a function from a document to a new one. */
import { ApiError, badRequest } from './api-error.ts';
import type { JsonObject } from './json.ts';
import { clone, equal, isObject } from './json.ts';

/** RFC 7386. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return clone(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** Lists that a strategic merge patch merges by a key, wherever the field stands. Other lists are replaced. */
const MERGE_KEYS: Record<string, string> = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  imagePullSecrets: 'name',
  ownerReferences: 'uid',
  conditions: 'type',
};

/**
 * Strategic merge patch, as far as `kubectl apply`, `edit` and `patch` on Jobs, Pods and Secrets need it: lists above by key, finalizers as a
 * set, `$patch: delete | replace`, `$deleteFromPrimitiveList`, `$retainKeys`. The order that `$setElementOrder` asks for is not
 * restored: merged items keep their places and new ones follow.
 */
export function strategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return clone(patch);
  if (patch.$patch === 'replace') return withoutDirectives(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  if (Array.isArray(patch.$retainKeys)) {
    for (const name of Object.keys(result)) if (!patch.$retainKeys.includes(name)) delete result[name];
  }
  for (const [name, value] of Object.entries(patch)) {
    const [directive, field] = name.startsWith('$') ? name.split('/') : [];
    if (directive === '$deleteFromPrimitiveList' && field !== undefined && Array.isArray(value)) {
      const list = Array.isArray(result[field]) ? (result[field] as unknown[]) : [];
      result[field] = list.filter((item) => !value.includes(item));
    } else if (directive !== undefined) continue;
    else if (value === null) delete result[name];
    else if (Array.isArray(value)) result[name] = mergeLists(name, result[name], value);
    else result[name] = strategicMergePatch(result[name], value);
  }
  return result;
}

function withoutDirectives(patch: JsonObject): JsonObject {
  return clone(Object.fromEntries(Object.entries(patch).filter(([name]) => !name.startsWith('$'))));
}

function mergeLists(name: string, target: unknown, patch: unknown[]): unknown[] {
  const list = Array.isArray(target) ? target : [];
  if (name === 'finalizers') return [...new Set([...list, ...patch])];
  const key = MERGE_KEYS[name];
  if (key === undefined) return clone(patch);
  let result: unknown[] = [...list];
  for (const item of patch) {
    if (!isObject(item)) continue;
    if (item.$patch === 'replace') {
      result = patch.filter((each) => each !== item);
      break;
    }
    const index = result.findIndex((each) => isObject(each) && each[key] === item[key]);
    if (item.$patch === 'delete') result = result.filter((_, position) => position !== index);
    else if (index < 0) result.push(strategicMergePatch(undefined, item));
    else result[index] = strategicMergePatch(result[index], item);
  }
  return result;
}

interface Place {
  parent: unknown[] | JsonObject;
  key: string;
}

function placeOf(document: unknown, pointer: string): Place {
  const steps = pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const key = steps.pop() ?? '';
  let parent: unknown = document;
  for (const step of steps) {
    parent = Array.isArray(parent) ? parent[Number(step)] : isObject(parent) ? parent[step] : undefined;
  }
  if (!Array.isArray(parent) && !isObject(parent)) {
    throw unprocessable(`the path ${pointer} does not exist`);
  }
  return { parent, key };
}

function unprocessable(why: string): ApiError {
  return new ApiError(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`);
}

/** RFC 6902 without `move` and `copy`. A `test` that fails refuses all. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('a JSON patch must be a list of operations');
  const document = clone(target);
  for (const operation of operations) {
    const { op, path, value } = (isObject(operation) ? operation : {}) as {
      op?: string;
      path?: string;
      value?: unknown;
    };
    if (typeof path !== 'string' || !path.startsWith('/')) throw badRequest(`a JSON patch cannot use the path ${path}`);
    const { parent, key } = placeOf(document, path);
    const index = key === '-' && Array.isArray(parent) ? parent.length : Number(key);
    const current = Array.isArray(parent) ? parent[index] : parent[key];
    if (op === 'test') {
      if (!equal(current, value)) throw unprocessable(`testing value ${path} failed`);
    } else if (op === 'add') {
      if (Array.isArray(parent)) parent.splice(index, 0, clone(value));
      else parent[key] = clone(value);
    } else if (op === 'replace' || op === 'remove') {
      if (current === undefined) throw unprocessable(`${op} operation does not apply: doc is missing key: ${path}`);
      if (Array.isArray(parent)) parent.splice(index, 1, ...(op === 'replace' ? [clone(value)] : []));
      else if (op === 'replace') parent[key] = clone(value);
      else delete parent[key];
    } else throw badRequest(`a JSON patch cannot use the operation ${op}`);
  }
  return document;
}
