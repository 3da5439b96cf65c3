import { describe, expect, test } from 'vitest';
import { freezeProblem, freezesOf, thawsOf } from '../../../src/lanes/freeze.ts';
import { plan } from '../../../src/lanes/plan.ts';
import { planLane } from '../../../src/lanes/plan-lane.ts';
import { aClaim, aJob, aLane, anObservation, aPod, aRawSpec, aResource, aSpec, at } from '../../kit/builders.ts';

const freeze = (environment: string, words = 'alice: incident 42') => ({
  [`freeze.capdeployjob.dev/${environment}`]: words,
});

describe('who froze an environment, and why', () => {
  test.each([
    ['as the annotation says', freeze('production'), [['production', 'alice: incident 42']]],
    [
      'each environment for itself',
      { ...freeze('a', 'x'), ...freeze('B_1', 'y') },
      [
        ['a', 'x'],
        ['B_1', 'y'],
      ],
    ], // prettier-ignore
    [
      'also where it names nobody',
      freeze('production', ' \n'),
      [['production', 'by the annotation freeze.capdeployjob.dev/production, which names nobody']],
    ],
    [
      'on one line, without what reorders text',
      freeze('production', 'bob:\n\u001b[2Jno\u202e deploys\u0000'),
      [['production', 'bob: [2Jno deploys']],
    ],
    ['not by other annotations', { 'capdeployjob.dev/freeze': 'x', 'freeze.example.com/production': 'x' }, []],
    ['not without annotations', undefined, []],
  ])('%s', (_, annotations, expected) => {
    expect([...freezesOf(annotations as Record<string, string> | undefined)]).toEqual(expected);
  });

  test('in no more than the status takes', () => {
    expect(freezesOf(freeze('production', 'x'.repeat(5000))).get('production')?.length).toBe(256);
  });

  test('without secrets, also if the status shows a part of one', () => {
    const token = `ghp_${'a1B2c3'.repeat(6)}`;
    for (const before of ['alice: found ', 'alice: '.padEnd(241, 'x ')]) {
      const words = freezesOf(freeze('production', `${before}${token}`)).get('production');
      expect(words).toBe(`${before}[redacted]`);
    }
    const unseen = freezesOf(freeze('production', `${'x '.repeat(120)}${token}`)).get('production');
    expect(unseen).not.toContain('ghp_a');
  });
});

describe('a freeze that freezes nothing', () => {
  const problem = (...environments: string[]) =>
    freezeProblem(freezesOf(Object.assign({}, ...environments.map((name) => freeze(name)))), aSpec());

  test('is told, with what there is', () => {
    expect(problem('prodution', 'production')).toBe(
      'metadata.annotations: freeze.capdeployjob.dev/prodution freezes nothing, for spec.environments names no such environment (case counts): correct it or take it away; there are production, staging',
    );
  });

  test.each([
    ['in other letters', ['Production'], true],
    ['of no name', [''], true],
    ['of an environment that is there', ['staging'], false],
    ['none', [], false],
  ])('%s', (_, environments, isProblem) => {
    expect(problem(...environments) !== undefined).toBe(isProblem);
  });

  test('makes the resource not ready, and nothing is frozen by it', () => {
    const resource = aResource({ metadata: { annotations: freeze('Production') } });
    const job = aJob();
    const { status, start } = plan(anObservation({ resource, jobs: [job] }));
    expect(status.conditions?.[0]).toMatchObject({
      type: 'Ready',
      status: 'False',
      reason: 'FreezeOfUnknownEnvironment',
    });
    expect(start).toEqual([job]);
  });
});

