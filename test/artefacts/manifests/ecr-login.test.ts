import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ecrLoginHelp, parseEcrLogin } from '../../../src/cli/ecr-login-flags.ts';
import { parseConfig, targetFields } from '../../../src/ecr/config.ts';
import { ECR_ANNOTATION, SECRET_TYPE } from '../../../src/ecr/plan-secret.ts';
import { RUN_LIMIT_MS } from '../../../src/ecr/run.ts';
import { documents, type Json, path, text } from './yaml.ts';

/**
 * The components of deploy/ecr-login, read as YAML. That kustomize builds them and a cluster takes them:
 * test/cluster/ecr-login.test.ts.
 */

const FOLDER = 'deploy/ecr-login';
const component = (folder: string) =>
  documents(text(`${folder}/kustomization.yaml`))[0] as {
    kind: string;
    resources?: string[];
    replacements?: Json[];
    patches?: { patch: string }[];
  };
const objectsOf = (folder: string): Json[] =>
  (component(folder).resources ?? []).flatMap((file) => documents(text(`${folder}/${file}`)));
const parts = readdirSync(path(FOLDER), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const base = objectsOf(FOLDER);

function the<T>(kind: string, name?: string, objects = base): T {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || (object.metadata as Json).name === name),
  );
  expect(found, `exactly one ${kind} ${name ?? ''}`).toHaveLength(1);
  return found[0] as T;
}

interface JobSpec {
  backoffLimit: number;
  activeDeadlineSeconds: number;
  ttlSecondsAfterFinished?: number;
  template?: {
    spec: {
      serviceAccountName: string;
      restartPolicy: string;
      securityContext: Json;
      containers: {
        image: string;
        args: string[];
        envFrom: Json[];
        volumeMounts: { name: string; mountPath: string }[];
        securityContext: Json;
        resources: { limits: Json };
      }[];
      volumes: { name: string; configMap: { name: string; optional?: boolean } }[];
    };
  };
}
const cronJob = the<{
  metadata: Json;
  spec: {
    schedule: string;
    concurrencyPolicy: string;
    startingDeadlineSeconds: number;
    suspend?: boolean;
    jobTemplate: { spec: JobSpec };
  };
}>('CronJob');
const installJob = the<{ metadata: { name: string; annotations: Json }; spec: JobSpec }>('Job');
const pod = cronJob.spec.jobTemplate.spec.template!.spec;
const container = pod.containers[0]!;

test('every folder is a component whose files are all listed', () => {
  for (const folder of [FOLDER, ...parts.map((name) => `${FOLDER}/${name}`)]) {
    expect(component(folder).kind).toBe('Component');
    const files = readdirSync(path(folder)).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
    expect([...(component(folder).resources ?? [])].sort()).toEqual(files.sort());
  }
});

describe('the CronJob', () => {
  const { spec } = cronJob;

  test('runs every four hours, not at minute 0, and a missed run is made up for before the next one', () => {
    const [minute, hours] = spec.schedule.split(' ');
    expect(Number(minute)).toBeGreaterThan(0);
    expect(hours).toBe('*/4');
    expect(spec.concurrencyPolicy).toBe('Forbid');
    expect(spec.startingDeadlineSeconds).toBeGreaterThan(3600);
    expect(spec.startingDeadlineSeconds).toBeLessThan(4 * 3600);
    expect(spec.suspend).toBeUndefined();
  });

  test('ends well before the next run, and gives each of its Pods the time that the program takes for itself', () => {
    const { activeDeadlineSeconds, backoffLimit } = spec.jobTemplate.spec;
    expect(activeDeadlineSeconds).toBeGreaterThan((RUN_LIMIT_MS / 1000) * (backoffLimit + 1));
    expect(activeDeadlineSeconds + spec.startingDeadlineSeconds).toBeLessThan(4 * 3600);
  });

  test('starts the program with arguments that it takes and a configuration that is there', () => {
    const [command, flag = ''] = container.args;
    expect(command).toBe('ecr-login');
    const file = flag.replace('--config=', '');
    const mount = container.volumeMounts.find(({ mountPath }) => file.startsWith(`${mountPath}/`));
    const volume = pod.volumes.find(({ name }) => name === mount?.name);
    const config = the<{ data: Record<string, string> }>('ConfigMap', volume?.configMap.name).data[
      file.slice((mount?.mountPath.length ?? 0) + 1)
    ];
    expect(parseConfig(config ?? '', 'config.yaml', 'eu-west-1')).toMatchObject([
      { secretName: 'ecr-pull-secret', namespaces: ['deploy'] },
    ]);
    expect(() => parseEcrLogin(container.args.slice(1), {})).toThrow('is not there');
  });

  test('takes region, proxy and static keys from a ConfigMap and a Secret that may be missing', () => {
    expect(container.envFrom).toEqual([
      { configMapRef: { name: 'capdeployjob-ecr-login-env' } },
      { secretRef: { name: 'capdeployjob-ecr-login-aws', optional: true } },
    ]);
    the('ConfigMap', 'capdeployjob-ecr-login-env');
  });

  test('fits into a namespace that enforces the restricted Pod Security standard, as the user of the image', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(text('docker/operator/Dockerfile')).toContain(
      `USER ${pod.securityContext.runAsUser}:${pod.securityContext.runAsGroup}`,
    );
    expect(container.resources.limits).toHaveProperty('memory');
    expect(container.image).toBe('capdeployjob');
  });
});

