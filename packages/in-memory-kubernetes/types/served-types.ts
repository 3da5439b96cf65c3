/** What the store must know of a resource type to serve it, and the list of those it serves. */
import type { KubeObject, ResourceType } from '../objects.ts';
import type { FieldError } from '../store/api-error.ts';
import type { SelectableFields, UnknownField } from '../store/selectors.ts';
import type { Schema } from './schema.ts';

/** What the rules of a type may ask the store while an object is created. */
export interface Lookup {
  now(): number;
  exists(type: ResourceType, namespace: string, name: string): boolean;
}

export interface TypeRules {
  /** Server-set fields and defaults of a new object; may throw ApiError. The object's uid is set. */
  prepareCreate?(object: KubeObject, lookup: Lookup): void;
  /** Defaults, and what an update may not touch. `before` is frozen. */
  prepareUpdate?(object: KubeObject, before: KubeObject): void;
  /** The status as Go writes it, empty fields included. */
  prepareStatus?(object: KubeObject): void;
  /** Asked of new objects and of updated ones. */
  validate?(object: KubeObject): FieldError[];
  validateCreate?(object: KubeObject): FieldError[];
  validateUpdate?(object: KubeObject, before: KubeObject): FieldError[];
}

/**
 * Another face of objects that are stored under one form: core/v1 and events.k8s.io/v1 Events, versions of a custom
 * resource.
 */
export interface View {
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
}

/** A column of `kubectl get`. */
export interface Column {
  name: string;
  type: string;
  format?: string;
  description?: string;
  /** Above 0: only with `-o wide`. */
  priority: number;
  cell(object: KubeObject, now: number): unknown;
}

export interface ServedType extends ResourceType {
  singular: string;
  shortNames: string[];
  categories: string[];
  namespaced: boolean;
  /** Types with the same key are views on the same objects. */
  storage: string;
  hasStatus: boolean;
  hasGeneration: boolean;
  /** A PUT without resourceVersion replaces whatever is there. Not so for custom resources and Leases. */
  unconditionalUpdate: boolean;
  /** Defined by a CustomResourceDefinition. */
  custom: boolean;
  /** Named in complaints without its group. */
  judgedAsCore?: boolean;
  nameProblem(name: string): string | undefined;
  shape: Schema;
  selectable: SelectableFields;
  unknownField: UnknownField;
  /** Beyond NAME and AGE, what `kubectl get` shows. */
  columns: Column[] | undefined;
  rules: TypeRules;
  view?: View;
}

/** The types served now: the built-in ones, and those that CustomResourceDefinitions add. */
export class ServedTypes {
  readonly #byPath = new Map<string, ServedType>();
  readonly #byKind = new Map<string, ServedType>();

  constructor(types: ServedType[]) {
    for (const type of types) this.add(type);
  }

  add(type: ServedType): void {
    this.#byPath.set(`${type.group}/${type.version}/${type.plural}`, type);
    this.#byKind.set(`${apiVersionOf(type)}/${type.kind}`, type);
  }

  remove(type: ServedType): void {
    this.#byPath.delete(`${type.group}/${type.version}/${type.plural}`);
    this.#byKind.delete(`${apiVersionOf(type)}/${type.kind}`);
  }

  find(group: string, version: string, plural: string): ServedType | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`);
  }

  /** By what owner references and manifests say. */
  ofKind(apiVersion: string, kind: string): ServedType | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  hasGroup(group: string): boolean {
    return this.all().some((type) => type.group === group);
  }

  all(): ServedType[] {
    return [...this.#byPath.values()];
  }
}

export function apiVersionOf(type: ResourceType): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}
