/** The built-in types that the in-memory Kubernetes serves. */
import type { KubeObject } from '../objects.ts';
import type { FieldError } from '../store/api-error.ts';
import { badRequest, fieldError } from '../store/api-error.ts';
import { at, equal, isObject, textAt } from '../store/json.ts';
import { nameProblem } from '../store/names.ts';
import type { SelectableFields } from '../store/selectors.ts';
import { definitionRules } from './definition-rules.ts';
import { coreEventFields, coreEventRules, eventsView, newEventFields, newEventRules } from './event-rules.ts';
import { jobRules } from './job-rules.ts';
import { podRules } from './pod-rules.ts';
import type { Schema } from './schema.ts';
import type { ServedType, TypeRules } from './served-types.ts';
import * as shapes from './shapes.ts';
import { BUILT_IN_COLUMNS } from './tables.ts';

const byName: SelectableFields = {
  'metadata.name': (object) => object.metadata.name,
  'metadata.namespace': (object) => object.metadata.namespace ?? '',
};

/** A selectable field at a path, with the value that it has where it is not set. */
function selectableAt(path: string, unset = ''): SelectableFields {
  return { [path]: (object) => String(at(object, ...path.split('.')) ?? unset) };
}

type Given = Pick<ServedType, 'group' | 'version' | 'kind' | 'plural' | 'shape'> & Partial<ServedType>;

function served(given: Given): ServedType {
  return {
    singular: given.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    storage: `${given.group}/${given.plural}`,
    hasStatus: false,
    hasGeneration: false,
    unconditionalUpdate: true,
    custom: false,
    unknownField: given.selectable === undefined ? 'known' : 'bare',
    nameProblem: nameProblem.subdomain,
    columns: BUILT_IN_COLUMNS[`${given.group}/${given.plural}`],
    rules: {},
    ...given,
    selectable: { ...byName, ...given.selectable },
  };
}

const core = (kind: string, plural: string, shape: Schema, rest: Partial<ServedType> = {}): ServedType =>
  served({ group: '', version: 'v1', kind, plural, shape, ...rest });

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DOCKER_KEY = '.dockerconfigjson';

/** Data of Secrets and ConfigMaps: keys, and what `immutable` freezes. */
function dataErrors(object: KubeObject): FieldError[] {
  const keys = [object.data, object.binaryData].flatMap((data) => (isObject(data) ? Object.keys(data) : []));
  return keys.flatMap((key) => {
    const problem = nameProblem.dataKey(key);
    return problem === undefined ? [] : [fieldError.invalid(`data[${key}]`, key, problem)];
  });
}

function frozenDataErrors(object: KubeObject, before: KubeObject): FieldError[] {
  if (before.immutable !== true) return [];
  return ['immutable', 'data', 'binaryData']
    .filter((name) => !equal(object[name], before[name]))
    .map((name) => fieldError.forbidden(name, 'field is immutable when `immutable` is set'));
}

function dockerErrors(object: KubeObject): FieldError[] {
  if (object.type !== 'kubernetes.io/dockerconfigjson') return [];
  const value = textAt(object, 'data', DOCKER_KEY);
  if (value === undefined) return [fieldError.required(`data[${DOCKER_KEY}]`)];
  try {
    JSON.parse(Buffer.from(value, 'base64').toString());
    return [];
  } catch {
    return [fieldError.invalid(`data[${DOCKER_KEY}]`, '<secret contents redacted>', 'invalid JSON')];
  }
}

