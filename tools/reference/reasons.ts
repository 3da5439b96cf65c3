import {
  CONDITION,
  type EVENT,
  type OutcomeReason,
  type REASON,
  REJECTION,
  RESULTS,
  type RejectionReason,
  type Result,
  TRACES,
  WAITING_REASONS,
  type WaitingReason,
} from '../../src/api/reasons.ts';
import { code, GENERATED, table } from './markdown.ts';

/** What each reason of an end means, and with which results it is recorded. */
const ENDS: Record<OutcomeReason, [results: Result[], meaning: string]> = {
  Completed: [['Succeeded'], '`cap` exited with 0 by itself'],
  SidecarFailed: [['Succeeded'], 'the same, and another container of its Pod failed: Kubernetes calls the Job failed'],
  SidecarEnded: [
    ['Succeeded', 'Failed'],
    '`cap` had exited by itself, with 0 or not; another container ran on for a minute, so the operator ended the Pod',
  ],
  BackoffLimitExceeded: [['Failed'], '`cap` exited with an error by itself; the message ends with its log'],
  OOMKilled: [['Failed'], '`cap` used more memory than its limit, and the kernel killed it'],
  DeadlineExceeded: [['Failed'], 'it ran longer than `activeDeadlineSeconds` and was stopped'],
  Evicted: [['Failed'], 'the node ran short of memory, disk or process ids, and its kubelet ended the Pod'],
  Disrupted: [['Failed'], 'the Pod was ended because of its node: a drain, a taint, preemption, a shutdown'],
  NodeLost: [['Failed'], 'the node sent no heartbeats any more, was removed, or lost the container in a restart'],
  PodDeleted: [['Failed'], 'somebody deleted the Pod, and not the Job'],
  InitContainerFailed: [
    ['Failed'],
    'an init container failed, so `cap` did not run; the init container may have done things',
  ],
  PodRefused: [['Failed'], 'the node did not take the Pod: OutOfcpu, NodeAffinity, …'],
  ContainerNotStarted: [['Failed'], 'the container could not be started: a command that the image lacks, a mount, …'],
  PodNotStarted: [
    ['Failed'],
    'no container within `podStartDeadlineSeconds`; if an init container ran, the message says so',
  ],
  JobFailed: [['Failed'], 'the Job failed, and no Pod was seen that says why'],
  JobDeleted: [
    ['Aborted'],
    'somebody deleted the Job: while it waited (no `startedAt`), or while it ran; `abortedBy` says who, if [the name was written](../runbook.md#abort-a-deploy-or-take-one-out-of-the-lane)',
  ],
  JobSuspended: [['Aborted'], 'somebody suspended the running Job'],
  Replaced: [['Aborted'], '`concurrencyPolicy: Replace`: a newer request took its place while it ran'],
  OutOfOrder: [['Superseded'], 'a request of this task that was due later, or a rollback, had been started before'],
  NewerRequest: [['Superseded'], 'dropped while it waited: Supersede, Replace or a rollback'],
  LaneFull: [['Refused'], '`maxWaiting` requests wait already'],
  EnvironmentRemoved: [['Refused'], 'its environment is no longer in the spec'],
  StartingDeadlineExceeded: [
    ['Missed'],
    'older than `startingDeadlineSeconds` when it was read, or could have started that long ago and no operator ran',
  ],
  WaitingDeadlineExceeded: [
    ['Missed'],
    'waited longer than `waitingDeadlineSeconds` after its due time, for whatever reason',
  ],
  Expired: [['Missed'], "not started by the message's `expiresAt`"],
  JobVanished: [
    ['Unknown'],
    'a started Job was gone when an operator looked again, and no Pod of it says how it ended',
  ],
};

