import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Aws } from '../../src/aws/aws-client.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { parseConfig } from '../../src/ecr/config.ts';
import { runOnce } from '../../src/ecr/run.ts';
import { JOBS, type KubeObject, PODS, SECRETS, SERVICE_ACCOUNTS } from '../../src/kube/client.ts';
import { HttpKubeClient } from '../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { type DockerConfig, dockerData, dockerOf, PULL_SECRET_TYPE } from '../unit/ecr/rig.ts';
import { AWS_ENV, EcrRig, linesOf, REGISTRY } from './ecr-rig.ts';

/**
 * `capdeploy ecr-login` against a real API server under its own RBAC, and against MiniStack's ECR and STS. Needs what
 * ecr-rig.ts says, and nothing else: no node, no registry.
 */

// Programs are started one after the other, on a machine that a control plane shares.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const rig = new EcrRig();
const SECRET = 'ecr-pull-secret';
/** Of the namespaces that hold the refresher itself. */
let one: string;
let many: string;
let oneAccount: string;
let manyAccount: string;

const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };
const isWorkload = ({ kind }: KubeObject): boolean => kind === 'CronJob' || kind === 'Job';

beforeAll(async () => {
  one = await rig.namespace('one', RESTRICTED);
  many = await rig.namespace('many', RESTRICTED);
  const oneParts = await rig.build(['rbac-one-namespace', 'service-accounts-one-namespace', 'policy'], one);
  await rig.apply(oneParts.filter((object) => !isWorkload(object)));
  oneAccount = await rig.accountKubeconfig(one);
  // The policy of the first variant is bound to another account, and cluster-wide objects of both would have one name.
  const manyParts = await rig.build(['rbac-many-namespaces', 'service-accounts-many-namespaces'], many);
  await rig.apply(manyParts.filter((object) => !isWorkload(object)));
  manyAccount = await rig.accountKubeconfig(many);
});
afterAll(() => rig.stop());

const secretOf = (namespace: string, name = SECRET): Promise<KubeObject> => rig.kube.get(SECRETS, namespace, name);
const dockerIn = async (namespace: string): Promise<DockerConfig> => dockerOf(await secretOf(namespace));

function expectThatItWorks({ auths }: DockerConfig): void {
  const { password = '', auth } = auths[REGISTRY] ?? {};
  expect(password).not.toBe('');
  expect(auth).toBe(Buffer.from(`AWS:${password}`).toString('base64'));
}

