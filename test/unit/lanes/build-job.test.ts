import { describe, expect, test } from 'vitest';
import type { DeployRequest } from '../../../src/api/deploy-request.ts';
import { jobName } from '../../../src/api/job-name.ts';
import { buildJob, fieldsLeftOut, sampleRequest, TemplateError } from '../../../src/lanes/build-job.ts';
import { identify, type Job } from '../../../src/lanes/job.ts';
import { aRawSpec, aRequest, aResource, aSpec, at } from '../../kit/builders.ts';

// biome-ignore lint/suspicious/noExplicitAny: a Job is looked into at any depth
type Any = any;

interface Parts {
  template?: unknown;
  spec?: Record<string, unknown>;
  request?: Partial<DeployRequest>;
  metadata?: object;
}

function built({ template, spec, request, metadata }: Parts = {}): Any {
  const raw = aRawSpec({ ...(template === undefined ? {} : { template }), ...spec });
  return buildJob(aResource({ spec: raw, ...(metadata ? { metadata } : {}) }), aSpec(raw), aRequest(request));
}

const container = (parts: Parts = {}): Any => built(parts).spec.template.spec.containers[0];
const withContainer = (fields: object, pod: object = {}) => ({
  spec: { ...pod, containers: [{ name: 'cap', image: 'i', ...fields }] },
});
const sshKey = { secretName: 'web-ssh-key' };

describe('the Job of a request', () => {
  test('has the name that only this request has, in the resource’s namespace', () => {
    expect(built().metadata).toMatchObject({ name: jobName('web', 'production', 'r1'), namespace: 'deploy' });
  });

  test('belongs to the resource, by UID', () => {
    const [owner] = built().metadata.ownerReferences;
    expect(owner).toMatchObject({
      apiVersion: 'capdeployjob.dev/v1alpha1',
      kind: 'CapDeployJob',
      name: 'web',
      uid: 'uid-of-web',
      controller: true,
    });
  });

  test('is suspended, runs one Pod once, and never overlaps itself on a lost node', () => {
    const { template: _, ...spec } = built({ spec: { activeDeadlineSeconds: 1800 } }).spec;
    expect(spec).toEqual({
      suspend: true,
      parallelism: 1,
      completions: 1,
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: 1800,
    });
  });

  test('remembers when it may start, and approves nothing by itself', () => {
    const { annotations } = built({ request: { notBefore: at(60), expiresAt: at(90) } }).metadata;
    expect(annotations).toMatchObject({
      'capdeployjob.dev/not-before': at(60),
      'capdeployjob.dev/expires-at': at(90),
    });
    expect(annotations).not.toHaveProperty(['capdeployjob.dev/approved-by']);
  });

  test('remembers all of its request in annotations, and nothing of what is missing', () => {
    expect(
      built({ request: { reason: 'hotfix', source: 'ci/1', slack: { channel: 'C1', threadTs: undefined } } }).metadata
        .annotations,
    ).toEqual({
      'capdeployjob.dev/id': 'r1',
      'capdeployjob.dev/message-id': 'message-of-r1',
      'capdeployjob.dev/sender-id': 'AIDAEXAMPLE',
      'capdeployjob.dev/repository': 'livesense/web',
      'capdeployjob.dev/revision': 'v1.0.0',
      'capdeployjob.dev/task': 'deploy',
      'capdeployjob.dev/requested-by': 'alice',
      'capdeployjob.dev/reason': 'hotfix',
      'capdeployjob.dev/source': 'ci/1',
      'capdeployjob.dev/slack-channel': 'C1',
      'capdeployjob.dev/sent-at': at(-60),
    });
  });

  test('is found again to be the same as its request', () => {
    const request = aRequest();
    expect(identify(buildJob(aResource(), aSpec(), request) as unknown as Job, aResource(), request)).toBe('same');
  });

  test('is the same when an operator of before made it, which set no annotation on its Pod', () => {
    const request = aRequest();
    const job = buildJob(aResource(), aSpec(), request) as Any;
    delete job.spec.template.metadata.annotations;
    expect(identify(job, aResource(), request)).toBe('same');
  });

  test('takes no label and no annotation of the resource, or Argo CD would prune it', () => {
    const metadata = {
      labels: { 'argocd.argoproj.io/instance': 'web' },
      annotations: { 'argocd.argoproj.io/tracking-id': 'x' },
    };
    expect(JSON.stringify(built({ metadata }))).not.toContain('argocd');
  });

  test('carries the lane’s labels on itself and on its Pod, over those of the template', () => {
    const lane = {
      'app.kubernetes.io/managed-by': 'capdeployjob',
      'capdeployjob.dev/name': 'web',
      'capdeployjob.dev/environment': 'production',
      // Velero's, for which a string "true" counts and nothing else: what is restored would be deployed again.
      'velero.io/exclude-from-backup': 'true',
    };
    const others = { 'app.kubernetes.io/managed-by': 'Helm', 'velero.io/exclude-from-backup': 'false' };
    const template = {
      metadata: { labels: { team: 'web', ...others }, annotations: { note: 'kept' } },
      ...withContainer({}),
    };
    const job = built({ template });
    expect(job.metadata.labels).toEqual(lane);
    expect(job.spec.template.metadata.labels).toEqual({ team: 'web', ...lane });
  });
});

