import type { CapDeployJob } from '../../api/capdeployjob.ts';
import { CONDITION, REASON } from '../../api/reasons.ts';
import { keyOf, type ObjectKey } from '../../base/object-key.ts';
import { readSpec } from '../../requests/read-spec.ts';
import { checkQueues, type QueueCheck, type QueueProblem, type QueueRules } from '../../sqs/check-queues.ts';
import type { QueueSettings } from '../../sqs/queue.ts';

/** Which queues are read, and why others are not. Pure: resources and flags in, a decision for each resource out. */

export type QueueSelectionOptions = QueueRules;

export type QueueSelection = { kind: 'read'; uid: string; settings: QueueSettings } | Off;
type Off = { kind: 'off'; reason: string; message: string };

export function selectQueues(
  resources: readonly CapDeployJob[],
  options: QueueSelectionOptions,
): Map<ObjectKey, QueueSelection> {
  const users = resources.map((resource) => ({ resource, read: readSpec(resource) }));
  const checks = checkQueues(users, options);
  return new Map(
    users.map(({ resource, read }): [ObjectKey, QueueSelection] => {
      const key = keyOf(resource);
      const isSuspended = 'spec' in read && read.spec.suspend;
      return [key, decide(resource, isSuspended, checks.get(key) as QueueCheck)];
    }),
  );
}

/** The first problem counts. The order is part of what users see. */
function decide(resource: CapDeployJob, isSuspended: boolean, check: QueueCheck): QueueSelection {
  if (check.kind === 'refused') return off(check.problem);
  if (isSuspended) return off({ reason: REASON.suspended, message: 'spec.suspend is true: the queue is not read' });
  if (check.kind === 'unusable') return off(check.problem);
  const problem = templateProblem(resource);
  return problem ? off(problem) : { kind: 'read', uid: resource.metadata.uid, settings: check.settings };
}

const off = ({ reason, message }: QueueProblem): Off => ({ kind: 'off', reason, message });

function templateProblem({ status }: CapDeployJob): QueueProblem | undefined {
  const condition = status?.conditions?.find(({ type }) => type === CONDITION.templateValid);
  // Unknown with another reason comes from a webhook without dry run: its queue is read.
  if (condition === undefined || condition.reason === REASON.notChecked) {
    return { reason: REASON.notChecked, message: 'the template has not been tried on the API server yet' };
  }
  // After an edit the old finding counts until the new one: otherwise every edit would interrupt the reading.
  return condition.status === 'False' ? { reason: condition.reason, message: condition.message } : undefined;
}
