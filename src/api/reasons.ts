/** Every word that a status, an Event or a metric uses for "what" and "why". They are public: people alert on them. */

export const RESULTS = ['Succeeded', 'Failed', 'Aborted', 'Superseded', 'Refused', 'Missed', 'Unknown'] as const;
/** How an accepted request ended. */
export type Result = (typeof RESULTS)[number];

export const CONDITION = {
  ready: 'Ready',
  queueReachable: 'QueueReachable',
  templateValid: 'TemplateValid',
  lastDeploySucceeded: 'LastDeploySucceeded',
} as const;

/** The state of the servers after an end: `cap` did not run, or may have done a part of its work. */
export type Traces = 'done' | 'not touched' | 'may be half way' | 'by the exit';

/**
 * Why a request ended as it did: the `reason` of a history entry and of its Event. The list is closed. `TRACES` and
 * docs/reference/reasons.md have what each says of the servers.
 */
export const OUTCOME = {
  /** `cap` exited with 0 by itself. */
  completed: 'Completed',
  /** `cap` exited by itself. Another container of its Pod ran on for a minute, so the operator ended the Pod. */
  sidecarEnded: 'SidecarEnded',
  /** `cap` exited with 0 by itself. Another container of its Pod failed. */
  sidecarFailed: 'SidecarFailed',
  /** `cap` exited with another code than 0 by itself. The word is the Job controller's. */
  backoffLimitExceeded: 'BackoffLimitExceeded',
  /** `cap` ran longer than `activeDeadlineSeconds` allows: the Job's, or the Pod's own. */
  deadlineExceeded: 'DeadlineExceeded',
  /** The kernel killed `cap`: out of memory. */
  oomKilled: 'OOMKilled',
  /** The node ran short of memory, disk or process ids, and its kubelet ended the Pod. */
  evicted: 'Evicted',
  /** The node sent no heartbeats, was removed, or after a restart no longer knew the container. */
  nodeLost: 'NodeLost',
  /** The Pod was ended because of its node: a drain, a taint, preemption, a shutdown. */
  disrupted: 'Disrupted',
  /** Somebody deleted the Pod. */
  podDeleted: 'PodDeleted',
  /** The kubelet refused the Pod: OutOfcpu, NodeAffinity, UnexpectedAdmissionError, … */
  podRefused: 'PodRefused',
  /** The container runtime could not start the container of `cap`: StartError, ContainerCannotRun. */
  containerNotStarted: 'ContainerNotStarted',
  /** An init container failed, so `cap` did not run. The init container may have done things. */
  initContainerFailed: 'InitContainerFailed',
  /** The Job failed, and neither it nor a Pod says why. */
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
export type OutcomeReason = (typeof OUTCOME)[keyof typeof OUTCOME];

/** The state of the servers after each end of a started deploy. A request that never started has touched nothing. */
export const TRACES: Record<OutcomeReason, Traces> = {
  Completed: 'done',
  SidecarEnded: 'by the exit',
  SidecarFailed: 'by the exit',
  BackoffLimitExceeded: 'may be half way',
  DeadlineExceeded: 'may be half way',
  OOMKilled: 'may be half way',
  Evicted: 'may be half way',
  NodeLost: 'may be half way',
  Disrupted: 'may be half way',
  PodDeleted: 'may be half way',
  PodRefused: 'not touched',
  ContainerNotStarted: 'not touched',
  InitContainerFailed: 'may be half way',
  JobFailed: 'may be half way',
  PodNotStarted: 'not touched',
  JobDeleted: 'may be half way',
  JobSuspended: 'may be half way',
  JobVanished: 'may be half way',
  OutOfOrder: 'not touched',
  NewerRequest: 'not touched',
  Replaced: 'may be half way',
  Expired: 'not touched',
  EnvironmentRemoved: 'not touched',
  LaneFull: 'not touched',
  StartingDeadlineExceeded: 'not touched',
  WaitingDeadlineExceeded: 'not touched',
};

/**
 * What a waiting request waits for: `reasons` of its entry, in the order of the words in its `why`. The list is closed.
 * tools/reference/reasons.ts says what each means.
 */
export const WAITING_REASONS = [
  'Next',
  'LaneBusy',
  'Frozen',
  'Closed',
  'ApprovalMissing',
  'NotDue',
  'PodStuck',
  'ForeignDeploy',
  'Interrupted',
  'HandResumed',
  'BeingDeleted',
] as const;
export type WaitingReason = (typeof WAITING_REASONS)[number];

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

/** Reasons of Events, beside results and what messages are rejected for. */
export const EVENT = {
  started: 'Started',
  /** A Job runs without a claim. */
  adopted: 'Adopted',
  /** An environment is no longer frozen: the freeze was removed, or lost in a `kubectl replace`. */
  thawed: 'Thawed',
} as const;

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