describe('its first container', () => {
  test('runs cap with environment and task; the image’s entrypoint stays', () => {
    const args = { args: ['sh'], command: ['/entrypoint'] };
    expect(container({ template: withContainer(args), request: { task: 'deploy:restart' } })).toMatchObject({
      command: ['/entrypoint'],
      args: ['cap', 'production', 'deploy:restart'],
    });
  });

  test('gets REVISION before all other variables, so that they may be made of it', () => {
    expect(container({ template: withContainer({ env: [{ name: 'BRANCH', value: '$(REVISION)' }] }) }).env).toEqual([
      { name: 'REVISION', value: 'v1.0.0' },
      { name: 'BRANCH', value: '$(REVISION)' },
    ]);
  });

  test('keeps no REVISION of the template', () => {
    const env = [
      { name: 'REVISION', value: 'main' },
      { name: 'A', value: '1' },
      { name: 'REVISION', valueFrom: {} },
    ];
    expect(container({ template: withContainer({ env }) }).env).toEqual([
      { name: 'REVISION', value: 'v1.0.0' },
      { name: 'A', value: '1' },
    ]);
  });

  test('gets the revision in each variable whose name ends in _DEPLOY_HASH, valueFrom dropped', () => {
    const env = [
      { name: 'WEB_DEPLOY_HASH', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
      { name: 'API_DEPLOY_HASH', value: 'old' },
      { name: 'DEPLOY_HASH', value: 'kept' },
      { name: 'WEB_DEPLOY_HASHES', value: 'kept' },
    ];
    expect(container({ template: withContainer({ env }) }).env.slice(1)).toEqual([
      { name: 'WEB_DEPLOY_HASH', value: 'v1.0.0' },
      { name: 'API_DEPLOY_HASH', value: 'v1.0.0' },
      { name: 'DEPLOY_HASH', value: 'kept' },
      { name: 'WEB_DEPLOY_HASHES', value: 'kept' },
    ]);
  });

  test('of a task without a revision gets none, and no left-over value either', () => {
    const env = [
      { name: 'REVISION', value: 'main' },
      { name: 'WEB_DEPLOY_HASH', value: 'old' },
      { name: 'A', value: '1' },
    ];
    const parts = { template: withContainer({ env }), request: { task: 'deploy:restart', revision: undefined } };
    expect(container(parts).env).toEqual([{ name: 'A', value: '1' }]);
    expect(built(parts).metadata.annotations).not.toHaveProperty(['capdeployjob.dev/revision']);
  });

  test('alone is changed: a side-car keeps its arguments and variables', () => {
    const sidecar = { name: 'agent', image: 'a', args: ['run'], env: [{ name: 'REVISION', value: 'own' }] };
    const template = { spec: { containers: [{ name: 'cap', image: 'i' }, sidecar] } };
    expect(built({ template }).spec.template.spec.containers[1]).toEqual(sidecar);
  });
});

describe('its Pod', () => {
  test('never restarts, has no token of the cluster, and tells the end of a failed log', () => {
    const { spec } = built().spec.template;
    expect(spec).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: false });
    expect(spec.containers[0].terminationMessagePolicy).toBe('FallbackToLogsOnError');
  });

  test('tells the end of the log of an init container that fails, unless its template says otherwise', () => {
    const initContainers = [
      { name: 'check', image: 'i' },
      { name: 'fetch', image: 'i', terminationMessagePolicy: 'File' },
    ];
    const { spec } = built({ template: withContainer({}, { initContainers }) }).spec.template;
    expect(spec.initContainers.map((each: Any) => each.terminationMessagePolicy)).toEqual([
      'FallbackToLogsOnError',
      'File',
    ]);
  });

  test('lets no container be started again, but for native side-cars', () => {
    const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
    const again = { restartPolicy: 'OnFailure', restartPolicyRules: rules };
    const podSpec = {
      containers: [
        { name: 'cap', image: 'i', ...again },
        { name: 'proxy', image: 'i', ...again },
      ],
      initContainers: [
        { name: 'mesh', image: 'i', restartPolicy: 'Always', restartPolicyRules: rules },
        { name: 'migrate', image: 'i' },
      ],
    };
    const { spec } = built({ template: { spec: podSpec } }).spec.template;
    const restarts = ({ name, ...rest }: Any) => [name, Object.keys(rest).filter((key) => key.startsWith('restart'))];
    expect([...spec.containers, ...spec.initContainers].map(restarts)).toEqual([
      ['cap', []],
      ['proxy', []],
      ['mesh', ['restartPolicy']],
      ['migrate', []],
    ]);
    expect(fieldsLeftOut(aSpec({ template: { spec: podSpec } }))).toEqual([
      'spec.template.spec.containers[0].restartPolicy',
      'spec.template.spec.containers[0].restartPolicyRules',
      'spec.template.spec.containers[1].restartPolicy',
      'spec.template.spec.containers[1].restartPolicyRules',
      'spec.template.spec.initContainers[0].restartPolicyRules',
    ]);
  });

  test('is not moved by autoscalers in the middle of a deploy, unless its template says otherwise', () => {
    const annotations = (own?: Record<string, unknown>) =>
      built({ template: { metadata: { annotations: own }, ...withContainer({}) } }).spec.template.metadata.annotations;
    const stay = {
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
      'karpenter.sh/do-not-disrupt': 'true',
    };
    expect(built().spec.template.metadata.annotations).toEqual(stay);
    expect(annotations({ note: 'kept' })).toEqual({ ...stay, note: 'kept' });
    expect(annotations({ 'karpenter.sh/do-not-disrupt': '30m' })).toEqual({
      ...stay,
      'karpenter.sh/do-not-disrupt': '30m',
    });
    expect(annotations({ 'cluster-autoscaler.kubernetes.io/safe-to-evict': '' })).toEqual({
      ...stay,
      'cluster-autoscaler.kubernetes.io/safe-to-evict': '',
    });
  });

  test('follows the template if that says otherwise, but for restartPolicy', () => {
    const template = withContainer(
      { terminationMessagePolicy: 'File' },
      { restartPolicy: 'OnFailure', automountServiceAccountToken: true },
    );
    const { spec } = built({ template }).spec.template;
    expect(spec).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: true });
    expect(spec.containers[0].terminationMessagePolicy).toBe('File');
  });

  test('keeps fields that no client library knows', () => {
    const template = {
      ...withContainer({ futureField: { deep: [1, { er: true }] } }, { futurePolicy: 'x' }),
      futureTop: null,
    };
    const pod = built({ template }).spec.template;
    expect(pod).toMatchObject({
      futureTop: null,
      spec: { futurePolicy: 'x', containers: [{ futureField: { deep: [1, { er: true }] } }] },
    });
  });

  test('is made without a change of the template, which is the cache’s', () => {
    const raw = aRawSpec({
      sshKey,
      template: {
        metadata: { labels: { a: 'b' } },
        ...withContainer({ env: [{ name: 'X_DEPLOY_HASH' }] }, { volumes: [] }),
      },
    });
    const spec = aSpec(raw);
    const before = structuredClone(spec);
    buildJob(aResource({ spec: raw }), spec, aRequest());
    expect(spec).toEqual(before);
  });
});

