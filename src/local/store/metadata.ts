/** What the API server does to metadata: on creation, on update, and what it refuses (`pkg/registry/rest`, `pkg/api/validation`). */
import type { KubeObject, ObjectMeta } from '../../kube/client.ts';
import { timestamp } from '../clock.ts';
import type { ServedType } from '../types/served-types.ts';
import type { FieldError } from './api-error.ts';
import { ApiError, fieldError } from './api-error.ts';
import { equal } from './json.ts';
import { annotationErrors, keyProblem, labelErrors } from './names.ts';

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
    ...kept({ labels, annotations, ownerReferences, finalizers }),
  };
}

function kept(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Metadata of an updated object: the client's labels, annotations, owners and finalizers over what the server holds. */
export function updatedMetadata(given: ObjectMeta, before: ObjectMeta): ObjectMeta {
  const { labels, annotations, ownerReferences, finalizers } = given;
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...server } = before;
  return { ...server, ...kept({ labels, annotations, ownerReferences, finalizers }) } as ObjectMeta;
}

export function metadataErrors(type: ServedType, object: KubeObject): FieldError[] {
  const { metadata } = object;
  const errors: FieldError[] = [];
  const problem = type.nameProblem(metadata.name);
  if (problem !== undefined) errors.push(fieldError.invalid('metadata.name', metadata.name, problem));
  errors.push(...labelErrors(metadata.labels, 'metadata.labels'));
  errors.push(...annotationErrors(metadata.annotations, 'metadata.annotations'));
  (metadata.ownerReferences ?? []).forEach((owner, index) => {
    for (const name of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if ((owner[name] ?? '') === '') {
        errors.push(fieldError.invalid(`metadata.ownerReferences[${index}].${name}`, '', `${name} must not be empty`));
      }
    }
  });
  if ((metadata.ownerReferences ?? []).filter((owner) => owner.controller === true).length > 1) {
    errors.push(
      fieldError.invalid('metadata.ownerReferences', null, 'Only one reference can have Controller set to true.'),
    );
  }
  for (const finalizer of metadata.finalizers ?? []) {
    const words = keyProblem(finalizer);
    if (words !== undefined) errors.push(fieldError.invalid('metadata.finalizers', finalizer, words));
  }
  return errors;
}

export function metadataUpdateErrors(object: KubeObject, before: KubeObject): FieldError[] {
  if (before.metadata.deletionTimestamp === undefined) return [];
  const known = before.metadata.finalizers ?? [];
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !known.includes(finalizer));
  if (added.length === 0) return [];
  const words = `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
  return [fieldError.forbidden('metadata.finalizers', words)];
}

/** The generation counts changes of what the user wants: everything but metadata and status. */
export function wantsTheSame(left: KubeObject, right: KubeObject): boolean {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const name of ['metadata', 'status', 'apiVersion', 'kind']) names.delete(name);
  return [...names].every((name) => equal(left[name], right[name]));
}
