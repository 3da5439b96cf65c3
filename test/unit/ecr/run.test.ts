import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NAMESPACES, SECRETS, SERVICE_ACCOUNTS } from '../../../src/kube/client.ts';
import { dockerData, dockerOf, PULL_SECRET_TYPE, REGISTRY, Rig, target } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.stop());

const OTHER = '210987654321';
const OTHER_REGISTRY = REGISTRY.replace('123456789012', OTHER);
const entry = (password: string | undefined) => ({
  username: 'AWS',
  password,
  auth: Buffer.from(`AWS:${password}`).toString('base64'),
});
const requests = (verb: 'get' | 'create' | 'patch', plural: string) => rig.cluster.requests.count({ verb, plural });

describe('one Secret', () => {
  test('is created if there is none', async () => {
    expect(await rig.run()).toBe(0);
    const secret = await rig.secret();
    expect(secret).toMatchObject({
      type: PULL_SECRET_TYPE,
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'capdeployjob' } },
    });
    expect(dockerOf(secret)).toEqual({ auths: { [REGISTRY]: entry(rig.aws.passwords[0]) } });
    expect(rig.said).toEqual([
      expect.stringMatching(
        new RegExp(
          `^targets\\[0\\] deploy/ecr-pull-secret: created, good until \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\dZ for ${REGISTRY}$`,
        ),
      ),
    ]);
  });

  test('is patched if there is one: same object, new token, the other entries, keys, labels and annotations as they were', async () => {
    const before = await rig.create(
      SECRETS,
      'deploy',
      'ecr-pull-secret',
      {
        type: PULL_SECRET_TYPE,
        data: {
          ...dockerData({ auths: { 'docker.io': { auth: 'eDp5' }, [REGISTRY]: entry('old') }, credsStore: 'x' }),
          note: 'eA==',
        },
      },
      { labels: { 'app.kubernetes.io/managed-by': 'Helm', team: 'web' }, annotations: { mine: '1' } },
    );
    expect(await rig.run()).toBe(0);
    const after = await rig.secret();
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.metadata.labels).toEqual(before.metadata.labels);
    expect(after.metadata.annotations).toMatchObject({ mine: '1', 'capdeployjob.dev/expires-at': expect.any(String) });
    expect((after.data as Record<string, string>).note).toBe('eA==');
    expect(dockerOf(after)).toEqual({
      auths: { 'docker.io': { auth: 'eDp5' }, [REGISTRY]: entry(rig.aws.passwords[0]) },
      credsStore: 'x',
    });
  });

  test('says by annotation when its token expires, twelve hours from now, and when it was refreshed', async () => {
    await rig.run();
    const annotations = (await rig.secret()).metadata.annotations ?? {};
    const at = (name: string) => Date.parse(annotations[`capdeployjob.dev/${name}`] ?? '');
    expect(Math.abs(at('refreshed-at') - Date.now())).toBeLessThan(10_000);
    expect(at('expires-at') - at('refreshed-at')).toBeGreaterThan(12 * 3600_000 - 10_000);
    expect(at('expires-at') - at('refreshed-at')).toBeLessThan(12 * 3600_000 + 10_000);
  });

  test.each([
    ['of another type', { type: 'Opaque', stringData: { password: 'hush' } }, /has type Opaque/],
    ['that is immutable', { type: PULL_SECRET_TYPE, immutable: true, data: dockerData({ auths: {} }) }, /is immutable/],
    [
      'that holds no object',
      { type: PULL_SECRET_TYPE, data: dockerData('["hush"]') },
      /something else than a Docker config/,
    ],
  ])('%s is left as it is, and told as a failure', async (_, body, message) => {
    const before = await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', body);
    expect(await rig.run()).toBe(1);
    expect(await rig.secret()).toEqual(before);
    expect(rig.said).toEqual([expect.stringMatching(message)]);
    expect(JSON.stringify(rig.lines)).not.toContain('hush');
  });

  test('two targets keep their registries in it side by side, and the annotation tells the first expiry', async () => {
    const targets = [target(), target({ label: 'targets[1]', registryIds: [OTHER] })];
    expect(await rig.run(targets)).toBe(0);
    expect(Object.keys((await rig.docker()).auths).sort()).toEqual([REGISTRY, OTHER_REGISTRY].sort());
    const { annotations } = (await rig.secret()).metadata;
    expect(Object.keys(JSON.parse(annotations?.['capdeployjob.dev/registries'] ?? '')).sort()).toEqual(
      [REGISTRY, OTHER_REGISTRY].sort(),
    );
  });

  test('a dry run checks every write with the API server and stores none', async () => {
    await rig.namespace('other');
    const before = await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', {
      type: PULL_SECRET_TYPE,
      data: dockerData({ auths: {} }),
    });
    const account = await rig.create(SERVICE_ACCOUNTS, 'deploy', 'web', {});
    const targets = [target({ namespaces: ['deploy', 'other', 'none'] }), target({ serviceAccounts: ['web'] })];
    expect(await rig.run(targets, { dryRun: true })).toBe(1);
    expect(await rig.secret()).toEqual(before);
    expect(await rig.serviceAccount('deploy', 'web')).toEqual(account);
    expect((await rig.kube.list(SECRETS)).items).toHaveLength(1);
    expect([requests('patch', 'secrets'), requests('create', 'secrets')]).toEqual([2, 3]);
    expect(rig.said.filter((line) => line.endsWith('(dry run: nothing was written)'))).toHaveLength(3);
  });
});

