import { describe, expect, test } from 'vitest';
import { PLAYED_NODE } from '../behaviour/cluster.ts';
import { STRATEGIC } from './api.ts';
import { container, NO_SCHEDULER, pod } from './objects.ts';
import { Player } from './play.ts';
import { causes, OTHER_UID, said, suite } from './suite.ts';

const it = suite();
const player = new Player(it);
const make = async (name: string, spec: object = {}, metadata: object = {}) => {
  const answer = await it.api.post(it.pods, pod(name, spec, metadata));
  expect(said(answer)).toBe('201');
  return `${it.pods}/${name}`;
};

describe('a new Pod', () => {
  test('gets defaults, waits, and takes what the server adds', async () => {
    const { metadata, spec, status } = (await it.api.get(await make('new'))).body;
    expect(metadata).toMatchObject({ name: 'new', generation: 1 });
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      securityContext: {},
      schedulerName: NO_SCHEDULER,
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
      containers: [{ name: 'deploy', image: 'app:1', imagePullPolicy: 'IfNotPresent', resources: {} }],
    });
    expect(status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  test('without its service account is 403, without containers 422', async () => {
    expect(said(await it.api.post(it.pods, pod('no-account', { serviceAccountName: 'none' })))).toBe(
      `403 Forbidden: pods "no-account" is forbidden: error looking up service account ${it.ns}/none: serviceaccount "none" not found`,
    );
    expect(causes(await it.api.post(it.pods, pod('empty', { containers: [] })))).toEqual([
      'spec.containers: Required value',
    ]);
  });
});

describe('a node', () => {
  test('is given once, by a binding, and does not change the generation', async () => {
    const path = await make('bound');
    await player.bind('bound');
    const { metadata, spec, status } = (await it.api.get(path)).body;
    expect(metadata.generation).toBe(1);
    expect(spec.nodeName).toBe(PLAYED_NODE);
    expect(status.conditions).toEqual([
      { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: expect.any(String) },
    ]);
    const again = { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'other' } };
    const refused = await it.api.post(`${path}/binding`, again);
    expect(said(refused)).toBe(
      `409 Conflict: Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "${PLAYED_NODE}"`,
    );
    expect(refused.body.details).toEqual({ name: 'bound', kind: 'pods/binding' });
    expect(said(await it.api.post(`${it.pods}/none/binding`, { ...again, metadata: { name: 'none' } }))).toBe(
      '404 NotFound: pods "none" not found',
    );
    expect((await it.api.patch(path, { spec: { nodeName: 'x' } })).status).toBe(422);
  });
});

describe('a Pod that is there', () => {
  test('changes its images, deadline and labels, and nothing else of its spec', async () => {
    const path = await make('change');
    const image = await it.api.patch(path, { spec: { containers: [container({ image: 'app:2' })] } }, STRATEGIC);
    expect(image.body).toMatchObject({ metadata: { generation: 2 }, spec: { containers: [{ image: 'app:2' }] } });
    expect((await it.api.patch(path, { spec: { activeDeadlineSeconds: 5 } })).body.metadata.generation).toBe(3);
    expect((await it.api.patch(path, { metadata: { labels: { a: 'b' } } })).body.metadata.generation).toBe(3);
    for (const spec of [
      { containers: [container({ env: [{ name: 'A', value: 'b' }] })] },
      { terminationGracePeriodSeconds: 5 },
      { serviceAccountName: 'x' },
    ]) {
      const refused = await it.api.patch(path, { spec });
      expect(refused.status).toBe(422);
      expect(causes(refused)[0]).toMatch(
        /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/,
      );
    }
  });

  test('has its status written by itself, with the empty fields that Go writes', async () => {
    const path = await make('status');
    await player.become('status', 'Running');
    const { body } = await it.api.get(path);
    expect(body.metadata.generation).toBe(1);
    expect(body.status).toMatchObject({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: null }],
      containerStatuses: [{ name: 'deploy', ready: true, lastState: {}, state: { running: {} } }],
    });
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'm' }];
    const merged = await it.api.patch(`${path}/status`, { status: { conditions } }, STRATEGIC);
    expect(merged.body.status.conditions.map((each: { type: string }) => each.type)).toEqual(['PodScheduled', 'Ready']);
    expect((await it.api.patch(path, { status: { phase: 'Failed' } })).body.status.phase).toBe('Running');
  });

  test('by strategic merge takes containers and variables by name, if a merge patch replaces the list', async () => {
    const path = await make('lists', {
      containers: [container({ env: [{ name: 'A', value: '1' }] }), container({ name: 'side' })],
    });
    const patch = {
      spec: {
        '$setElementOrder/containers': [{ name: 'deploy' }, { name: 'side' }],
        containers: [{ name: 'side', image: 'side:2' }],
      },
    };
    expect((await it.api.patch(path, patch, STRATEGIC)).body.spec.containers).toMatchObject([
      { name: 'deploy', image: 'app:1', env: [{ name: 'A', value: '1' }] },
      { name: 'side', image: 'side:2' },
    ]);
    expect((await it.api.patch(path, { spec: { containers: [container()] } })).status).toBe(422);
  });
});

