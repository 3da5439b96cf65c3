/**
 * Defaults and validation of Jobs (`pkg/apis/batch/v1/defaults.go`, `pkg/apis/batch/validation`,
 * `pkg/registry/batch/job/strategy.go`).
 */
import type { KubeObject } from '../objects.ts';
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { at, clone, equal, isObject, listAt, textAt } from '../store/json.ts';
import { annotationErrors, labelErrors } from '../store/names.ts';
import { atLeast, defaultPodSpec, oneOf, podSpecErrors } from './pod-rules.ts';
import type { TypeRules } from './served-types.ts';

export const JOB_LABELS = {
  uid: 'batch.kubernetes.io/controller-uid',
  name: 'batch.kubernetes.io/job-name',
  oldUid: 'controller-uid',
  oldName: 'job-name',
} as const;

function applyJobDefaults(object: KubeObject): JsonObject {
  const spec = isObject(object.spec) ? object.spec : {};
  object.spec = spec;
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= 6;
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed';
  const template = isObject(spec.template) ? spec.template : {};
  spec.template = template;
  template.spec = isObject(template.spec) ? template.spec : {};
  defaultPodSpec(template.spec as JsonObject);
  return spec;
}

/** The Job's selector and the labels of its Pods follow from its uid, unless `manualSelector` says otherwise. */
function generateSelector(object: KubeObject, spec: JsonObject): void {
  if (spec.manualSelector === true) return;
  spec.manualSelector = false;
  const template = isObject(spec.template) ? spec.template : {};
  spec.template = template;
  const metadata = isObject(template.metadata) ? template.metadata : {};
  template.metadata = metadata;
  const { uid = '', name } = object.metadata;
  const labels = { ...generatedLabels(uid, name), ...(isObject(metadata.labels) ? metadata.labels : {}) };
  metadata.labels = Object.fromEntries(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
  const selector = isObject(spec.selector) ? spec.selector : {};
  spec.selector = selector;
  const wanted = isObject(selector.matchLabels) ? selector.matchLabels : {};
  selector.matchLabels = { ...wanted, [JOB_LABELS.uid]: uid };
}

function generatedLabels(uid: string, name: string): Record<string, string> {
  return { [JOB_LABELS.uid]: uid, [JOB_LABELS.name]: name, [JOB_LABELS.oldUid]: uid, [JOB_LABELS.oldName]: name };
}

/** A Job without labels has those of its template, and of a new one the generated ones too. */
function labelAsTemplate(object: KubeObject): void {
  const labels = at(object, 'spec', 'template', 'metadata', 'labels');
  if (Object.keys(object.metadata.labels ?? {}).length > 0 || !isObject(labels)) return;
  if (Object.keys(labels).length > 0) object.metadata.labels = clone(labels) as Record<string, string>;
}

function jobErrors(object: KubeObject): FieldError[] {
  const spec = isObject(object.spec) ? object.spec : {};
  const counts = [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
    'backoffLimitPerIndex',
  ];
  const errors = [
    ...(spec.manualSelector === true ? [] : generatedErrors(object, spec)),
    ...(spec.selector === undefined ? [fieldError.required('spec.selector')] : []),
    ...counts.flatMap((name) => atLeast(spec, name, 0, 'spec')),
    ...oneOf(spec, 'completionMode', ['NonIndexed', 'Indexed'], 'spec'),
    ...oneOf(spec, 'podReplacementPolicy', ['Failed', 'TerminatingOrFailed'], 'spec'),
    ...indexErrors(spec),
    ...labelErrors(at(spec, 'template', 'metadata', 'labels'), 'spec.template.labels'),
    ...annotationErrors(at(spec, 'template', 'metadata', 'annotations'), 'spec.template.annotations'),
  ];
  const pod = at(spec, 'template', 'spec');
  errors.push(...podSpecErrors(isObject(pod) ? pod : undefined, 'spec.template.spec'));
  const policy = textAt(pod, 'restartPolicy') ?? 'Always';
  const field = 'spec.template.spec.restartPolicy';
  if (policy === 'Always') errors.push(fieldError.required(field, 'valid values: "OnFailure", "Never"'));
  else if (policy !== 'OnFailure' && policy !== 'Never') {
    errors.push(fieldError.unsupported(field, policy, ['OnFailure', 'Never']));
  }
  return [...errors, ...unmatchedErrors(spec)];
}

function indexErrors(spec: JsonObject): FieldError[] {
  if (spec.completionMode === 'Indexed') return [];
  return ['backoffLimitPerIndex', 'maxFailedIndexes']
    .filter((name) => spec[name] !== undefined)
    .map((name) => fieldError.invalid(`spec.${name}`, spec[name], 'requires indexed completion mode'));
}

/** Labels and selector must be what the API server would have made of the uid. */
function generatedErrors(object: KubeObject, spec: JsonObject): FieldError[] {
  const { uid = '', name } = object.metadata;
  // Without a name there is nothing yet to compare with.
  if (name === '' || spec.selector === undefined) return [];
  const labels = at(spec, 'template', 'metadata', 'labels');
  const order = [JOB_LABELS.oldUid, JOB_LABELS.oldName, JOB_LABELS.uid, JOB_LABELS.name];
  const wanted = generatedLabels(uid, name);
  const errors = order.flatMap((key) => {
    const field = `spec.template.metadata.labels[${key}]`;
    const value = at(labels, key);
    if (value === wanted[key]) return [];
    const words = `must be '${wanted[key]}'`;
    return [value === undefined ? fieldError.required(field, words) : fieldError.invalid(field, labels, words)];
  });
  const matchLabels = at(spec, 'selector', 'matchLabels');
  const alone = isObject(matchLabels) && Object.keys(matchLabels).length === 1;
  const own = at(matchLabels, JOB_LABELS.uid) === uid || at(matchLabels, JOB_LABELS.oldUid) === uid;
  if (!(alone && own)) {
    errors.push(fieldError.invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
  return errors;
}

function unmatchedErrors(spec: JsonObject): FieldError[] {
  const labels = at(spec, 'template', 'metadata', 'labels');
  const wanted = at(spec, 'selector', 'matchLabels');
  const fits = isObject(wanted) && Object.entries(wanted).every(([key, value]) => at(labels, key) === value);
  if (fits) return [];
  const shown = labels ?? null;
  return [fieldError.invalid('spec.template.metadata.labels', shown, '`selector` does not match template `labels`')];
}

/**
 * The Pod's spec without what may change while a Job is suspended and has not started: where its Pods go, and what they
 * may use.
 */
function fixedPart(object: KubeObject): JsonObject {
  const spec = clone(at(object, 'spec', 'template', 'spec'));
  if (!isObject(spec)) return {};
  for (const name of ['nodeSelector', 'tolerations', 'affinity', 'schedulingGates']) delete spec[name];
  for (const container of [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')])
    delete container.resources;
  return spec;
}

function templateErrors(object: KubeObject, before: KubeObject): FieldError[] {
  const waiting = at(before, 'spec', 'suspend') === true && at(before, 'status', 'startTime') === undefined;
  const template = at(object, 'spec', 'template');
  if (waiting) {
    if (equal(fixedPart(object), fixedPart(before))) return [];
    return [fieldError.immutable('spec.template.spec', at(template, 'spec'))];
  }
  return equal(template, at(before, 'spec', 'template')) ? [] : [fieldError.immutable('spec.template', template)];
}

export const jobRules: TypeRules = {
  prepareCreate(object) {
    const spec = applyJobDefaults(object);
    generateSelector(object, spec);
    labelAsTemplate(object);
    object.status = {};
  },
  prepareUpdate(object) {
    applyJobDefaults(object);
    labelAsTemplate(object);
  },
  validate: jobErrors,
  validateUpdate(object, before) {
    const errors: FieldError[] = [];
    for (const name of [
      'selector',
      'completionMode',
      'podFailurePolicy',
      'backoffLimitPerIndex',
      'managedBy',
      'successPolicy',
    ]) {
      const value = at(object, 'spec', name);
      if (!equal(value, at(before, 'spec', name))) errors.push(fieldError.immutable(`spec.${name}`, value ?? null));
    }
    const completions = at(object, 'spec', 'completions');
    const elastic = at(object, 'spec', 'completionMode') === 'Indexed';
    if (completions !== at(before, 'spec', 'completions') && !elastic) {
      errors.push(fieldError.immutable('spec.completions', completions));
    }
    errors.push(...templateErrors(object, before));
    return errors;
  },
};
