import { mergePatch } from 'in-memory-kubernetes/store/patch.ts';
import { describe, expect, it } from 'vitest';
import { PrunedFields } from '../../../../src/operator/controller/pruned-fields.ts';
import { CAPDEPLOYJOBS, type Call, CRD, DEFINITIONS, Rig } from './rig.ts';

/** The operator's own definition, without these fields of a lane, as an older version's would be. */
function olderDefinition(...fields: string[]) {
  const older = structuredClone(CRD);
  const { properties } = older.spec.versions[0].schema.openAPIV3Schema.properties.status.properties.environments.items;
  for (const field of fields) delete properties[field];
  return older;
}

const isStatus = ({ verb }: Call) => verb === 'replaceStatus';
const minutes = (count: number) => count * 60_000;
const ready = (rig: Rig) => rig.resource.status?.conditions?.find(({ type }) => type === 'Ready');

/** Passes, one every two seconds for so many seconds, as a key that is written comes back. */
async function passes(rig: Rig, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 2) {
    rig.clock.advance(2_000);
    await rig.pass();
  }
}

describe('a CustomResourceDefinition that is older than the operator', () => {
  it('is noticed, and said once in the log and in a condition; the status is not written over and over', async () => {
    const rig = new Rig({}, olderDefinition('openSince'));
    rig.reports.queue('deploy/web', { kind: 'reading', since: rig.now(), lastReadAt: rig.now() });
    await passes(rig, 20);
    expect(ready(rig)).toMatchObject({ status: 'False', reason: 'DefinitionOutdated' });
    expect(ready(rig)?.message).toContain('drops status.environments[].openSince:');
    expect(rig.diary.filter((line) => line.includes('openSince'))).toHaveLength(1);
    rig.forgetCalls();
    await passes(rig, 60);
    expect(rig.calls).toEqual([]);
  });

  it('is asked for again after ten minutes, by one write, and the pass wakes for it', async () => {
    const rig = new Rig({}, olderDefinition('openSince'));
    await passes(rig, 20);
    rig.forgetCalls();
    const { requeueAfterMs = 0 } = await rig.pass();
    expect(requeueAfterMs).toBeGreaterThan(0);
    expect(requeueAfterMs).toBeLessThanOrEqual(minutes(10));
    rig.clock.advance(minutes(10));
    await passes(rig, 60);
    expect(rig.calls.filter(isStatus)).toHaveLength(1);
  });

  it('that was replaced meanwhile is noticed by that write: the fields are there, and the condition is well again', async () => {
    const rig = new Rig({}, olderDefinition('openSince'));
    rig.reports.queue('deploy/web', { kind: 'reading', since: rig.now(), lastReadAt: rig.now() });
    await passes(rig, 20);
    expect(rig.lane()).not.toHaveProperty('openSince');
    rig.store.patch(DEFINITIONS, undefined, CRD.metadata.name, (old) => mergePatch(old, { spec: CRD.spec }));
    rig.clock.advance(minutes(10));
    rig.reports.queue('deploy/web', { kind: 'reading', since: rig.now(), lastReadAt: rig.now() });
    await passes(rig, 20);
    expect(rig.lane()).toHaveProperty('openSince');
    expect(ready(rig)).toMatchObject({ status: 'True' });
    rig.forgetCalls();
    await passes(rig, 20);
    expect(rig.calls).toEqual([]);
  });

  it('does not keep what it knows from being written', async () => {
    const rig = new Rig({}, olderDefinition('openSince'));
    await passes(rig, 20);
    rig.change(CAPDEPLOYJOBS, 'web', {
      metadata: { annotations: { 'freeze.capdeployjob.dev/production': 'alice: 42' } },
    });
    await passes(rig, 4);
    expect(rig.lane()).toMatchObject({ frozen: 'alice: 42' });
  });
});

describe('what the API server dropped', () => {
  const status = (lane: object) => ({ waiting: 1, environments: [{ name: 'production', ...lane }] }) as never;

  it('is nothing if all was stored, whatever else is there', () => {
    const dropped = new PrunedFields();
    expect(dropped.compare(status({ frozen: 'x' }), status({ frozen: 'y', more: 1 }), 0)).toBe(false);
    expect(dropped.problem).toBeUndefined();
  });

  it('is named by its path, also if only some of a list have it, and taken out of what is compared', () => {
    const dropped = new PrunedFields();
    expect(dropped.compare(status({ frozen: 'x', closed: 'y' }), status({ frozen: 'x' }), 0)).toBe(true);
    expect(dropped.problem).toContain('drops status.environments[].closed:');
    expect(dropped.stored(status({ closed: 'z', frozen: 'x' }), 0)).toEqual(status({ frozen: 'x' }));
    expect(dropped.compare(status({ closed: 'y' }), status({}), 0)).toBe(false);
  });

  it('is neither a field that the operator left undefined nor an element of a list that another client changed', () => {
    const dropped = new PrunedFields();
    expect(dropped.compare(status({ frozen: undefined }), status({}), 0)).toBe(false);
    expect(dropped.compare(status({ frozen: 'x' }), { waiting: 1, environments: [] }, 0)).toBe(false);
  });

  it('is remembered while a status has no such field, and forgotten once one was kept', () => {
    const dropped = new PrunedFields();
    dropped.compare(status({ closed: 'y' }), status({}), 0);
    expect(dropped.compare(status({}), status({}), 0)).toBe(false);
    expect(dropped.compare(status({ closed: 'y' }), status({ closed: 'y' }), 0)).toBe(true);
    expect(dropped.problem).toBeUndefined();
  });
});
