/**
 * From the body of a request to an object: kinds of values, unknown fields, nulls. What the API server's decoder does.
 */

import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import type { Schema } from '../types/schema.ts';
import { prune } from '../types/schema.ts';
import type { ServedType } from '../types/served-types.ts';
import { apiVersionOf } from '../types/served-types.ts';
import { metadataShape } from '../types/shapes.ts';
import { badRequest, fieldError, invalidObject, invalidPatch } from './api-error.ts';
import type { JsonObject } from './json.ts';
import { clone, isObject } from './json.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Decoded {
  object: KubeObject;
  /** What the server would put into Warning headers. */
  warnings: string[];
}

/**
 * A copy of the body as an object of that type. 400 where it cannot be one, or where unknown fields are refused; the
 * result of a PATCH (`patched`) is refused with 422 instead, as a patch that is invalid.
 */
export function decode(
  type: ServedType,
  body: unknown,
  validation: FieldValidation = 'Warn',
  patched = false,
): Decoded {
  if (!isObject(body)) throw badRequest(`${unrecognized(type)}: the body of the request was not a JSON object`);
  const apiVersion = apiVersionOf(type);
  const object = (type.custom ? clone(body) : withoutNulls(body, type.shape)) as KubeObject;
  if (type.custom) checkSelfDescription(type, object);
  object.apiVersion ??= apiVersion;
  object.kind ??= type.kind;
  checkKind(type, object);
  object.metadata = withoutNulls(object.metadata ?? {}, metadataShape) as KubeObject['metadata'];
  const wrong = wrongType({ type: 'object', properties: { metadata: metadataShape } }, object, type.kind);
  const unknown = prune(metadataShape, object.metadata, 'metadata');
  const complaint = wrong ?? (type.custom ? undefined : wrongType(type.shape, object, type.kind));
  if (complaint !== undefined) {
    if (patched) throw invalidPatch([fieldError.invalid('patch', JSON.stringify(body), complaint)]);
    throw badRequest(`${cannotHandle(type)}: ${complaint}`);
  }
  normalize(metadataShape, object.metadata);
  if (!type.custom) normalize(type.shape, object);
  unknown.push(...(type.custom ? prune(type.shape, object).sort() : prune(type.shape, object)));
  const errors = [...new Set(unknown)].map((path) => `unknown field "${path}"`);
  if (validation === 'Strict' && errors.length > 0) {
    const words = `strict decoding error: ${errors.join(', ')}`;
    if (patched) throw invalidPatch([fieldError.invalid('patch', JSON.stringify(body), words)]);
    throw badRequest(`${cannotHandle(type)}: ${words}`);
  }
  return { object, warnings: validation === 'Warn' ? errors : [] };
}

function unrecognized(type: ServedType): string {
  return `the object provided is unrecognized (must be of type ${type.kind})`;
}

/** A custom resource must say what it is; of a built-in type the URL is enough. */
function checkSelfDescription(type: ServedType, object: KubeObject): void {
  for (const [name, word] of [
    ['kind', 'Kind'],
    ['apiVersion', 'apiVersion'],
  ] as const) {
    if ((object[name] ?? '') !== '') continue;
    const text = JSON.stringify(object);
    const short = text.length > 28 ? `${text.slice(0, 28)} ...` : text;
    throw badRequest(`${unrecognized(type)}: Object '${word}' is missing in '${text}' (${short})`);
  }
}

function checkKind(type: ServedType, object: KubeObject): void {
  const { kind } = object;
  const apiVersion = apiVersionOf(type);
  if (object.apiVersion !== apiVersion && type.custom) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (type.custom && kind !== type.kind) {
    const error = fieldError.invalid('kind', kind, `must be ${type.kind}`);
    throw invalidObject({ ...type, kind }, object.metadata?.name ?? '', [error]);
  }
  if (object.apiVersion === apiVersion && kind === type.kind) return;
  const version = object.apiVersion.split('/').at(-1);
  const nobody = `no kind "${kind}" is registered for version "${object.apiVersion}" in scheme "pkg/runtime/scheme.go:111"`;
  throw badRequest(`${kind} in version "${version}" cannot be handled as a ${type.kind}: ${nobody}`);
}

function cannotHandle(type: ServedType): string {
  return `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}`;
}