/** What keeps a waiting request from starting, and what ends that. */
const WAITS: Record<WaitingReason, [cause: string, end: string]> = {
  Next: ['nothing: it is the next one', 'it starts within seconds'],
  LaneBusy: [
    'it could start, but another deploy has the lane, or requests that could start come before it',
    'the deploy ends; those before it have had their turn',
  ],
  Frozen: ['the environment or the whole resource is frozen', 'a person thaws it, or `suspend` is false in git'],
  Closed: ['the windows of the environment are closed', 'a window opens: `until`, if nothing else keeps it'],
  ApprovalMissing: [
    'the environment has `requireApproval`, and nobody has approved this request',
    'a person approves it; without that it is Missed',
  ],
  NotDue: ["the message's `notBefore` has not come", 'that moment: `until`, if nothing else keeps it'],
  PodStuck: [
    'no deploy has the lane, but a Pod in it was told to end and has not ended',
    'the Pod is gone. If its node is lost, [a person has to act](../runbook.md#a-pod-on-a-lost-node)',
  ],
  ForeignDeploy: [
    'no deploy has the lane, but a Job of another owner, or a Pod without a deploy of ours, runs in it',
    'it ends, or a person deletes it',
  ],
  Interrupted: [
    'this request, or another one of the lane, was started and its Job then suspended by hand',
    'that one is recorded as Aborted, once its Pod is gone',
  ],
  HandResumed: [
    'the Job of this request was resumed by hand and runs; or no deploy has the lane, but another such Job runs in it',
    'that Job ends',
  ],
  BeingDeleted: ['somebody has deleted its Job, which is not gone yet', 'it is recorded as Aborted'],
};

const REJECTIONS: Record<RejectionReason, string> = {
  NotJSON: 'the body is not JSON',
  WrongShape:
    'a key is missing, or its value has the wrong form; or the body is an envelope of AWS that is not unwrapped',
  UnknownEnvironment: '`spec.environments` does not have it',
  UnknownTask: '`spec.tasks` does not have it',
  ForeignRepository: '`spec.repositories` does not have it',
  UnsafeRevision:
    'the revision has a character or form that is not allowed, or does not match `revisions` of the environment',
  IdConflict: 'the same `id` came before with another content',
  NameConflict: 'a Job with the name of this request exists, and it is not ours',
};

type ConditionReason = (typeof REASON)[keyof typeof REASON];
const READY = [CONDITION.ready];
const QUEUE = [CONDITION.queueReachable];
const TEMPLATE = [CONDITION.templateValid];
const LAST = [CONDITION.lastDeploySucceeded];
/** A queue that is not read is a resource that is not ready. */
const READY_AND_QUEUE = [...READY, ...QUEUE];
/** A template that is refused, or was not tried yet, keeps the queue from being read. */
const ALL_THREE = [...READY_AND_QUEUE, ...TEMPLATE];

/** In which conditions a reason is found, and what a person does about it. */
const CONDITIONS: Record<ConditionReason, [conditions: readonly string[], todo: string]> = {
  AsExpected: [READY, 'all is well'],
  Polling: [QUEUE, 'all is well'],
  DryRunAccepted: [TEMPLATE, 'all is well'],
  DeploySucceeded: [LAST, 'all is well'],
  InvalidSpec: [READY_AND_QUEUE, 'correct the field that the message names'],
  Suspended: [READY_AND_QUEUE, '`spec.suspend` is true'],
  BeingDeleted: [READY_AND_QUEUE, 'somebody deleted it'],
  JobsCannotBeCreated: [
    READY,
    "quota, missing rights, a webhook, or policies that were built for an operator of another name: the message has the API server's words. Nothing is lost: messages stay in the queue",
  ],
  InvalidWindow: [
    READY,
    'correct the schedule or time zone that the message names ([what may be written](../lanes.md#windows)); until then that environment is closed',
  ],
  FreezeOfUnknownEnvironment: [READY, "correct the annotation's name: it freezes nothing"],
  DefinitionOutdated: [
    READY,
    'the CustomResourceDefinition is older than the operator, and the API server drops the fields that the message names: `kubectl apply --server-side -f crds/capdeployjobs.yaml` of the version that runs. Noticed within ten minutes',
  ],
  QueueNotRead: [
    READY_AND_QUEUE,
    "the queue was not read with success for a while; the message has AWS's code. Check credentials, network, and that the queue exists",
  ],
  NotYetPolled: [READY_AND_QUEUE, 'nothing: it has just started'],
  QueueShared: [
    READY_AND_QUEUE,
    'another CapDeployJob of this cluster, the older one, reads this queue: give each its own',
  ],
  QueueNotAllowed: [READY_AND_QUEUE, '`--allow-queue` does not give this namespace the queue'],
  QueueOriginNotAllowed: [READY_AND_QUEUE, "the URL is not SQS's own: see `--allow-queue-origin`"],
  NoRegion: [READY_AND_QUEUE, 'set `spec.queue.region`'],
  DryRunRefused: [
    ALL_THREE,
    'the API server refuses the Pod template, in its own words; the queue is not read until it is right',
  ],
  NotChecked: [ALL_THREE, 'nothing: the template is being tried on the API server, and the queue is read after that'],
  DryRunUnsupported: [TEMPLATE, 'nothing: it is not known, and reading goes on'],
  NoDeployYet: [LAST, 'nothing: no deploy has run yet'],
  DeployFailed: [
    LAST,
    'the last deploy of an environment did not succeed (Failed, Aborted or Unknown): see the history. The operator is well',
  ],
};

