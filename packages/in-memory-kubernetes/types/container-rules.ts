/** Validation of one container of a Pod (`pkg/apis/core/validation`). */
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { isObject, listAt, textAt } from '../store/json.ts';
import { nameProblem } from '../store/names.ts';

const FIELD_PATHS = /^(metadata\.(name|namespace|uid|labels|annotations)|metadata\.(labels|annotations)\['[^']+'\])$/;
const OTHER_PATHS = [
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/**
 * `names` collects the names of the Pod's containers, to find one used twice; `inTemplate`: of a template, whose image
 * may yet be changed.
 */
export function containerErrors(
  container: JsonObject,
  field: string,
  volumes: Set<string>,
  names: Set<string>,
  inTemplate: boolean,
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
  else if (!inTemplate && image.trim() !== image) {
    errors.push(fieldError.invalid(`${field}.image`, image, 'must not have leading or trailing whitespace'));
  }
  for (const [member, allowed] of [
    ['terminationMessagePolicy', ['File', 'FallbackToLogsOnError']],
    ['imagePullPolicy', ['Always', 'IfNotPresent', 'Never']],
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
    ...portErrors(container, `${field}.ports`),
    ...probeErrors(container, field),
    ...mountErrors(container, `${field}.volumeMounts`, volumes),
  ];
}

function portErrors(container: JsonObject, field: string): FieldError[] {
  return listAt(container, 'ports').flatMap((port, index) => {
    const here = `${field}[${index}]`;
    const errors: FieldError[] = [];
    const { containerPort = 0, protocol } = port;
    if (containerPort === 0) errors.push(fieldError.required(`${here}.containerPort`));
    else if (Number(containerPort) < 1 || Number(containerPort) > 65_535) {
      errors.push(fieldError.invalid(`${here}.containerPort`, containerPort, 'must be between 1 and 65535, inclusive'));
    }
    const allowed = ['SCTP', 'TCP', 'UDP'];
    if (!allowed.includes(String(protocol))) errors.push(fieldError.unsupported(`${here}.protocol`, protocol, allowed));
    return errors;
  });
}

function probeErrors(container: JsonObject, field: string): FieldError[] {
  return ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) => {
    const probe = container[name];
    const handled = !isObject(probe) || ['exec', 'httpGet', 'tcpSocket', 'grpc'].some((each) => isObject(probe[each]));
    return handled ? [] : [fieldError.required(`${field}.${name}`, 'must specify a handler type')];
  });
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
      const wanted = textAt(source, 'name') ?? '';
      const wrong = nameProblem.subdomain(wanted);
      if (wrong !== undefined) errors.push(fieldError.invalid(`${from}.${kind}.name`, wanted, wrong));
      if ((textAt(source, 'key') ?? '') === '') errors.push(fieldError.required(`${from}.${kind}.key`));
    }
    if (kind === 'fieldRef') errors.push(...fieldRefErrors(source, `${from}.fieldRef`));
  }
  return errors;
}

export function fieldRefErrors(source: unknown, field: string): FieldError[] {
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
    if (!volumes.has(name)) {
      errors.push({ reason: 'FieldValueNotFound', field: `${here}.name`, body: `Not found: ${JSON.stringify(name)}` });
    }
    if (path === '') errors.push(fieldError.required(`${here}.mountPath`));
    if (paths.has(path)) errors.push(fieldError.invalid(`${here}.mountPath`, path, 'must be unique'));
    paths.add(path);
  });
  return errors;
}
