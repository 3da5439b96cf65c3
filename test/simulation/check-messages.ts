import { rejectionsOf } from './check-status.ts';
import type { Intent } from './messages.ts';
import type { Oracle } from './oracle.ts';
import type { Incarnation } from './replica.ts';
import type { QueueModel } from './sqs-model.ts';
import { Violation } from './violation.ts';

/**
 * What a status can tell of a request's content; its bounds in time stand there only while it waits or in the history.
 */
export const contentOf = ({ task, revision, repository }: Pick<Intent, 'task' | 'revision' | 'repository'>): string =>
  JSON.stringify([task, revision, repository]);

/**
 * Invariant 2: a message goes only when its request stands in the status of a resource that lived when it was received,
 * or its rejection does.
 */
export function checkMessageDeleted(oracle: Oracle, queue: QueueModel, messageId: string, by: Incarnation): void {
  const sent = oracle.sent.find(({ message }) => message.messageId === messageId && queue.messages.includes(message));
  if (sent === undefined) throw new Violation('invariant 2', `${messageId} is deleted, which nobody sent`);
  const { place, intent } = sent;
  // Gone once for a good reason, it came again: nothing more can be lost.
  if (oracle.settled.has(sent.message)) return;
  const receivedAt = oracle.receivedAt.get(`${by.name} ${messageId}`) ?? 0;
  const all = [...oracle.resources.values()].filter(({ name }) => name === place.name);
  const alive = all.filter(({ endVersion }) => endVersion === undefined || endVersion > receivedAt);
  // What is nonsense to one resource is nonsense to the next one of its name.
  if (all.some(({ rejected }) => rejected.has(messageId))) return;
  const counted = alive.find(
    (truth) => truth.uncertainRejections > 0 && rejectionsOf(oracle, truth, sent, truth.object).length > 0,
  );
  const isListed =
    intent && alive.some(({ listed }) => listed.get(`${intent.environment}|${intent.id}`)?.has(contentOf(intent)));
  if (counted && !isListed) {
    counted.uncertainRejections -= 1;
    counted.rejected.add(messageId);
    return;
  }
  if (intent === undefined)
    throw new Violation('invariant 2', `${messageId} is deleted, and its rejection is not recorded`);
  if (isListed) {
    oracle.settled.add(sent.message);
    return;
  }
  throw new Violation('invariant 2', `${messageId} (request ${intent.id}) is deleted, and stands in no status`);
}