describe('a frozen lane', () => {
  test('is shown in the status as it was frozen, and in what waits there', () => {
    const resource = aResource({ metadata: { annotations: freeze('production') } });
    const { status, start } = plan(
      anObservation({ resource, jobs: [aJob(), aJob({ id: 'r2', environment: 'staging' })] }),
    );
    expect(start.map(({ metadata }) => metadata.labels?.['capdeployjob.dev/environment'])).toEqual(['staging']);
    expect(status.environments?.[0]).toMatchObject({
      name: 'production',
      frozen: 'alice: incident 42',
      waiting: [{ id: 'r1', why: 'frozen: alice: incident 42' }],
    });
    expect(status.environments?.[1]).not.toHaveProperty('frozen');
    expect(status.conditions?.[0]).toMatchObject({ type: 'Ready', status: 'True' });
  });

  test('names all that froze it, for each has to be undone', () => {
    const spec = aRawSpec({ suspend: true, environments: [{ name: 'production', suspend: true }] });
    const resource = aResource({ spec, metadata: { annotations: freeze('production') } });
    expect(plan(anObservation({ resource })).status.environments?.[0]?.frozen).toBe(
      'spec.suspend is true; spec.environments[production].suspend is true; alice: incident 42',
    );
  });

  test('lets run what runs', () => {
    const job = aJob({ started: -30 });
    const previous = { name: 'production', active: [aClaim(job)] };
    const { remove, status } = planLane(aLane({ jobs: [job], pods: [aPod(job)], previous, freeze: 'alice' }));
    expect([remove, status?.active]).toEqual([[], [aClaim(job)]]);
  });

  test('takes back a claim whose Job never started', () => {
    const job = aJob();
    const previous = { name: 'production', active: [aClaim(job)] };
    const { touch, start, status } = planLane(aLane({ jobs: [job], previous, freeze: 'alice' }));
    expect([touch, start, status?.active]).toEqual([[job], undefined, undefined]);
  });

  test('is open from the moment at which the thaw is seen: what waited for hours starts', () => {
    const job = aJob({ sentAt: at(-7200), createdAt: -7190 });
    const previous = { name: 'production', frozen: 'alice' };
    expect(planLane(aLane({ jobs: [job], previous })).start).toBe(job);
  });
});

describe('what a write of the status thaws', () => {
  const frozen = (name: string, words?: string) => (words === undefined ? { name } : { name, frozen: words });
  const production = frozen('production', 'alice: incident 42');

  test.each([
    [
      'an environment that was frozen, with what had frozen it',
      [production, frozen('staging', 'bob')],
      [frozen('production'), frozen('staging', 'bob')],
      [{ environment: 'production', words: 'alice: incident 42' }],
    ],
    [
      'two of them',
      [production, frozen('staging', 'spec.suspend is true')],
      [frozen('production'), frozen('staging')],
      [
        { environment: 'production', words: 'alice: incident 42' },
        { environment: 'staging', words: 'spec.suspend is true' },
      ],
    ],
    ['not one that somebody else froze meanwhile', [production], [frozen('production', 'bob: sale')], []],
    ['not one that was not frozen', [frozen('production')], [frozen('production')], []],
    ['not one that is frozen now', [frozen('production')], [production], []],
    ['none where the status was lost', undefined, [frozen('production')], []],
    ['not one that the spec no longer names', [frozen('removed', 'alice')], [frozen('removed')], []],
    ['not one that the spec no longer names, and that is forgotten', [frozen('removed', 'alice')], [], []],
  ])('%s', (_, before, after, expected) => {
    expect(thawsOf(before && { environments: before }, { environments: after }, aSpec())).toEqual(expected);
  });

  test('is not known if the spec cannot be read', () => {
    expect(thawsOf({ environments: [production] }, { environments: [frozen('production')] }, undefined)).toEqual([]);
  });

  test.each([
    ['the annotation is taken off', {}, {}],
    ['it is taken off, with a typing error in another one', {}, freeze('Production')],
  ])('is what the plan says where %s', (_, spec, annotations) => {
    const resource = aResource({
      spec: aRawSpec(spec),
      metadata: { annotations },
      status: { environments: [production] },
    });
    const { status } = plan(anObservation({ resource }));
    expect(thawsOf(resource.status, status, aSpec())).toEqual([
      { environment: 'production', words: 'alice: incident 42' },
    ]);
  });
});
