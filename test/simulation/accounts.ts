import type { CapDeployJobStatus } from '../../src/api/capdeployjob.ts';
import { rejectionsOf } from './check-status.ts';
import type { Sent } from './messages.ts';
import type { ResourceTruth } from './truth.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

/**
 * In the end: each message is one Job's or one rejection's, each request has one entry, and nothing is where it does
 * not belong.
 */
export function checkAccounts(world: World): void {
  for (const truth of world.oracle.resources.values()) {
    if (truth.endVersion === undefined) checkRequests(world, truth);
  }
  for (const sent of world.oracle.sent) checkMessage(world, sent);
}

/** What was listed has its entry: exactly one, by `checkStatus`. */
function checkRequests(world: World, truth: ResourceTruth): void {
  const { history = [] } = (truth.object.status ?? {}) as CapDeployJobStatus;
  const recorded = new Set(history.map(({ environment, id }) => `${environment}|${id}`));
  for (const key of truth.listed.keys()) {
    if (!recorded.has(key))
      throw new Violation('invariant 1', `request ${key} of ${truth.name} has no history entry in the end`);
  }
  for (const request of world.oracle.requests.values()) {
    const isOurs = request.jobs.some((job) => job.owner === truth.uid);
    const hasRun = request.starts.some((start) => !start.isUntraceable);
    if (isOurs && hasRun && !recorded.has(`${request.environment}|${request.id}`)) {
      throw new Violation('invariant 1', `request ${request.id} was started, and has no history entry in the end`);
    }
  }
}

function checkMessage(world: World, sent: Sent): void {
  const { place, message, intent } = sent;
  const truths = [...world.oracle.resources.values()].filter(({ name }) => name === place.name);
  const isRejected = truths.some(({ rejected }) => rejected.has(message.messageId));
  const key = intent && `${intent.environment}|${intent.id}`;
  const isListed = key !== undefined && truths.some(({ listed }) => listed.has(key));
  if (message.state === 'queued') {
    // Only what is rejected, and received too often, is put off for long.
    if (!isRejected) throw new Violation('liveness', `${message.messageId} is still on the queue`);
    return;
  }
  if (message.state === 'dead-letter') {
    // Each receive that came to nothing was a fault's: a process that died, an answer that was lost.
    const { maxReceiveCount = 0 } = place.queue;
    // Of ten rejections in one write the status shows five.
    const wasWrong = truths.some((truth) => rejectionsOf(world.oracle, truth, sent, truth.object).length > 0);
    if (!isListed && !isRejected && !wasWrong && maxReceiveCount > 3) {
      throw new Violation(
        'invariant 2',
        `${message.messageId} is in the dead-letter queue, and nothing is wrong with it`,
      );
    }
    return;
  }
  if (!isRejected && !isListed)
    throw new Violation('invariant 2', `${message.messageId} is deleted, and nobody knows of it`);
}