describe('registries', () => {
  test('registryIds are asked for in one request, and each has its entry', async () => {
    await rig.run([target({ registryIds: ['123456789012', OTHER] })]);
    expect(rig.aws.requests.map(({ body }) => body)).toEqual([{ registryIds: ['123456789012', OTHER] }]);
    expect(Object.keys((await rig.docker()).auths)).toEqual([REGISTRY, OTHER_REGISTRY]);
  });

  test('a server that does not heed registryIds costs no registry', async () => {
    rig.aws.options.ignoresRegistryIds = true;
    await rig.run([target({ registryIds: [OTHER] })]);
    expect(Object.keys((await rig.docker()).auths)).toEqual([OTHER_REGISTRY]);
  });

  test('the host is the one that AWS answers', async () => {
    rig.aws.options.hostSuffix = 'dkr.ecr.cn-north-1.amazonaws.com.cn';
    await rig.run([target({ region: 'cn-north-1' })]);
    expect(Object.keys((await rig.docker()).auths)).toEqual(['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn']);
  });

  test('a role is assumed with the external id, and its credentials ask for the token', async () => {
    const roleArn = `arn:aws:iam::${OTHER}:role/pull`;
    expect(await rig.run([target({ role: { roleArn, externalId: 'ours' } })])).toBe(0);
    const [assumed, asked] = rig.aws.requests;
    expect(assumed).toMatchObject({
      action: 'AssumeRole',
      accessKeyId: 'AKIDEXAMPLE',
      body: { RoleArn: roleArn, ExternalId: 'ours', RoleSessionName: 'capdeployjob' },
    });
    expect(asked).toMatchObject({
      action: 'GetAuthorizationToken',
      accessKeyId: `ASIA${OTHER}`,
      sessionToken: `session-${OTHER}`,
    });
  });

  test("with a web identity token (IRSA) the ServiceAccount's role asks for the token", async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_ROLE_ARN', `arn:aws:iam::${OTHER}:role/irsa`);
    // Any file will do: the token is for AWS to read.
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', fileURLToPath(import.meta.url));
    expect(await rig.run()).toBe(0);
    expect(rig.aws.requests.map(({ action, accessKeyId }) => [action, accessKeyId])).toEqual([
      ['AssumeRoleWithWebIdentity', ''],
      ['GetAuthorizationToken', `ASIA${OTHER}`],
    ]);
  });

  test('without an external id none is sent', async () => {
    await rig.run([target({ role: { roleArn: `arn:aws:iam::${OTHER}:role/pull` } })]);
    expect(rig.aws.requests[0]?.body).not.toHaveProperty('ExternalId');
  });
});