describe('the Job at install', () => {
  test("has no Pod of its own: the CronJob's is put in", () => {
    expect(installJob.spec.template).toBeUndefined();
    expect(component(FOLDER).replacements).toEqual([
      {
        source: { kind: 'CronJob', name: (cronJob.metadata as Json).name, fieldPath: 'spec.jobTemplate.spec.template' },
        targets: [
          {
            select: { kind: 'Job', name: installJob.metadata.name },
            fieldPaths: ['spec.template'],
            options: { create: true },
          },
        ],
      },
    ]);
  });

  test('is a hook of Argo CD that each sync makes anew, and goes by itself if there is no Argo CD', () => {
    expect(installJob.metadata.annotations).toEqual({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      'argocd.argoproj.io/sync-wave': '-1',
    });
    expect(installJob.spec.ttlSecondsAfterFinished).toBe(600);
  });

  test('comes after everything that it needs, and before everything that has no wave', () => {
    const others = [
      ...base.filter(({ kind }) => kind !== 'Job' && kind !== 'CronJob'),
      ...['rbac-one-namespace', 'rbac-many-namespaces', 'policy'].flatMap((name) => objectsOf(`${FOLDER}/${name}`)),
    ];
    expect(others.length).toBe(3 + 2 + 2 + 2);
    for (const { kind, metadata } of others) {
      const { annotations } = metadata as { annotations?: Json };
      expect(annotations?.['argocd.argoproj.io/sync-wave'], String(kind)).toBe('-2');
    }
    const [namespace] = component(FOLDER).patches?.flatMap(({ patch }) => documents(patch)) ?? [];
    expect(namespace).toMatchObject({
      kind: 'Namespace',
      metadata: { name: 'capdeployjob-system', annotations: { 'argocd.argoproj.io/sync-wave': '-3' } },
    });
  });
});

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}
const rulesOf = (folder: string, kind: string): Rule[] =>
  the<{ rules: Rule[] }>(kind, undefined, objectsOf(`${FOLDER}/${folder}`)).rules;
