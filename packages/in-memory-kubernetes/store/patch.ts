/** The three kinds of patch that the in-memory Kubernetes takes, each as a function from a document to a new one. */
import { ApiError } from './api-error.ts';
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
 * Strategic merge patch, as far as `kubectl apply`, `edit` and `patch` on Jobs, Pods and Secrets need it: lists above
 * by key, finalizers as a set, `$patch: delete | replace`, `$deleteFromPrimitiveList`, `$retainKeys`. The order that
 * `$setElementOrder` asks for is not restored: merged items keep their places behind the new ones.
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
  const fresh: unknown[] = [];
  for (const item of patch) {
    if (!isObject(item)) continue;
    if (item.$patch === 'replace') {
      result = patch.filter((each) => each !== item);
      break;
    }
    const index = result.findIndex((each) => isObject(each) && each[key] === item[key]);
    if (item.$patch === 'delete') result = result.filter((_, position) => position !== index);
    else if (index < 0) fresh.push(strategicMergePatch(undefined, item));
    else result[index] = strategicMergePatch(result[index], item);
  }
  // What is new comes before what was there.
  return [...fresh, ...result];
}

interface Place {
  parent: unknown[] | JsonObject;
  key: string;
}

function placeOf(document: unknown, pointer: string | undefined): Place {
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw unprocessable();
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
    throw unprocessable();
  }
  return { parent, key };
}

/** The API server tells why to its log only. */
function unprocessable(): ApiError {
  return new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
}

/**
 * RFC 6902. A `test` that fails refuses all; a `replace` of what is not there adds it, as the API server's library
 * does.
 */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  const document = clone(target);
  for (const operation of Array.isArray(operations) ? operations : []) {
    const { op, path, from, value } = (isObject(operation) ? operation : {}) as {
      op?: string;
      path?: string;
      from?: string;
      value?: unknown;
    };
    if (op === 'copy' || op === 'move') {
      const moved = clone(valueAt(document, from));
      if (op === 'move') edit(document, 'remove', from, undefined);
      edit(document, 'add', path, moved);
    } else edit(document, op, path, value);
  }
  return document;
}

function valueAt(document: unknown, path: string | undefined): unknown {
  const { parent, key } = placeOf(document, path);
  const value = Array.isArray(parent) ? parent[Number(key)] : parent[key];
  if (value === undefined) throw unprocessable();
  return value;
}

function edit(document: unknown, op: string | undefined, path: string | undefined, value: unknown): void {
  const { parent, key } = placeOf(document, path);
  const index = key === '-' && Array.isArray(parent) ? parent.length : Number(key);
  const current = Array.isArray(parent) ? parent[index] : parent[key];
  if (op === 'test') {
    if (!equal(current, value)) throw unprocessable();
  } else if (op === 'add' || (op === 'replace' && !Array.isArray(parent))) {
    if (Array.isArray(parent)) parent.splice(index, 0, clone(value));
    else parent[key] = clone(value);
  } else if (op === 'replace' || op === 'remove') {
    if (current === undefined) throw unprocessable();
    if (Array.isArray(parent)) parent.splice(index, 1, ...(op === 'replace' ? [clone(value)] : []));
    else delete parent[key];
  } else throw unprocessable();
}
