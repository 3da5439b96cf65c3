/**
 * The fields of the built-in types, by name and kind (Kubernetes 1.36 `core/v1`, `batch/v1`, …), in the form of a
 * structural schema. With them the store finds unknown fields (`fieldValidation=Strict`) and values of the wrong kind,
 * as the API server's decoder does. `loose` stands where the in-memory Kubernetes has no use for the inner fields:
 * whatever is there is kept.
 */
import type { Schema } from './schema.ts';

const s: Schema = { type: 'string' };
/** A *string in Go: empty is another value than not set. */
const stringPointer: Schema = { type: 'string', 'x-go-pointer': true };
const b: Schema = { type: 'boolean' };
const i32: Schema = { type: 'integer', format: 'int32' };
const i64: Schema = { type: 'integer', format: 'int64' };
const intOrString: Schema = { 'x-kubernetes-int-or-string': true };
const quantity: Schema = { 'x-kubernetes-int-or-string': true, format: 'quantity' };
const loose: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
/** metav1.MicroTime: exactly six digits, or the API server's decoder refuses it. */
const microTime: Schema = { type: 'string', format: 'micro-time' };
const time: Schema = { type: 'string', format: 'time' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const map = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });

/** Fields of an object: by name. */
function fields(properties: Record<string, Schema>): Schema {
  return { type: 'object', properties };
}

/** Fields that are plain strings, by their names. */
function strings(names: string): Record<string, Schema> {
  return Object.fromEntries(names.split(' ').map((name) => [name, s]));
}

const ownerReference = fields({ ...strings('apiVersion kind name uid'), controller: b, blockOwnerDeletion: b });
export const metadataShape = fields({
  ...strings('name generateName namespace selfLink uid resourceVersion'),
  creationTimestamp: time,
  deletionTimestamp: time,
  generation: i64,
  deletionGracePeriodSeconds: i64,
  labels: map(s),
  annotations: map(s),
  ownerReferences: list(ownerReference),
  finalizers: list(s),
  managedFields: list(loose),
});

const localReference = fields(strings('name'));
const keySelector = fields({ ...strings('name key'), optional: b });
const labelSelector = fields({
  matchLabels: map(s),
  matchExpressions: list(fields({ ...strings('key operator'), values: list(s) })),
});
const keyToPath = list(fields({ ...strings('key path'), mode: i32 }));
const fieldRef = fields(strings('apiVersion fieldPath'));
const resourceFieldRef = fields({ ...strings('containerName resource'), divisor: quantity });
const downwardItems = list(fields({ path: s, fieldRef, resourceFieldRef, mode: i32 }));
const httpGet = fields({
  ...strings('path host scheme'),
  port: intOrString,
  httpHeaders: list(fields(strings('name value'))),
});
const action = { exec: fields({ command: list(s) }), httpGet, tcpSocket: fields({ host: s, port: intOrString }) };
const probe = fields({
  ...action,
  grpc: fields({ port: i32, service: s }),
  initialDelaySeconds: i32,
  timeoutSeconds: i32,
  periodSeconds: i32,
  successThreshold: i32,
  failureThreshold: i32,
  terminationGracePeriodSeconds: i64,
});
const handler = fields({ ...action, sleep: fields({ seconds: i64 }) });
const seLinux = fields(strings('user role type level'));
const seccomp = fields(strings('type localhostProfile'));
const windows = fields({ ...strings('gmsaCredentialSpecName gmsaCredentialSpec runAsUserName'), hostProcess: b });

const env = fields({
  ...strings('name value'),
  valueFrom: fields({
    fieldRef,
    resourceFieldRef,
    configMapKeyRef: keySelector,
    secretKeyRef: keySelector,
    fileKeyRef: fields({ ...strings('volumeName path key'), optional: b }),
  }),
});
const sourceRef = fields({ name: s, optional: b });
const resources = fields({
  limits: map(quantity),
  requests: map(quantity),
  claims: list(fields(strings('name request'))),
});

