import { describe, expect, test } from 'vitest';
import { type ControllerFlags, parseControllerFlags } from '../../../src/cli/controller-flags.ts';
import { parseBindAddress } from '../../../src/observability/bind-address.ts';
import { LEASE_NAME } from '../../../src/operator/operator.ts';
import { documents, installedFiles, type Json, kustomization, text, yamlFiles } from './yaml.ts';

/** What `kubectl apply -k .` installs, read as YAML. */
const folders = kustomization('kustomization.yaml').resources;
const files = installedFiles();
const objects = files.flatMap((file) => documents(text(file)));
const packageJson = JSON.parse(text('package.json')) as { name: string; version: string };

function the<T>(kind: string): T {
  const found = objects.filter((object) => object.kind === kind);
  expect(found, `exactly one ${kind}`).toHaveLength(1);
  return found[0] as T;
}

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}
interface Probe {
  httpGet: { path: string; port: string };
}
interface Deployment {
  metadata: { namespace: string };
  spec: {
    replicas: number;
    strategy: { type: string; rollingUpdate: Json };
    selector: { matchLabels: Json };
    template: {
      metadata: { labels: Json };
      spec: {
        serviceAccountName: string;
        topologySpreadConstraints: { whenUnsatisfiable: string; labelSelector: { matchLabels: Json } }[];
        terminationGracePeriodSeconds: number;
        securityContext: Json;
        containers: {
          image: string;
          args: string[];
          ports: { name: string; containerPort: number }[];
          livenessProbe: Probe;
          readinessProbe: Probe;
          resources: { requests: Json; limits: Json };
          securityContext: Json;
        }[];
      };
    };
  };
}

test('the kustomizations list every file of crds/ and deploy/, and nothing else', () => {
  expect(folders).toEqual(['crds', 'deploy']);
  expect(files.toSorted()).toEqual([...yamlFiles('crds'), ...yamlFiles('deploy')].sort());
});