describe('spec.sshKey', () => {
  const volumeOf = (parts: Parts) =>
    built({ ...parts, spec: { sshKey, ...parts.spec } }).spec.template.spec.volumes.at(-1);

  test('is mounted read-only, its two files alone, known_hosts if there is one', () => {
    expect(container({ spec: { sshKey } }).volumeMounts).toEqual([
      { name: 'capdeployjob-ssh', mountPath: '/etc/capdeployjob/ssh', readOnly: true },
    ]);
    expect(volumeOf({})).toEqual({
      name: 'capdeployjob-ssh',
      projected: {
        defaultMode: 0o400,
        sources: [
          { secret: { name: 'web-ssh-key', items: [{ key: 'private_key', path: 'private_key' }], optional: false } },
          { secret: { name: 'web-ssh-key', items: [{ key: 'known_hosts', path: 'known_hosts' }], optional: true } },
        ],
      },
    });
  });

  test('takes other keys and another place, beside the template’s own volumes', () => {
    const own = { volumes: [{ name: 'tmp', emptyDir: {} }] };
    const job = built({
      template: withContainer({ volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] }, own),
      spec: { sshKey: { ...sshKey, key: 'id_ed25519', knownHostsKey: 'hosts', mountPath: '/root/.ssh' } },
    });
    const { volumes, containers } = job.spec.template.spec;
    expect(volumes).toHaveLength(2);
    expect(volumes[1].projected.sources.map(({ secret }: Any) => secret.items[0])).toEqual([
      { key: 'id_ed25519', path: 'private_key' },
      { key: 'hosts', path: 'known_hosts' },
    ]);
    expect(containers[0].volumeMounts.map(({ mountPath }: Any) => mountPath)).toEqual(['/tmp', '/root/.ssh']);
  });

  test.each([
    ['0400 where the image alone says who it runs as, which may be root', {}, {}, 0o400],
    ['0400 where root is named', {}, { runAsUser: 0 }, 0o400],
    ['0400 where root is allowed', {}, { runAsNonRoot: false }, 0o400],
    ['0444 where another user has no fsGroup, for nothing else would help there', {}, { runAsUser: 1000 }, 0o444],
    ['0444 where no root is allowed and there is no fsGroup', { runAsNonRoot: true }, {}, 0o444],
    ['0444 where fsGroup is null, which is none', {}, { runAsUser: 1000, fsGroup: null }, 0o444],
    ['0400 where root has an fsGroup', {}, { fsGroup: 1000 }, 0o400],
    ['0400 where root is named and has an fsGroup', {}, { runAsUser: 0, fsGroup: 1000 }, 0o400],
    ['0440 where another user has an fsGroup', {}, { runAsUser: 1000, fsGroup: 1000 }, 0o440],
    ['0440 where no root is allowed and there is an fsGroup', {}, { runAsNonRoot: true, fsGroup: 1000 }, 0o440],
    ['0440 where the container names the user', { runAsUser: 1000 }, { fsGroup: 1000 }, 0o440],
    ['0400 where the container goes back to root', { runAsUser: 0 }, { runAsUser: 1000, fsGroup: 1000 }, 0o400],
  ])('has mode %s', (_, own, pod, mode) => {
    const template = withContainer({ securityContext: own }, { securityContext: pod });
    expect(volumeOf({ template }).projected.defaultMode).toBe(mode);
  });
});

