/** Events, by events.k8s.io/v1 as the operator writes them and by core/v1 as people read them. */
import { describe, expect, test } from 'vitest';
import { event } from './objects.ts';
import { causes, keyProblem, said, suite } from './suite.ts';

const it = suite();

test('an Event that one API wrote is read by the other, with its fields renamed and the empty ones that Go writes', async () => {
  const { status, body } = await it.api.post(it.newEvents, event('both', it.ns));
  expect(status).toBe(201);
  expect(body).toEqual({
    ...event('both', it.ns),
    metadata: body.metadata,
    deprecatedSource: {},
    deprecatedFirstTimestamp: null,
    deprecatedLastTimestamp: null,
  });
  const { regarding, note, reportingController, ...rest } = event('both', it.ns);
  expect((await it.api.get(`${it.events}/both`)).body).toEqual({
    ...rest,
    apiVersion: 'v1',
    metadata: body.metadata,
    involvedObject: regarding,
    message: note,
    reportingComponent: reportingController,
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
  });
});

describe('an Event of events.k8s.io/v1 is refused with 422', () => {
  const most = (field: string, bytes: number) => `${field}: Invalid value: "": can have at most ${bytes} characters`;
  test.each<[what: string, more: object, complaints: string[]]>([
    ['without a time', { eventTime: undefined }, ['eventTime: Required value']],
    ['without an action', { action: undefined }, ['action: Required value']],
    ['without a reason', { reason: undefined }, ['reason: Required value']],
    ['with a long note', { note: 'x'.repeat(1025) }, [most('message', 1024)]],
    ['with a note that is long in bytes', { note: 'é'.repeat(600) }, [most('message', 1024)]],
    ['with a long reason', { reason: 'x'.repeat(129) }, [most('reason', 128)]],
    ['without a type', { type: undefined }, ['type: Invalid value: "": has invalid value: ']],
    ['with an unknown type', { type: 'Odd' }, ['type: Invalid value: "": has invalid value: Odd']],
    [
      'without a controller',
      { reportingController: undefined, reportingInstance: undefined },
      [
        'reportingController: Required value',
        'reportingController: Invalid value: "": name part must be non-empty',
        `reportingController: Invalid value: "": ${keyProblem}`,
        'reportingInstance: Required value',
      ],
    ],
    [
      'with a controller that is no qualified name',
      { reportingController: 'a b' },
      [`reportingController: Invalid value: "a b": ${keyProblem}`],
    ],
    [
      'about an object without a namespace',
      { regarding: { kind: 'Job', name: 'x' } },
      ['involvedObject.namespace: Invalid value: "": does not match event.namespace'],
    ],
    [
      'with a series of one',
      { series: { count: 1 } },
      ['series.count: Invalid value: "": should be at least 2', 'series.lastObservedTime: Required value'],
    ],
    [
      'with fields of the old kind',
      { deprecatedCount: 2, deprecatedSource: { component: 'x' } },
      ['count: Invalid value: "": needs to be unset', 'source: Invalid value: "": needs to be unset'],
    ],
  ])('%s', async (_what, more, complaints) => {
    const answer = await it.api.post(`${it.newEvents}?dryRun=All`, event('bad', it.ns, more));
    expect(causes(answer)).toEqual(complaints);
    // It is judged as an Event of the core group.
    expect(said(answer)).toMatch(/^422 Invalid: Event "bad" is invalid: /);
    expect(answer.body.details).toMatchObject({ name: 'bad', kind: 'Event' });
    expect(answer.body.details).not.toHaveProperty('group');
  });
});

test.each([
  ['2030-01-01T00:00:00Z', '"Z"'],
  ['2030-01-01T00:00:00.000Z', '".000Z"'],
])('the time %s has not six digits: 400', async (eventTime, rest) => {
  expect(said(await it.api.post(it.newEvents, event('time', it.ns, { eventTime })))).toBe(
    `400 BadRequest: Event in version "v1" cannot be handled as a Event: parsing time "${eventTime}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse ${rest} as ".000000"`,
  );
});

test('an Event of events.k8s.io/v1 changes only in its series; by core/v1 it changes as it likes', async () => {
  const made = (await it.api.post(it.newEvents, event('series', it.ns))).body;
  const path = `${it.newEvents}/series`;
  expect(said(await it.api.put(path, { ...made, note: 'other' }))).toBe(
    '422 Invalid: Event "series" is invalid: message: Invalid value: "other": field is immutable',
  );
  const series = { count: 2, lastObservedTime: '2030-01-01T00:00:01.000000Z' };
  expect((await it.api.put(path, { ...made, series })).body.series).toEqual(series);
  expect((await it.api.patch(path, { series: { count: 3 } })).body.series).toEqual({ ...series, count: 3 });
  expect((await it.api.get(`${it.events}/series`)).body.series).toEqual({ ...series, count: 3 });
  expect((await it.api.patch(`${it.events}/series`, { message: 'other' })).body.message).toBe('other');
  expect(said(await it.api.post(it.newEvents, event('series', it.ns)))).toBe(
    '409 AlreadyExists: events.events.k8s.io "series" already exists',
  );
});

test('an Event of core/v1 is held to less', async () => {
  const old = {
    metadata: { name: 'old' },
    involvedObject: { kind: 'Job', namespace: it.ns, name: 'x' },
    reason: 'R',
    message: 'm',
    source: { component: 'c', host: 'h' },
    firstTimestamp: '2030-01-01T00:00:00.123Z',
    count: 2,
  };
  const { body } = await it.api.post(it.events, old);
  expect(body).toEqual({
    ...old,
    apiVersion: 'v1',
    kind: 'Event',
    metadata: body.metadata,
    firstTimestamp: '2030-01-01T00:00:00Z',
    lastTimestamp: null,
    eventTime: null,
    reportingComponent: '',
    reportingInstance: '',
  });
  const seen = (await it.api.get(`${it.newEvents}/old`)).body;
  expect(seen).toMatchObject({
    note: 'm',
    deprecatedCount: 2,
    deprecatedSource: { component: 'c', host: 'h' },
    eventTime: null,
  });
  expect(seen).not.toHaveProperty('reportingController');
  expect((await it.api.patch(`${it.events}/old`, { count: 3 })).body.count).toBe(3);
  const elsewhere = {
    ...old,
    metadata: { name: 'elsewhere' },
    involvedObject: { ...old.involvedObject, namespace: 'other' },
  };
  expect(causes(await it.api.post(it.events, elsewhere))).toEqual([
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ]);
});
