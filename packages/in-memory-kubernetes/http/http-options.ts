/** The parameters of requests: read, and judged as `pkg/apis/meta/v1/validation` does. */
import type { FieldError } from '../store/api-error.ts';
import { badRequest, fieldError, invalidOptions } from '../store/api-error.ts';
import type { DeleteOptions } from '../store/deletion.ts';
import { at, textAt } from '../store/json.ts';
import type { ListQuery } from '../store/reading.ts';
import type { WriteOptions } from '../store/writing.ts';
import { optionsBody } from './body.ts';
import type { ApiRequest } from './http-request.ts';
import { isTrue } from './http-request.ts';

function refuse(kind: string, errors: FieldError[]): void {
  if (errors.length > 0) throw invalidOptions(kind, errors);
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** What a list, a watch or a deletecollection asks for. */
export function listOptions({ query }: ApiRequest): ListQuery {
  refuse('ListOptions', matchErrors(query));
  return {
    labelSelector: query.get('labelSelector') ?? undefined,
    fieldSelector: query.get('fieldSelector') ?? undefined,
    limit: integer(query, 'limit'),
    continue: query.get('continue') ?? undefined,
    resourceVersion: query.get('resourceVersion') ?? undefined,
  };
}

function matchErrors(query: URLSearchParams): FieldError[] {
  const watch = isTrue(query.get('watch'));
  const initial = query.get('sendInitialEvents') !== null;
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const field = 'resourceVersionMatch';
  const forbid = (words: string): FieldError[] => [fieldError.forbidden(field, words)];
  if (!watch && initial) return [fieldError.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')];
  if (watch && initial && match !== 'NotOlderThan') {
    return forbid('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (match === '' || (watch && initial)) return [];
  if (watch) return forbid('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  if (version === '') return forbid('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if ((query.get('continue') ?? '') !== '')
    return forbid('resourceVersionMatch is forbidden when continue is provided');
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    return [fieldError.unsupported(field, match, ['Exact', 'NotOlderThan', ''])];
  }
  if (match === 'Exact' && version === '0') {
    return forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  return [];
}

function dryRunErrors(values: unknown[]): FieldError[] {
  if (values.every((value) => value === 'All')) return [];
  return [fieldError.unsupported('dryRun', values, ['All'])];
}

/** `kind`: what the API server calls the options of this verb. */
export function writeOptions(
  { query }: ApiRequest,
  kind: 'CreateOptions' | 'PatchOptions' | 'UpdateOptions',
  warnings: string[],
): WriteOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  const fieldValidation = query.get('fieldValidation') ?? '';
  const errors = dryRunErrors(dryRun);
  if (!['', 'Ignore', 'Strict', 'Warn'].includes(fieldValidation)) {
    errors.push(fieldError.unsupported('fieldValidation', fieldValidation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  refuse(kind, errors);
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as 'Strict' | 'Warn' | 'Ignore'),
    warnings,
  };
}

/** From the body, or where there is none from the query: with a body the query is not heard. */
export function deleteOptions({ body: sent, query: asked }: ApiRequest): DeleteOptions {
  const body = optionsBody(sent);
  const query = sent === undefined ? asked : new URLSearchParams();
  const { kind = 'DeleteOptions', apiVersion = 'v1' } = body;
  if (kind !== 'DeleteOptions') {
    throw badRequest(
      `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  const grace = at(body, 'gracePeriodSeconds') ?? integer(query, 'gracePeriodSeconds');
  const policy = textAt(body, 'propagationPolicy') ?? query.get('propagationPolicy') ?? undefined;
  const dryRun = [...(Array.isArray(body.dryRun) ? body.dryRun : []), ...query.getAll('dryRun')];
  const policies = ['Foreground', 'Background', 'Orphan'];
  const errors = dryRunErrors(dryRun);
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(fieldError.unsupported('propagationPolicy', policy, [...policies, 'nil']));
  }
  refuse('DeleteOptions', errors);
  return {
    propagationPolicy: policy as DeleteOptions['propagationPolicy'],
    gracePeriodSeconds: grace === undefined ? undefined : Number(grace),
    preconditions: {
      uid: textAt(body, 'preconditions', 'uid'),
      resourceVersion: textAt(body, 'preconditions', 'resourceVersion'),
    },
    dryRun: dryRun.length > 0,
  };
}