describe('with the rights for one namespace', () => {
  // They all have but one name that they may write to.
  beforeEach(() => rig.kubectl(['delete', 'secret', SECRET, '-n', one, '--ignore-not-found']));

  test('creates the Secret, adds it to the ServiceAccount, and patches it the next time; other entries stay', async () => {
    const config = rig.config([{ secretName: SECRET, namespaces: [one], serviceAccounts: ['default'] }]);
    const first = await rig.run([`--config=${config}`], oneAccount);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(first)).toEqual([
      expect.stringMatching(/: created, good until .*, added to imagePullSecrets of default$/),
    ]);

    const created = await secretOf(one);
    const docker = dockerOf(created);
    expectThatItWorks(docker);
    const data = dockerData({
      ...docker,
      auths: { ...docker.auths, 'docker.io': { auth: 'eDp5' } },
      credHelpers: { a: 'b' },
    });
    const { uid = '', resourceVersion = '' } = created.metadata;
    await rig.kube.patch(SECRETS, one, SECRET, { uid, resourceVersion }, { data });

    const second = await rig.run([`--config=${config}`], oneAccount);
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(second)).toEqual([expect.stringMatching(/: patched, good until /)]);
    const patched = await secretOf(one);
    expect(patched.metadata.uid).toBe(uid);
    expect(dockerOf(patched)).toMatchObject({ auths: { 'docker.io': { auth: 'eDp5' } }, credHelpers: { a: 'b' } });
    expectThatItWorks(dockerOf(patched));
    const { annotations = {} } = patched.metadata;
    const hours = (Date.parse(annotations['capdeployjob.dev/expires-at'] ?? '') - Date.now()) / 3600_000;
    expect(hours).toBeGreaterThan(11.9);
    expect(hours).toBeLessThan(12.1);
    const account = await rig.kube.get<KubeObject & { imagePullSecrets?: object[] }>(SERVICE_ACCOUNTS, one, 'default');
    expect(account.imagePullSecrets).toEqual([{ name: SECRET }]);
  });

  test('a dry run is checked by the API server, and changes nothing', async () => {
    const before = (await rig.tryKubectl(['get', 'secrets', '-n', one, '-o', 'json'])).stdout;
    const args = [`--secret-name=${SECRET}`, `--namespace=${one}`, '--dry-run'];
    expect(await rig.run(args, oneAccount)).toMatchObject({ code: 0 });
    expect(JSON.parse((await rig.tryKubectl(['get', 'secrets', '-n', one, '-o', 'json'])).stdout)).toEqual(
      JSON.parse(before),
    );
  });

  test('another namespace is refused by name, the exit code tells, and the allowed one is done', async () => {
    const config = rig.config([{ secretName: SECRET, namespaces: [many, one] }]);
    const ended = await rig.run([`--config=${config}`], oneAccount);
    expect(ended.code).toBe(1);
    expect(linesOf(ended).find((line) => line.includes(many))).toMatch(
      /a right is missing or a policy refuses it \(see deploy\/ecr-login\): Forbidden: secrets "ecr-pull-secret" is forbidden: User ".*" cannot get resource "secrets"/,
    );
    expectThatItWorks(await dockerIn(one));
  });

  test.each([
    ['of another type', { type: 'Opaque', stringData: { password: 'hush' } }, /has type Opaque/],
    ['that is immutable', { type: PULL_SECRET_TYPE, immutable: true, data: dockerData({ auths: {} }) }, /is immutable/],
  ])('a Secret %s is refused and stays', async (_, body, message) => {
    const home = await rig.namespace(`refuse-${crypto.randomUUID().slice(0, 4)}`);
    const before = await rig.kube.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: home, name: SECRET },
      ...body,
    });
    const ended = await rig.run([`--secret-name=${SECRET}`, `--namespace=${home}`], manyAccount);
    expect(ended.code).toBe(1);
    expect(linesOf(ended)).toEqual([expect.stringMatching(message)]);
    expect(ended.stdout + ended.stderr).not.toContain('hush');
    expect(await secretOf(home)).toEqual(before);
  });

  test('holds no right that it does not need', async () => {
    const may = async (...ask: string[]) => (await rig.tryKubectl(['auth', 'can-i', ...ask], oneAccount)).stdout.trim();
    expect(await may('get', `secrets/${SECRET}`, '-n', one)).toBe('yes');
    expect(await may('patch', `serviceaccounts/default`, '-n', one)).toBe('yes');
    for (const ask of [
      ['get', 'secrets/other'],
      ['list', 'secrets'],
      ['watch', 'secrets'],
      ['delete', `secrets/${SECRET}`],
      ['update', `secrets/${SECRET}`],
      ['patch', 'secrets/other'],
      ['patch', 'serviceaccounts/other'],
      ['create', 'serviceaccounts/default', '--subresource=token'],
      ['create', 'pods'],
    ]) {
      expect(await may(...ask, '-n', one), ask.join(' ')).toBe('no');
    }
    expect(await may('list', 'namespaces')).toBe('no');
  });

  test('the policy refuses Secrets of any other type: no token of another ServiceAccount can be had', async () => {
    const account = new HttpKubeClient({ config: loadKubeConfig({ kubeconfig: oneAccount }) });
    const create = (type: string) => {
      const annotations = { 'kubernetes.io/service-account.name': 'default' };
      const metadata = { namespace: one, name: `made-${crypto.randomUUID().slice(0, 8)}`, annotations };
      return account.create(SECRETS, {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata,
        type,
        data: dockerData({ auths: {} }),
      } as KubeObject);
    };
    const refused = /capdeploy ecr-login creates only Secrets of type kubernetes.io\/dockerconfigjson/;
    // A policy counts a moment after it was stored.
    await expect.poll(() => create('Opaque').then(() => 'created', String), { timeout: 30_000 }).toMatch(refused);
    await expect(create('kubernetes.io/service-account-token')).rejects.toThrow(refused);
    await expect(create(PULL_SECRET_TYPE)).resolves.toMatchObject({ type: PULL_SECRET_TYPE });
    await account.close();
  });
});

