import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../../src/api/capdeployjob.ts';
import { specOf } from '../../../../src/api/capdeployjob.ts';
import { TemplateChecker } from '../../../../src/operator/controller/check-template.ts';
import { aRefusal, CAPDEPLOYJOBS, JOBS, Rig, refusing } from './rig.ts';

const always = () => true;

const checkers = new WeakMap<Rig, TemplateChecker>();

/** Asks what is known of the template of the resource as it is stored now. */
async function check(rig: Rig, { doubt = false } = {}) {
  const resource = rig.resource;
  const parsed = specOf(resource);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const checker = checkers.get(rig) ?? new TemplateChecker(rig.client, rig.now);
  checkers.set(rig, checker);
  return checker.check(resource, parsed.spec, doubt);
}

const answers = (rig: Rig, error: () => Error) => {
  rig.before = refusing(always, error);
};

/** As an earlier process of this version said it. */
const APPROVED = 'the API server accepts Jobs made of the template';
const templateValid = (changes: Partial<Condition> = {}): Condition => ({
  type: 'TemplateValid',
  status: 'True',
  reason: 'DryRunAccepted',
  message: APPROVED,
  observedGeneration: 1,
  lastTransitionTime: new Date(0).toISOString(),
  ...changes,
});

/** Some other valid template, and a new generation with it. */
const edit = (rig: Rig, image = 'registry.example/web-deploy:2') =>
  rig.change(CAPDEPLOYJOBS, 'web', { spec: { template: { spec: { containers: [{ name: 'cap', image }] } } } });

describe('what the API server says to a dry run of a Job', () => {
  it('makes the template valid if it accepts it, and stores nothing', async () => {
    const rig = new Rig();
    const { check: found, again } = await check(rig);
    expect(found).toMatchObject({ generation: 1, status: 'True', reason: 'DryRunAccepted' });
    expect(again).toBeUndefined();
    expect(rig.calls).toMatchObject([{ verb: 'create', plural: 'jobs', dryRun: true }]);
    expect(rig.store.list(JOBS).items).toEqual([]);
  });

  it('makes it valid if fields are left out that could run cap twice, and names them', async () => {
    const rig = new Rig();
    const restartPolicyRules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
    const cap = { name: 'cap', image: 'registry.example/web-deploy:1', restartPolicy: 'Never', restartPolicyRules };
    await rig.change(CAPDEPLOYJOBS, 'web', { spec: { template: { spec: { containers: [cap] } } } });
    const { check: found } = await check(rig);
    expect(found.status).toBe('True');
    expect(found.message).toBe(
      'the API server accepts Jobs made of the template, without spec.template.spec.containers[0].restartPolicy, ' +
        'spec.template.spec.containers[0].restartPolicyRules: cap runs once',
    );
  });

  const cases: [sentence: string, error: () => Error, expected: object, retryInMs: number | undefined][] = [
    [
      'makes it invalid where the Job is invalid (422), in the words of the API server',
      () => aRefusal('invalid', 'Invalid: spec.template.spec.containers[0].image: Required value'),
      { status: 'False', reason: 'DryRunRefused', message: expect.stringContaining('Required value') },
      10_000,
    ],
    [
      'makes it invalid where it cannot be decoded (400)',
      () => aRefusal('invalid', 'BadRequest: unknown field "spec.template.spec.containrs"', { status: 400 }),
      { status: 'False', reason: 'DryRunRefused', message: expect.stringContaining('containrs') },
      10_000,
    ],
    [
      'makes it invalid where a policy or a quota forbids it (403), and looks again, for these change without the resource',
      () => aRefusal('forbidden', 'exceeded quota'),
      { status: 'False', reason: 'DryRunRefused', message: expect.stringContaining('exceeded quota') },
      10_000,
    ],
    [
      'leaves it unknown where a webhook knows no dry run: that says nothing of the template',
      () => aRefusal('invalid', 'BadRequest: admission webhook "x" does not support dry run', { status: 400 }),
      { status: 'Unknown', reason: 'DryRunUnsupported', message: expect.stringContaining('dry run') },
      undefined,
    ],
    [
      'leaves it unknown where the API server is in trouble (5xx)',
      () => aRefusal('retryable', 'etcdserver: request timed out'),
      { status: 'Unknown', reason: 'NotChecked', message: expect.stringContaining('timed out') },
      10_000,
    ],
    [
      'leaves it unknown where the namespace is gone (404)',
      () => aRefusal('gone', 'namespaces "deploy" not found'),
      { status: 'Unknown', reason: 'NotChecked', message: expect.stringContaining('not found') },
      10_000,
    ],
  ];
  for (const [sentence, error, expected, retryInMs] of cases) {
    it(sentence, async () => {
      const rig = new Rig();
      answers(rig, error);
      const { check: found, again } = await check(rig);
      expect(found).toMatchObject({ generation: 1, ...expected });
      expect(again).toBe(retryInMs === undefined ? undefined : rig.now() + retryInMs);
    });
  }

  it('is not asked if no Job can be made of the template, nor ever again until it is edited', async () => {
    const rig = new Rig({ template: { spec: { containers: [] } } });
    const { check: found, again } = await check(rig);
    expect(found).toMatchObject({ status: 'False', reason: 'DryRunRefused' });
    expect(found.message).toMatch(/^spec\.template\.spec\.containers/);
    expect(again).toBeUndefined();
    rig.clock.advance(3_600_000);
    await check(rig);
    expect(rig.calls).toEqual([]);
  });

  it('is cut to what a condition may hold', async () => {
    const rig = new Rig();
    answers(rig, () => aRefusal('invalid', 'x'.repeat(50_000)));
    expect((await check(rig)).check.message).toHaveLength(4096);
  });

  it('fails the pass if it is a mistake of the program', async () => {
    const rig = new Rig();
    answers(rig, () => new TypeError('a mistake'));
    await expect(check(rig)).rejects.toThrow('a mistake');
  });
});

