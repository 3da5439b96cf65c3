/**
 * Structural schemas (apiextensions.k8s.io/v1): pruning, defaulting and validation of custom resources; the built-in
 * types (`shapes.ts`) are written in the same form.
 *
 * Not evaluated: CEL rules (`x-kubernetes-validations`). Only the real API server proves those, so the tests of the
 * CRD's rules run there. Patterns run as JavaScript expressions, where the API server uses RE2.
 */
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { clone, equal, isObject } from '../store/json.ts';
import { formatProblem } from './schema-formats.ts';

export interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  required?: string[];
  enum?: unknown[];
  default?: unknown;
  nullable?: boolean;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  not?: Schema;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  [extension: string]: unknown;
}

/**
 * What the API server adds where it did not ask the rules in CEL, because the object is wrong in a way that they might
 * not bear.
 */
export const RULES_NOT_CHECKED: FieldError = {
  reason: 'FieldValueInvalid',
  field: '<nil>',
  body: 'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};
const BLOCKING = new Set([
  'FieldValueRequired',
  'FieldValueNotSupported',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/** Whether the schema has rules in CEL that these errors keep from being asked. */
export function blocksRules(schema: Schema, errors: FieldError[]): boolean {
  return errors.some((error) => BLOCKING.has(error.reason)) && hasRules(schema);
}

function hasRules(schema: Schema): boolean {
  if (schema['x-kubernetes-validations'] !== undefined) return true;
  return [...Object.values(schema.properties ?? {}), schema.items].some((each) => each !== undefined && hasRules(each));
}

/** Kept at the root whatever the schema says; metadata has a shape of its own. */
const OF_EVERY_OBJECT = new Set(['apiVersion', 'kind', 'metadata']);

const preserves = (schema: Schema): boolean => schema['x-kubernetes-preserve-unknown-fields'] === true;
const member = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
const quoted = (path: string): string => path.replaceAll('"', '\\"');

/** Removes what the schema does not know, in place, and returns the paths removed. */
export function prune(schema: Schema, value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, index) => prune(items, item, `${path}[${index}]`));
  }
  if (!isObject(value)) return [];
  const removed: string[] = [];
  for (const name of Object.keys(value)) {
    if (path === '' && OF_EVERY_OBJECT.has(name)) continue;
    const known = knownMember(schema, name);
    if (known !== undefined) removed.push(...prune(known, value[name], member(path, name)));
    else if (!isKept(schema, name)) {
      delete value[name];
      removed.push(quoted(member(path, name)));
    }
  }
  return removed;
}

function isKept(schema: Schema, name: string): boolean {
  if (preserves(schema) || schema.additionalProperties === true) return true;
  return schema['x-kubernetes-embedded-resource'] === true && OF_EVERY_OBJECT.has(name);
}

function knownMember(schema: Schema, name: string): Schema | undefined {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return isObject(additionalProperties) ? (additionalProperties as Schema) : undefined;
}

/** Fills in defaults, in place. A null where the schema wants none gives way to the default, and without one goes. */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) applyDefaults(schema.items, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (value[name] === null && property.nullable !== true) delete value[name];
    if (property.default !== undefined && value[name] === undefined) value[name] = clone(property.default);
    if (value[name] !== undefined) applyDefaults(property, value[name]);
  }
  if (isObject(schema.additionalProperties)) {
    for (const [name, item] of Object.entries(value)) {
      if (schema.properties?.[name] === undefined) applyDefaults(schema.additionalProperties as Schema, item);
    }
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function hasType(schema: Schema, value: unknown): boolean {
  const actual = typeOf(value);
  if (actual === 'null') return schema.nullable === true || (schema.type === undefined && preserves(schema));
  if (schema['x-kubernetes-int-or-string'] === true) return actual === 'integer' || actual === 'string';
  if (schema.type === undefined) return true;
  return schema.type === actual || (schema.type === 'number' && actual === 'integer');
}

/**
 * Everything that is wrong with a value. Given the value stored before, what did not change is not judged again
 * (ratcheting validation): a tightened CRD must not block the status of an older object.
 */
export function validateSchema(schema: Schema, value: unknown, path = '', before?: unknown): FieldError[] {
  if (before !== undefined && equal(value, before)) return [];
  if (!hasType(schema, value)) {
    const wanted = schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : schema.type;
    const actual = typeOf(value);
    return [fieldError.wrongType(path, actual, `${path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`)];
  }
  if (value === null) return [];
  const errors: FieldError[] = [];
  if (schema.enum !== undefined && !schema.enum.some((allowed) => equal(allowed, value))) {
    errors.push(fieldError.unsupported(path, value, schema.enum));
  }
  if (typeof value === 'string') errors.push(...stringErrors(schema, value, path));
  if (typeof value === 'number') errors.push(...numberErrors(schema, value, path));
  if (Array.isArray(value)) errors.push(...listErrors(schema, value, path, before));
  else if (isObject(value)) errors.push(...objectErrors(schema, value, path, before));
  return [...errors, ...logicErrors(schema, value, path)];
}

function bad(path: string, value: unknown, rule: string): FieldError {
  return fieldError.invalid(path, value, `${path} in body ${rule}`);
}

const patterns = new Map<string, RegExp>();

function compiled(pattern: string): RegExp {
  let expression = patterns.get(pattern);
  if (expression === undefined) {
    try {
      expression = new RegExp(pattern, 'u');
    } catch {
      expression = new RegExp(pattern);
    }
    patterns.set(pattern, expression);
  }
  return expression;
}

function stringErrors(schema: Schema, value: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const length = schema.maxLength === undefined && schema.minLength === undefined ? 0 : [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength)
    errors.push(fieldError.tooLong(path, schema.maxLength));
  if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(bad(path, value, `should be at least ${schema.minLength} chars long`));
  }
  if (schema.pattern !== undefined && !compiled(schema.pattern).test(value)) {
    errors.push(bad(path, value, `should match '${schema.pattern}'`));
  }
  if (schema.format !== undefined && formatProblem(schema.format, value)) {
    errors.push(bad(path, value, `must be of type ${schema.format}: ${JSON.stringify(value)}`));
  }
  return errors;
}

