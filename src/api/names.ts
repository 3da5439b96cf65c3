/** Public names: API group, labels, annotations. */

export const GROUP = 'capdeployjob.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;
export const KIND = 'CapDeployJob';
/** Its place in the API. */
export const CAPDEPLOYJOBS = { group: GROUP, version: VERSION, plural: 'capdeployjobs', kind: KIND };

/** On each Job and on its Pods: a lane finds its own by these, whatever the owner is. */
export const LABEL = {
  managedBy: 'app.kubernetes.io/managed-by',
  name: `${GROUP}/name`,
  environment: `${GROUP}/environment`,
} as const;

export const MANAGED_BY = 'capdeployjob';

/**
 * On each Job and on its Pods: keeps them out of Velero's backups. A restore would bring them back without their owner.
 * If the deploy had begun, it would run again: Velero restores the Pod first, and then a Job that is not suspended.
 * Label and value: `ExcludeFromBackupLabel` in Velero's pkg/apis/velero/v1/labels_annotations.go, as
 * pkg/backup/item_backupper.go compares them (1.18).
 */
export const NOT_BACKED_UP = { 'velero.io/exclude-from-backup': 'true' } as const;

/** Selects every Job and Pod of this operator, in list and watch calls. */
export const MANAGED_SELECTOR = `${LABEL.managedBy}=${MANAGED_BY}`;

/** On each Job: the accepted request, so that Jobs alone can rebuild a lost status. */
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
  /** Set by a person on a waiting Job: who approved the deploy, if the environment needs it (requireApproval). */
  approvedBy: `${GROUP}/approved-by`,
  /**
   * Set by a person just before the delete of a deploy's Job: who aborts it. By itself it has no effect. The write that
   * starts the deploy removes it: on a started Job it concerns the deploy that runs.
   */
  abortedBy: `${GROUP}/aborted-by`,
  /** Written by the patch that resumes the Job: a Job that has it has been started. */
  startedAt: `${GROUP}/started-at`,
  /** Written when the claim of a Job that never started is given up: a fence, so that a late resume is refused. */
  unclaimedAt: `${GROUP}/unclaimed-at`,
} as const;

/** On a CapDeployJob: the annotation `freeze.capdeployjob.dev/<environment>: "<who>: <why>"` freezes an environment. */
export const FREEZE_PREFIX = `freeze.${GROUP}/`;

/** The name of a Secret, among others: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
export const DNS_SUBDOMAIN_PATTERN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