const ONE_SECRET: Rule[] = [
  { apiGroups: [''], resources: ['secrets'], resourceNames: ['ecr-pull-secret'], verbs: ['get', 'patch'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
];

describe('the rights', () => {
  test('in one namespace: one Secret, by name but for its creation', () => {
    expect(rulesOf('rbac-one-namespace', 'Role')).toEqual(ONE_SECRET);
  });

  test('in many: the same Secret in each, and the list of namespaces', () => {
    expect(rulesOf('rbac-many-namespaces', 'ClusterRole')).toEqual([
      ...ONE_SECRET,
      { apiGroups: [''], resources: ['namespaces'], verbs: ['list'] },
    ]);
  });

  test.each([
    ['rbac-one-namespace', 'RoleBinding', 'Role'],
    ['rbac-many-namespaces', 'ClusterRoleBinding', 'ClusterRole'],
  ])('%s binds them to the account of the CronJob alone', (folder, kind, role) => {
    const account = the<{ metadata: Json }>('ServiceAccount').metadata;
    expect(pod.serviceAccountName).toBe(account.name);
    const binding = the<{ roleRef: Json; subjects: Json[] }>(kind, undefined, objectsOf(`${FOLDER}/${folder}`));
    expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }]);
    expect(binding.roleRef).toMatchObject({
      kind: role,
      name: the<{ metadata: Json }>(role, undefined, objectsOf(`${FOLDER}/${folder}`)).metadata.name,
    });
  });

  test.each(['one-namespace', 'many-namespaces'])(
    'service-accounts-%s adds the right on named ServiceAccounts, and no other',
    (which) => {
      const [patch] = component(`${FOLDER}/service-accounts-${which}`).patches ?? [];
      const value = {
        apiGroups: [''],
        resources: ['serviceaccounts'],
        resourceNames: ['default'],
        verbs: ['get', 'patch'],
      };
      expect(documents(patch?.patch ?? '')[0]).toEqual([{ op: 'add', path: '/rules/-', value }]);
    },
  );

  test('the policy lets the account create nothing but pull Secrets', () => {
    const { metadata } = the<{ metadata: Json }>('ServiceAccount');
    const policy = text(`${FOLDER}/policy/policy.yaml`);
    expect(policy).toContain(`'system:serviceaccount:${metadata.namespace}:${metadata.name}'`);
    expect(policy).toContain(`object.type == '${SECRET_TYPE}'`);
  });
});

describe('the examples', () => {
  test.each(['one-namespace', 'many-namespaces'])(
    '%s: a configuration that the program takes, patches of what is there, and its own rights',
    (which) => {
      const overlay = documents(text(`examples/ecr-login/${which}/kustomization.yaml`))[0] as {
        components: string[];
        patches: { target: { kind: string; name: string }; patch: string }[];
      };
      for (const used of overlay.components)
        expect(() => component(used.replace('../capdeployjob/', ''))).not.toThrow();
      expect(overlay.components).toContain(`../capdeployjob/${FOLDER}/rbac-${which}`);
      const here = overlay.components.flatMap((used) => objectsOf(used.replace('../capdeployjob/', '')));
      for (const { target } of overlay.patches) {
        for (const kind of target.kind.split('|')) the(kind, target.name, here);
      }
      const config = overlay.patches
        .flatMap(({ patch }) => documents(patch) as unknown as { path: string; value: string }[][])
        .flat()
        .find((one) => one.path === '/data/config.yaml');
      const targets = parseConfig(config?.value ?? '', 'config.yaml', 'eu-west-1');
      // What the rights allow.
      expect(new Set(targets.map(({ secretName }) => secretName))).toEqual(new Set(['ecr-pull-secret']));
      const accounts = targets.flatMap(({ serviceAccounts }) => serviceAccounts);
      expect(overlay.components.some((used) => used.includes('service-accounts-'))).toBe(accounts.length > 0);
      expect(accounts.filter((name) => name !== 'default')).toEqual([]);
    },
  );
});

describe('docs/ecr-login.md', () => {
  const page = text('docs/ecr-login.md');

  test('shows a configuration that the program takes', () => {
    const [, yaml = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];
    expect(parseConfig(yaml, 'docs', 'eu-west-1')).toHaveLength(2);
  });

  test('names every field, flag, annotation, alert and component', () => {
    for (const field of Object.keys(targetFields)) expect(page).toContain(`\`${field}\``);
    for (const [, flag] of ecrLoginHelp().matchAll(/^ {2}(--[a-z-]+)/gm)) expect(page).toContain(`\`${flag}\``);
    for (const name of Object.values(ECR_ANNOTATION)) expect(page).toContain(`| \`${name}\` |`);
    const alerts = [...text(`${FOLDER}/alert/prometheus-rule.yaml`).matchAll(/- alert: (\w+)/g)].map(
      ([, name]) => name,
    );
    expect(alerts).toHaveLength(4);
    for (const name of alerts) expect(page).toContain(`| \`${name}\` |`);
    for (const name of parts)
      expect(page).toContain(name.replace('service-accounts-many-namespaces', '…-many-namespaces'));
  });
});