function prepareSecret(object: KubeObject): void {
  object.type ??= 'Opaque';
  for (const value of Object.values(isObject(object.data) ? object.data : {})) {
    if (!BASE64.test(String(value)))
      throw badRequest('Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0');
  }
  if (!isObject(object.stringData)) return;
  const plain = Object.entries(object.stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  object.data = { ...(isObject(object.data) ? object.data : {}), ...Object.fromEntries(plain) };
  delete object.stringData;
}

const secretRules: TypeRules = {
  prepareCreate: prepareSecret,
  prepareUpdate: prepareSecret,
  validate: (object) => [...dataErrors(object), ...dockerErrors(object)],
  validateUpdate: (object, before) => [
    ...(object.type === before.type ? [] : [fieldError.immutable('type', object.type)]),
    ...frozenDataErrors(object, before),
  ],
};

const namespaceRules: TypeRules = {
  prepareCreate(object) {
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
    object.spec = { finalizers: ['kubernetes'] };
    object.status = { phase: 'Active' };
  },
  prepareUpdate(object, before) {
    object.spec = before.spec;
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': object.metadata.name };
  },
};

const leaseRules: TypeRules = {
  prepareCreate: (object) => {
    object.spec ??= {};
  },
  validate: (object) =>
    ['leaseDurationSeconds', 'leaseTransitions'].flatMap((name) => {
      const value = at(object, 'spec', name);
      const least = name === 'leaseDurationSeconds' ? 1 : 0;
      if (typeof value !== 'number' || value >= least) return [];
      const words = least === 1 ? 'must be greater than 0' : 'must be greater than or equal to 0';
      return [fieldError.invalid(`spec.${name}`, value, words)];
    }),
};

export const BUILT_IN_TYPES: ServedType[] = [
  core('Namespace', 'namespaces', shapes.namespaceShape, {
    shortNames: ['ns'],
    namespaced: false,
    hasStatus: true,
    nameProblem: nameProblem.namespace,
    selectable: selectableAt('status.phase'),
    rules: namespaceRules,
  }),
  core('Pod', 'pods', shapes.podShape, {
    shortNames: ['po'],
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    selectable: {
      ...selectableAt('spec.nodeName'),
      ...selectableAt('spec.restartPolicy'),
      ...selectableAt('spec.schedulerName'),
      ...selectableAt('spec.serviceAccountName'),
      ...selectableAt('status.phase'),
      ...selectableAt('status.podIP'),
      ...selectableAt('status.nominatedNodeName'),
      ...selectableAt('spec.hostNetwork', 'false'),
    },
    rules: podRules,
  }),
  core('Secret', 'secrets', shapes.secretShape, { selectable: selectableAt('type'), rules: secretRules }),
  core('ConfigMap', 'configmaps', shapes.configMapShape, {
    shortNames: ['cm'],
    rules: { validate: dataErrors, validateUpdate: frozenDataErrors },
  }),
  core('ServiceAccount', 'serviceaccounts', shapes.serviceAccountShape, { shortNames: ['sa'] }),
  core('Event', 'events', shapes.coreEventShape, {
    shortNames: ['ev'],
    selectable: coreEventFields,
    rules: coreEventRules,
  }),
  served({
    group: 'events.k8s.io',
    version: 'v1',
    kind: 'Event',
    plural: 'events',
    shape: shapes.eventShape,
    shortNames: ['ev'],
    storage: '/events',
    selectable: newEventFields,
    rules: newEventRules,
    judgedAsCore: true,
    view: eventsView,
  }),
  served({
    group: 'batch',
    version: 'v1',
    kind: 'Job',
    plural: 'jobs',
    shape: shapes.jobShape,
    categories: ['all'],
    hasStatus: true,
    hasGeneration: true,
    selectable: selectableAt('status.successful', '0'),
    unknownField: 'kind',
    rules: jobRules,
  }),
  served({
    group: 'coordination.k8s.io',
    version: 'v1',
    kind: 'Lease',
    plural: 'leases',
    shape: shapes.leaseShape,
    unconditionalUpdate: false,
    rules: leaseRules,
  }),
  served({
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    shape: shapes.definitionShape,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    namespaced: false,
    hasStatus: true,
    hasGeneration: true,
    unconditionalUpdate: false,
    rules: definitionRules,
  }),
];
