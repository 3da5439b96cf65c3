/** Objects and lists as clients ask for them: whole, as a table, or their metadata alone. */
import type { KubeObject } from '../objects.ts';
import { ApiError, badRequest } from '../store/api-error.ts';
import { jsonText } from '../store/json.ts';
import type { StoredList } from '../store/reading.ts';
import type { Store } from '../store/store.ts';
import type { ServedType } from '../types/served-types.ts';
import { apiVersionOf } from '../types/served-types.ts';
import { renderTable } from '../types/tables.ts';
import type { ApiRequest, ApiResponse, Representation } from './http-request.ts';
import { representationOf } from './http-request.ts';

const OFFERED = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

function notAcceptable(words: string): ApiError {
  return new ApiError(406, 'NotAcceptable', words);
}

/** 406 where the client takes nothing that there is. `of`: the form that does not fit this answer. */
export function representationFor(request: ApiRequest, of: 'list' | 'object'): Representation {
  const representation = representationOf(request.headers.accept);
  const wrong = of === 'list' ? 'PartialObjectMetadata' : 'PartialObjectMetadataList';
  if (representation === wrong) {
    throw notAcceptable(`you requested ${wrong}, but the requested object is ${of === 'list' ? '' : 'not '}a list`);
  }
  if (representation !== undefined) return representation;
  throw notAcceptable(`only the following media types are accepted: ${OFFERED}`);
}

export function tableInclude({ query }: ApiRequest): string {
  const include = query.get('includeObject') ?? '';
  if (['', 'Metadata', 'Object', 'None'].includes(include)) return include === '' ? 'Metadata' : include;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

export function metadataOnly({ metadata }: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

export function objectAnswer(
  store: Store,
  request: ApiRequest,
  type: ServedType,
  status: number,
  object: KubeObject,
  warnings: string[] = [],
): ApiResponse {
  const representation = representationFor(request, 'object');
  if (representation === 'PartialObjectMetadata') return { status, body: metadataOnly(object), warnings };
  if (representation !== 'Table') return { status, body: object, warnings };
  const metadata = { resourceVersion: object.metadata.resourceVersion };
  const options = { now: store.clock.now(), include: tableInclude(request), headers: true };
  return { status, body: renderTable(type, [object], metadata, options), warnings };
}

/** The text of a list is put together from the texts of its objects, which are made once. */
export function listAnswer(store: Store, request: ApiRequest, type: ServedType, list: StoredList): ApiResponse {
  const representation = representationFor(request, 'list');
  if (representation === 'Table') {
    const options = { now: store.clock.now(), include: tableInclude(request), headers: true };
    return { status: 200, body: renderTable(type, list.items, list.metadata, options) };
  }
  const partial = representation === 'PartialObjectMetadataList';
  const kind = partial ? representation : `${type.kind}List`;
  const apiVersion = partial ? 'meta.k8s.io/v1' : apiVersionOf(type);
  const { continue: more, ...rest } = list.metadata;
  // Lists of custom resources always say where they go on.
  const metadata = { ...(more === undefined && (!type.custom || partial) ? {} : { continue: more ?? '' }), ...rest };
  const head = JSON.stringify({ kind, apiVersion, metadata });
  const textOf = partial
    ? (object: KubeObject) => JSON.stringify(metadataOnly(object))
    : type.custom
      ? jsonText
      : itemText;
  return { status: 200, body: `${head.slice(0, -1)},"items":[${list.items.map(textOf).join(',')}]}` };
}

const itemTexts = new WeakMap<object, string>();

/** Items of built-in types do not say what they are: their list does. */
function itemText(object: KubeObject): string {
  let text = itemTexts.get(object);
  if (text === undefined) {
    const { apiVersion: _apiVersion, kind: _kind, ...rest } = object;
    text = JSON.stringify(rest);
    itemTexts.set(object, text);
  }
  return text;
}