describe('a template that no Job can be made of is told by its field', () => {
  test.each([
    ['it is empty', {}, 'spec.template.spec: a Pod spec is required'],
    [
      'it has no containers',
      { spec: {} },
      'spec.template.spec.containers: at least one container is required; the first one runs Capistrano',
    ],
    [
      'its containers are none',
      { spec: { containers: [] } },
      'spec.template.spec.containers: at least one container is required; the first one runs Capistrano',
    ],
    [
      'its first container is a word',
      { spec: { containers: ['cap'] } },
      'spec.template.spec.containers[0]: a container is required',
    ],
    ['env is no list', withContainer({ env: { A: '1' } }), 'spec.template.spec.containers[0].env: a list is required'],
    [
      'a variable is a word',
      withContainer({ env: [{ name: 'A' }, 'B=1'] }),
      'spec.template.spec.containers[0].env[1]: an object is required',
    ],
    ['metadata is a list', { metadata: [], ...withContainer({}) }, 'spec.template.metadata: an object is required'],
    [
      'labels are a word',
      { metadata: { labels: 'x' }, ...withContainer({}) },
      'spec.template.metadata.labels: an object is required',
    ],
    [
      'annotations are a list',
      { metadata: { annotations: [] }, ...withContainer({}) },
      'spec.template.metadata.annotations: an object is required',
    ],
    ['volumes are no list', withContainer({}, { volumes: {} }), 'spec.template.spec.volumes: a list is required'],
    [
      'mounts are no list',
      withContainer({ volumeMounts: {} }),
      'spec.template.spec.containers[0].volumeMounts: a list is required',
    ],
    [
      'a volume has the name kept for the key',
      withContainer({}, { volumes: [{ name: 'capdeployjob-ssh' }] }),
      'spec.template.spec.volumes: the name "capdeployjob-ssh" is kept for spec.sshKey',
    ],
  ])('%s', (_, template, message) => {
    expect(() => built({ template, spec: { sshKey } })).toThrow(
      new TemplateError(message.replace('spec.template', '')),
    );
  });

  test('nulls, which YAML makes of empty fields, are no error', () => {
    expect(() =>
      built({
        template: { metadata: null, ...withContainer({ env: null, volumeMounts: null }, { volumes: null }) },
        spec: { sshKey },
      }),
    ).not.toThrow();
  });
});

test('the request that the template is tried with asks for what the resource allows', () => {
  const spec = aSpec({ repositories: ['web'], tasks: ['deploy:check'] });
  expect(sampleRequest(spec)).toMatchObject({ repository: 'web', environment: 'production', task: 'deploy:check' });
  expect(sampleRequest(aSpec())).toMatchObject({ repository: 'dry-run', task: 'deploy' });
});