const container = fields({
  ...strings('name image workingDir terminationMessagePath terminationMessagePolicy imagePullPolicy restartPolicy'),
  targetContainerName: s,
  command: list(s),
  args: list(s),
  env: list(env),
  envFrom: list(fields({ prefix: s, configMapRef: sourceRef, secretRef: sourceRef })),
  ports: list(fields({ ...strings('name protocol hostIP'), hostPort: i32, containerPort: i32 })),
  resources,
  resizePolicy: list(fields(strings('resourceName restartPolicy'))),
  restartPolicyRules: list(loose),
  volumeMounts: list(
    fields({ ...strings('name mountPath subPath subPathExpr mountPropagation recursiveReadOnly'), readOnly: b }),
  ),
  volumeDevices: list(fields(strings('name devicePath'))),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: fields({ postStart: handler, preStop: handler, stopSignal: s }),
  securityContext: fields({
    capabilities: fields({ add: list(s), drop: list(s) }),
    privileged: b,
    seLinuxOptions: seLinux,
    windowsOptions: windows,
    runAsUser: i64,
    runAsGroup: i64,
    runAsNonRoot: b,
    readOnlyRootFilesystem: b,
    allowPrivilegeEscalation: b,
    procMount: s,
    seccompProfile: seccomp,
    appArmorProfile: seccomp,
  }),
  stdin: b,
  stdinOnce: b,
  tty: b,
});

const looseVolumes =
  'hostPath gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs rbd flexVolume cinder cephfs flocker fc azureFile azureDisk vsphereVolume quobyte photonPersistentDisk portworxVolume scaleIO storageos csi ephemeral image'
    .split(' ')
    .map((name): [string, Schema] => [name, loose]);
const volume = fields({
  name: s,
  emptyDir: fields({ medium: s, sizeLimit: quantity }),
  secret: fields({ secretName: s, items: keyToPath, defaultMode: i32, optional: b }),
  configMap: fields({ name: s, items: keyToPath, defaultMode: i32, optional: b }),
  downwardAPI: fields({ items: downwardItems, defaultMode: i32 }),
  persistentVolumeClaim: fields({ claimName: s, readOnly: b }),
  projected: fields({
    defaultMode: i32,
    sources: list(
      fields({
        secret: fields({ name: s, items: keyToPath, optional: b }),
        configMap: fields({ name: s, items: keyToPath, optional: b }),
        downwardAPI: fields({ items: downwardItems }),
        serviceAccountToken: fields({ ...strings('audience path'), expirationSeconds: i64 }),
        clusterTrustBundle: loose,
        podCertificate: loose,
      }),
    ),
  }),
  ...Object.fromEntries(looseVolumes),
});

export const podSpecShape = fields({
  ...strings('restartPolicy dnsPolicy serviceAccountName serviceAccount nodeName hostname subdomain schedulerName'),
  ...strings('priorityClassName runtimeClassName preemptionPolicy hostnameOverride'),
  volumes: list(volume),
  containers: list(container),
  initContainers: list(container),
  ephemeralContainers: list(container),
  terminationGracePeriodSeconds: i64,
  activeDeadlineSeconds: i64,
  nodeSelector: map(s),
  automountServiceAccountToken: b,
  hostNetwork: b,
  hostPID: b,
  hostIPC: b,
  hostUsers: b,
  shareProcessNamespace: b,
  setHostnameAsFQDN: b,
  enableServiceLinks: b,
  securityContext: fields({
    ...strings('fsGroupChangePolicy supplementalGroupsPolicy seLinuxChangePolicy'),
    seLinuxOptions: seLinux,
    windowsOptions: windows,
    runAsUser: i64,
    runAsGroup: i64,
    runAsNonRoot: b,
    supplementalGroups: list(i64),
    fsGroup: i64,
    sysctls: list(fields(strings('name value'))),
    seccompProfile: seccomp,
    appArmorProfile: seccomp,
  }),
  imagePullSecrets: list(localReference),
  affinity: fields({ nodeAffinity: loose, podAffinity: loose, podAntiAffinity: loose }),
  tolerations: list(fields({ ...strings('key operator value effect'), tolerationSeconds: i64 })),
  hostAliases: list(fields({ ip: s, hostnames: list(s) })),
  priority: i32,
  dnsConfig: fields({
    nameservers: list(s),
    searches: list(s),
    options: list(fields(strings('name value'))),
  }),
  readinessGates: list(fields(strings('conditionType'))),
  overhead: map(quantity),
  topologySpreadConstraints: list(
    fields({
      ...strings('topologyKey whenUnsatisfiable nodeAffinityPolicy nodeTaintsPolicy'),
      maxSkew: i32,
      minDomains: i32,
      labelSelector,
      matchLabelKeys: list(s),
    }),
  ),
  os: localReference,
  schedulingGates: list(localReference),
  resourceClaims: list(fields(strings('name resourceClaimName resourceClaimTemplateName'))),
  resources,
  workloadRef: loose,
});

