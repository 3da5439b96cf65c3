/** Validation of one container of a Pod (`pkg/apis/core/validation`). */
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { isObject, listAt, textAt } from '../store/json.ts';
import { nameProblem } from '../store/names.ts';

const QUANTITY = /^[+-]?(\d+(\.\d*)?|\.\d+)(m|[kMGTPE]i?|Ki|n|u|[eE][+-]?\d+)?$/;
const FIELD_PATHS = /^(metadata\.(name|namespace|uid|labels|annotations)|metadata\.(labels|annotations)\['[^']+'\])$/;
const OTHER_PATHS = [
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** `names` collects the names of the Pod's containers, to find one used twice. */
export function containerErrors(
  container: JsonObject,
  field: string,
  volumes: Set<string>,
  names: Set<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const name = textAt(container, 'name') ?? '';
  const problem = nameProblem.label(name);
  if (name === '') errors.push(fieldError.required(`${field}.name`));
  else if (problem !== undefined) errors.push(fieldError.invalid(`${field}.name`, name, problem));
  else if (names.has(name)) errors.push(fieldError.duplicate(`${field}.name`, name));
  names.add(name);
  const image = textAt(container, 'image') ?? '';
  if (image === '') errors.push(fieldError.required(`${field}.image`));
  else if (image.trim() !== image) {
    errors.push(fieldError.invalid(`${field}.image`, image, 'must not have leading or trailing whitespace'));
  }
  for (const [member, allowed] of [
    ['imagePullPolicy', ['Always', 'IfNotPresent', 'Never']],
    ['terminationMessagePolicy', ['File', 'FallbackToLogsOnError']],
  ] as const) {
    const value = container[member];
    if (value !== undefined && !allowed.some((each) => each === value)) {
      errors.push(fieldError.unsupported(`${field}.${member}`, value, allowed));
    }
  }
  listAt(container, 'env').forEach((variable, index) => {
    errors.push(...variableErrors(variable, `${field}.env[${index}]`));
  });
  return [
    ...errors,
    ...mountErrors(container, `${field}.volumeMounts`, volumes),
    ...resourceErrors(container.resources, `${field}.resources`),
  ];
}

function variableErrors(variable: JsonObject, field: string): FieldError[] {
  const name = textAt(variable, 'name') ?? '';
  const errors: FieldError[] = [];
  const problem = nameProblem.envVar(name);
  if (name === '') errors.push(fieldError.required(`${field}.name`));
  else if (problem !== undefined) errors.push(fieldError.invalid(`${field}.name`, name, problem));
  if (!isObject(variable.valueFrom)) return errors;
  const from = `${field}.valueFrom`;
  const sources = Object.entries(variable.valueFrom);
  if (variable.value !== undefined && variable.value !== '') {
    errors.push(fieldError.invalid(from, '', 'may not be specified when `value` is not empty'));
  }
  if (sources.length === 0) {
    errors.push(
      fieldError.invalid(
        from,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  }
  if (sources.length > 1) {
    errors.push(fieldError.invalid(from, '', 'may not have more than one field specified at a time'));
  }
  for (const [kind, source] of sources) {
    if (kind === 'secretKeyRef' || kind === 'configMapKeyRef') {
      if ((textAt(source, 'key') ?? '') === '') errors.push(fieldError.required(`${from}.${kind}.key`));
      if ((textAt(source, 'name') ?? '') === '') errors.push(fieldError.required(`${from}.${kind}.name`));
    }
    if (kind === 'fieldRef') errors.push(...fieldRefErrors(source, `${from}.fieldRef`));
  }
  return errors;
}

function fieldRefErrors(source: unknown, field: string): FieldError[] {
  const path = textAt(source, 'fieldPath') ?? '';
  if (path === '') return [fieldError.required(`${field}.fieldPath`)];
  if (OTHER_PATHS.includes(path) || FIELD_PATHS.test(path)) return [];
  return [
    fieldError.invalid(`${field}.fieldPath`, path, `error converting fieldPath: field label not supported: ${path}`),
  ];
}

function mountErrors(container: JsonObject, field: string, volumes: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  listAt(container, 'volumeMounts').forEach((mount, index) => {
    const here = `${field}[${index}]`;
    const name = textAt(mount, 'name') ?? '';
    const path = textAt(mount, 'mountPath') ?? '';
    if (name === '') errors.push(fieldError.required(`${here}.name`));
    else if (!volumes.has(name)) {
      errors.push({ reason: 'FieldValueNotFound', field: `${here}.name`, body: `Not found: ${JSON.stringify(name)}` });
    }
    if (path === '') errors.push(fieldError.required(`${here}.mountPath`));
    if (paths.has(path)) errors.push(fieldError.invalid(`${here}.mountPath`, path, 'must be unique'));
    paths.add(path);
  });
  return errors;
}

function resourceErrors(resources: unknown, field: string): FieldError[] {
  if (!isObject(resources)) return [];
  return ['limits', 'requests'].flatMap((kind) => {
    const values = resources[kind];
    return Object.entries(isObject(values) ? values : {})
      .filter(([, value]) => !QUANTITY.test(String(value)))
      .map(([name, value]) =>
        fieldError.invalid(
          `${field}.${kind}[${name}]`,
          value,
          "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
      );
  });
}
