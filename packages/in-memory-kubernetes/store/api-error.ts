/**
 * What the API server answers when it refuses: a metav1.Status, in its own words (apimachinery `pkg/api/errors` and
 * `pkg/util/validation/field`), because people and programs read them.
 */
import type { ResourceType } from '../objects.ts';

export interface StatusCause {
  reason: string;
  message: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** The one error that the store throws. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The body of the answer. */
  toStatus(): Record<string, unknown> {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** `jobs.batch`, `pods`: how messages name a type. */
export function qualifiedPlural(type: ResourceType): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}

function about(type: ResourceType, name: string, kind = type.plural): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...(type.group === '' ? {} : { group: type.group }), kind };
}

export function notFound(type: ResourceType, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualifiedPlural(type)} "${name}" not found`, about(type, name));
}

export function pathNotFound(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(type: ResourceType, name: string, beingDeleted: boolean): ApiError {
  const message = `${beingDeleted ? 'object is being deleted: ' : ''}${qualifiedPlural(type)} "${name}" already exists`;
  return new ApiError(409, 'AlreadyExists', message, about(type, name));
}

export function conflict(type: ResourceType, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualifiedPlural(type)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, about(type, name));
}

/** The answer to a DELETE whose preconditions do not hold names the kind where others name the plural. */
export function deleteConflict(type: ResourceType, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualifiedKind(type)} "${name}": ${why}`;
  return new ApiError(409, 'Conflict', message, about(type, name, type.kind));
}

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(type: ResourceType, name: string, why: string, causes?: StatusCause[]): ApiError {
  const message = `${qualifiedPlural(type)} "${name}" is forbidden: ${why}`;
  return new ApiError(403, 'Forbidden', message, { ...about(type, name), ...(causes === undefined ? {} : { causes }) });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

export function unsupportedMediaType(message: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', message);
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** One complaint about one field: `reason` is the cause's, `body` what follows the field's path in the message. */
export interface FieldError {
  reason: string;
  field: string;
  body: string;
}

function qualifiedKind(type: ResourceType): string {
  return type.group === '' ? type.kind : `${type.kind}.${type.group}`;
}

/**
 * 422: every complaint at once, as the API server does; what is complained of twice stands once in the message and
 * twice in the causes.
 */
export function invalidObject(type: ResourceType, name: string, errors: FieldError[]): ApiError {
  return invalid(qualifiedKind(type), about(type, name, type.kind), errors);
}

/** 422 on the parameters of a request: `CreateOptions`, `ListOptions`, … */
export function invalidOptions(kind: string, errors: FieldError[]): ApiError {
  return invalid(`${kind}.meta.k8s.io`, { group: 'meta.k8s.io', kind }, errors);
}

/** 422 on a PATCH whose result cannot be decoded: about nothing, as the API server has it. */
export function invalidPatch(errors: FieldError[]): ApiError {
  return invalid('', {}, errors);
}

/** 422 on an update without a resourceVersion where one is required: it names the plural. */
export function versionRequired(type: ResourceType, name: string): ApiError {
  const error = fieldError.invalid('metadata.resourceVersion', 0, 'must be specified for an update');
  return invalid(qualifiedPlural(type), about(type, name), [error]);
}

function invalid(what: string, details: StatusDetails, errors: FieldError[]): ApiError {
  const lines = [...new Set(errors.map((error) => `${error.field}: ${error.body}`))];
  const all = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`;
  return new ApiError(422, 'Invalid', `${what} "${details.name ?? ''}" is invalid: ${all}`, {
    ...details,
    causes: errors.map((error) => ({ reason: error.reason, message: error.body, field: error.field })),
  });
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

function join(head: string, detail: string | undefined): string {
  return detail === undefined || detail === '' ? head : `${head}: ${detail}`;
}

/** Makers of field errors, named as in `field.Error`. */
export const fieldError = {
  required: (field: string, detail?: string): FieldError => ({
    reason: 'FieldValueRequired',
    field,
    body: join('Required value', detail),
  }),
  invalid: (field: string, value: unknown, detail: string): FieldError => ({
    reason: 'FieldValueInvalid',
    field,
    body: join(`Invalid value: ${shown(value)}`, detail),
  }),
  wrongType: (field: string, value: unknown, detail: string): FieldError => ({
    reason: 'FieldValueTypeInvalid',
    field,
    body: join(`Invalid value: ${shown(value)}`, detail),
  }),
  unsupported: (field: string, value: unknown, allowed: readonly unknown[]): FieldError => ({
    reason: 'FieldValueNotSupported',
    field,
    body: `Unsupported value: ${shown(value)}: supported values: ${allowed.map(shown).join(', ')}`,
  }),
  duplicate: (field: string, value: unknown): FieldError => ({
    reason: 'FieldValueDuplicate',
    field,
    body: `Duplicate value: ${shown(value)}`,
  }),
  tooLong: (field: string, limit: number): FieldError => ({
    reason: 'FieldValueTooLong',
    field,
    body: `Too long: may not be more than ${limit} bytes`,
  }),
  tooMany: (field: string, count: number, limit: number): FieldError => ({
    reason: 'FieldValueTooMany',
    field,
    body: `Too many: ${count}: must have at most ${limit} items`,
  }),
  forbidden: (field: string, detail: string): FieldError => ({
    reason: 'FieldValueForbidden',
    field,
    body: join('Forbidden', detail),
  }),
  immutable: (field: string, value: unknown): FieldError => ({
    reason: 'FieldValueInvalid',
    field,
    body: `Invalid value: ${shown(value)}: field is immutable`,
  }),
};