/** What each Event beside results and rejections tells. */
const EVENTS: Record<(typeof EVENT)[keyof typeof EVENT], string> = {
  Started: 'a deploy was started',
  Adopted: 'a Job runs that the operator did not start. The lane waits until it ends',
  Thawed: 'an environment is no longer frozen. It names the environment, and who had frozen it and why',
};

const list = (words: readonly string[]): string => words.map(code).join(', ');
const inOrderOfResults = Object.entries(ENDS).toSorted(
  ([, [[a = 'Succeeded']]], [, [[b = 'Succeeded']]]) => RESULTS.indexOf(a) - RESULTS.indexOf(b),
) as [OutcomeReason, (typeof ENDS)[OutcomeReason]][];

/**
 * docs/reference/reasons.md: the closed lists of words that a status, an Event or a metric uses, and what each means.
 */
export function reasonsPage(): string {
  return `${GENERATED}# Results and reasons

Alert on these words: they stay. The [runbook](../runbook.md) has the commands.

## Results

How an accepted request ended. The last column says what the deploy may have done to the servers.

${table(
  ['result', 'reason', 'what happened', 'the servers'],
  inOrderOfResults.map(([reason, [results, meaning]]) => [list(results), code(reason), meaning, TRACES[reason]]),
)}
\`cap\` is the first container of the Pod. Its exit counts only if it exited by itself, before anything told the Pod to
end. Then 0 is Succeeded and anything else Failed, whatever became of the Job afterwards: deleted, orphaned, suspended,
failed by its deadline. A \`cap\` that catches SIGTERM and exits with 0 has been aborted. The message says what the Pod
says.

## Why a request waits

The \`reasons\` of each entry of \`status.environments[].waiting\`, in the order in which \`why\` has them in words. There
is at least one. Several are given if the lane and the request itself each keep it from starting: \`NotDue\`,
\`ApprovalMissing\`, \`Frozen\` and \`Closed\`. Any other reason stands alone: what has the lane is told of a request
that could start otherwise.

${table(
  ['reason', 'what keeps it', 'what ends that'],
  WAITING_REASONS.map((reason) => [code(reason), ...WAITS[reason]]),
)}
## Rejections

Why a message never became a request. The entry in \`status.rejections\` says which field, what was found and what is
allowed.

${table(
  ['reason', 'the message'],
  Object.values(REJECTION).map((reason) => [code(reason), REJECTIONS[reason]]),
)}
## Conditions

${table(
  ['condition', 'reason', 'what to do'],
  Object.entries(CONDITIONS).map(([reason, [conditions, todo]]) => [list(conditions), code(reason), todo]),
)}
## Events

What the operator says of a CapDeployJob. Kubernetes keeps an Event for an hour by default, and an Event may be lost:
the history is the record.

${table(
  ['reason', 'what it tells'],
  [
    ...Object.entries(EVENTS).map(([reason, meaning]) => [code(reason), meaning]),
    [list(RESULTS), 'how a request ended: [results](#results)'],
    [list(Object.values(REJECTION)), 'a message was rejected: [rejections](#rejections)'],
  ],
)}`;
}