describe('the rights of the operator', () => {
  const rules = the<{ rules: Rule[] }>('ClusterRole').rules;
  const rights = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${group}`))),
  );

  test('hold no wildcard', () => {
    expect(rights.filter((right) => right.includes('*'))).toEqual([]);
  });

  test('hold no Secret, no ConfigMap, no Pod log and nothing that runs or impersonates', () => {
    const resources = new Set(rules.flatMap((rule) => rule.resources));
    expect([...resources].sort()).toEqual(['capdeployjobs', 'capdeployjobs/status', 'events', 'jobs', 'pods']);
  });

  test('write Jobs, the status of CapDeployJobs and Events, and nothing else', () => {
    const reads = /^(get|list|watch) /;
    expect(rights.filter((right) => !reads.test(right)).sort()).toEqual([
      'create events.events.k8s.io',
      'create jobs.batch',
      'delete jobs.batch',
      'patch jobs.batch',
      'update capdeployjobs/status.capdeployjob.dev',
    ]);
  });

  test('are held to one Lease of that name, in the namespace of the operator', () => {
    const role = the<{ metadata: Json; rules: Rule[] }>('Role');
    const leases = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
    expect(role.rules).toEqual([
      { ...leases, resourceNames: [LEASE_NAME], verbs: ['get', 'list', 'watch', 'patch'] },
      { ...leases, verbs: ['create'] },
    ]);
    const { name, namespace } = the<{ metadata: Json }>('ServiceAccount').metadata;
    const binding = the<{ metadata: Json; roleRef: Json; subjects: Json[] }>('RoleBinding');
    expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }]);
    expect(binding.roleRef).toMatchObject({ kind: 'Role', name: role.metadata.name });
    expect([role.metadata.namespace, binding.metadata.namespace]).toEqual([namespace, namespace]);
  });

  test('are bound to the service account that the Deployment uses', () => {
    const account = the<{ metadata: Json }>('ServiceAccount').metadata;
    const binding = the<{ roleRef: Json; subjects: Json[] }>('ClusterRoleBinding');
    expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }]);
    expect(binding.roleRef).toMatchObject({
      kind: 'ClusterRole',
      name: the<{ metadata: Json }>('ClusterRole').metadata.name,
    });
    const deployment = the<Deployment>('Deployment');
    expect(deployment.spec.template.spec.serviceAccountName).toBe(account.name);
    expect(deployment.metadata.namespace).toBe(account.namespace);
  });
});

describe('the Deployment', () => {
  const { spec } = the<Deployment>('Deployment');
  const pod = spec.template.spec;
  const container = pod.containers[0]!;
  const portOf = (address: string) => parseBindAddress('', address)?.port;
  const port = (name: string) => container.ports.find((one) => one.name === name)?.containerPort;

  test('runs two replicas that agree on a leader, and replaces one after the other', () => {
    expect(spec.replicas).toBe(2);
    expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
    expect(parseControllerFlags(container.args.slice(1), {})['leader-elect']).toBe(true);
  });

  test('is never taken away as a whole by a drain, and asks for nodes of its own without insisting', () => {
    const budget = the<{ spec: { maxUnavailable: number; selector: { matchLabels: Json } } }>('PodDisruptionBudget');
    expect(budget.spec).toEqual({ maxUnavailable: 1, selector: spec.selector });
    expect(pod.topologySpreadConstraints).toHaveLength(2);
    for (const { whenUnsatisfiable, labelSelector } of pod.topologySpreadConstraints) {
      expect(whenUnsatisfiable).toBe('ScheduleAnyway');
      expect(labelSelector).toEqual(spec.selector);
    }
  });

  test('starts the controller with arguments that the program takes', () => {
    expect(container.args[0]).toBe('controller');
    expect(() => parseControllerFlags(container.args.slice(1), {})).not.toThrow();
  });

  test('probes and metrics point at the ports that the flags have by default', () => {
    const flags: ControllerFlags = parseControllerFlags([], {});
    expect(port('health')).toBe(portOf(flags['health-probe-bind-address']));
    expect(port('metrics')).toBe(portOf(flags['metrics-bind-address']));
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'health' });
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'health' });
  });

  test('fits into a namespace that enforces the restricted Pod Security standard', () => {
    const namespace = the<{ metadata: { labels: Json } }>('Namespace');
    for (const mode of ['enforce', 'warn']) {
      expect(namespace.metadata.labels[`pod-security.kubernetes.io/${mode}`]).toBe('restricted');
    }
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('runs as the user of the image', () => {
    const { runAsUser, runAsGroup } = pod.securityContext;
    expect(text('docker/operator/Dockerfile')).toContain(`USER ${runAsUser}:${runAsGroup}`);
  });

  test('says what it needs and is given time to drain', () => {
    expect(Object.keys(container.resources.requests).sort()).toEqual(['cpu', 'memory']);
    expect(container.resources.limits).toHaveProperty('memory');
    expect(pod.terminationGracePeriodSeconds).toBe(30);
  });

  test('its selector finds its Pods', () => {
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
  });

  test('the image has the name of the package and the tag of its version, set in one place', () => {
    expect(container.image).toBe(packageJson.name);
    const { images } = kustomization('deploy/Kustomization');
    expect(images).toEqual([{ name: packageJson.name, newTag: packageJson.version }]);
    expect(kustomization('kustomization.yaml')).not.toHaveProperty('images');
  });
});

test('everything but what belongs to the whole cluster lies in the one namespace that is installed', () => {
  const { name } = the<{ metadata: { name: string } }>('Namespace').metadata;
  const clusterWide = ['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'];
  for (const object of objects.filter(({ kind }) => !clusterWide.includes(kind as string))) {
    expect((object.metadata as Json).namespace).toBe(name);
  }
});

test('the overlay that users copy takes in all that is installed, and patches what is there', () => {
  const overlay = documents(text('examples/overlay/kustomization.yaml'))[0] as unknown as {
    resources: string[];
    images: { name: string }[];
    patches: { target: { kind: string; name: string }; patch: string }[];
  };
  expect(overlay.resources).toEqual(folders.map((folder) => `../../${folder}`));
  expect(overlay.images.map(({ name }) => name)).toEqual([packageJson.name]);
  for (const { target, patch } of overlay.patches) {
    expect(the<{ metadata: Json }>(target.kind).metadata.name).toBe(target.name);
    const env = (documents(patch)[0] as unknown as { value: { name: string; value: string }[] }[])[0]?.value;
    if (!Array.isArray(env)) continue;
    // A flag that the program would refuse, or would not even read, has no place in an example.
    const flags = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    expect(parseControllerFlags([], flags)['allow-queue']).toHaveLength(1);
  }
});
