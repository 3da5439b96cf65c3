/** What `kubectl get` shows: the API server renders the rows (meta.k8s.io/v1 Table, `pkg/printers/internalversion`). */
import type { KubeObject } from '../objects.ts';
import { at, clone, listAt, textAt } from '../store/json.ts';
import { eventCount, eventObject, eventSource, eventTimes } from './event-rules.ts';
import { evaluateJsonPath } from './json-path.ts';
import type { Column, ServedType } from './served-types.ts';

/** `5s`, `2m3s`, `4h`, `3d2h`: as `duration.HumanDuration` writes it. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const pair = (large: number, unit: string, small: number, smallUnit: string): string =>
    small === 0 ? `${large}${unit}` : `${large}${unit}${small}${smallUnit}`;
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return pair(days, 'd', hours % 24, 'h');
  if (days < 730) return `${days}d`;
  return pair(Math.floor(days / 365), 'y', days % 365, 'd');
}

export function since(time: string | undefined, now: number): string {
  if (time === undefined) return '<unknown>';
  const age = now - Date.parse(time);
  // Clocks differ by a little; what is yet to come has no age.
  return age < -2000 ? '<invalid>' : humanDuration(age);
}

const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  priority: 0,
  cell: (object) => object.metadata.name,
};
const AGE: Column = text('Age', (object, now) => since(object.metadata.creationTimestamp, now));

function text(name: string, cell: Column['cell'], priority = 0, type = 'string'): Column {
  return { name, type, priority, cell };
}

function isTrue(object: KubeObject, type: string): boolean {
  return listAt(object, 'status', 'conditions').some((each) => each.type === type && each.status === 'True');
}

function jobStatus(object: KubeObject): string {
  if (isTrue(object, 'Complete')) return 'Complete';
  if (isTrue(object, 'Failed')) return 'Failed';
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (isTrue(object, 'Suspended')) return 'Suspended';
  if (isTrue(object, 'FailureTarget')) return 'FailureTarget';
  if (isTrue(object, 'SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

function jobDuration(object: KubeObject, now: number): string {
  const start = textAt(object, 'status', 'startTime');
  if (start === undefined) return '';
  const end = textAt(object, 'status', 'completionTime');
  return humanDuration((end === undefined ? now : Date.parse(end)) - Date.parse(start));
}

function podReason(object: KubeObject): string {
  let reason = textAt(object, 'status', 'reason') ?? textAt(object, 'status', 'phase') ?? 'Unknown';
  for (const status of listAt(object, 'status', 'containerStatuses').toReversed()) {
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    const ended = at(status, 'state', 'terminated');
    const terminated = textAt(ended, 'reason') ?? '';
    if (waiting !== undefined && waiting !== '') reason = waiting;
    else if (terminated !== '') reason = terminated;
    else if (ended !== undefined) {
      const signal = Number(at(ended, 'signal') ?? 0);
      reason = signal === 0 ? `ExitCode:${at(ended, 'exitCode')}` : `Signal:${signal}`;
    }
  }
  const deleted = object.metadata.deletionTimestamp !== undefined;
  return deleted && !['Succeeded', 'Failed'].includes(textAt(object, 'status', 'phase') ?? '') ? 'Terminating' : reason;
}

const containerCount = (object: KubeObject): number => listAt(object, 'spec', 'containers').length;
const readyCount = (object: KubeObject): number =>
  listAt(object, 'status', 'containerStatuses').filter((status) => status.ready === true).length;
const restarts = (object: KubeObject): number =>
  listAt(object, 'status', 'containerStatuses').reduce((sum, status) => sum + Number(status.restartCount ?? 0), 0);
const dataCount = (object: KubeObject): number =>
  Object.keys((object.data ?? {}) as object).length + Object.keys((object.binaryData ?? {}) as object).length;
const none = (value: string | undefined): string => (value === undefined || value === '' ? '<none>' : value);
const joined = (items: unknown[]): string => none(items.join(','));
const templateContainers = (object: KubeObject) => listAt(object, 'spec', 'template', 'spec', 'containers');

/** Columns of the built-in types, by `group/plural`. */
export const BUILT_IN_COLUMNS: Record<string, Column[]> = {
  'batch/jobs': [
    NAME,
    text('Status', jobStatus),
    text(
      'Completions',
      (object) => `${at(object, 'status', 'succeeded') ?? 0}/${at(object, 'spec', 'completions') ?? 1}`,
    ),
    text('Duration', jobDuration),
    AGE,
    text('Containers', (object) => joined(templateContainers(object).map((each) => each.name)), 1),
    text('Images', (object) => joined(templateContainers(object).map((each) => each.image)), 1),
    text(
      'Selector',
      (object) =>
        joined(
          Object.entries((at(object, 'spec', 'selector', 'matchLabels') ?? {}) as object).map((each) => each.join('=')),
        ),
      1,
    ),
  ],
  '/pods': [
    NAME,
    text('Ready', (object) => `${readyCount(object)}/${containerCount(object)}`),
    text('Status', podReason),
    text('Restarts', (object) => String(restarts(object))),
    AGE,
    text('IP', (object) => none(textAt(object, 'status', 'podIP')), 1),
    text('Node', (object) => none(textAt(object, 'spec', 'nodeName')), 1),
    text('Nominated Node', (object) => none(textAt(object, 'status', 'nominatedNodeName')), 1),
    text('Readiness Gates', () => '<none>', 1),
  ],
  '/events': eventColumns(),
  'events.k8s.io/events': eventColumns(),
  '/namespaces': [NAME, text('Status', (object) => textAt(object, 'status', 'phase') ?? ''), AGE],
  '/secrets': [NAME, text('Type', (object) => textAt(object, 'type') ?? 'Opaque'), text('Data', dataCount), AGE],
  '/configmaps': [NAME, text('Data', dataCount), AGE],
  '/serviceaccounts': [NAME, AGE],
  'coordination.k8s.io/leases': [NAME, text('Holder', (object) => textAt(object, 'spec', 'holderIdentity') ?? ''), AGE],
  'apiextensions.k8s.io/customresourcedefinitions': [
    NAME,
    text('Created At', (object) => object.metadata.creationTimestamp ?? '', 0, 'date'),
  ],
};

