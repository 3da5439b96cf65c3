/** What a create or an update makes of a request's body: the object as it is to be stored, judged. No side effects. */
import type { KubeObject } from '../objects.ts';
import { applyDefaults, blocksRules, RULES_NOT_CHECKED, validateSchema } from '../types/schema.ts';
import type { Lookup, ServedType } from '../types/served-types.ts';
import type { FieldError } from './api-error.ts';
import { ApiError, badRequest, conflict, fieldError, invalidObject, MODIFIED, versionRequired } from './api-error.ts';
import type { FieldValidation } from './decode.ts';
import { decode } from './decode.ts';
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
  /** The body is the result of a PATCH, which is refused in other words than a PUT. */
  patched?: boolean;
  /** For the in-memory Kubernetes's own scheduler, kubelet and collector: rules about what may change are not asked. */
  trusted?: boolean;
}

const OTHER_NAMESPACE = 'the namespace of the provided object does not match the namespace sent on the request';

/**
 * The body of a create, with the metadata that the server sets; its type's own defaults and judgement come in
 * `finishNew`.
 */
export function startNew(
  served: ServedType,
  body: unknown,
  options: WriteOptions & { namespace?: string | undefined },
  server: { uid: string; now: number; generateName(base: string): string },
): { object: KubeObject; generated: boolean } {
  const { object: decoded, warnings } = decode(served, body, options.fieldValidation);
  options.warnings?.push(...warnings, ...ownerWarnings(decoded));
  const { metadata } = decoded;
  const namespace = served.namespaced ? (options.namespace ?? metadata.namespace ?? '') : undefined;
  if (served.namespaced && (metadata.namespace ?? namespace) !== namespace) throw badRequest(OTHER_NAMESPACE);
  const base = typeof metadata.generateName === 'string' ? metadata.generateName : '';
  const generated = (metadata.name ?? '') === '' && base !== '';
  const object = served.view?.toStored(decoded) ?? decoded;
  object.metadata = newMetadata(metadata, {
    uid: server.uid,
    now: server.now,
    namespace,
    name: generated ? server.generateName(base) : (metadata.name ?? ''),
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
  const { rules } = served;
  judge(served, object, undefined, [...(rules.validate?.(object) ?? []), ...(rules.validateCreate?.(object) ?? [])]);
}

/** The object that a PUT or PATCH puts in place of `before` (in stored form), or a refusal. */
export function replacementOf(
  served: ServedType,
  body: unknown,
  shown: KubeObject,
  before: KubeObject,
  options: UpdateOptions,
) {
  const { patched = false } = options;
  const { object: decoded, warnings } = decode(served, body, options.fieldValidation, patched);
  options.warnings?.push(...warnings, ...ownerWarnings(decoded));
  checkIdentity(served, decoded, shown, patched);
  const given = served.view?.toStored(decoded) ?? decoded;
  const statusOnly = options.subresource === 'status';
  const object = statusOnly ? withStatus(before, given.status) : withoutStatus(served, given, before);
  if (served.custom) applyDefaults(served.shape, object);
  if (statusOnly) served.rules.prepareStatus?.(object);
  const trusted = statusOnly || options.trusted === true;
  if (!trusted) served.rules.prepareUpdate?.(object, before);
  // A Pod that gets its node is the same Pod still.
  const placed = trusted && served.storage === '/pods';
  if (served.hasGeneration && !statusOnly && !placed && !wantsTheSame(object, before)) {
    object.metadata.generation = (before.metadata.generation ?? 0) + 1;
  }
  const errors = metadataUpdateErrors(object, before);
  if (!trusted) {
    errors.push(...(served.rules.validate?.(object) ?? []), ...(served.rules.validateUpdate?.(object, before) ?? []));
  }
  errors.push(...deletionClaims(decoded, before));
  // Only a PATCH comes here with another uid: judged as the rest is, first by the strategy and last by the type.
  const { uid } = decoded.metadata;
  if (uid !== undefined && uid !== '' && uid !== before.metadata.uid) {
    const wrong = fieldError.immutable('metadata.uid', uid);
    const selector = served.rules.validate?.({ ...object, metadata: { ...object.metadata, uid } }) ?? [];
    judge(served, object, before, [wrong, ...(served.custom ? [wrong, ...errors] : [...selector, wrong])]);
  }
  judge(served, object, before, errors, statusOnly);
  return object;
}

/** Only a DELETE says when an object goes. */
function deletionClaims(given: KubeObject, before: KubeObject): FieldError[] {
  return ['deletionTimestamp', 'deletionGracePeriodSeconds'].flatMap((name) => {
    const claimed = given.metadata[name];
    if (claimed === undefined || claimed === before.metadata[name]) return [];
    const error = fieldError.immutable(`metadata.${name}`, claimed);
    return [error, error];
  });
}

/**
 * Names and namespace of a body as the URL has them. 400 where they differ; asked before it is known whether there is
 * such an object.
 */
export function checkName(given: KubeObject, name: string, namespace: string | undefined): void {
  const { metadata } = given;
  if ((metadata.name ?? '') === '') {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
  if (namespace !== undefined && metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest(OTHER_NAMESPACE);
  }
}

/**
 * A PUT under another uid is refused by the storage, in its words; a PATCH by validation, after the resourceVersion.
 */
function checkIdentity(served: ServedType, given: KubeObject, before: KubeObject, patched: boolean): void {
  const { uid, resourceVersion } = given.metadata;
  const { name, namespace } = before.metadata;
  const versioned = resourceVersion !== undefined && resourceVersion !== '';
  if (!versioned && !served.unconditionalUpdate) throw versionRequired(served, name);
  if (!patched && uid !== undefined && uid !== '' && uid !== before.metadata.uid) {
    const place = [served.custom ? `${served.group}/${served.plural}` : served.plural, namespace, name];
    const key = `/registry/${place.filter((part) => part !== undefined).join('/')}`;
    const wanted = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`;
    const words = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${wanted}`;
    throw conflict(served, name, words);
  }
  if (versioned && !/^\d+$/.test(resourceVersion)) throw notANumber(resourceVersion);
  if (versioned && resourceVersion !== before.metadata.resourceVersion) throw conflict(served, name, MODIFIED);
}

function notANumber(version: string): ApiError {
  return new ApiError(500, '', `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
}

function ownerWarnings(object: KubeObject): string[] {
  const uids = (object.metadata.ownerReferences ?? []).map((owner) => owner.uid);
  const twice = [...new Set(uids.filter((uid, index) => uids.indexOf(uid) !== index))];
  if (twice.length === 0) return [];
  return [
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${twice.join(', ')}`,
  ];
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

function judge(
  served: ServedType,
  object: KubeObject,
  before: KubeObject | undefined,
  errors: FieldError[],
  statusOnly = false,
): void {
  const all = [...metadataErrors(served, object), ...errors];
  if (served.custom) all.push(...schemaErrors(served, object, before, all));
  // A status is judged by itself: its complaints know no longer where it stands.
  if (statusOnly)
    for (const error of all)
      error.body = error.body.replace(`${error.field} in body`, `${error.field.slice(7)} in body`);
  if (all.length === 0) return;
  throw invalidObject(served.judgedAsCore === true ? { ...served, group: '' } : served, object.metadata.name, all);
}

/**
 * Where rules in CEL stand in the schema, the API server says that it did not ask them because of what else is wrong.
 */
function schemaErrors(
  served: ServedType,
  object: KubeObject,
  before: KubeObject | undefined,
  others: FieldError[],
): FieldError[] {
  const found = validateSchema(served.shape, object, '', before);
  return blocksRules(served.shape, [...others, ...found]) ? [...found, RULES_NOT_CHECKED] : found;
}