describe('with the rights for many namespaces', () => {
  test('a role of another account: its registry, by its host', async () => {
    const target = {
      secretName: SECRET,
      namespaces: [many],
      roleArn: 'arn:aws:iam::210987654321:role/pull',
      externalId: 'ours',
    };
    expect(await rig.run([`--config=${rig.config([target])}`], manyAccount)).toMatchObject({ code: 0, stderr: '' });
    expect(Object.keys((await dockerIn(many)).auths)).toEqual(['210987654321.dkr.ecr.ap-northeast-1.amazonaws.com']);
  });

  test('200 namespaces in one run, created and then patched', { timeout: 300_000 }, async () => {
    const COUNT = 200;
    const label = { [`ecr-${rig.id}`]: 'many' };
    const names: string[] = [];
    for (let index = 0; index < COUNT; index += 1) names.push(await rig.namespace(`many-${index}`, label));
    const config = rig.config([{ secretName: SECRET, namespaceSelector: { matchLabels: label } }]);
    const seconds: number[] = [];
    for (const action of ['created', 'patched']) {
      const began = performance.now();
      const ended = await rig.run([`--config=${config}`], manyAccount);
      seconds.push((performance.now() - began) / 1000);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(linesOf(ended)).toHaveLength(COUNT);
      expect(ended.stdout).toContain(`"${action}":${COUNT}`);
    }
    for (const name of names) expectThatItWorks(await dockerIn(name));
    console.info(
      `${COUNT} namespaces: created in ${seconds[0]?.toFixed(1)} s, patched in ${seconds[1]?.toFixed(1)} s, the program's start included`,
    );
    expect(Math.max(...seconds)).toBeLessThan(60);
  });

  test('a namespace that is being deleted is passed over', async () => {
    const label = { [`ecr-${rig.id}`]: 'ending' };
    const stays = await rig.namespace('stays', label);
    const ends = await rig.namespace('ends', label);
    // Holds the namespace for as long as the test needs it.
    const held = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'held', namespace: ends, finalizers: ['example.com/hold'] },
    };
    const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
    await rig.kube.create(CONFIG_MAPS, held);
    await rig.kubectl(['delete', 'namespace', ends, '--wait=false']);
    try {
      const selected = await rig.run(
        [`--secret-name=${SECRET}`, `--namespace-selector=ecr-${rig.id}=ending`],
        manyAccount,
      );
      expect(selected).toMatchObject({ code: 0 });
      expect(linesOf(selected)).toEqual([expect.stringContaining(`${stays}/${SECRET}: created`)]);
      // Who names it has a mistake in the configuration, and is told so.
      const named = await rig.run([`--secret-name=${SECRET}`, `--namespace=${ends}`], manyAccount);
      expect(named.code).toBe(1);
      expect(linesOf(named)).toEqual([`target ${ends}/${SECRET}: namespace ${ends} is being deleted`]);
    } finally {
      const { metadata } = await rig.kube.get(CONFIG_MAPS, ends, 'held');
      const { uid = '', resourceVersion = '' } = metadata;
      await rig.kube.patch(CONFIG_MAPS, ends, 'held', { uid, resourceVersion }, { metadata: { finalizers: null } });
    }
  });
});

describe('a Pod that starts at any moment finds a Secret that works', () => {
  /** A reader, who looks all the time, until what is done has ended. @returns how often it looked. */
  async function whileReading(namespace: string, act: () => Promise<void>): Promise<number> {
    const { uid } = (await secretOf(namespace)).metadata;
    let looks = 0;
    let reading = true;
    const reader = (async () => {
      while (reading) {
        const secret = await secretOf(namespace);
        expect(secret.metadata.uid).toBe(uid);
        expect(secret.type).toBe(PULL_SECRET_TYPE);
        const docker = dockerOf(secret);
        expectThatItWorks(docker);
        expect(docker.auths['docker.io']).toEqual({ auth: 'eDp5' });
        looks += 1;
      }
    })();
    try {
      await Promise.race([act(), reader]);
    } finally {
      reading = false;
    }
    await reader;
    return looks;
  }

  async function prepared(suffix: string): Promise<string> {
    const namespace = await rig.namespace(suffix);
    const old = { [REGISTRY]: { username: 'AWS', password: 'old', auth: Buffer.from('AWS:old').toString('base64') } };
    const data = dockerData({ auths: { 'docker.io': { auth: 'eDp5' }, ...old } });
    await rig.kube.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: SECRET },
      type: PULL_SECRET_TYPE,
      data,
    } as KubeObject);
    return namespace;
  }

  test('while 50 runs follow each other', async () => {
    const namespace = await prepared('race');
    Object.assign(process.env, AWS_ENV());
    const targets = parseConfig(
      `targets: [{ secretName: ${SECRET}, namespaces: [${namespace}] }]`,
      'test',
      'ap-northeast-1',
    );
    const kube = new HttpKubeClient({ config: loadKubeConfig({ kubeconfig: manyAccount }) });
    const aws = new Aws();
    const { signal } = new AbortController();
    const looks = await whileReading(namespace, async () => {
      for (let run = 0; run < 50; run += 1) {
        expect(await runOnce({ targets, aws, kube, clock: systemClock, log: silentLog, dryRun: false, signal })).toBe(
          0,
        );
      }
    });
    aws.close();
    await kube.close();
    expect(looks).toBeGreaterThan(50);
  });

  test('while runs are killed at any point, and the next one finishes', async () => {
    const namespace = await prepared('killed');
    const args = [`--secret-name=${SECRET}`, `--namespace=${namespace}`, '--service-account=default'];
    const began = performance.now();
    expect(await rig.run(args, manyAccount)).toMatchObject({ code: 0 });
    const whole = performance.now() - began;
    const KILLS = 12;
    await whileReading(namespace, async () => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const run = rig.start(args, manyAccount);
        // Over the second half of a run: before that the program only starts.
        const timer = setTimeout(run.kill, whole * (0.5 + (0.5 * kill) / KILLS));
        await run.ended;
        clearTimeout(timer);
      }
    });
    expect(await rig.run(args, manyAccount)).toMatchObject({ code: 0 });
  });
});