const top = { ...strings('apiVersion kind'), metadata: metadataShape };

export const jobShape = fields({
  ...top,
  spec: fields({
    ...strings('completionMode podReplacementPolicy managedBy'),
    parallelism: i32,
    completions: i32,
    activeDeadlineSeconds: i64,
    backoffLimit: i32,
    backoffLimitPerIndex: i32,
    maxFailedIndexes: i32,
    ttlSecondsAfterFinished: i32,
    manualSelector: b,
    suspend: b,
    selector: labelSelector,
    podFailurePolicy: loose,
    successPolicy: loose,
    template: fields({ metadata: metadataShape, spec: podSpecShape }),
  }),
  status: loose,
});

export const podShape = fields({ ...top, spec: podSpecShape, status: loose });

export const secretShape = fields({ ...top, type: s, immutable: b, data: map(s), stringData: map(s) });
export const configMapShape = fields({ ...top, immutable: b, data: map(s), binaryData: map(s) });
export const serviceAccountShape = fields({
  ...top,
  secrets: list(fields(strings('kind namespace name uid apiVersion resourceVersion fieldPath'))),
  imagePullSecrets: list(localReference),
  automountServiceAccountToken: b,
});
export const namespaceShape = fields({ ...top, spec: fields({ finalizers: list(s) }), status: loose });
export const leaseShape = fields({
  ...top,
  spec: fields({
    holderIdentity: stringPointer,
    strategy: stringPointer,
    preferredHolder: stringPointer,
    acquireTime: microTime,
    renewTime: microTime,
    leaseDurationSeconds: i32,
    leaseTransitions: i32,
  }),
});

const objectReference = fields(strings('kind namespace name uid apiVersion resourceVersion fieldPath'));
const eventSource = fields(strings('component host'));
const series = fields({ count: i32, lastObservedTime: microTime });

export const coreEventShape = fields({
  ...top,
  ...strings('reason message type action reportingComponent reportingInstance'),
  firstTimestamp: time,
  lastTimestamp: time,
  eventTime: microTime,
  involvedObject: objectReference,
  related: objectReference,
  source: eventSource,
  count: i32,
  series,
});
export const eventShape = fields({
  ...top,
  ...strings('reason note type action reportingController reportingInstance'),
  eventTime: microTime,
  deprecatedFirstTimestamp: time,
  deprecatedLastTimestamp: time,
  regarding: objectReference,
  related: objectReference,
  deprecatedSource: eventSource,
  deprecatedCount: i32,
  series,
});

export const definitionShape = fields({
  ...top,
  spec: fields({
    ...strings('group scope'),
    preserveUnknownFields: b,
    conversion: loose,
    names: fields({ ...strings('plural singular kind listKind'), shortNames: list(s), categories: list(s) }),
    versions: list(
      fields({
        ...strings('name deprecationWarning'),
        served: b,
        storage: b,
        deprecated: b,
        schema: fields({ openAPIV3Schema: loose }),
        subresources: fields({ status: loose, scale: loose }),
        additionalPrinterColumns: list(fields({ ...strings('name type format description jsonPath'), priority: i32 })),
        selectableFields: list(fields(strings('jsonPath'))),
      }),
    ),
  }),
  status: loose,
});
