/** Defaults and validation of Jobs (`pkg/apis/batch/v1/defaults.go`, `pkg/apis/batch/validation`, `pkg/registry/batch/job/strategy.go`). */
import type { KubeObject } from '../../kube/client.ts';
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { at, clone, equal, isObject, textAt } from '../store/json.ts';
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
  const template = at(spec, 'template', 'spec');
  if (isObject(template)) defaultPodSpec(template);
  const labels = at(spec, 'template', 'metadata', 'labels');
  if (Object.keys(object.metadata.labels ?? {}).length === 0 && isObject(labels)) {
    object.metadata.labels = clone(labels) as Record<string, string>;
  }
  return spec;
}

/** The Job's selector and the labels of its Pods follow from its uid, unless `manualSelector` says otherwise. */
function generateSelector(object: KubeObject, spec: JsonObject): void {
  if (spec.manualSelector === true) return;
  const template = isObject(spec.template) ? spec.template : {};
  spec.template = template;
  const metadata = isObject(template.metadata) ? template.metadata : {};
  template.metadata = metadata;
  const { uid = '', name } = object.metadata;
  metadata.labels = {
    ...(isObject(metadata.labels) ? metadata.labels : {}),
    [JOB_LABELS.uid]: uid,
    [JOB_LABELS.name]: name,
    [JOB_LABELS.oldUid]: uid,
    [JOB_LABELS.oldName]: name,
  };
  spec.selector ??= { matchLabels: { [JOB_LABELS.uid]: uid } };
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
    ...counts.flatMap((name) => atLeast(spec, name, 0, 'spec')),
    ...oneOf(spec, 'completionMode', ['Indexed', 'NonIndexed'], 'spec'),
    ...oneOf(spec, 'podReplacementPolicy', ['Failed', 'TerminatingOrFailed'], 'spec'),
    ...selectorErrors(object, spec),
    ...labelErrors(at(spec, 'template', 'metadata', 'labels'), 'spec.template.labels'),
    ...annotationErrors(at(spec, 'template', 'metadata', 'annotations'), 'spec.template.annotations'),
  ];
  const pod = at(spec, 'template', 'spec');
  errors.push(...podSpecErrors(isObject(pod) ? pod : undefined, 'spec.template.spec'));
  const policy = textAt(pod, 'restartPolicy') ?? 'Always';
  if (policy === 'Always') {
    errors.push(fieldError.required('spec.template.spec.restartPolicy', 'valid values: "OnFailure", "Never"'));
  }
  return errors;
}

function selectorErrors(object: KubeObject, spec: JsonObject): FieldError[] {
  if (spec.manualSelector === true) {
    return spec.selector === undefined ? [fieldError.required('spec.selector')] : [];
  }
  const uid =
    at(spec, 'selector', 'matchLabels', JOB_LABELS.uid) ?? at(spec, 'selector', 'matchLabels', JOB_LABELS.oldUid);
  return uid === object.metadata.uid
    ? []
    : [fieldError.invalid('spec.selector', spec.selector, '`selector` not auto-generated')];
}

/** The template without what may change while a Job is suspended and has not started (mutable scheduling directives). */
function templateToCompare(object: KubeObject, mayChangeScheduling: boolean): unknown {
  const template = clone(at(object, 'spec', 'template'));
  if (!mayChangeScheduling || !isObject(template)) return template;
  delete template.metadata;
  if (isObject(template.spec)) {
    for (const name of ['nodeSelector', 'tolerations', 'affinity', 'schedulingGates']) delete template.spec[name];
  }
  return template;
}

export const jobRules: TypeRules = {
  prepareCreate(object) {
    const spec = applyJobDefaults(object);
    generateSelector(object, spec);
    object.status = {};
  },
  prepareUpdate(object) {
    applyJobDefaults(object);
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
      if (!equal(value, at(before, 'spec', name))) errors.push(fieldError.immutable(`spec.${name}`, value));
    }
    const completions = at(object, 'spec', 'completions');
    const elastic = at(object, 'spec', 'completionMode') === 'Indexed';
    if (completions !== at(before, 'spec', 'completions') && !elastic) {
      errors.push(fieldError.immutable('spec.completions', completions));
    }
    const waiting = at(before, 'spec', 'suspend') === true && at(before, 'status', 'startTime') === undefined;
    const template = at(object, 'spec', 'template');
    if (!equal(templateToCompare(object, waiting), templateToCompare(before, waiting))) {
      errors.push(fieldError.immutable('spec.template', template));
    }
    return errors;
  },
};
