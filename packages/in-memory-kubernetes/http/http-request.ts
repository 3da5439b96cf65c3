/** An HTTP request as the API server reads it: a verb on a resource, or a path of another kind. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Verb } from './requests.ts';

export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: unknown;
  /** Only where the path names a resource. */
  resource: ResourceRequest | undefined;
}

export interface ResourceRequest {
  verb: Verb;
  group: string;
  version: string;
  plural: string;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** `/api/v1/namespaces/deploy/pods/web-1/log`, `/apis/batch/v1/jobs`; undefined where the path names no resource. */
export function resourceOf(method: string, path: string, query: URLSearchParams): ResourceRequest | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const core = parts[0] === 'api';
  if (!core && parts[0] !== 'apis') return undefined;
  const [group, version] = core ? ['', parts[1]] : [parts[1], parts[2]];
  let rest = parts.slice(core ? 2 : 3);
  if (group === undefined || version === undefined || rest.length === 0) return undefined;
  let namespace: string | undefined;
  // `namespaces/deploy/status` is a sub-resource of the namespace itself.
  if (rest[0] === 'namespaces' && rest.length > 2 && !(core && ['status', 'finalize'].includes(rest[2] ?? ''))) {
    namespace = rest[1];
    rest = rest.slice(2);
  }
  const [plural = '', name, subresource] = rest;
  if (rest.length > 3) return undefined;
  return { verb: verbOf(method, name, query), group, version, plural, namespace, name, subresource };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): Verb {
  switch (method) {
    case 'GET':
      // Of one object by its name there is no watch: the parameter is not heard.
      if (name !== undefined) return 'get';
      return isTrue(query.get('watch')) ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
    default:
      // Refused with 405 by whatever the path names.
      return 'get';
  }
}

export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1';
}

/** An answer of the API server: JSON (text made already, or a value), or a stream that a function writes. */
export interface ApiResponse {
  status: number;
  body: unknown;
  warnings?: string[];
  /** JSON where nothing else is said. */
  contentType?: string;
}

/** The form that a client asks for: objects, rows to print, or metadata alone. */
export type Representation = 'object' | 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList';

const JSON_MEDIA = new Set(['application/json', 'application/*', '*/*']);

/** The first form in an Accept header that can be served; undefined: none, which is 406. */
export function representationOf(accept: string | undefined): Representation | undefined {
  if (accept === undefined || accept.trim() === '') return 'object';
  for (const each of accept.split(',')) {
    const [media = '', ...rest] = each.split(';').map((part) => part.trim());
    const parameters = new URLSearchParams(rest.join('&'));
    const as = parameters.get('as');
    if (as === null && parameters.get('stream') === null && (JSON_MEDIA.has(media) || OTHER_MEDIA.has(media)))
      return 'object';
    if (media !== 'application/json' || as === null) continue;
    const known = parameters.get('g') === 'meta.k8s.io' && ['v1', 'v1beta1'].includes(parameters.get('v') ?? '');
    if (known && (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')) return as;
  }
  return undefined;
}

/** Asked for by some clients; answered in JSON, which they take as well. */
const OTHER_MEDIA = new Set(['application/yaml', 'application/vnd.kubernetes.protobuf', 'application/cbor']);