describe('a Pod that is deleted', () => {
  test('on a node has its grace period, which can only become shorter, and goes with 0', async () => {
    const path = await make('grace');
    await player.bind('grace');
    await player.become('grace', 'Running');
    const { status, body } = await it.api.delete(path);
    expect({ status, kind: body.kind }).toEqual({ status: 200, kind: 'Pod' });
    expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30, generation: 2 });
    expect(Date.parse(body.metadata.deletionTimestamp)).toBeGreaterThan(
      Date.parse(body.metadata.creationTimestamp) + 25_000,
    );
    const remove = async (options: object) => (await it.api.delete(path, options)).body.metadata;
    expect(await remove({ gracePeriodSeconds: 60 })).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect(await remove({ gracePeriodSeconds: 5 })).toMatchObject({ deletionGracePeriodSeconds: 5, generation: 2 });
    // Less than nothing is a second.
    expect(await remove({ gracePeriodSeconds: -1 })).toMatchObject({ deletionGracePeriodSeconds: 1 });
    expect(await remove({ gracePeriodSeconds: 0 })).toMatchObject({ deletionGracePeriodSeconds: 0 });
    expect((await it.api.get(path)).status).toBe(404);
  });

  test.each<[what: string, spec: object, prepare: (name: string) => Promise<void>]>([
    ['never met a node', {}, async () => {}],
    ['has finished', { nodeName: PLAYED_NODE }, (name) => player.become(name, 'Succeeded')],
    ['wants no time', { nodeName: PLAYED_NODE, terminationGracePeriodSeconds: 0 }, async () => {}],
  ])('and %s goes at once', async (what, spec, prepare) => {
    const name = `at-once-${what.replaceAll(' ', '-')}`;
    const path = await make(name, spec);
    await prepare(name);
    const { status, body } = await it.api.delete(path);
    expect({ status, kind: body.kind }).toEqual({ status: 200, kind: 'Pod' });
    expect(body.metadata).toMatchObject({
      deletionGracePeriodSeconds: 0,
      deletionTimestamp: expect.any(String),
      generation: 2,
    });
    expect((await it.api.get(path)).status).toBe(404);
  });

  test('with a finalizer stays until that is gone; with time left, until its kubelet lets go', async () => {
    const finalizers = ['example.dev/x'];
    const now = await make('finalizer', { nodeName: PLAYED_NODE }, { finalizers });
    await it.api.delete(now, { gracePeriodSeconds: 0 });
    expect((await it.api.get(now)).body.metadata.deletionGracePeriodSeconds).toBe(0);
    await it.api.patch(now, { metadata: { finalizers: null } });
    expect((await it.api.get(now)).status).toBe(404);
    const later = await make('finalizer-later', { nodeName: PLAYED_NODE }, { finalizers });
    await it.api.delete(later);
    await it.api.patch(later, { metadata: { finalizers: null } });
    expect((await it.api.get(later)).status).toBe(200);
    await player.letGo('finalizer-later');
  });

  test('is asked for its preconditions, and stays in a dry run', async () => {
    const path = await make('precondition');
    expect(said(await it.api.delete(path, { preconditions: { uid: OTHER_UID } }))).toMatch(
      /^409 Conflict: Operation cannot be fulfilled on Pod "precondition": the UID in the precondition/,
    );
    expect(said(await it.api.delete(`${path}?gracePeriodSeconds=x`))).toBe(
      '400 BadRequest: strconv.ParseInt: parsing "x": invalid syntax',
    );
    expect((await it.api.delete(`${path}?dryRun=All`)).body.kind).toBe('Pod');
    expect((await it.api.get(path)).status).toBe(200);
  });
});

test('the log of a Pod that is not there is 404, of a container that is not there 400', async () => {
  const path = await make('log');
  expect(said(await it.api.get(`${it.pods}/none/log`))).toBe('404 NotFound: pods "none" not found');
  expect(said(await it.api.get(`${path}/log?container=nope`))).toBe(
    '400 BadRequest: container nope is not valid for pod log',
  );
});
