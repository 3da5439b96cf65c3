import type { CapDeployJob, CapDeployJobSpec } from '../api/capdeployjob.ts';
import type { DeployRequest } from '../api/deploy-request.ts';
import { jobName } from '../api/job-name.ts';
import { ANNOTATION, API_VERSION, KIND, LABEL, MANAGED_BY, NOT_BACKED_UP } from '../api/names.ts';

type Json = Record<string, unknown>;

const SSH_VOLUME = 'capdeployjob-ssh';

/**
 * Set on each Pod unless the template has the key: half a deploy is worse than a node that lives an hour longer.
 * Cluster Autoscaler then removes no node under the Pod (its FAQ, "What types of pods can prevent CA from removing a
 * node?"), and Karpenter does not disrupt one by choice (its concept "Disruption", pod-level controls).
 */
const POD_ANNOTATIONS = {
  'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
  'karpenter.sh/do-not-disrupt': 'true',
};

/** A template that no Job can be made of; its message names the field. */
export class TemplateError extends Error {
  constructor(message: string) {
    super(`spec.template${message}`);
    this.name = 'TemplateError';
  }
}

/**
 * Makes the Job of a request: `REVISION=<revision> cap <environment> <task>` in the first container of the resource's
 * template, suspended, under the name that only this request has.
 * @throws TemplateError if the template is not a Pod template with a container.
 */
export function buildJob(resource: CapDeployJob, spec: CapDeployJobSpec, request: DeployRequest): Json {
  const labels = {
    [LABEL.managedBy]: MANAGED_BY,
    [LABEL.name]: resource.metadata.name,
    [LABEL.environment]: request.environment,
    ...NOT_BACKED_UP,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(resource.metadata.name, request.environment, request.id),
      namespace: resource.metadata.namespace,
      // The resource's own labels and annotations are not copied: Argo CD would take the Job for its own and prune it.
      labels,
      annotations: annotationsOf(request),
      ownerReferences: [
        {
          apiVersion: API_VERSION,
          kind: KIND,
          name: resource.metadata.name,
          uid: resource.metadata.uid,
          controller: true,
        },
      ],
    },
    spec: {
      suspend: true,
      parallelism: 1,
      completions: 1,
      // A failed deploy may be half done. A person judges it: trying again is a new request.
      backoffLimit: 0,
      // Without it a Job overlaps itself if a node is lost and its Pod terminates for ever (KEP-3939).
      podReplacementPolicy: 'Failed',
      activeDeadlineSeconds: spec.activeDeadlineSeconds,
      template: podTemplate(spec, request, labels),
    },
  };
}

function podTemplate(spec: CapDeployJobSpec, request: DeployRequest, labels: Record<string, string>): Json {
  // A deep copy: the template belongs to the cache, and fields that this program does not know must survive.
  const template = structuredClone(spec.template) as Json;
  const podSpec = record(template.spec, '.spec: a Pod spec is required');
  const containers = podSpec.containers;
  if (!Array.isArray(containers) || containers.length === 0) {
    throw new TemplateError('.spec.containers: at least one container is required; the first one runs Capistrano');
  }
  const container = record(containers[0], '.spec.containers[0]: a container is required');

  container.args = ['cap', request.environment, request.task];
  container.env = environmentVariables(container.env, request.revision);
  container.terminationMessagePolicy ??= 'FallbackToLogsOnError';
  // If one of these fails, cap does not run, and nothing else tells why.
  for (const [index, each] of list(podSpec.initContainers, '.spec.initContainers').entries()) {
    const init = record(each, `.spec.initContainers[${index}]: a container is required`);
    init.terminationMessagePolicy ??= 'FallbackToLogsOnError';
  }
  if (spec.sshKey) mountSshKey(podSpec, container, spec.sshKey);

  podSpec.restartPolicy = 'Never';
  for (const { container: each, field } of restartFields(podSpec)) delete each[field];
  podSpec.automountServiceAccountToken ??= false;

  const metadata = optionalRecord(template.metadata, '.metadata');
  template.metadata = {
    ...metadata,
    labels: { ...optionalRecord(metadata.labels, '.metadata.labels'), ...labels },
    annotations: { ...POD_ANNOTATIONS, ...optionalRecord(metadata.annotations, '.metadata.annotations') },
  };
  return template;
}

/**
 * Fields that could start `cap` a second time: rules of containers win over the Pod's restartPolicy (KEP-5307, on by
 * default from Kubernetes 1.35). A native side-car is an init container with `restartPolicy: Always`: that stays.
 */
function restartFields(podSpec: Json): { container: Json; field: string; path: string }[] {
  const found = (containers: unknown, name: string, fields: readonly string[]) =>
    list(containers, `.spec.${name}`).flatMap((each, index) => {
      const path = `.spec.${name}[${index}]`;
      const container = record(each, `${path}: a container is required`);
      return fields
        .filter((field) => container[field] !== undefined)
        .map((field) => ({ container, field, path: `spec.template${path}.${field}` }));
    });
  return [
    ...found(podSpec.containers, 'containers', ['restartPolicy', 'restartPolicyRules']),
    ...found(podSpec.initContainers, 'initContainers', ['restartPolicyRules']),
  ];
}

