/**
 * Events have two faces, core/v1 and events.k8s.io/v1, on one set of objects, stored here in core/v1 form
 * (`pkg/apis/events/v1/conversion.go`, `pkg/apis/core/validation/events.go`).
 */
import type { KubeObject } from '../objects.ts';
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import { equal, isObject, textAt } from '../store/json.ts';
import { keyProblems } from '../store/names.ts';
import type { SelectableFields } from '../store/selectors.ts';
import type { TypeRules, View } from './served-types.ts';

/** [events.k8s.io/v1, core/v1] */
const RENAMED = [
  ['note', 'message'],
  ['regarding', 'involvedObject'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
] as const;

function renamed(object: KubeObject, apiVersion: string, names: [from: string, to: string][]): KubeObject {
  const copy: KubeObject = { ...object, apiVersion };
  for (const [from, to] of names) {
    delete copy[from];
    if (object[from] !== undefined) copy[to] = object[from];
  }
  return copy;
}

const EMPTY_WHERE_OLD = ['reportingController', 'reportingInstance'];

function withoutEmpty(object: KubeObject): KubeObject {
  return Object.fromEntries(
    Object.entries(object).filter(([name, value]) => value !== '' || !EMPTY_WHERE_OLD.includes(name)),
  ) as KubeObject;
}

export const eventsView: View = {
  toStored: (object) =>
    renamed(
      object,
      'v1',
      RENAMED.map(([view, stored]) => [view, stored]),
    ),
  fromStored: (object) =>
    withoutEmpty(
      renamed(
        object,
        'events.k8s.io/v1',
        RENAMED.map(([view, stored]) => [stored, view]),
      ),
    ),
};

const MISPLACED = 'does not match event.namespace';
const isNew = (object: KubeObject): boolean => typeof object.eventTime === 'string';

/**
 * `legacyValidateEvent`: what both faces ask; Events of the new kind, told by their eventTime, are held to stricter
 * rules.
 */
function eventErrors(object: KubeObject, controllerField: string): FieldError[] {
  const about = textAt(object, 'involvedObject', 'namespace') ?? '';
  const own = object.metadata.namespace ?? '';
  const misplaced = isNew(object)
    ? about === '' && own !== 'default' && own !== 'kube-system'
    : about === ''
      ? own !== 'default'
      : about !== own;
  const errors = misplaced ? [fieldError.invalid('involvedObject.namespace', about, MISPLACED)] : [];
  if (!isNew(object)) return errors;
  const controller = textAt(object, 'reportingComponent') ?? '';
  if (controller === '') errors.push(fieldError.required(controllerField));
  errors.push(...keyProblems(controller).map((words) => fieldError.invalid(controllerField, controller, words)));
  return [
    ...errors,
    ...limited(object, 'reportingInstance', 128, true),
    ...limited(object, 'action', 128, true),
    ...limited(object, 'reason', 128, true),
    ...limited(object, 'message', 1024, false),
  ];
}

function limited(object: KubeObject, name: string, bytes: number, required: boolean): FieldError[] {
  const value = textAt(object, name) ?? '';
  if (value === '') return required ? [fieldError.required(name)] : [];
  if (Buffer.byteLength(value) <= bytes) return [];
  return [fieldError.invalid(name, '', `can have at most ${bytes} characters`)];
}

function seriesErrors(object: KubeObject): FieldError[] {
  const { series } = object;
  if (!isObject(series)) return [];
  const errors = Number(series.count ?? 0) < 2 ? [fieldError.invalid('series.count', '', 'should be at least 2')] : [];
  return series.lastObservedTime === undefined ? [...errors, fieldError.required('series.lastObservedTime')] : errors;
}

/** What only a create through events.k8s.io/v1 asks. */
function newErrors(object: KubeObject): FieldError[] {
  const errors = [...eventErrors(object, 'reportingController'), ...seriesErrors(object)];
  if (!isNew(object)) errors.push(fieldError.required('eventTime'));
  const { type } = object;
  if (type !== 'Normal' && type !== 'Warning') {
    errors.push(fieldError.invalid('type', '', `has invalid value: ${type ?? ''}`));
  }
  for (const name of ['firstTimestamp', 'lastTimestamp', 'count', 'source']) {
    const value = object[name];
    const unset = value === undefined || value === null || (isObject(value) && Object.keys(value).length === 0);
    if (!unset) errors.push(fieldError.invalid(name, '', 'needs to be unset'));
  }
  return errors;
}

/** Fields that Go writes though they are empty. */
function fillIn(object: KubeObject): void {
  object.source ??= {};
  object.firstTimestamp ??= null;
  object.lastTimestamp ??= null;
  object.eventTime ??= null;
  object.reportingComponent ??= '';
  object.reportingInstance ??= '';
}

/** The core/v1 face. */
export const coreEventRules: TypeRules = {
  prepareCreate: fillIn,
  prepareUpdate: fillIn,
  validate: (object) => eventErrors(object, 'reportingComponent'),
};

const FIXED = [
  'involvedObject',
  'reason',
  'reportingComponent',
  'reportingInstance',
  'action',
  'related',
  'type',
  'message',
  'eventTime',
];

/** The events.k8s.io/v1 face: of an Event that is there only the series may change. */
export const newEventRules: TypeRules = {
  prepareCreate: fillIn,
  prepareUpdate: fillIn,
  validateCreate: newErrors,
  validateUpdate: (object, before) => [
    ...eventErrors(object, 'reportingController'),
    ...(equal(object.series, before.series) ? [] : seriesErrors(object)),
    ...FIXED.filter((name) => !equal(object[name], before[name])).map((name) =>
      fieldError.immutable(name, object[name]),
    ),
  ],
};

const ABOUT = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];

function selectable(prefix: string): SelectableFields {
  return {
    ...Object.fromEntries(
      ABOUT.map((name) => [`${prefix}.${name}`, (object: KubeObject) => textAt(object, 'involvedObject', name) ?? '']),
    ),
    reason: (object) => textAt(object, 'reason') ?? '',
    type: (object) => textAt(object, 'type') ?? '',
    source: (object) => textAt(object, 'source', 'component') ?? textAt(object, 'reportingComponent') ?? '',
    reportingComponent: (object) => textAt(object, 'reportingComponent') ?? '',
  };
}

export const coreEventFields = selectable('involvedObject');
export const newEventFields: SelectableFields = {
  ...selectable('regarding'),
  reportingController: (object) => textAt(object, 'reportingComponent') ?? '',
};

/** How often and when last: an Event's count lives in one of two places. */
export function eventCount(object: KubeObject): number {
  const series = object.series as { count?: number } | undefined;
  return series?.count ?? (typeof object.count === 'number' ? object.count : 1);
}

export function eventTimes(object: KubeObject): { first: string | undefined; last: string | undefined } {
  const first = textAt(object, 'firstTimestamp') ?? textAt(object, 'eventTime');
  const last = textAt(object, 'series', 'lastObservedTime') ?? textAt(object, 'lastTimestamp') ?? first;
  return { first, last };
}

/** `kubelet, local` */
export function eventSource(object: KubeObject): string {
  const component = textAt(object, 'source', 'component') ?? textAt(object, 'reportingComponent') ?? '';
  const host = textAt(object, 'source', 'host') ?? textAt(object, 'reportingInstance') ?? '';
  return host === '' ? component : `${component}, ${host}`;
}

/** `pod/web-1` */
export function eventObject(object: KubeObject): string {
  const kind = textAt(object, 'involvedObject', 'kind') ?? '';
  return `${kind.toLowerCase()}/${textAt(object, 'involvedObject', 'name') ?? ''}`;
}
