/** ConfigMaps, Secrets and Leases: what demo and operator keep beside their deploys. */
import { describe, expect, test } from 'vitest';
import { STRATEGIC } from './api.ts';
import { configMap } from './objects.ts';
import { causes, said, suite } from './suite.ts';

const it = suite();

test('a ConfigMap is replaced without a resourceVersion, and not under an old one', async () => {
  const { body } = await it.api.post(it.maps, configMap('map'));
  const path = `${it.maps}/map`;
  expect((await it.api.put(path, configMap('map', { y: '2' }))).body.data).toEqual({ y: '2' });
  expect(said(await it.api.put(path, body))).toBe(
    '409 Conflict: Operation cannot be fulfilled on configmaps "map": the object has been modified; please apply your changes to the latest version and try again',
  );
  expect((await it.api.patch(path, { data: { z: '3', y: null } }, STRATEGIC)).body.data).toEqual({ z: '3' });
  const { status, body: answer } = await it.api.delete(path);
  expect({ status, answer }).toEqual({
    status: 200,
    answer: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'map', kind: 'configmaps', uid: body.metadata.uid },
    },
  });
  expect(said(await it.api.put(path, configMap('map')))).toBe('404 NotFound: configmaps "map" not found');
});

describe('a Secret', () => {
  test('keeps plain text as base64, and its type', async () => {
    const { body } = await it.api.post(it.secrets, { metadata: { name: 'secret' }, stringData: { a: 'b' } });
    expect(body).toMatchObject({ type: 'Opaque', data: { a: 'Yg==' } });
    expect(body).not.toHaveProperty('stringData');
    const path = `${it.secrets}/secret`;
    expect((await it.api.put(path, { metadata: { name: 'secret' }, stringData: { a: 'c' } })).body.data).toEqual({
      a: 'Yw==',
    });
    expect(causes(await it.api.patch(path, { type: 'x' }))).toEqual(['type: Invalid value: "x": field is immutable']);
    await it.api.patch(path, { immutable: true });
    const words = 'Forbidden: field is immutable when `immutable` is set';
    expect(causes(await it.api.patch(path, { data: { z: 'eA==' } }))).toEqual([`data: ${words}`]);
    expect(causes(await it.api.patch(path, { immutable: false }))).toEqual([`immutable: ${words}`]);
  });

  test('is refused with keys and values that are none', async () => {
    const post = (more: object) => it.api.post(it.secrets, { metadata: { name: 'bad' }, ...more });
    expect(said(await post({ data: { a: '%%%' } }))).toBe(
      '400 BadRequest: Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    );
    expect(causes(await post({ data: { 'a b': '' } }))).toEqual([
      "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ]);
    expect(causes(await post({ type: 'kubernetes.io/dockerconfigjson' }))).toEqual([
      'data[.dockerconfigjson]: Required value',
    ]);
  });
});

test('a Lease takes times of six digits, sane numbers, and changes only under its resourceVersion', async () => {
  const time = '2030-01-01T00:00:00.000000Z';
  const post = (spec: object) => it.api.post(it.leases, { metadata: { name: 'lease' }, spec });
  expect(said(await post({ renewTime: '2030-01-01T00:00:00Z' }))).toBe(
    '400 BadRequest: Lease in version "v1" cannot be handled as a Lease: parsing time "2030-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  );
  const { body } = await post({ holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: time, acquireTime: time });
  expect(body.spec).toEqual({ holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: time, acquireTime: time });
  const path = `${it.leases}/lease`;
  expect(causes(await it.api.patch(path, { spec: { leaseDurationSeconds: 0, leaseTransitions: -1 } }))).toEqual([
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
    'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0',
  ]);
  expect(said(await it.api.put(path, { metadata: { name: 'lease' }, spec: {} }))).toBe(
    '422 Invalid: leases.coordination.k8s.io "lease" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  );
  expect(
    (await it.api.put(path, { ...body, spec: { ...body.spec, holderIdentity: 'you' } })).body.spec.holderIdentity,
  ).toBe('you');
  expect(said(await it.api.put(path, body))).toBe(
    '409 Conflict: Operation cannot be fulfilled on leases.coordination.k8s.io "lease": the object has been modified; please apply your changes to the latest version and try again',
  );
});

test('a Lease is released by a merge patch under its resourceVersion, keeps its empty holder, and is watched by name', async () => {
  const time = '2030-01-01T00:00:00.000000Z';
  const spec = {
    holderIdentity: 'me',
    leaseDurationSeconds: 15,
    renewTime: time,
    acquireTime: time,
    leaseTransitions: 1,
  };
  const { body } = await it.api.post(it.leases, { metadata: { name: 'released' }, spec });
  const byName = `${it.leases}?fieldSelector=metadata.name%3Dreleased`;
  expect((await it.api.get(byName)).body.items).toHaveLength(1);
  const watch = await it.api.watch(`${byName}&resourceVersion=${body.metadata.resourceVersion}`);
  await it.api.post(it.leases, { metadata: { name: 'another' }, spec: { holderIdentity: 'me' } });
  const { uid, resourceVersion } = body.metadata;
  const released = { holderIdentity: '', leaseDurationSeconds: 1 };
  const path = `${it.leases}/released`;
  const { body: after } = await it.api.patch(path, { metadata: { uid, resourceVersion }, spec: released });
  expect(after.spec).toEqual({ ...spec, ...released });
  await expect.poll(() => watch.events.map(({ object }) => object.spec)).toEqual([{ ...spec, ...released }]);
  watch.stop();
  expect(said(await it.api.patch(path, { metadata: { uid, resourceVersion }, spec: { holderIdentity: 'you' } }))).toBe(
    '409 Conflict: Operation cannot be fulfilled on leases.coordination.k8s.io "released": the object has been modified; please apply your changes to the latest version and try again',
  );
  await it.api.delete(path);
  expect(said(await it.api.patch(path, { metadata: { uid, resourceVersion }, spec: { holderIdentity: 'you' } }))).toBe(
    '404 NotFound: leases.coordination.k8s.io "released" not found',
  );
});
