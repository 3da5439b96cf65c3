import { type Definition, type Schema, schemaOf, schemas } from './manifests.ts';

/** One thing that a schema says of a field: a bound, a default, a rule, how a list is merged. */
export interface Constraint {
  /** `spec.environments[].name`; '' for the whole resource. */
  path: string;
  keyword: string;
  value: unknown;
  /**
   * What a table of tests calls it: `spec.maxWaiting maximum`, `spec rule self.a <= self.b`, `spec.queue requires url`.
   */
  name: string;
  schema: Schema;
}

/** What is no constraint, or none of a value: the rest of what a schema says must be known to the tests. */
const SILENT = ['type', 'description', 'properties', 'items', 'x-kubernetes-list-map-keys'];

/** Everything that the definition says of what may be written. */
export function constraints(crd: Definition): Constraint[] {
  const found: Constraint[] = [];
  for (const [path, schema] of schemas(schemaOf(crd))) {
    const add = (keyword: string, value: unknown, name: string) =>
      found.push({ path, keyword, value, name: path === '' ? name : `${path} ${name}`, schema });
    for (const [keyword, value] of Object.entries(schema)) {
      if (SILENT.includes(keyword)) continue;
      if (keyword === 'required') for (const field of value as string[]) add('required', field, `requires ${field}`);
      else if (keyword === 'x-kubernetes-validations') {
        for (const { rule } of value as { rule: string }[]) add('rule', rule, `rule ${rule}`);
      } else if (keyword === 'x-kubernetes-list-type') add('list', value, `is a list of type ${value}`);
      else add(keyword, value, keyword.replace('x-kubernetes-', ''));
    }
  }
  return found;
}

type Json = Record<string, unknown>;

/**
 * A copy of an object with a value at a path, whose `[]` is the first item of a list; undefined takes the field away.
 */
export function withValue(object: Json, path: string, value: unknown): Json {
  const copy = structuredClone(object);
  const steps = path.replaceAll('[]', '.0').split('.');
  const last = steps.pop() as string;
  let node: Json = copy;
  steps.forEach((step, index) => {
    if (node[step] === undefined) node[step] = (steps[index + 1] ?? last) === '0' ? [] : {};
    node = node[step] as Json;
  });
  if (value === undefined) delete node[last];
  else node[last] = value;
  return copy;
}

export const valueAt = (object: unknown, path: string): unknown =>
  path
    .replaceAll('[]', '.0')
    .split('.')
    .reduce<unknown>((node, step) => (node as Json | undefined)?.[step], object);

/** As the API server names it in what it refuses. */
export const fieldName = (path: string): string => path.replaceAll('[]', '[0]');
