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
  const verb = verbOf(method, name, query);
  return verb === undefined ? undefined : { verb, group, version, plural, namespace, name, subresource };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): Verb | undefined {
  switch (method) {
    case 'GET':
      if (isTrue(query.get('watch'))) return 'watch';
      return name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
    default:
      return undefined;
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
}

/** Whether the client asks for rows to print rather than for objects. */
export function wantsTable(accept: string | undefined): boolean {
  for (const kind of (accept ?? '').split(',')) {
    const [media, ...parameters] = kind.split(';').map((part) => part.trim());
    if (media !== 'application/json') continue;
    if (parameters.includes('as=Table')) return true;
    if (!parameters.some((parameter) => parameter.startsWith('as='))) return false;
  }
  return false;
}
