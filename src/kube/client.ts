/**
 * The Kubernetes API as the operator uses it: raw JSON in, raw JSON out, so that a field which this program does not
 * know survives a read and a write (the typed client drops such fields).
 *
 * Two implementations: `http/http-client.ts` (a cluster, by kubeconfig) and `dev/in-process-client.ts` (the store of
 * the in-memory Kubernetes). For every answer of the API server, and for none, both throw `KubeError` and nothing else.
 */

/** What every Kubernetes object carries. Everything else stays as the server sent it. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

/** A resource type by its place in the API: group '' is the core group. */
export interface ResourceType {
  group: string;
  version: string;
  plural: string;
  kind: string;
}

export const JOBS: ResourceType = { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job' };
export const PODS: ResourceType = { group: '', version: 'v1', plural: 'pods', kind: 'Pod' };
export const SECRETS: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };
export const SERVICE_ACCOUNTS: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
};
export const NAMESPACES: ResourceType = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace' };
export const CORE_EVENTS: ResourceType = { group: '', version: 'v1', plural: 'events', kind: 'Event' };
export const LEASES: ResourceType = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
};
/** A question, which is created and never stored. */
export const SELF_SUBJECT_RULES_REVIEWS: ResourceType = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectrulesreviews',
  kind: 'SelfSubjectRulesReview',
};
export const EVENTS: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event' };

export interface ListOptions {
  /** One namespace; without it, all of them. */
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Page size. The client follows `continue` itself only in `listAll`. */
  limit?: number;
  continue?: string;
  /** '0' allows an answer from the API server's watch cache; without it the list is live (quorum read). */
  resourceVersion?: string;
  signal?: AbortSignal;
}

export interface ObjectList<T extends KubeObject = KubeObject> {
  items: T[];
  metadata: { resourceVersion: string; continue?: string };
}

export interface WatchOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  resourceVersion: string;
  /** The server ends the watch after this many seconds. */
  timeoutSeconds?: number;
  signal?: AbortSignal;
}

/** ERROR events are not returned: they are thrown as `KubeError` (410 Gone: `kind: 'gone'`, reason Expired). */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

/** What an object must still be for a write to take effect. */
export interface Preconditions {
  uid: string;
  resourceVersion: string;
}

/**
 * The same object, whatever has happened to it meanwhile. Never for the operator, which decides by what it has read: for
 * a person who decides by what a Job asks for, and that never changes.
 */
export interface AnyVersionOf {
  uid: string;
  anyVersion: true;
}

export interface RequestOptions {
  signal?: AbortSignal;
}

export interface PatchOptions extends RequestOptions {
  /** `dryRun=All`: nothing is stored. */
  dryRun?: boolean;
  /**
   * Only the metadata of the object comes back, as PartialObjectMetadata: for a program that must not see what is in
   * it, such as the template of a Job.
   * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches
   */
  metadataOnly?: boolean;
}

export interface KubeClient {
  get<T extends KubeObject>(type: ResourceType, namespace: string, name: string, options?: RequestOptions): Promise<T>;
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions): Promise<ObjectList<T>>;
  /** Always asks for bookmarks. Ends normally when the server ends it. */
  watch<T extends KubeObject>(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Jobs are created with `fieldValidation=Strict`. `dryRun`: `dryRun=All`, nothing is stored. */
  create<T extends KubeObject>(
    type: ResourceType,
    object: T,
    options?: RequestOptions & { dryRun?: boolean },
  ): Promise<T>;
  /** PUT of the status sub-resource under `object.metadata.resourceVersion`. */
  replaceStatus<T extends KubeObject>(type: ResourceType, object: T, options?: RequestOptions): Promise<T>;
  /** JSON merge patch with the preconditions: it changes exactly that version of that object, or nothing. */
  patch<T extends KubeObject>(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions | AnyVersionOf,
    patch: Record<string, unknown>,
    options?: PatchOptions,
  ): Promise<T>;
  /** With both preconditions and `propagationPolicy: Background`: else an abort orphans the Pod and stops nothing. */
  delete(
    type: ResourceType,
    namespace: string,
    name: string,
    preconditions: Preconditions,
    options?: RequestOptions & { dryRun?: boolean },
  ): Promise<void>;
}