describe('namespaces', () => {
  test('by a selector: all that have the labels and are not being deleted, with one token for all', async () => {
    for (const name of ['b', 'a', 'ending']) await rig.namespace(name, { pull: 'ecr' });
    await rig.namespace('c', { pull: 'other' });
    const { store } = rig.cluster;
    const ending = store.get(NAMESPACES, undefined, 'ending');
    store.update(NAMESPACES, { ...ending, status: { phase: 'Terminating' } }, { subresource: 'status' });
    expect(await rig.run([target({ namespaces: { labelSelector: 'pull=ecr' } })])).toBe(0);
    const { items } = await rig.kube.list(SECRETS);
    expect(items.map(({ metadata }) => metadata.namespace).sort()).toEqual(['a', 'b']);
    expect(rig.aws.requests).toHaveLength(1);
  });

  test('a selector that finds none is said, and no token is asked for', async () => {
    expect(await rig.run([target({ namespaces: { labelSelector: 'pull=ecr' } })])).toBe(0);
    expect(rig.lines[0]).toMatchObject({
      level: 'warn',
      text: 'targets[0] (ecr-pull-secret): namespaceSelector finds no namespace',
    });
    expect(rig.aws.requests).toEqual([]);
  });

  test('a selector that the API server does not understand fails its target alone', async () => {
    expect(await rig.run([target({ namespaces: { labelSelector: 'a==b==c' } }), target({ label: 'targets[1]' })])).toBe(
      1,
    );
    expect(rig.said[0]).toMatch(/^targets\[0\] \(ecr-pull-secret\): the namespaces could not be listed: BadRequest/);
    expect(await rig.secret()).toBeDefined();
  });

  test('one that is named and not there is a failure, and the others get theirs', async () => {
    expect(await rig.run([target({ namespaces: ['none', 'deploy'] })])).toBe(1);
    expect(rig.said.find((line) => line.includes(' none/'))).toBe(
      'targets[0] none/ecr-pull-secret: namespace none is not there',
    );
    expect(await rig.secret()).toBeDefined();
  });

  test('one that vanishes after the selector found it is no failure', async () => {
    await rig.namespace('gone', { pull: 'ecr' });
    await rig.namespace('stays', { pull: 'ecr' });
    rig.cluster.http.intercept = ({ resource }) =>
      resource?.verb === 'create' && resource.namespace === 'gone'
        ? {
            status: 404,
            body: { kind: 'Status', code: 404, reason: 'NotFound', message: 'namespaces "gone" not found' },
          }
        : undefined;
    expect(await rig.run([target({ namespaces: { labelSelector: 'pull=ecr' } })])).toBe(0);
    expect(rig.lines.find(({ fields }) => fields.namespace === 'gone')).toMatchObject({
      level: 'warn',
      text: 'targets[0] gone/ecr-pull-secret: namespace gone is not there',
    });
    expect(await rig.secret('stays')).toBeDefined();
  });

  test('one that is being deleted meanwhile is no failure either', async () => {
    await rig.namespace('ending', { pull: 'ecr' });
    const message =
      'secrets "x" is forbidden: unable to create new content in namespace ending because it is being terminated';
    rig.cluster.http.intercept = ({ resource }) =>
      resource?.verb === 'create'
        ? { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden', message } }
        : undefined;
    expect(await rig.run([target({ namespaces: { labelSelector: 'pull=ecr' } })])).toBe(0);
    expect(rig.said).toEqual(['targets[0] ending/ecr-pull-secret: namespace ending is being deleted']);
  });

  test('no more than eight are written at one time', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `ns-${index}`);
    for (const name of names) await rig.namespace(name);
    let now = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    /** Others have had their chance by then. */
    const openSoon = async (): Promise<void> => {
      for (let round = 0; round < 20; round += 1) await rig.kube.list(NAMESPACES);
      gate.resolve();
    };
    rig.cluster.http.intercept = async ({ resource }) => {
      if (resource?.verb !== 'create') return undefined;
      now += 1;
      most = Math.max(most, now);
      if (now === 8) void openSoon();
      await gate.promise;
      now -= 1;
      return undefined;
    };
    expect(await rig.run([target({ namespaces: names })])).toBe(0);
    expect(most).toBe(8);
    expect((await rig.kube.list(SECRETS)).items).toHaveLength(40);
  });
});

describe('service accounts', () => {
  test('none is read or written unless asked for', async () => {
    await rig.run();
    expect([requests('get', 'serviceaccounts'), requests('patch', 'serviceaccounts')]).toEqual([0, 0]);
  });

  test('get the Secret at the end of their imagePullSecrets, once, and keep the others', async () => {
    const account = {
      imagePullSecrets: [{ name: 'hub' }],
      automountServiceAccountToken: false,
      secrets: [{ name: 's' }],
    };
    const before = await rig.create(SERVICE_ACCOUNTS, 'deploy', 'web', account);
    await rig.run([target({ serviceAccounts: ['web'] })]);
    await rig.run([target({ serviceAccounts: ['web'] })]);
    expect(await rig.serviceAccount('deploy', 'web')).toMatchObject({
      ...account,
      metadata: { uid: before.metadata.uid },
      imagePullSecrets: [{ name: 'hub' }, { name: 'ecr-pull-secret' }],
    });
    expect(requests('patch', 'serviceaccounts')).toBe(1);
    expect(rig.said[0]).toMatch(/, added to imagePullSecrets of web$/);
    expect(rig.said[1]).not.toMatch(/imagePullSecrets/);
  });

  test('one that is not there is a failure of its namespace; the Secret and the others are done all the same', async () => {
    await rig.create(SERVICE_ACCOUNTS, 'deploy', 'web', {});
    expect(await rig.run([target({ serviceAccounts: ['none', 'web'] })])).toBe(1);
    expect(rig.said).toEqual([
      expect.stringMatching(
        /created, .*, but ServiceAccount deploy\/none is not there: create it, or take it out of serviceAccounts$/,
      ),
    ]);
    expect((await rig.serviceAccount('deploy', 'web')).imagePullSecrets).toEqual([{ name: 'ecr-pull-secret' }]);
    expect(await rig.secret()).toBeDefined();
  });

  test('an addition by another client at the same moment is not lost', async () => {
    const before = await rig.create(SERVICE_ACCOUNTS, 'deploy', 'web', {});
    let raced = false;
    rig.cluster.http.intercept = async ({ resource }) => {
      if (raced || resource?.verb !== 'patch' || resource.plural !== 'serviceaccounts') return undefined;
      raced = true;
      const { uid = '', resourceVersion = '' } = before.metadata;
      await rig.kube.patch(
        SERVICE_ACCOUNTS,
        'deploy',
        'web',
        { uid, resourceVersion },
        { imagePullSecrets: [{ name: 'theirs' }] },
      );
      return undefined;
    };
    expect(await rig.run([target({ serviceAccounts: ['web'] })])).toBe(0);
    expect((await rig.serviceAccount('deploy', 'web')).imagePullSecrets).toEqual([
      { name: 'theirs' },
      { name: 'ecr-pull-secret' },
    ]);
  });
});