describe('the manifests', () => {
  test('the examples build: the image in every Pod, the configuration, and the rights where the Secret goes', async () => {
    const one = await rig.example('one-namespace');
    const many = await rig.example('many-namespaces');
    const the = (objects: readonly KubeObject[], kind: string, name = 'capdeployjob-ecr-login') =>
      objects.find((object) => object.kind === kind && object.metadata.name === name) as KubeObject;
    for (const objects of [one, many]) {
      const images = JSON.stringify(objects).match(/"image":"[^"]*"/g);
      expect(images).toEqual(Array(3).fill('"image":"registry.example.com/capdeployjob:0.1.0"'));
      expect(the(objects, 'Namespace', 'capdeployjob-system').metadata.annotations).toEqual({
        'argocd.argoproj.io/sync-wave': '-3',
      });
      // The operator's own rights are what they were.
      expect(JSON.stringify(the(objects, 'ClusterRole', 'capdeployjob'))).not.toContain('secrets');
      the(objects, 'ValidatingAdmissionPolicy');
    }
    expect(JSON.stringify(the(one, 'ConfigMap').data)).toContain('namespaces: [web]');
    expect([the(one, 'Role'), the(one, 'RoleBinding')].map(({ metadata }) => metadata.namespace)).toEqual([
      'web',
      'web',
    ]);
    expect(JSON.stringify(the(many, 'ClusterRole'))).toContain('serviceaccounts');
    expect(the(many, 'ServiceAccount').metadata.annotations).toHaveProperty(['eks.amazonaws.com/role-arn']);
    expect(the(many, 'PrometheusRule')).toBeDefined();
  });

  test('the CronJob and the Job at install have one and the same Pod, apply twice, and Pod Security lets the Pod in', async () => {
    const home = await rig.namespace('install', RESTRICTED);
    const objects = await rig.build(['rbac-one-namespace'], home);
    const cronJob = objects.find(({ kind }) => kind === 'CronJob') as KubeObject & {
      spec: { jobTemplate: { spec: { template: object } } };
    };
    const job = objects.find(({ kind }) => kind === 'Job') as KubeObject & { spec: { template: object } };
    expect(job.spec.template).toEqual(cronJob.spec.jobTemplate.spec.template);
    // The rights of this variant were applied before, in another namespace and under the same name.
    await rig.apply(objects);
    expect(await rig.apply(objects)).toMatch(/job\.batch\/capdeployjob-ecr-login-install-\w+ unchanged/);
    await expect
      .poll(
        async () =>
          (
            await rig.kube.list(PODS, {
              namespace: home,
              labelSelector: 'app.kubernetes.io/name=capdeployjob-ecr-login',
            })
          ).items.length,
        {
          timeout: 30_000,
        },
      )
      .toBe(1);
    const { status } = (await rig.kube.get(JOBS, home, job.metadata.name)) as { status?: { active?: number } };
    expect(status?.active).toBe(1);
  });
});
