/** Validation of a Pod's volumes (`pkg/apis/core/validation`). */
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { isObject, listAt, textAt } from '../store/json.ts';
import { nameProblem } from '../store/names.ts';
import { fieldRefErrors } from './container-rules.ts';

const KINDS = [
  'hostPath',
  'emptyDir',
  'secret',
  'persistentVolumeClaim',
  'downwardAPI',
  'configMap',
  'projected',
  'csi',
];

export function volumeErrors(volumes: JsonObject[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  volumes.forEach((volume, index) => {
    const here = `${field}[${index}]`;
    const name = textAt(volume, 'name') ?? '';
    const problem = nameProblem.label(name);
    if (name === '') errors.push(fieldError.required(`${here}.name`));
    else if (problem !== undefined) errors.push(fieldError.invalid(`${here}.name`, name, problem));
    else if (names.has(name)) errors.push(fieldError.duplicate(`${here}.name`, name));
    const before = errors.length;
    // The API server asks for one kind after the other, in this order.
    const sources = KINDS.filter((kind) => volume[kind] !== undefined);
    for (const extra of sources.slice(1)) {
      errors.push(fieldError.forbidden(`${here}.${extra}`, 'may not specify more than 1 volume type'));
    }
    errors.push(...sourceErrors(volume, here));
    if (errors.length === before) names.add(name);
  });
  return errors;
}

function sourceErrors(volume: JsonObject, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (isObject(volume.secret)) {
    if ((textAt(volume.secret, 'secretName') ?? '') === '') {
      errors.push(fieldError.required(`${field}.secret.secretName`));
    }
    errors.push(...fileErrors(volume.secret, `${field}.secret`));
  }
  if (isObject(volume.configMap)) {
    if ((textAt(volume.configMap, 'name') ?? '') === '') errors.push(fieldError.required(`${field}.configMap.name`));
    errors.push(...fileErrors(volume.configMap, `${field}.configMap`));
  }
  for (const item of listAt(volume, 'downwardAPI', 'items')) {
    if (isObject(item.fieldRef)) errors.push(...fieldRefErrors(item.fieldRef, `${field}.downwardAPI.fieldRef`));
  }
  if (isObject(volume.projected)) {
    errors.push(...modeErrors(volume.projected.defaultMode, `${field}.projected.defaultMode`));
    listAt(volume.projected, 'sources').forEach((source, index) => {
      const here = `${field}.projected.sources[${index}]`;
      for (const kind of ['secret', 'configMap']) {
        const reference = source[kind];
        if (!isObject(reference)) continue;
        if ((textAt(reference, 'name') ?? '') === '') errors.push(fieldError.required(`${here}.${kind}.name`));
        errors.push(...fileErrors(reference, `${here}.${kind}`));
      }
    });
  }
  return errors;
}

function fileErrors(source: JsonObject, field: string): FieldError[] {
  const errors = modeErrors(source.defaultMode, `${field}.defaultMode`);
  listAt(source, 'items').forEach((item, index) => {
    const here = `${field}.items[${index}]`;
    const path = textAt(item, 'path') ?? '';
    if ((textAt(item, 'key') ?? '') === '') errors.push(fieldError.required(`${here}.key`));
    if (path === '') errors.push(fieldError.required(`${here}.path`));
    if (path.startsWith('/')) errors.push(fieldError.invalid(`${here}.path`, path, 'must be a relative path'));
    if (path.split('/').includes('..')) {
      errors.push(fieldError.invalid(`${here}.path`, path, "must not contain '..'"));
    }
    errors.push(...modeErrors(item.mode, `${here}.mode`));
  });
  return errors;
}

function modeErrors(mode: unknown, field: string): FieldError[] {
  if (typeof mode !== 'number' || (mode >= 0 && mode <= 0o777)) return [];
  return [fieldError.invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
