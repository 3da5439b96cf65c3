/** The verbs on resources, from request to answer; watches and logs, which stream, are in `http-streams.ts`. */
import type { KubeObject } from '../objects.ts';
import { ApiError, badRequest, methodNotAllowed, pathNotFound, unsupportedMediaType } from '../store/api-error.ts';
import { bindPod } from '../store/binding.ts';
import type { DeleteOptions } from '../store/deletion.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from '../store/patch.ts';
import { unparsableVersion } from '../store/reading.ts';
import type { Store } from '../store/store.ts';
import type { ServedType } from '../types/served-types.ts';
import { objectBody, UnreadableBody } from './body.ts';
import { deleteOptions, listOptions, writeOptions } from './http-options.ts';
import type { ApiRequest, ApiResponse, ResourceRequest } from './http-request.ts';
import { listAnswer, objectAnswer, representationFor } from './representations.ts';

export function serveResource(store: Store, request: ApiRequest, resource: ResourceRequest): ApiResponse {
  const type = store.types.find(resource.group, resource.version, resource.plural);
  if (type === undefined) throw pathNotFound();
  if (type.namespaced && resource.namespace === undefined && resource.name !== undefined) throw pathNotFound();
  if (resource.subresource === 'binding' && type.storage === '/pods') return bind(store, request, resource);
  if (resource.subresource !== undefined && resource.subresource !== 'status') throw pathNotFound();
  if (resource.subresource === 'status' && !type.hasStatus) throw pathNotFound();
  checkMethod(request, type, resource);
  representationFor(request, resource.verb === 'list' || resource.verb === 'deletecollection' ? 'list' : 'object');
  switch (resource.verb) {
    case 'get':
      return get(store, request, type, resource);
    case 'list':
      return listAnswer(
        store,
        request,
        type,
        store.list(type, { ...listOptions(request), namespace: resource.namespace }),
      );
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

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** 405 for what the path does not offer. */
function checkMethod({ method }: ApiRequest, type: ServedType, resource: ResourceRequest): void {
  const { verb, name, namespace, subresource } = resource;
  const one = name !== undefined;
  const wrong =
    !METHODS.has(method) ||
    (subresource !== undefined && (verb === 'create' || verb === 'delete')) ||
    (verb === 'create' && one) ||
    (verb === 'patch' && !one) ||
    (verb === 'update' && !one && !type.custom) ||
    // Nothing is written without saying in which namespace; namespaces go one by one.
    (type.namespaced && namespace === undefined && verb !== 'list') ||
    (type.storage === '/namespaces' && verb === 'deletecollection');
  if (wrong) throw methodNotAllowed();
  if (verb === 'update' && !one) throw badRequest('name must be provided');
}

function get(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const version = request.query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(version)) throw new ApiError(500, '', unparsableVersion(version));
  const object = store.get(type, resource.namespace, resource.name ?? '');
  return objectAnswer(store, request, type, 200, object);
}

function create(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const warnings: string[] = [];
  const options = { ...writeOptions(request, 'CreateOptions', warnings), namespace: resource.namespace };
  const body = objectBody(type, request.body, request.headers['content-type']);
  const object = store.create(type, body, options);
  return objectAnswer(store, request, type, 201, object, warnings);
}

function update(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const warnings: string[] = [];
  const options = writeOptions(request, 'UpdateOptions', warnings);
  const body = objectBody(type, request.body, request.headers['content-type']);
  const object = store.update(type, { metadata: {}, ...body } as unknown as KubeObject, {
    ...options,
    namespace: resource.namespace,
    name: resource.name ?? '',
    subresource: resource.subresource as 'status' | undefined,
  });
  return objectAnswer(store, request, type, 200, object, warnings);
}

type Patch = (target: unknown, patch: unknown) => unknown;
const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const PATCHES: Record<string, Patch> = {
  [JSON_PATCH]: jsonPatch,
  'application/merge-patch+json': mergePatch,
  [STRATEGIC]: strategicMergePatch,
};
const APPLY = 'application/apply-patch+yaml';

/** Accepted as the API server names them, server-side apply included, which is not done here. */
function patchOf(type: ServedType, media: string): Patch {
  if (media === APPLY) {
    throw unsupportedMediaType(
      'the in-memory Kubernetes does not do server-side apply: use client-side apply (kubectl apply without --server-side)',
    );
  }
  const apply = PATCHES[media];
  if (apply !== undefined && !(type.custom && media === STRATEGIC)) return apply;
  const accepted = [...Object.keys(PATCHES).filter((each) => !type.custom || each !== STRATEGIC), APPLY];
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** 400 for a body that is no patch of its kind. */
function checkPatch(body: unknown, media: string): void {
  if (body === undefined || body instanceof UnreadableBody) {
    throw badRequest(`error decoding patch: ${body === undefined ? 'unexpected end of JSON input' : body.problem}`);
  }
  const list = media === JSON_PATCH;
  if (Array.isArray(body) === list) return;
  const target = list ? '[]handlers.jsonPatchOp' : 'map[string]interface {}';
  const kind = Array.isArray(body) ? 'array' : typeof body;
  throw badRequest(`error decoding patch: json: cannot unmarshal ${kind} into Go value of type ${target}`);
}

function patch(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const media = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const apply = patchOf(type, media);
  const warnings: string[] = [];
  const options = writeOptions(request, 'PatchOptions', warnings);
  const change = (current: KubeObject): unknown => {
    checkPatch(request.body, media);
    return apply(current, request.body);
  };
  const object = store.patch(type, resource.namespace, resource.name ?? '', change, {
    ...options,
    subresource: resource.subresource as 'status' | undefined,
  });
  return objectAnswer(store, request, type, 200, object, warnings);
}

const PODS_STAY =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning';

/** A Job that is deleted without a word about its Pods leaves them behind: so has batch/v1 been since it was new. */
function withPolicy(type: ServedType, options: DeleteOptions): { options: DeleteOptions; warnings: string[] } {
  if (type.storage !== 'batch/jobs' || options.propagationPolicy !== undefined) return { options, warnings: [] };
  return { options: { ...options, propagationPolicy: 'Orphan' }, warnings: [PODS_STAY] };
}

function remove(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const name = resource.name ?? '';
  const { options, warnings } = withPolicy(type, deleteOptions(request));
  try {
    const { object, gone } = store.delete(type, resource.namespace, name, options);
    // A Pod is returned whether it goes at once or later, as clients of Pods expect.
    if (!gone || type.storage === '/pods') return objectAnswer(store, request, type, 200, object, warnings);
    const group = type.group === '' ? {} : { group: type.group };
    const details = { name, ...group, kind: type.plural, uid: object.metadata.uid };
    return {
      status: 200,
      body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details },
      warnings,
    };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: error.code, body: error.toStatus(), warnings: error.code === 404 ? [] : warnings };
  }
}

function removeAll(store: Store, request: ApiRequest, type: ServedType, resource: ResourceRequest): ApiResponse {
  const list = store.list(type, { ...listOptions(request), limit: undefined, namespace: resource.namespace });
  const { preconditions: _none, ...options } = deleteOptions(request);
  const each = withPolicy(type, options).options;
  for (const { metadata } of list.items) store.delete(type, metadata.namespace, metadata.name, each);
  return listAnswer(store, request, type, list);
}

/** `POST …/pods/<name>/binding`: what a scheduler does. */
function bind(store: Store, request: ApiRequest, { verb, namespace, name = '' }: ResourceRequest): ApiResponse {
  if (verb !== 'create') throw methodNotAllowed();
  bindPod(store, namespace, name, request.body);
  return { status: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}
