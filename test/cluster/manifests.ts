import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { KubeObject } from '../../src/kube/client.ts';
import { fromRoot } from './cluster.ts';

/** A schema of the CustomResourceDefinition, at any depth. */
export interface Schema {
  type?: string;
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  required?: string[];
  default?: unknown;
  [keyword: string]: unknown;
}

export interface Definition extends KubeObject {
  spec: {
    group: string;
    names: { kind: string; plural: string; shortNames: string[]; categories?: string[] };
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

export const readYaml = <T>(file: string): T => parse(readFileSync(fromRoot(file), 'utf8')) as T;

export const definition = (): Definition => readYaml('crds/capdeployjobs.yaml');

export const schemaOf = (crd: Definition): Schema => crd.spec.versions[0]!.schema.openAPIV3Schema;

/** Every schema in one, with its path: `spec.environments[].name`. */
export function* schemas(node: Schema, path = ''): Generator<[path: string, schema: Schema]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    yield* schemas(child, path === '' ? name : `${path}.${name}`);
  }
  if (node.items) yield* schemas(node.items, `${path}[]`);
}

export const EXAMPLES = ['examples/capdeployjob.yaml', 'examples/capdeployjob-full.yaml'] as const;

/** An example as its reader would put it into a namespace of his. */
export function example(file: (typeof EXAMPLES)[number], namespace: string): KubeObject {
  const object = readYaml<KubeObject>(file);
  return { ...object, metadata: { ...object.metadata, namespace } };
}
