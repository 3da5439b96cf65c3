/**
 * Events have two faces, core/v1 and events.k8s.io/v1, on one set of objects, stored here in core/v1 form
 * (`pkg/apis/events/v1/conversion.go`, `pkg/apis/core/validation/events.go`).
 */
import type { KubeObject } from '../../kube/client.ts';
import type { FieldError } from '../store/api-error.ts';
import { fieldError } from '../store/api-error.ts';
import { equal, textAt } from '../store/json.ts';
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

export const eventsView: View = {
  toStored: (object) =>
    renamed(
      object,
      'v1',
      RENAMED.map(([view, stored]) => [view, stored]),
    ),
  fromStored: (object) =>
    renamed(
      object,
      'events.k8s.io/v1',
      RENAMED.map(([view, stored]) => [stored, view]),
    ),
};

/** The namespace of an Event about a cluster-scoped object is `default`. */
function namespaceErrors(object: KubeObject): FieldError[] {
  const about = textAt(object, 'involvedObject', 'namespace') ?? '';
  const own = object.metadata.namespace ?? '';
  if (about === own || (about === '' && (own === 'default' || own === 'kube-system'))) return [];
  return [fieldError.invalid('involvedObject.namespace', about, 'does not match event.namespace')];
}

function limited(object: KubeObject, name: string, limit: number, required: boolean): FieldError[] {
  const value = textAt(object, name) ?? '';
  if (value === '') return required ? [fieldError.required(name)] : [];
  return value.length > limit ? [fieldError.invalid(name, value, `can have at most ${limit} characters`)] : [];
}

/** Events of the new kind, told by their eventTime, are held to stricter rules, whichever face they come by. */
function eventErrors(object: KubeObject): FieldError[] {
  const errors = namespaceErrors(object);
  if (object.eventTime === undefined) return errors;
  errors.push(
    ...limited(object, 'reportingComponent', 128, true),
    ...limited(object, 'reportingInstance', 128, true),
    ...limited(object, 'action', 128, true),
    ...limited(object, 'reason', 128, true),
    ...limited(object, 'message', 1024, false),
  );
  if (!['Normal', 'Warning'].includes(String(object.type))) {
    errors.push(fieldError.invalid('type', object.type ?? '', 'has invalid value: '));
  }
  return errors;
}

/** The core/v1 face. */
export const coreEventRules: TypeRules = { validate: eventErrors };

/** The events.k8s.io/v1 face: an Event without eventTime cannot be created here, and only its series may change. */
export const newEventRules: TypeRules = {
  validate: (object) =>
    object.eventTime === undefined ? [fieldError.required('eventTime'), ...eventErrors(object)] : eventErrors(object),
  validateUpdate(object, before) {
    const fixed = [
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
    return fixed
      .filter((name) => !equal(object[name], before[name]))
      .map((name) => fieldError.immutable(name, object[name]));
  },
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
  const host = textAt(object, 'source', 'host') ?? '';
  return host === '' ? component : `${component}, ${host}`;
}

/** `pod/web-1` */
export function eventObject(object: KubeObject): string {
  const kind = textAt(object, 'involvedObject', 'kind') ?? '';
  return `${kind.toLowerCase()}/${textAt(object, 'involvedObject', 'name') ?? ''}`;
}