describe('when the API server is asked again', () => {
  it('is never, once it has accepted the template of this generation', async () => {
    const rig = new Rig();
    const first = await check(rig);
    rig.clock.advance(30 * 86_400_000);
    expect(await check(rig)).toEqual(first);
    expect(rig.calls).toHaveLength(1);
  });

  it('is after ten seconds if it refused, then after twice as long each time, and at the latest after five minutes', async () => {
    const rig = new Rig();
    answers(rig, () => aRefusal('forbidden'));
    for (const seconds of [10, 20, 40, 80, 160, 300, 300]) {
      const { again } = await check(rig);
      expect(again).toBe(rig.now() + seconds * 1000);
      const calls = rig.calls.length;
      rig.clock.advance(seconds * 1000 - 1);
      await check(rig);
      expect(rig.calls).toHaveLength(calls);
      rig.clock.advance(1);
    }
  });

  it('begins from ten seconds again after an edit, and after it had accepted', async () => {
    const rig = new Rig();
    answers(rig, () => aRefusal('forbidden'));
    await check(rig);
    rig.clock.advance(10_000);
    await check(rig);
    edit(rig);
    expect((await check(rig)).again).toBe(rig.now() + 10_000);
    rig.before = undefined;
    rig.clock.advance(10_000);
    expect((await check(rig)).again).toBeUndefined();
    answers(rig, () => aRefusal('forbidden'));
    expect((await check(rig, { doubt: true })).again).toBe(rig.now() + 10_000);
  });

  it('is at once if the spec is of a new generation, whatever was known of the old one', async () => {
    const rig = new Rig();
    answers(rig, () => aRefusal('invalid'));
    await check(rig);
    rig.before = undefined;
    edit(rig);
    expect((await check(rig)).check).toMatchObject({ generation: 2, status: 'True' });
  });

  it('is at once if the resource was deleted and made anew, though its generation is the same', async () => {
    const rig = new Rig();
    await check(rig);
    rig.store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
    rig.createResource({ template: { spec: { containers: [] } } });
    expect((await check(rig)).check).toMatchObject({ generation: 1, status: 'False' });
  });

  it('is at once if a Job was refused for an approved template, as often as that is told', async () => {
    const rig = new Rig();
    await check(rig);
    answers(rig, () => aRefusal('invalid', 'a new policy'));
    expect((await check(rig, { doubt: true })).check).toMatchObject({ status: 'False', message: 'a new policy' });
  });

  it('is in its own time if a Job was refused for a template that is known to be refused', async () => {
    const rig = new Rig();
    answers(rig, () => aRefusal('invalid'));
    await check(rig);
    await check(rig, { doubt: true });
    expect(rig.calls).toHaveLength(1);
    rig.clock.advance(10_000);
    await check(rig, { doubt: true });
    expect(rig.calls).toHaveLength(2);
  });
});

describe('a new process', () => {
  /** The status that stands there when the process begins. */
  async function firstCheck(condition: Condition, { doubt = false } = {}) {
    const rig = new Rig();
    rig.setStatus({ conditions: [condition] });
    const result = await check(rig, { doubt });
    return { ...result, asked: rig.calls.length };
  }

  it('takes an approval of this generation from the status, with its words, and asks nothing', async () => {
    const { check: found, again, asked } = await firstCheck(templateValid());
    expect(found).toEqual({
      generation: 1,
      status: 'True',
      reason: 'DryRunAccepted',
      message: APPROVED,
    });
    expect(again).toBeUndefined();
    expect(asked).toBe(0);
  });

  for (const [sentence, condition] of [
    ['of an earlier generation', templateValid({ observedGeneration: 0 })],
    ['that was a refusal', templateValid({ status: 'False' })],
    ['that was not known', templateValid({ status: 'Unknown' })],
    ['of something else', templateValid({ type: 'Ready' })],
    ['in other words: a version before this one left out other fields', templateValid({ message: 'accepted' })],
  ] as const) {
    it(`asks where the status holds a finding ${sentence}`, async () => {
      const { check: found, asked } = await firstCheck(condition);
      expect(asked).toBe(1);
      expect(found.message).not.toBe(condition.message === APPROVED ? '' : condition.message);
    });
  }

  it('asks in spite of an approval if a Job was refused for its template', async () => {
    expect((await firstCheck(templateValid(), { doubt: true })).asked).toBe(1);
  });

  it('believes what it has found itself, and no status that says otherwise', async () => {
    const rig = new Rig();
    answers(rig, () => aRefusal('invalid'));
    await check(rig);
    rig.setStatus({ conditions: [templateValid()] });
    expect((await check(rig)).check.status).toBe('False');
  });
});
