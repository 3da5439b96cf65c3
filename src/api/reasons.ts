/** Every word that a status, an Event or a metric uses for "what" and "why", in one table: people alert on these. */

export const RESULTS = ['Succeeded', 'Failed', 'Aborted', 'Superseded', 'Refused', 'Missed', 'Unknown'] as const;
/** How an accepted request ended. */
export type Result = (typeof RESULTS)[number];

export const CONDITION = {
  ready: 'Ready',
  queueReachable: 'QueueReachable',
  templateValid: 'TemplateValid',
  lastDeploySucceeded: 'LastDeploySucceeded',
} as const;

/** Why a request ended as it did: the `reason` of a history entry and of its Event. */
export const OUTCOME = {
  completed: 'Completed',
  /** The Job failed: Kubernetes' own reason where it gives one (BackoffLimitExceeded, DeadlineExceeded, …). */
  jobFailed: 'JobFailed',
  podNotStarted: 'PodNotStarted',
  jobDeleted: 'JobDeleted',
  jobSuspended: 'JobSuspended',
  vanished: 'JobVanished',
  outOfOrder: 'OutOfOrder',
  /** Dropped for a newer request that could start (Supersede, Replace), or for a rollback. */
  newerRequest: 'NewerRequest',
  /** Its deploy was ended for a newer request (Replace). */
  replaced: 'Replaced',
  expired: 'Expired',
  environmentRemoved: 'EnvironmentRemoved',
  laneFull: 'LaneFull',
  startingDeadline: 'StartingDeadlineExceeded',
  waitingDeadline: 'WaitingDeadlineExceeded',
} as const;

/** Why a message never became a request. */
export const REJECTION = {
  notJson: 'NotJSON',
  wrongShape: 'WrongShape',
  unknownEnvironment: 'UnknownEnvironment',
  unknownTask: 'UnknownTask',
  foreignRepository: 'ForeignRepository',
  unsafeRevision: 'UnsafeRevision',
  idConflict: 'IdConflict',
  nameConflict: 'NameConflict',
} as const;
export type RejectionReason = (typeof REJECTION)[keyof typeof REJECTION];

/** Reasons of conditions. */
export const REASON = {
  asExpected: 'AsExpected',
  invalidSpec: 'InvalidSpec',
  suspended: 'Suspended',
  beingDeleted: 'BeingDeleted',
  // QueueReachable
  polling: 'Polling',
  notYetPolled: 'NotYetPolled',
  queueNotRead: 'QueueNotRead',
  queueShared: 'QueueShared',
  queueNotAllowed: 'QueueNotAllowed',
  queueOriginNotAllowed: 'QueueOriginNotAllowed',
  noRegion: 'NoRegion',
  // TemplateValid
  accepted: 'DryRunAccepted',
  refused: 'DryRunRefused',
  notChecked: 'NotChecked',
  dryRunUnsupported: 'DryRunUnsupported',
  // Ready
  jobsCannotBeCreated: 'JobsCannotBeCreated',
  invalidWindow: 'InvalidWindow',
  freezeOfUnknownEnvironment: 'FreezeOfUnknownEnvironment',
  /** The API server drops fields of the status. */
  definitionOutdated: 'DefinitionOutdated',
  // LastDeploySucceeded
  noDeployYet: 'NoDeployYet',
  deploySucceeded: 'DeploySucceeded',
  deployFailed: 'DeployFailed',
} as const;
