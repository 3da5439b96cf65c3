/** The names that users, manifests and other tools rely on: API group, labels, annotations. */

export const GROUP = 'capdeployjob.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'CapDeployJob';
/** Its place in the API. */
export const CAPDEPLOYJOBS = { group: GROUP, version: VERSION, plural: 'capdeployjobs', kind: KIND };

/** On each Job and on its Pods: how a lane finds what is its own, whoever owns it. */
export const LABEL = {
  managedBy: 'app.kubernetes.io/managed-by',
  name: `${GROUP}/name`,
  environment: `${GROUP}/environment`,
} as const;

export const MANAGED_BY = 'capdeployjob';

/**
 * On each Job and on its Pods: Velero leaves them out of its backups. A restore would give them back without their owner and, where the
 * deploy had begun, run it again: it makes a Pod first, by itself, and then a Job that is not suspended. The label and its value are those
 * of `ExcludeFromBackupLabel` in Velero's pkg/apis/velero/v1/labels_annotations.go, as pkg/backup/item_backupper.go compares them (1.18).
 */
export const NOT_BACKED_UP = { 'velero.io/exclude-from-backup': 'true' } as const;

/** Selects every Job and Pod that this operator made, in list and watch calls. */
export const MANAGED_SELECTOR = `${LABEL.managedBy}=${MANAGED_BY}`;

/** On each Job: the request as it was accepted, so that the Job alone can rebuild a lost status. */
export const ANNOTATION = {
  id: `${GROUP}/id`,
  messageId: `${GROUP}/message-id`,
  senderId: `${GROUP}/sender-id`,
  repository: `${GROUP}/repository`,
  revision: `${GROUP}/revision`,
  task: `${GROUP}/task`,
  requestedBy: `${GROUP}/requested-by`,
  reason: `${GROUP}/reason`,
  source: `${GROUP}/source`,
  slackChannel: `${GROUP}/slack-channel`,
  slackThreadTs: `${GROUP}/slack-thread-ts`,
  sentAt: `${GROUP}/sent-at`,
  notBefore: `${GROUP}/not-before`,
  expiresAt: `${GROUP}/expires-at`,
  /** Set by a person on a waiting Job: who approved the deploy, where the environment asks for it (requireApproval). */
  approvedBy: `${GROUP}/approved-by`,
  /**
   * Set by a person just before he deletes the Job of a deploy: who aborts it. The operator does nothing because of it, and takes it off with
   * the write that says that the deploy was started: on a started Job it is about the deploy that runs.
   */
  abortedBy: `${GROUP}/aborted-by`,
  /** Written by the patch that resumes the Job, in the same write: a Job that carries it has been started. */
  startedAt: `${GROUP}/started-at`,
  /** Written when a claim on a Job that never started is given up: it moves the Job's resourceVersion, so a late resume is refused. */
  unclaimedAt: `${GROUP}/unclaimed-at`,
} as const;

/** Of annotations of a CapDeployJob: `freeze.capdeployjob.dev/<environment>: "<who>: <why>"` freezes that environment. */
export const FREEZE_PREFIX = `freeze.${GROUP}/`;

/** The name of a Secret, among others: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
export const DNS_SUBDOMAIN_PATTERN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
