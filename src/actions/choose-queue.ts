import type { CapDeployJob } from '../api/capdeployjob.ts';
import { CONDITION, REASON } from '../api/reasons.ts';
import { keyOf } from '../base/object-key.ts';
import { readSpec } from '../requests/read-spec.ts';
import { checkQueues, type QueueCheck, type QueueProblem, type QueueRules } from '../sqs/check-queues.ts';
import type { QueueSettings } from '../sqs/queue.ts';
import { ActionError } from './action-error.ts';
import type { ResourceName } from './names.ts';

export interface ChosenQueue {
  readonly resource: CapDeployJob;
  readonly settings: QueueSettings;
  readonly fifo: boolean;
  /** Why a message may lie in the queue for a while: say it to whoever sends. Each has a reason of conditions. */
  readonly notes: readonly QueueProblem[];
}

/** What to do about a queue that cannot be used, beside the words that the operator has for it. */
const NEXT_STEPS: Record<string, string> = {
  [REASON.queueOriginNotAllowed]: 'this program needs the same --allow-queue-origin as the operator',
  [REASON.queueNotAllowed]: 'this program needs the same --allow-queue as the operator',
  [REASON.noRegion]: 'this program needs the same AWS_REGION as the operator',
  [REASON.queueShared]: 'give each CapDeployJob a queue of its own in spec.queue.url',
};

/** What the operator says of a queue that is not the resource's own. */
const NOT_ITS_OWN: readonly string[] = [REASON.queueShared, REASON.queueNotAllowed, REASON.queueOriginNotAllowed];

/** These make a queue lie unread, or are about to. Others concern what was deployed. */
const NOTED: readonly string[] = [CONDITION.ready, CONDITION.queueReachable, CONDITION.templateValid];

/**
 * Chooses the queue to which messages for a resource are sent, by the very check of the operator. The author of a
 * resource chooses its URL, and requests that are signed with this program's rights go there.
 *
 * A queue belongs to its oldest resource. A caller that sees some namespaces only cannot see every resource with the
 * same queue: it may send to a queue that the operator calls shared, and whose messages another resource gets.
 * @param resources all that the caller sees
 * @throws ActionError `notFound` if the resource is not among them; `refused` if its queue must not be used, or if the
 *   operator has not judged the resource since it was changed
 */
export function chooseQueue(resources: readonly CapDeployJob[], target: ResourceName, rules: QueueRules): ChosenQueue {
  const key = `${target.namespace}/${target.name}`;
  const resource = resources.find((each) => keyOf(each) === key);
  if (!resource) throw new ActionError('notFound', `there is no CapDeployJob ${key}, or this program cannot see it`);
  const users = resources.map((each) => ({ resource: each, read: readSpec(each) }));
  const check = checkQueues(users, rules).get(key) as QueueCheck;
  if (check.kind !== 'usable') {
    const { reason, message } = check.problem;
    const step = NEXT_STEPS[reason];
    const words = `nothing can be sent for ${key} (${reason}): ${message}`;
    throw new ActionError('refused', step === undefined ? words : `${words}; ${step}`);
  }
  if (!isJudged(resource)) {
    throw new ActionError(
      'refused',
      `nothing can be sent for ${key}: it was made or changed a moment ago, and the operator has not checked it yet; try again in a few seconds, and see whether the operator runs if this stays so`,
    );
  }
  // The operator may see resources that this program does not.
  const found = resource.status?.conditions?.find(({ reason }) => NOT_ITS_OWN.includes(reason));
  if (found) {
    throw new ActionError(
      'refused',
      `nothing can be sent for ${key}: the operator says ${found.reason}: ${found.message}`,
    );
  }
  return { resource, settings: check.settings, fifo: check.fifo, notes: notesOf(resource) };
}

/**
 * Whether what the status says is about the spec as it is. Whoever changes `spec.queue.url` could else have messages
 * sent there before the operator says what it has against it. An operator that is down has judged what has not changed.
 */
const isJudged = ({ metadata: { generation }, status }: CapDeployJob): boolean =>
  generation !== undefined && status?.observedGeneration === generation;

/** A suspended resource is Ready: its queue is left alone on purpose. */
function notesOf(resource: CapDeployJob): QueueProblem[] {
  const read = readSpec(resource);
  const isSuspended = 'spec' in read && read.spec.suspend;
  const suspended = {
    reason: REASON.suspended,
    message: 'spec.suspend is true: the queue is not read until that is changed',
  };
  const failing = (resource.status?.conditions ?? []).filter(
    ({ type, status }) => status === 'False' && NOTED.includes(type),
  );
  const notes = [...(isSuspended ? [suspended] : []), ...failing.map(({ reason, message }) => ({ reason, message }))];
  // `Ready` repeats what another condition says.
  return [...new Map(notes.map((note) => [`${note.reason} ${note.message}`, note])).values()];
}
