import { beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/client.ts';
import { type Answer, type ApiStatus, cdjPath, openCluster } from './cluster.ts';
import { constraints, fieldName, valueAt, withValue } from './constraints.ts';
import { definition } from './manifests.ts';
import { type Resource, resource, STRICT, uniqueName } from './resources.ts';
import { ROWS, SPEC } from './spec-rows.ts';

/**
 * Every rule, bound and default of the spec, asked of a real API server: local/ evaluates no CEL. status-schema.test.ts
 * does the status.
 */
const cluster = openCluster();
let namespace: string;
beforeAll(async () => {
  namespace = await cluster.namespace();
});

const ofSpec = constraints(definition()).filter(({ path }) => !/^(status|metadata)\b/.test(path));

test('the table has a row for each rule, bound and default of the spec, and no other', () => {
  expect(Object.keys(ROWS).sort()).toEqual(ofSpec.map(({ name }) => name).sort());
});

test.each(Object.entries(ROWS))(
  'the row "%s" has what is accepted and what is refused',
  (name, { accepts, refuses }) => {
    // Whatever another row accepts has what is required; nothing can be refused of a default and of a field that takes
    // anything.
    if (!/(^| )requires /.test(name)) expect(accepts).not.toEqual([]);
    if (!/ (default|nullable|preserve-unknown-fields)$/.test(name)) expect(refuses).not.toEqual([]);
  },
);

/** A resource with a row's value. */
function laid(path: string, keyword: string, value: unknown, beside: Record<string, unknown> = {}): KubeObject {
  const base = resource(namespace, uniqueName(), { ...SPEC, ...beside });
  if (path === '') {
    const { metadata, ...rest } = value as { metadata?: object };
    return { ...base, metadata: { ...base.metadata, ...metadata }, ...rest };
  }
  const isObject = ['rule', 'required'].includes(keyword);
  if (!isObject) return withValue(base, path, value) as unknown as KubeObject;
  return Object.entries(value as object).reduce(
    (object, [field, one]) => withValue(object, `${path}.${field}`, one),
    base as unknown as Record<string, unknown>,
  ) as unknown as KubeObject;
}

const dryRun = (object: KubeObject): Promise<Answer<Resource & ApiStatus>> =>
  cluster.request('POST', cdjPath(namespace), { query: { ...STRICT.query, dryRun: 'All' }, body: object });

describe.each(ofSpec.filter(({ name }) => name in ROWS))('$name', ({ name, path, keyword, value: limit }) => {
  const { accepts, refuses, at = fieldName(path), beside } = ROWS[name]!;

  if (keyword === 'default') {
    test('is filled in if the field is not there, or null', async () => {
      expect(accepts).toEqual([limit]);
      const without = resource(namespace, uniqueName(), SPEC);
      for (const object of [without, withValue({ ...without }, path, null) as unknown as KubeObject]) {
        const { status, warnings, body } = await dryRun(object);
        expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 201, warnings: [] });
        expect(valueAt(body, path)).toEqual(accepts[0]);
      }
    });
    return;
  }

  test.each(accepts.map((value) => [value]))('accepts %j', async (value) => {
    const { status, warnings, body } = await dryRun(laid(path, keyword, value, beside));
    expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 201, warnings: [] });
    if (!['rule', 'required'].includes(keyword)) expect(valueAt(body, path)).toEqual(value);
  });

  test.each(refuses)('refuses %s', async (_, value, says) => {
    const { status, body } = await dryRun(laid(path, keyword, value, beside));
    expect(status, JSON.stringify(body)).toBe(422);
    expect(body.reason).toBe('Invalid');
    const causes = body.details?.causes ?? [];
    expect(causes).toContainEqual(expect.objectContaining({ field: at, message: expect.stringContaining(says) }));
    // Nothing else is wrong with it, but that a broken field keeps rules from being evaluated, which is said.
    const others = causes.filter(({ field, message }) => field !== at && !/rules were not checked/.test(message));
    expect(others).toEqual([]);
  });
});
