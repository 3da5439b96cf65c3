/** What a create or an update makes of a request's body: the object as it is to be stored, judged. No side effects. */
import type { KubeObject } from '../../kube/client.ts';
import { applyDefaults, validateSchema } from '../types/schema.ts';
import type { Lookup, ServedType } from '../types/served-types.ts';
import type { FieldError } from './api-error.ts';
import { badRequest, conflict, fieldError, invalidObject, MODIFIED } from './api-error.ts';
import type { FieldValidation } from './decode.ts';
import { decode } from './decode.ts';
import { checkPreconditions } from './deletion.ts';
import { clone } from './json.ts';
import { metadataErrors, metadataUpdateErrors, newMetadata, updatedMetadata, wantsTheSame } from './metadata.ts';

export interface WriteOptions {
  dryRun?: boolean | undefined;
  fieldValidation?: FieldValidation | undefined;
  /** Collects what the server would send as Warning headers. */
  warnings?: string[] | undefined;
}

export interface UpdateOptions extends WriteOptions {
  subresource?: 'status' | undefined;
  /** For the laptop edition's own scheduler, kubelet and collector: rules about what may change are not asked. */
  trusted?: boolean;
}

const OTHER_NAMESPACE = 'the namespace of the provided object does not match the namespace sent on the request';

/** The body of a create, with the metadata that the server sets; its type's own defaults and judgement come in `finishNew`. */
export function startNew(
  served: ServedType,
  body: unknown,
  options: WriteOptions & { namespace?: string | undefined },
  server: { uid: string; now: number; generateName(base: string): string },
): { object: KubeObject; generated: boolean } {
  const { object: decoded, warnings } = decode(served, body, options.fieldValidation);
  options.warnings?.push(...warnings);
  const { metadata } = decoded;
  const namespace = served.namespaced ? (options.namespace ?? metadata.namespace ?? '') : undefined;
  if (served.namespaced && (metadata.namespace ?? namespace) !== namespace) throw badRequest(OTHER_NAMESPACE);
  const base = typeof metadata.generateName === 'string' ? metadata.generateName : '';
  const generated = (metadata.name ?? '') === '';
  if (generated && base === '') {
    throw invalidObject(served, '', [fieldError.required('metadata.name', 'name or generateName is required')]);
  }
  const object = served.view?.toStored(decoded) ?? decoded;
  object.metadata = newMetadata(metadata, {
    uid: server.uid,
    now: server.now,
    namespace,
    name: generated ? server.generateName(base) : metadata.name,
    hasGeneration: served.hasGeneration,
  });
  if (served.custom) {
    if (served.hasStatus) delete object.status;
    applyDefaults(served.shape, object);
  }
  return { object, generated };
}

export function finishNew(served: ServedType, object: KubeObject, lookup: Lookup): void {
  served.rules.prepareCreate?.(object, lookup);
  judge(served, object, undefined, served.rules.validate?.(object) ?? []);
}

/** The object that a PUT or PATCH puts in place of `before` (in stored form), or a refusal. */
export function replacementOf(
  served: ServedType,
  body: unknown,
  shown: KubeObject,
  before: KubeObject,
  options: UpdateOptions,
) {
  const { object: decoded, warnings } = decode(served, body, options.fieldValidation);
  options.warnings?.push(...warnings);
  const { name, namespace } = before.metadata;
  checkIdentity(served, decoded, shown);
  const given = served.view?.toStored(decoded) ?? decoded;
  const statusOnly = options.subresource === 'status';
  const object = statusOnly ? withStatus(before, given.status) : withoutStatus(served, given, before);
  if (served.custom) applyDefaults(served.shape, object);
  const trusted = statusOnly || options.trusted === true;
  if (!trusted) served.rules.prepareUpdate?.(object, before);
  if (served.hasGeneration && !statusOnly && !wantsTheSame(object, before)) {
    object.metadata.generation = (before.metadata.generation ?? 0) + 1;
  }
  const errors = metadataUpdateErrors(object, before);
  if (!trusted) {
    errors.push(...(served.rules.validateUpdate?.(object, before) ?? []), ...(served.rules.validate?.(object) ?? []));
  }
  judge(served, object, before, errors);
  if (object.metadata.name !== name || object.metadata.namespace !== namespace) throw badRequest(OTHER_NAMESPACE);
  return object;
}

function checkIdentity(served: ServedType, given: KubeObject, before: KubeObject): void {
  const { name, namespace, uid, resourceVersion } = given.metadata;
  if (name !== undefined && name !== before.metadata.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${before.metadata.name})`);
  }
  if (namespace !== undefined && namespace !== before.metadata.namespace) throw badRequest(OTHER_NAMESPACE);
  const versioned = resourceVersion !== undefined && resourceVersion !== '';
  if (!versioned && !served.unconditionalUpdate) {
    throw invalidObject(served, before.metadata.name, [
      fieldError.invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
  checkPreconditions(served, before, { uid: uid === '' ? undefined : uid });
  if (versioned && resourceVersion !== before.metadata.resourceVersion) {
    throw conflict(served, before.metadata.name, MODIFIED);
  }
}

function withStatus(before: KubeObject, status: unknown): KubeObject {
  const { status: _before, ...rest } = before;
  return { ...clone(rest), ...(status === undefined ? {} : { status }) } as KubeObject;
}

function withoutStatus(served: ServedType, given: KubeObject, before: KubeObject): KubeObject {
  const metadata = updatedMetadata(given.metadata, before.metadata);
  if (!served.hasStatus) return { ...given, metadata };
  const { status: _given, ...wanted } = given;
  const status = before.status === undefined ? {} : { status: clone(before.status) };
  return { ...wanted, metadata, ...status } as KubeObject;
}

function judge(served: ServedType, object: KubeObject, before: KubeObject | undefined, errors: FieldError[]): void {
  const all = [...metadataErrors(served, object), ...errors];
  if (served.custom) all.push(...validateSchema(served.shape, object, '', before));
  if (all.length > 0) throw invalidObject(served, object.metadata.name, all);
}