function numberErrors(schema: Schema, value: number, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) {
    errors.push(bad(path, value, `should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`));
  }
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) {
    errors.push(
      bad(path, value, `should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`),
    );
  }
  if (multipleOf !== undefined && value % multipleOf !== 0)
    errors.push(bad(path, value, `should be a multiple of ${multipleOf}`));
  if (schema.format === 'int32' && Math.abs(value) > 2 ** 31) errors.push(bad(path, value, 'must be of type int32'));
  return errors;
}

function listErrors(schema: Schema, value: unknown[], path: string, before: unknown): FieldError[] {
  const errors: FieldError[] = [];
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    errors.push(fieldError.tooMany(path, value.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    errors.push(bad(path, value.length, `should have at least ${schema.minItems} items`));
  }
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined;
  const keyOf = (item: unknown): unknown =>
    keys === undefined || !isObject(item) ? item : Object.fromEntries(keys.map((key) => [key, item[key]]));
  if (keys !== undefined || schema['x-kubernetes-list-type'] === 'set' || schema.uniqueItems === true) {
    const seen = new Set<string>();
    value.forEach((item, index) => {
      const key = keyOf(item);
      const text = JSON.stringify(key);
      if (seen.has(text)) errors.push(fieldError.duplicate(`${path}[${index}]`, key));
      seen.add(text);
    });
  }
  const { items } = schema;
  if (items === undefined) return errors;
  const earlier = Array.isArray(before) && keys !== undefined ? before : [];
  const earlierOf = (item: unknown): unknown => earlier.find((candidate) => equal(keyOf(candidate), keyOf(item)));
  return [
    ...errors,
    ...value.flatMap((item, index) => validateSchema(items, item, `${path}[${index}]`, earlierOf(item))),
  ];
}

function objectErrors(schema: Schema, value: JsonObject, path: string, before: unknown): FieldError[] {
  const errors: FieldError[] = [];
  const earlier = isObject(before) ? before : {};
  const count = Object.keys(value).length;
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) errors.push(fieldError.required(member(path, name)));
  }
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    errors.push(fieldError.tooMany(path, count, schema.maxProperties));
  }
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    errors.push(bad(path, count, `should have at least ${schema.minProperties} properties`));
  }
  for (const name of Object.keys(value).sort()) {
    const item = value[name];
    const known = knownMember(schema, name);
    if (known !== undefined) errors.push(...validateSchema(known, item, member(path, name), earlier[name]));
  }
  return errors;
}

function logicErrors(schema: Schema, value: unknown, path: string): FieldError[] {
  const fits = (candidate: Schema): boolean => validateSchema(candidate, value, path).length === 0;
  const errors: FieldError[] = (schema.allOf ?? []).flatMap((each) => validateSchema(each, value, path));
  if (schema.anyOf !== undefined && !schema.anyOf.some(fits)) {
    errors.push(bad(path, value, 'must validate at least one schema (anyOf)'));
  }
  if (schema.oneOf !== undefined && schema.oneOf.filter(fits).length !== 1) {
    errors.push(bad(path, value, 'must validate one and only one schema (oneOf)'));
  }
  if (schema.not !== undefined && fits(schema.not)) errors.push(bad(path, value, 'must not validate the schema (not)'));
  return errors;
}
