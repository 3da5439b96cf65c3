/** The verbs on resources, from request to answer; watches and logs, which stream, are in `http-streams.ts`. */
import type { KubeObject } from '../../kube/client.ts';
import { ApiError, badRequest, methodNotAllowed, pathNotFound, unsupportedMediaType } from '../store/api-error.ts';
import type { DeleteOptions } from '../store/deletion.ts';
import { at, isObject, jsonText, textAt } from '../store/json.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../store/patch.ts';
import type { StoredList } from '../store/reading.ts';
import type { Store } from '../store/store.ts';
import type { WriteOptions } from '../store/writing.ts';
import type { ServedType } from '../types/served-types.ts';
import { apiVersionOf } from '../types/served-types.ts';
import { renderTable } from '../types/tables.ts';
import type { ApiRequest, ApiResponse, ResourceRequest } from './http-request.ts';
import { wantsTable } from './http-request.ts';

export function serveResource(store: Store, request: ApiRequest, resource: ResourceRequest): ApiResponse {
  const type = store.types.find(resource.group, resource.version, resource.plural);
  if (type === undefined) throw pathNotFound();
  if (type.namespaced && resource.namespace === undefined && resource.name !== undefined) throw pathNotFound();
  if (resource.subresource !== undefined && resource.subresource !== 'status') throw pathNotFound();
  if (resource.subresource === 'status' && !type.hasStatus) throw pathNotFound();
  switch (resource.verb) {
    case 'get':
      return objectAnswer(store, request, type, 200, store.get(type, resource.namespace, resource.name ?? ''));
    case 'list':
      return listAnswer(store, request, type, store.list(type, { ...queryOf(request), namespace: resource.namespace }));
    case 'create':
      return create(store, request, type, resource);
    case 'update':
      return update(store, request, type, resource);
    case 'patch':
      return patch(store, request, type, resource);
    case 'delete':
      return remove(store, request, type, resource);
    case 'deletecollection':
      return removeAll(store, request, type, resource);
    default:
      throw methodNotAllowed();
  }
}

export function queryOf({ query }: ApiRequest) {
  const limit = query.get('limit');
  return {
    labelSelector: query.get('labelSelector') ?? undefined,
    fieldSelector: query.get('fieldSelector') ?? undefined,
    limit: limit === null ? undefined : Number(limit),
    continue: query.get('continue') ?? undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
  };
}

function tableOptions(store: Store, { query }: ApiRequest) {
  return { now: store.clock.now(), include: query.get('includeObject') ?? 'Metadata', headers: true };
}

function objectAnswer(
  store: Store,
  request: ApiRequest,
  type: ServedType,
  status: number,
  object: KubeObject,
  warnings: string[] = [],
): ApiResponse {
  if (!wantsTable(request.headers.accept)) return { status, body: object, warnings };
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  return { status, body: renderTable(type, [object], metadata, tableOptions(store, request)), warnings };
}

/** The text of a list is put together from the texts of its objects, which are made once. */
function listAnswer(store: Store, request: ApiRequest, type: ServedType, list: StoredList): ApiResponse {
  if (wantsTable(request.headers.accept)) {
    return { status: 200, body: renderTable(type, list.items, list.metadata, tableOptions(store, request)) };
  }
  const head = JSON.stringify({ kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata: list.metadata });
  return { status: 200, body: `${head.slice(0, -1)},"items":[${list.items.map(jsonText).join(',')}]}` };
}

function writeOptions({ query }: ApiRequest, warnings: string[]): WriteOptions {
  const dryRun = query.get('dryRun');
  if (dryRun !== null && dryRun !== '' && dryRun !== 'All') {
    throw badRequest(`Invalid value: "${dryRun}": dryRun must be "All" or empty`);
  }
  const fieldValidation = query.get('fieldValidation') ?? 'Warn';
  if (fieldValidation !== 'Strict' && fieldValidation !== 'Warn' && fieldValidation !== 'Ignore') {
    throw badRequest(`Invalid value: "${fieldValidation}": fieldValidation must be Strict, Warn or Ignore`);
  }
  return { dryRun: dryRun === 'All', fieldValidation, warnings };
}

