import { GarbageCollector } from 'in-memory-kubernetes/controllers/garbage-collector.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS, capDeployJob, DEFINITIONS, definition, merged, newStore, refusal, SCHEMA } from './builders.ts';

function defined(): Store {
  const { store } = newStore();
  store.create(DEFINITIONS, definition());
  return store;
}

const create = (store: Store, spec: Record<string, unknown>) => store.create(CAPDEPLOYJOBS, capDeployJob('web', spec));

describe('a CustomResourceDefinition', () => {
  test('is established at once, and its type is served', () => {
    const store = defined();
    const { status } = store.get(DEFINITIONS, undefined, 'capdeployjobs.capdeployjob.dev') as {
      status?: { conditions: unknown[] };
    };
    expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
    expect(store.types.ofKind('capdeployjob.dev/v1alpha1', 'CapDeployJob')).toMatchObject({
      custom: true,
      hasStatus: true,
      shortNames: ['cdj'],
    });
  });

  test.each<[what: string, change: Record<string, unknown>, words: string]>([
    [
      'of another name than plural and group',
      { metadata: { name: 'x' } },
      'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
    ],
    [
      'without a schema',
      { spec: { versions: [{ name: 'v1', served: true, storage: true }] } },
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ],
    [
      'without a storage version',
      { spec: { versions: [{ name: 'v1', served: true, schema: { openAPIV3Schema: SCHEMA } }] } },
      'must have exactly one version marked as storage version',
    ],
    ['of an unknown scope', { spec: { scope: 'Planet' } }, 'spec.scope: Unsupported value: "Planet"'],
  ])('%s is refused', (_what, change, words) => {
    const { store } = newStore();
    expect(refusal(() => store.create(DEFINITIONS, merged(definition() as never, change)))).toContain(words);
  });

  test('whose default changes shows the new default in old objects, without a new resourceVersion', () => {
    const store = defined();
    const before = create(store, {});
    const stored = store.get(DEFINITIONS, undefined, 'capdeployjobs.capdeployjob.dev');
    const properties = { spec: { properties: { slow: { type: 'boolean', default: true } } } };
    const { spec } = definition(merged(SCHEMA as never, { properties })) as { spec: unknown };
    store.update(DEFINITIONS, { ...stored, spec });
    const after = store.get(CAPDEPLOYJOBS, 'default', 'web');
    expect(after.spec).toMatchObject({ slow: true });
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  test('takes its objects along when it is deleted, and is served no more', () => {
    const { store, clock } = newStore();
    const collector = new GarbageCollector(store);
    store.create(DEFINITIONS, definition());
    create(store, {});
    const seen: string[] = [];
    store.watch(
      CAPDEPLOYJOBS,
      { resourceVersion: String(store.version) },
      { event: ({ type }) => seen.push(type), ended: () => seen.push('ended') },
    );
    store.delete(DEFINITIONS, undefined, 'capdeployjobs.capdeployjob.dev');
    clock.advance(100);
    expect(refusal(() => store.list(CAPDEPLOYJOBS))).toMatch(/^404/);
    expect(store.list(DEFINITIONS).items).toEqual([]);
    expect(seen).toEqual(['DELETED', 'ended']);
    collector.stop();
  });
});

describe('the schema of a custom resource', () => {
  test.each<[what: string, spec: Record<string, unknown>, words: string]>([
    ['a missing required field', { url: undefined }, 'spec.url: Required value'],
    [
      'a number where text is wanted',
      { url: 5 },
      'spec.url: Invalid value: "integer": spec.url in body must be of type string: "integer"',
    ],
    [
      'a text that is too long',
      { url: `https://${'x'.repeat(20)}` },
      'spec.url: Too long: may not be more than 20 bytes',
    ],
    [
      'a text that does not match',
      { url: 'ftp://x' },
      `spec.url: Invalid value: "ftp://x": spec.url in body should match '^https://'`,
    ],
    [
      'a number above the maximum',
      { wait: 21 },
      'spec.wait: Invalid value: 21: spec.wait in body should be less than or equal to 20',
    ],
    ['a number below the minimum', { wait: -1 }, 'spec.wait in body should be greater than or equal to 0'],
    ['a fraction where a whole number is wanted', { wait: 1.5 }, 'spec.wait in body must be of type integer: "number"'],
    [
      'a value that is not of the enumeration',
      { policy: 'Replace' },
      'spec.policy: Unsupported value: "Replace": supported values: "Queue", "Supersede"',
    ],
    ['too many items', { tags: ['a', 'b', 'c'] }, 'spec.tags: Too many: 3: must have at most 2 items'],
    [
      'the same key twice',
      { environments: [{ name: 'a' }, { name: 'a' }] },
      'spec.environments[1]: Duplicate value: {"name":"a"}',
    ],
    ['a missing field of an item', { environments: [{}] }, 'spec.environments[0].name: Required value'],
  ])('refuses %s with 422', (_what, spec, words) => {
    const words422 = refusal(() => create(defined(), spec));
    expect(words422).toMatch(/^422 Invalid: CapDeployJob.capdeployjob.dev "web" is invalid: /);
    expect(words422).toContain(words);
  });

  test('that was tightened does not judge again what has not changed', () => {
    const store = defined();
    create(store, { url: 'https://long-long-q' });
    const stored = store.get(DEFINITIONS, undefined, 'capdeployjobs.capdeployjob.dev');
    const tight = merged(SCHEMA as never, { properties: { spec: { properties: { url: { maxLength: 10 } } } } });
    store.update(DEFINITIONS, { ...stored, spec: (definition(tight) as { spec: unknown }).spec });
    const object = store.get(CAPDEPLOYJOBS, 'default', 'web');
    expect(
      refusal(() => store.update(CAPDEPLOYJOBS, merged(object, { status: { waiting: 1 } }), { subresource: 'status' })),
    ).toBe('accepted');
    const fresh = store.get(CAPDEPLOYJOBS, 'default', 'web');
    expect(refusal(() => store.update(CAPDEPLOYJOBS, merged(fresh, { spec: { url: 'https://other-q' } })))).toMatch(
      /^422/,
    );
  });
});