function eventColumns(): Column[] {
  return [
    text('Last Seen', (object, now) => since(eventTimes(object).last, now)),
    text('Type', (object) => textAt(object, 'type') ?? ''),
    text('Reason', (object) => textAt(object, 'reason') ?? ''),
    text('Object', eventObject),
    text('Subobject', (object) => textAt(object, 'involvedObject', 'fieldPath') ?? '', 1),
    text('Source', eventSource, 1),
    text('Message', (object) => (textAt(object, 'message') ?? '').trim()),
    text('First Seen', (object, now) => since(eventTimes(object).first, now), 1),
    text('Count', eventCount, 1),
    { ...NAME, priority: 1 },
  ];
}

/** Columns of a custom resource: NAME, its additionalPrinterColumns by JSONPath, or AGE where it names none. */
export function customColumns(definitions: unknown): Column[] {
  const defined = (Array.isArray(definitions) ? definitions : []).map((each): Column => {
    const path = String(at(each, 'jsonPath') ?? '');
    const type = String(at(each, 'type') ?? 'string');
    return {
      name: String(at(each, 'name') ?? ''),
      type,
      description: String(at(each, 'description') ?? ''),
      priority: Number(at(each, 'priority') ?? 0),
      cell: (object, now) => customCell(evaluateJsonPath(path, object), type, now),
    };
  });
  return [NAME, ...(defined.length === 0 ? [AGE] : defined)];
}

function customCell(values: unknown[], type: string, now: number): unknown {
  const [value] = values;
  if (value === undefined || value === null) return null;
  if (type === 'date') return since(String(value), now);
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  return value;
}

/** `include`: what each row carries of its object, by the query parameter `includeObject`. */
export function renderTable(
  type: ServedType,
  objects: KubeObject[],
  metadata: Record<string, unknown>,
  options: { now: number; include: string; headers: boolean },
): Record<string, unknown> {
  const columns = type.columns ?? [NAME, AGE];
  const stored = type.view === undefined ? objects : objects.map((object) => type.view?.toStored(object) ?? object);
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: options.headers
      ? columns.map(({ name, type, format, description, priority }) => ({
          name,
          type,
          format: format ?? '',
          description: description ?? '',
          priority,
        }))
      : null,
    rows: objects.map((object, index) => ({
      cells: columns.map((column) => column.cell(stored[index] ?? object, options.now)),
      ...rowConditions(type, stored[index] ?? object),
      object: rowObject(object, options.include),
    })),
  };
}

/** Pods that are over are marked, so that clients may leave them out. */
function rowConditions(type: ServedType, object: KubeObject): { conditions?: unknown[] } {
  const phase = type.storage === '/pods' ? textAt(object, 'status', 'phase') : undefined;
  if (phase !== 'Succeeded' && phase !== 'Failed') return {};
  const message = phase === 'Failed' ? 'The pod failed.' : 'The pod has completed successfully.';
  return { conditions: [{ type: 'Completed', status: 'True', reason: phase, message }] };
}

function rowObject(object: KubeObject, include: string): unknown {
  if (include === 'None') return null;
  if (include === 'Object') return object;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: clone(object.metadata) };
}