/** Go's decoder takes null for "not set", and in a map of strings for an empty one. */
function withoutNulls(value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, schema?.items));
  if (!isObject(value)) return value;
  const values = isObject(schema?.additionalProperties) ? (schema?.additionalProperties as Schema) : undefined;
  const kept = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    if (member === undefined) return [];
    if (member === null) return values?.type === 'string' ? [[name, '']] : [];
    return [[name, withoutNulls(member, schema?.properties?.[name] ?? values)]];
  });
  return Object.fromEntries(kept);
}

/**
 * What comes back from Go's types, in place: times without fractions, quantities as text, and no empty lists, maps and
 * strings.
 */
function normalize(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) normalize(schema.items, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const member = value[name];
    if (member === undefined) continue;
    if (property.format === 'time') value[name] = timestamp(Date.parse(String(member)));
    else if (property.type === 'string' && member === '' && name !== 'namespace' && property['x-go-pointer'] !== true)
      delete value[name];
    else if (Array.isArray(member) && member.length === 0) delete value[name];
    else if (isObject(member) && isObject(property.additionalProperties)) {
      if (Object.keys(member).length === 0) delete value[name];
      else normalizeMap(property.additionalProperties as Schema, member);
    } else normalize(property, member);
  }
}

function normalizeMap(values: Schema, map: JsonObject): void {
  for (const [name, member] of Object.entries(map)) {
    if (values.format === 'quantity') map[name] = String(member);
    else normalize(values, member);
  }
}

const QUANTITY = /^[+-]?(\d+(\.\d*)?|\.\d+)(m|[kMGTPE]i?|Ki|n|u|[eE][+-]?\d+)?$/;
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The first value that Go could not unmarshal into its field. */
function wrongType(schema: Schema, value: unknown, path: string): string | undefined {
  if (Array.isArray(value)) {
    if (schema.type !== undefined && schema.type !== 'array') return cannotUnmarshal('array', path, schema);
    for (const item of value) {
      const wrong = schema.items === undefined ? undefined : wrongType(schema.items, item, path);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  if (isObject(value)) {
    if (schema['x-kubernetes-int-or-string'] === true) return cannotUnmarshal('object', path, schema);
    if (schema.type !== undefined && schema.type !== 'object') return cannotUnmarshal('object', path, schema);
    for (const [name, member] of Object.entries(value)) {
      const extra = isObject(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined;
      const known = schema.properties?.[name] ?? extra;
      const wrong = known === undefined ? undefined : wrongType(known, member, `${path}.${name}`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  return wrongScalar(schema, value, path);
}

function wrongScalar(schema: Schema, value: unknown, path: string): string | undefined {
  if (schema.format === 'quantity') {
    if (QUANTITY.test(String(value))) return undefined;
    return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  }
  if (typeof value === 'string') {
    if (schema.type !== undefined && schema.type !== 'string') return cannotUnmarshal('string', path, schema);
    if (schema.format === 'micro-time' && !MICRO_TIME.test(value)) {
      const rest = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(.*)$/.exec(value)?.[1];
      const where = rest === undefined ? `${JSON.stringify(value)} as "2006"` : `${JSON.stringify(rest)} as ".000000"`;
      return `parsing time "${value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${where}`;
    }
    if (schema.format === 'time' && !TIME.test(value)) {
      return `parsing time "${value}" as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`;
    }
  } else if (typeof value === 'number') {
    const whole = Number.isInteger(value);
    if (schema.type === 'integer' && !whole) return cannotUnmarshal(`number ${value}`, path, schema);
    if (schema.type !== undefined && schema.type !== 'integer' && schema.type !== 'number') {
      return cannotUnmarshal('number', path, schema);
    }
    if (schema.format === 'int32' && Math.abs(value) > 2 ** 31) return cannotUnmarshal(`number ${value}`, path, schema);
  } else if (typeof value === 'boolean') {
    const anything = schema.type === undefined && schema['x-kubernetes-int-or-string'] !== true;
    if (!anything && schema.type !== 'boolean') return cannotUnmarshal('bool', path, schema);
  }
  return undefined;
}

function cannotUnmarshal(actual: string, path: string, schema: Schema): string {
  const go: Record<string, string> = { boolean: 'bool', integer: 'int', array: 'slice', object: 'struct' };
  const wanted = schema.format ?? go[schema.type ?? ''] ?? schema.type ?? 'IntOrString';
  return `json: cannot unmarshal ${actual} into Go struct field ${path} of type ${wanted}`;
}