/** Fields of the template that no Pod gets, because `cap` runs once. @throws TemplateError as `buildJob` does. */
export function fieldsLeftOut(spec: CapDeployJobSpec): string[] {
  const podSpec = record((spec.template as Json).spec, '.spec: a Pod spec is required');
  return restartFields(podSpec).map(({ path }) => path);
}

/**
 * REVISION replaces any REVISION of the template. A variable whose name ends in _DEPLOY_HASH gets the revision too,
 * because existing images read it. Without a revision (a task that needs none) all of these are removed: an old value
 * would be deployed.
 */
function environmentVariables(env: unknown, revision: string | undefined): Json[] {
  if (env !== undefined && env !== null && !Array.isArray(env))
    throw new TemplateError('.spec.containers[0].env: a list is required');
  const carriesRevision = (name: unknown) => typeof name === 'string' && name.endsWith('_DEPLOY_HASH');
  const variables = ((env ?? []) as unknown[]).map((variable, index) =>
    record(variable, `.spec.containers[0].env[${index}]: an object is required`),
  );
  const others = variables.filter(({ name }) => name !== 'REVISION');
  if (revision === undefined) return others.filter(({ name }) => !carriesRevision(name));
  return [
    // It comes first, because $(REVISION) is expanded only in the variables after it.
    { name: 'REVISION', value: revision },
    ...others.map((variable) => (carriesRevision(variable.name) ? { name: variable.name, value: revision } : variable)),
  ];
}

/** The files are projected one by one: the Secret's other keys stay out of the Pod, and known_hosts may be missing. */
function mountSshKey(podSpec: Json, container: Json, sshKey: NonNullable<CapDeployJobSpec['sshKey']>): void {
  const volumes = list(podSpec.volumes, '.spec.volumes');
  const mounts = list(container.volumeMounts, '.spec.containers[0].volumeMounts');
  if (volumes.some((volume) => (volume as Json)?.name === SSH_VOLUME)) {
    throw new TemplateError(`.spec.volumes: the name "${SSH_VOLUME}" is kept for spec.sshKey`);
  }
  const secret = (key: string, path: string, optional: boolean) => ({
    secret: { name: sshKey.secretName, items: [{ key, path }], optional },
  });
  podSpec.volumes = [
    ...volumes,
    {
      name: SSH_VOLUME,
      projected: {
        defaultMode: modeOfKey(podSpec, container),
        sources: [secret(sshKey.key, 'private_key', false), secret(sshKey.knownHostsKey, 'known_hosts', true)],
      },
    },
  ];
  container.volumeMounts = [...mounts, { name: SSH_VOLUME, mountPath: sshKey.mountPath, readOnly: true }];
}

/**
 * A Secret's files belong to root. ssh and ssh-add refuse a key of their own user that others can read (sshkey_perm_ok
 * in OpenSSH's authfile.c), and do not check a key of another user. So root gets 0400. So does a user that only the
 * image names: it may be root. Any other user reads the key through its fsGroup, 0440, or without one through 0444.
 * Kubernetes' own default is 0644. Only this container mounts the files, and on the node only root can reach them.
 */
function modeOfKey(podSpec: Json, container: Json): number {
  const pod = (podSpec.securityContext ?? {}) as Json;
  const own = (container.securityContext ?? {}) as Json;
  const user = own.runAsUser ?? pod.runAsUser;
  const nonRoot = own.runAsNonRoot ?? pod.runAsNonRoot;
  if (nonRoot !== true && (typeof user !== 'number' || user === 0)) return 0o400;
  return pod.fsGroup === undefined || pod.fsGroup === null ? 0o444 : 0o440;
}

function annotationsOf(request: DeployRequest): Record<string, string> {
  const all: Record<string, string | undefined> = {
    [ANNOTATION.id]: request.id,
    [ANNOTATION.messageId]: request.messageId,
    [ANNOTATION.senderId]: request.senderId,
    [ANNOTATION.repository]: request.repository,
    [ANNOTATION.revision]: request.revision,
    [ANNOTATION.task]: request.task,
    [ANNOTATION.requestedBy]: request.requestedBy,
    [ANNOTATION.reason]: request.reason,
    [ANNOTATION.source]: request.source,
    [ANNOTATION.slackChannel]: request.slack?.channel,
    [ANNOTATION.slackThreadTs]: request.slack?.threadTs,
    [ANNOTATION.sentAt]: request.sentAt,
    [ANNOTATION.notBefore]: request.notBefore,
    [ANNOTATION.expiresAt]: request.expiresAt,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

function record(value: unknown, problem: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TemplateError(problem);
  return value as Json;
}

const optionalRecord = (value: unknown, field: string): Json =>
  value === undefined || value === null ? {} : record(value, `${field}: an object is required`);

function list(value: unknown, field: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TemplateError(`${field}: a list is required`);
  return value;
}

/** Not a real request: the dry run of the template is made with it. */
export function sampleRequest(spec: CapDeployJobSpec): DeployRequest {
  return {
    id: 'dry-run',
    messageId: 'dry-run',
    senderId: '',
    repository: spec.repositories?.[0] ?? 'dry-run',
    environment: spec.environments[0]?.name ?? 'dry-run',
    task: spec.tasks[0] ?? 'deploy',
    revision: 'dry-run',
    sentAt: new Date(0).toISOString(),
    notBefore: undefined,
    expiresAt: undefined,
    requestedBy: undefined,
    reason: undefined,
    source: undefined,
    slack: undefined,
  };
}
