/**
 * What the API server does to metadata: on creation, on update, and what it refuses (`pkg/registry/rest`,
 * `pkg/api/validation`).
 */

import { timestamp } from '../clock.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../objects.ts';
import type { ServedType } from '../types/served-types.ts';
import type { FieldError } from './api-error.ts';
import { ApiError, fieldError } from './api-error.ts';
import { equal } from './json.ts';
import { annotationErrors, keyProblems, labelErrors } from './names.ts';

/** Letters and digits of generated names: without vowels and what looks like them, so that no word comes out. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const LONGEST_BASE = 58;

export function randomSuffix(random: () => number, length = 5): string {
  return Array.from({ length }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('');
}

export function generatedName(base: string, random: () => number): string {
  return base.slice(0, LONGEST_BASE) + randomSuffix(random);
}

/** Metadata of a new object: what the server sets, and nothing of what only it may set. */
export function newMetadata(
  given: ObjectMeta,
  server: { uid: string; now: number; namespace: string | undefined; name: string; hasGeneration: boolean },
): ObjectMeta {
  if (given.resourceVersion !== undefined && given.resourceVersion !== '') {
    throw new ApiError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  const { name: _name, namespace: _namespace, labels, annotations, ownerReferences, finalizers, generateName } = given;
  return {
    name: server.name,
    ...(generateName === undefined ? {} : { generateName: String(generateName) }),
    ...(server.namespace === undefined ? {} : { namespace: server.namespace }),
    uid: server.uid,
    ...(server.hasGeneration ? { generation: 1 } : {}),
    creationTimestamp: timestamp(server.now),
    ...kept({ labels, annotations, ownerReferences: unique(ownerReferences), finalizers }),
  };
}

function unique(owners: OwnerReference[] | undefined): OwnerReference[] | undefined {
  return owners?.filter((owner, index) => owners.findIndex((each) => equal(each, owner)) === index);
}

function kept(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/**
 * Metadata of an updated object: the client's labels, annotations, owners and finalizers over what the server holds.
 */
export function updatedMetadata(given: ObjectMeta, before: ObjectMeta): ObjectMeta {
  const { labels, annotations, ownerReferences, finalizers } = given;
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...server } = before;
  return { ...server, ...kept({ labels, annotations, ownerReferences, finalizers }) } as ObjectMeta;
}

export function metadataErrors(type: ServedType, object: KubeObject): FieldError[] {
  const { metadata } = object;
  const errors: FieldError[] = [];
  const { name, generateName } = metadata;
  if (typeof generateName === 'string' && generateName !== '') {
    // The base may end in a dash, for more follows.
    const words = type.nameProblem(generateName.replace(/-$/, 'a'));
    if (words !== undefined) errors.push(fieldError.invalid('metadata.generateName', generateName, words));
  }
  const problem = name === '' ? undefined : type.nameProblem(name);
  if (problem !== undefined) errors.push(fieldError.invalid('metadata.name', name, problem));
  else if (name === '') errors.push(fieldError.required('metadata.name', 'name or generateName is required'));
  errors.push(...labelErrors(metadata.labels, 'metadata.labels'));
  errors.push(...annotationErrors(metadata.annotations, 'metadata.annotations'));
  errors.push(...ownerErrors(metadata.ownerReferences ?? []));
  (metadata.finalizers ?? []).forEach((finalizer, index) => {
    const words = keyProblems(finalizer);
    errors.push(...words.map((each) => fieldError.invalid('metadata.finalizers', finalizer, each)));
    if (!type.custom && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
      const standard = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(fieldError.invalid(`metadata.finalizers[${index}]`, finalizer, standard));
    }
  });
  return errors;
}

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

function ownerErrors(owners: OwnerReference[]): FieldError[] {
  const field = 'metadata.ownerReferences';
  const errors = owners.flatMap((owner) => {
    const apiVersion = owner.apiVersion ?? '';
    const parts = apiVersion.split('/');
    const [group, version] = parts.length === 1 ? ['', apiVersion] : parts;
    const one: FieldError[] = [];
    if (parts.length > 2 || (version ?? '') === '') {
      one.push(fieldError.invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
    }
    for (const name of ['kind', 'name', 'uid'] as const) {
      if ((owner[name] ?? '') === '') one.push(fieldError.invalid(`${field}.${name}`, '', 'must not be empty'));
    }
    if (group === '' && version === 'v1' && owner.kind === 'Event') {
      one.push(fieldError.invalid(field, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    return one;
  });
  const [first, second] = owners.filter((owner) => owner.controller === true);
  if (first !== undefined && second !== undefined) {
    const found = `Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`;
    errors.push(fieldError.invalid(field, owners, `Only one reference can have Controller set to true. ${found}`));
  }
  return errors;
}

/** Judged twice, by the strategy and by the type's own validation, and so complained of twice. */
export function metadataUpdateErrors(object: KubeObject, before: KubeObject): FieldError[] {
  if (before.metadata.deletionTimestamp === undefined) return [];
  const known = before.metadata.finalizers ?? [];
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !known.includes(finalizer));
  if (added.length === 0) return [];
  const found = `[]string{${added.map((each) => JSON.stringify(each)).join(', ')}}`;
  const words = `no new finalizers can be added if the object is being deleted, found new finalizers ${found}`;
  const error = fieldError.forbidden('metadata.finalizers', words);
  return [error, error];
}

/** The generation counts changes of what the user wants: everything but metadata and status. */
export function wantsTheSame(left: KubeObject, right: KubeObject): boolean {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const name of ['metadata', 'status', 'apiVersion', 'kind']) names.delete(name);
  return [...names].every((name) => equal(left[name], right[name]));
}
