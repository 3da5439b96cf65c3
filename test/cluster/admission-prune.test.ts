import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CAPDEPLOYJOBS, FREEZE_PREFIX } from '../../src/api/names.ts';
import { JOBS, PODS } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { deployed, eventually, inWorld, NAMESPACES, running, served, type World, waiting } from '../behaviour/world.ts';
import { type AdmissionWorld, ALLOW_DELETE, admissionWorld, serviceAccount, USERS, type User } from './admission.ts';

/**
 * Argo CD prunes a CapDeployJob on which requests wait, on a real API server with the policy capdeployjob-deletion,
 * with the operator at work: nothing is lost without a word, and nothing starts while it goes.
 */
let admission: AdmissionWorld;
vi.setConfig({ testTimeout: 240_000 });

beforeAll(async () => {
  admission = await admissionWorld();
}, 60_000);
afterAll(() => admission?.stop());

const { root } = USERS;
const argo: User = {
  name: serviceAccount('argocd', 'argocd-application-controller').name,
  groups: ['system:masters', 'system:authenticated'],
};

const KIND = 'ValidatingAdmissionPolicyBinding';

/** The policies on what people do to CapDeployJobs hold in that namespace, too. @returns what ends that. */
async function bind(namespace: string): Promise<() => Promise<void>> {
  const items = ['capdeployjob-freeze', 'capdeployjob-deletion'].map((policy) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: KIND,
    metadata: { name: `${policy}-${namespace}` },
    spec: {
      policyName: admission.nameOf('ValidatingAdmissionPolicy', policy),
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
    },
  }));
  const LIST = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await admission.shell(root, `kubectl apply -f - <<< "$LIST"`, { LIST });
  return async () => {
    await admission.shell(root, `kubectl delete -f - <<< "$LIST"`, { LIST });
  };
}

const underPolicies = (run: (world: World) => Promise<void>) =>
  inWorld(async (world) => {
    const unbind = await bind(world.namespace);
    try {
      await run(world);
    } finally {
      await unbind();
    }
  });

/** As Argo CD's PrunePropagationPolicy. @returns the words of a refusal, or ''. */
const prune = (world: World, cascade: string, more = ''): Promise<string> =>
  admission
    .shell(argo, `kubectl -n ${world.namespace} delete cdj web --cascade=${cascade} --wait=false ${more}`)
    .then(() => '', String);

const isGone = (world: World, type = CAPDEPLOYJOBS, name = 'web') =>
  world.kube.get(type, world.namespace, name).then(
    () => false,
    (error) => isKubeError(error, 'gone') || Promise.reject(error),
  );

const left = async (world: World) => {
  const [jobs, pods] = await Promise.all([world.jobs('web'), world.kube.list(PODS, { namespace: world.namespace })]);
  return [...jobs, ...pods.items].map(({ metadata }) => metadata.name);
};

const freeze = (world: World) =>
  admission.shell(
    root,
    `kubectl -n ${world.namespace} annotate cdj web ${FREEZE_PREFIX}production="root: incident 42"`,
  );
const allow = (world: World) =>
  admission.shell(root, `kubectl -n ${world.namespace} annotate cdj web ${ALLOW_DELETE}=true`);

/** The Jobs that the operator has tried to start: more than once where the Job controller wrote first. */
const starts = (world: World) => {
  const resumes = world.calls.filter(({ verb, type, body }) => {
    const { spec } = (body ?? {}) as { spec?: { suspend?: boolean } };
    return verb === 'patch' && type === JOBS && spec?.suspend === false;
  });
  return [...new Set(resumes.map(({ name }) => name))];
};

describe.concurrent.each(['foreground', 'background'])('a prune (%s)', (cascade) => {
  test(
    'is refused while a frozen request waits; allowed, it takes everything with it and starts nothing',
    underPolicies(async (world) => {
      const { ask } = await served(world);
      await freeze(world);
      await ask('v1.0.0', 0, { requestedBy: 'alice' });
      const [entry] = await waiting(world, 'v1.0.0');
      await eventually('the policy holds', async () => (await prune(world, cascade, '--dry-run=server')) !== '');
      const refused = await prune(world, cascade);
      expect(refused).toContain(
        `requests wait and would never be deployed (production: ${entry?.job} (v1.0.0 for alice)); it is frozen,`,
      );
      const { metadata } = await world.resource('web');
      expect(metadata).not.toHaveProperty('deletionTimestamp');
      expect(await left(world)).toEqual([entry?.job]);
      await allow(world);
      expect(await prune(world, cascade)).toBe('');
      await eventually('it is gone', () => isGone(world));
      await eventually('all that was its own is gone', async () => (await left(world)).length === 0);
      expect([starts(world), deployed(world)]).toEqual([[], []]);
    }),
  );

  test(
    'is refused while a request waits behind a deploy; allowed, it takes both and starts nothing more',
    underPolicies(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      const { job } = await running(world, 'v1.0.0');
      await ask('v1.0.1', 1, { requestedBy: 'alice' });
      const [entry] = await waiting(world, 'v1.0.1');
      await eventually('the policy holds', async () => (await prune(world, cascade, '--dry-run=server')) !== '');
      const refused = await prune(world, cascade);
      expect(refused).toContain(`a deploy is under way and would be killed (production: ${job}); requests wait and`);
      expect(refused).toContain(`(production: ${entry?.job} (v1.0.1 for alice)). To delete it all the same: so that`);
      expect((await world.jobs('web')).map(({ metadata }) => metadata.deletionTimestamp)).toEqual([
        undefined,
        undefined,
      ]);
      await allow(world);
      expect(await prune(world, cascade)).toBe('');
      await eventually('it is gone', () => isGone(world));
      await eventually('all that was its own is gone', async () => (await left(world)).length === 0);
      expect([starts(world), deployed(world)]).toEqual([[job], ['v1.0.0']]);
    }),
  );
});

test(
  'a namespace goes with all that waits in it, and asks nobody',
  underPolicies(async (world) => {
    const { ask } = await served(world);
    await freeze(world);
    await ask('v1.0.0', 0);
    await waiting(world, 'v1.0.0');
    await eventually('the policy holds', async () => (await prune(world, 'background', '--dry-run=server')) !== '');
    await admission.shell(root, `kubectl delete namespace ${world.namespace} --wait=false`);
    await eventually('it is gone', () => isGone(world, NAMESPACES, world.namespace));
    expect([starts(world), deployed(world)]).toEqual([[], []]);
  }),
);
