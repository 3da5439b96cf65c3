/** From the body of a request to an object: kinds of values, unknown fields, nulls. What the API server's decoder does. */
import type { KubeObject } from '../../kube/client.ts';
import type { Schema } from '../types/schema.ts';
import { prune } from '../types/schema.ts';
import type { ServedType } from '../types/served-types.ts';
import { apiVersionOf } from '../types/served-types.ts';
import { metadataShape } from '../types/shapes.ts';
import { badRequest } from './api-error.ts';
import { clone, isObject } from './json.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Decoded {
  object: KubeObject;
  /** What the server would put into Warning headers. */
  warnings: string[];
}

/** A copy of the body as an object of that type. 400 where it cannot be one, or where unknown fields are refused. */
export function decode(type: ServedType, body: unknown, validation: FieldValidation = 'Warn'): Decoded {
  if (!isObject(body)) throw badRequest('the body of the request was not a JSON object');
  const apiVersion = apiVersionOf(type);
  const object = (type.custom ? clone(body) : withoutNulls(body)) as KubeObject;
  object.apiVersion ??= apiVersion;
  object.kind ??= type.kind;
  if (object.apiVersion !== apiVersion || object.kind !== type.kind) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${type.kind}): ${object.apiVersion}, Kind=${object.kind} does not match ${apiVersion}, Kind=${type.kind}`,
    );
  }
  object.metadata = (withoutNulls(object.metadata ?? {}) ?? {}) as KubeObject['metadata'];
  const wrong = wrongType({ type: 'object', properties: { metadata: metadataShape } }, object, type.kind);
  const unknown = prune(metadataShape, object.metadata, 'metadata');
  const wrongInShape = type.custom ? undefined : wrongType(type.shape, object, type.kind);
  const complaint = wrong ?? wrongInShape;
  if (complaint !== undefined) throw badRequest(`${cannotHandle(type)}: ${complaint}`);
  unknown.push(...prune(type.shape, object));
  const errors = [...new Set(unknown)].map((path) => `unknown field "${path}"`);
  if (validation === 'Strict' && errors.length > 0) {
    throw badRequest(`${cannotHandle(type)}: strict decoding error: ${errors.join(', ')}`);
  }
  return { object, warnings: validation === 'Warn' ? errors : [] };
}

function cannotHandle(type: ServedType): string {
  return `${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}`;
}

/** Go's decoder takes null for "not set". */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutNulls(member)]));
}

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
  if (typeof value === 'string') {
    if (schema.type !== undefined && schema.type !== 'string') return cannotUnmarshal('string', path, schema);
    if (schema.format === 'micro-time' && !MICRO_TIME.test(value)) {
      return `parsing time "${value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse`;
    }
    if (schema.format === 'time' && !TIME.test(value)) {
      return `parsing time "${value}" as "2006-01-02T15:04:05Z07:00": cannot parse`;
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
