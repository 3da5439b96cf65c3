/**
 * Defaults and validation of Pods and Pod templates (`pkg/apis/core/v1/defaults.go`, `pkg/apis/core/validation`), as
 * far as deploys need.
 */
import type { KubeObject } from '../objects.ts';
import type { FieldError } from '../store/api-error.ts';
import { fieldError, forbidden } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';
import { clone, equal, isObject, listAt, textAt } from '../store/json.ts';
import { labelErrors, nameProblem } from '../store/names.ts';
import { containerErrors } from './container-rules.ts';
import type { TypeRules } from './served-types.ts';
import { volumeErrors } from './volume-rules.ts';

export const PODS_TYPE = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' };
const SERVICE_ACCOUNTS = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount' };
const FILE_MODE = 0o644;

export function defaultPodSpec(spec: JsonObject): void {
  spec.restartPolicy ??= 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.securityContext ??= {};
  spec.schedulerName ??= 'default-scheduler';
  if (spec.serviceAccountName !== undefined) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount !== undefined) spec.serviceAccountName = spec.serviceAccount;
  for (const container of [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')]) {
    container.resources ??= {};
    container.terminationMessagePath ??= '/dev/termination-log';
    container.terminationMessagePolicy ??= 'File';
    container.imagePullPolicy ??= pullPolicy(String(container.image ?? ''));
    for (const port of listAt(container, 'ports')) port.protocol ??= 'TCP';
    for (const variable of listAt(container, 'env')) {
      const { fieldRef, resourceFieldRef } = isObject(variable.valueFrom) ? variable.valueFrom : {};
      if (isObject(fieldRef)) fieldRef.apiVersion ??= 'v1';
      if (isObject(resourceFieldRef)) resourceFieldRef.divisor ??= '0';
    }
    for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      if (isObject(container[name])) defaultProbe(container[name]);
    }
  }
  for (const item of listAt(spec, 'volumes').flatMap(downwardItems)) {
    if (isObject(item.fieldRef)) item.fieldRef.apiVersion ??= 'v1';
  }
  for (const volume of listAt(spec, 'volumes')) {
    const sources = Object.keys(volume).filter((key) => key !== 'name');
    if (sources.length === 0) volume.emptyDir = {};
    for (const source of [volume.secret, volume.configMap, volume.projected, volume.downwardAPI]) {
      if (isObject(source)) source.defaultMode ??= FILE_MODE;
    }
  }
}

function downwardItems(volume: JsonObject): JsonObject[] {
  const projected = listAt(volume, 'projected', 'sources').flatMap((source) => listAt(source, 'downwardAPI', 'items'));
  return [...listAt(volume, 'downwardAPI', 'items'), ...projected];
}

function defaultProbe(probe: JsonObject): void {
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  if (isObject(probe.httpGet)) {
    probe.httpGet.path ??= '/';
    probe.httpGet.scheme ??= 'HTTP';
  }
}

function pullPolicy(image: string): string {
  const last = image.split('/').at(-1) ?? '';
  if (image.includes('@')) return 'IfNotPresent';
  return last.includes(':') && !last.endsWith(':latest') ? 'IfNotPresent' : 'Always';
}

export function podSpecErrors(spec: JsonObject | undefined, field: string): FieldError[] {
  if (spec === undefined) return [fieldError.required(`${field}.containers`)];
  const errors = volumeErrors(listAt(spec, 'volumes'), `${field}.volumes`);
  const volumes = new Set(listAt(spec, 'volumes').map((volume) => String(volume.name)));
  const containers = listAt(spec, 'containers');
  if (containers.length === 0) errors.push(fieldError.required(`${field}.containers`));
  const names = new Set<string>();
  for (const [list, all] of [
    ['containers', containers],
    ['initContainers', listAt(spec, 'initContainers')],
  ] as const) {
    all.forEach((container, index) => {
      const here = `${field}.${list}[${index}]`;
      errors.push(...containerErrors(container, here, volumes, names, field !== 'spec'));
    });
  }
  errors.push(
    ...oneOf(spec, 'restartPolicy', ['Always', 'OnFailure', 'Never'], field),
    ...oneOf(spec, 'dnsPolicy', ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], field),
    ...atLeast(spec, 'terminationGracePeriodSeconds', 0, field),
    ...atLeast(spec, 'activeDeadlineSeconds', 1, field),
    ...labelErrors(spec.nodeSelector, `${field}.nodeSelector`),
  );
  const account = textAt(spec, 'serviceAccountName');
  const problem = account === undefined ? undefined : nameProblem.subdomain(account);
  if (problem !== undefined) errors.push(fieldError.invalid(`${field}.serviceAccountName`, account, problem));
  return errors;
}

export function oneOf(object: JsonObject, name: string, allowed: string[], field: string): FieldError[] {
  const value = object[name];
  return value === undefined || allowed.includes(String(value))
    ? []
    : [fieldError.unsupported(`${field}.${name}`, value, allowed)];
}

export function atLeast(object: JsonObject, name: string, minimum: number, field: string): FieldError[] {
  const value = object[name];
  if (typeof value !== 'number' || value >= minimum) return [];
  const words =
    minimum === 0 ? 'must be greater than or equal to 0' : `must be between ${minimum} and 2147483647, inclusive`;
  return [fieldError.invalid(`${field}.${name}`, value, words)];
}

/** What an update of a Pod may change besides metadata. */
function frozenPart(object: KubeObject): JsonObject {
  const spec = clone(isObject(object.spec) ? object.spec : {});
  for (const container of [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')]) delete container.image;
  for (const name of ['activeDeadlineSeconds', 'tolerations', 'schedulingGates']) {
    delete spec[name];
  }
  return spec;
}

export const podRules: TypeRules = {
  prepareCreate(object, lookup) {
    const spec = isObject(object.spec) ? object.spec : {};
    object.spec = spec;
    defaultPodSpec(spec);
    spec.serviceAccountName ??= 'default';
    spec.serviceAccount = spec.serviceAccountName;
    spec.enableServiceLinks ??= true;
    spec.priority ??= 0;
    spec.preemptionPolicy ??= 'PreemptLowerPriority';
    object.status = { phase: 'Pending', qosClass: 'BestEffort' };
    const account = String(spec.serviceAccountName);
    const namespace = object.metadata.namespace ?? '';
    if (!lookup.exists(SERVICE_ACCOUNTS, namespace, account)) {
      const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
      throw forbidden(PODS_TYPE, object.metadata.name, why);
    }
  },
  prepareUpdate(object) {
    if (isObject(object.spec)) defaultPodSpec(object.spec);
  },
  prepareStatus(object) {
    for (const condition of listAt(object, 'status', 'conditions')) {
      condition.lastProbeTime ??= null;
      condition.lastTransitionTime ??= null;
    }
    for (const status of listAt(object, 'status', 'containerStatuses')) status.lastState ??= {};
  },
  validate: (object) => podSpecErrors(isObject(object.spec) ? object.spec : undefined, 'spec'),
  validateUpdate: (object, before) =>
    equal(frozenPart(object), frozenPart(before))
      ? []
      : [
          fieldError.forbidden(
            'spec',
            'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
          ),
        ],
};