function create(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  if (resource.name !== undefined) throw methodNotAllowed();
  const warnings: string[] = [];
  const options = { ...writeOptions(request, warnings), namespace: resource.namespace };
  return objectAnswer(store, request, type, 201, store.create(type, request.body, options), warnings);
}

function update(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  if (resource.name === undefined) throw methodNotAllowed();
  if (!isObject(request.body)) throw badRequest('the body of the request was not a JSON object');
  const warnings: string[] = [];
  const object = store.update(type, { metadata: {}, ...request.body } as unknown as KubeObject, {
    ...writeOptions(request, warnings),
    namespace: resource.namespace,
    name: resource.name,
    subresource: resource.subresource as 'status' | undefined,
  });
  return objectAnswer(store, request, type, 200, object, warnings);
}

const PATCHES: Record<string, (target: unknown, patch: unknown) => unknown> = {
  'application/merge-patch+json': mergePatch,
  'application/strategic-merge-patch+json': strategicMergePatch,
  'application/json-patch+json': jsonPatch,
};

function patch(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const media = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  if (media === 'application/apply-patch+yaml' || media === 'application/apply-patch+cbor') {
    throw unsupportedMediaType(
      'the laptop edition does not do server-side apply: use client-side apply (kubectl apply without --server-side)',
    );
  }
  const apply = PATCHES[media];
  const strategic = media === 'application/strategic-merge-patch+json';
  if (apply === undefined || (strategic && type.custom)) {
    const accepted = Object.keys(PATCHES).filter((each) => !type.custom || !each.includes('strategic'));
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    );
  }
  const warnings: string[] = [];
  const object = store.patch(type, resource.namespace, resource.name ?? '', (current) => apply(current, request.body), {
    ...writeOptions(request, warnings),
    subresource: resource.subresource as 'status' | undefined,
  });
  return objectAnswer(store, request, type, 200, object, warnings);
}

function deleteOptions(request: ApiRequest): DeleteOptions {
  const body = isObject(request.body) ? request.body : {};
  const grace = request.query.get('gracePeriodSeconds') ?? at(body, 'gracePeriodSeconds');
  const policy = textAt(body, 'propagationPolicy') ?? request.query.get('propagationPolicy') ?? undefined;
  if (policy !== undefined && !['Foreground', 'Background', 'Orphan'].includes(policy)) {
    throw new ApiError(
      422,
      'Invalid',
      `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "${policy}": supported values: "Foreground", "Background", "Orphan", "nil"`,
    );
  }
  const dryRun = request.query.get('dryRun') === 'All' || JSON.stringify(body.dryRun) === '["All"]';
  return {
    propagationPolicy: policy as DeleteOptions['propagationPolicy'],
    gracePeriodSeconds: grace === undefined || grace === null ? undefined : Number(grace),
    preconditions: {
      uid: textAt(body, 'preconditions', 'uid'),
      resourceVersion: textAt(body, 'preconditions', 'resourceVersion'),
    },
    dryRun,
  };
}

function remove(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const name = resource.name ?? '';
  const { object, gone } = store.delete(type, resource.namespace, name, deleteOptions(request));
  // A Pod is returned as it was, whether it goes at once or later, as clients of Pods expect.
  if (!gone || type.storage === '/pods') return { status: 200, body: object };
  const details = {
    name,
    ...(type.group === '' ? {} : { group: type.group }),
    kind: type.plural,
    uid: object.metadata.uid,
  };
  return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

function removeAll(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const list = store.list(type, { ...queryOf(request), limit: undefined, namespace: resource.namespace });
  const { preconditions: _none, ...options } = deleteOptions(request);
  for (const { metadata } of list.items) store.delete(type, metadata.namespace, metadata.name, options);
  return listAnswer(store, request, type, list);
}
