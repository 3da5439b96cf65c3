import type { CapDeployJobStatus, RejectionEntry } from '../api/capdeployjob.ts';
import { DEFAULT_TASK } from '../api/deploy-request.ts';
import { REJECTION } from '../api/reasons.ts';
import { momentOf } from '../api/rfc3339.ts';
import { linkedController } from '../base/abort.ts';
import { type Clock, monotonicNow, sleep } from '../base/clock.ts';
import { sameContent } from '../requests/find-in-status.ts';
import { type FoundDeploy, findRequest } from './find-deploy.ts';
import type { DeployMessage } from './send.ts';

/** Where the status of one resource is seen. */
export interface StatusPort {
  /** The newest that is known; undefined if the resource is not there. */
  read(): CapDeployJobStatus | undefined;
  /** Resolves at the first change after this call, or when the signal aborts. It never rejects. */
  changed(signal: AbortSignal): Promise<void>;
}

/** What was sent. */
export interface SentRequest {
  readonly message: DeployMessage;
  /** Of SQS; undefined if the send was not answered. Then a rejection cannot be told from that of another message. */
  readonly messageId: string | undefined;
}

/** What became of a message so far. */
export type Arrival =
  | { readonly kind: 'found'; readonly deploy: FoundDeploy }
  /** `reason` is one of `REJECTION`. */
  | ({ readonly kind: 'rejected' } & Pick<RejectionEntry, 'reason' | 'field' | 'message'>)
  /** It may lie in the queue still. */
  | { readonly kind: 'notSeen' };

/** A queue that is read has given the message by then, and its Job stands in the status. Milliseconds. */
export const ARRIVAL_MS = 10_000;

/**
 * Watches for a message that was sent until the status of its resource says what became of it. It looks once, and again
 * at each change.
 * @param signal ends the wait early, as if the time were over
 */
export async function awaitRequest(
  port: StatusPort,
  sent: SentRequest,
  clock: Clock,
  signal: AbortSignal,
  withinMs: number = ARRIVAL_MS,
): Promise<Arrival> {
  const deadline = monotonicNow(clock) + withinMs;
  for (;;) {
    const waiting = linkedController(signal);
    try {
      // Before the look: a change between the two would be missed.
      const change = port.changed(waiting.signal);
      const leftMs = deadline - monotonicNow(clock);
      const over = sleep(clock, Math.max(0, leftMs), waiting.signal);
      const arrival = arrivalOf(port.read(), sent);
      if (arrival || leftMs <= 0 || signal.aborted) return arrival ?? { kind: 'notSeen' };
      await Promise.race([change, over]);
    } finally {
      waiting.abort();
    }
  }
}

/**
 * What a status says of a message: of one that was sent, or before it is sent, of one with the same id.
 * @returns undefined if it says nothing
 */
export function arrivalOf(
  status: CapDeployJobStatus | undefined,
  { message, messageId }: SentRequest,
): Arrival | undefined {
  const rejection = status?.rejections?.find((each) => each.messageId === messageId);
  if (rejection) {
    const { reason, field, message: words } = rejection;
    return { kind: 'rejected', reason, field, message: words };
  }
  const deploy = findRequest(status, message.environment, message.id);
  if (!deploy) return undefined;
  if (isOf(message, deploy)) return { kind: 'found', deploy };
  // The operator rejects it for the same reason. Its list of rejections is short, and may have lost this one.
  const { job, revision, task } = deploy.entry;
  const words = `id: "${message.id}" is that of ${job} (${revision ?? task}), which asks for something else`;
  return { kind: 'rejected', reason: REJECTION.idConflict, field: 'id', message: words };
}

/** Whether a deploy is what a message asks for, as the operator compares two sends. */
function isOf(message: DeployMessage, { environment, entry }: FoundDeploy): boolean {
  return sameContent(
    { ...entry, environment },
    {
      ...message,
      task: message.task ?? DEFAULT_TASK,
      revision: message.revision,
      notBefore: asStored(message.notBefore),
      expiresAt: asStored(message.expiresAt),
    },
  );
}

function asStored(time: string | undefined): string | undefined {
  const moment = time === undefined ? undefined : momentOf(time);
  return moment === undefined ? undefined : new Date(moment).toISOString();
}
