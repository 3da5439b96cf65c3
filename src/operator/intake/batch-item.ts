import type { CapDeployJobSpec } from '../../api/capdeployjob.ts';
import type { DeployRequest } from '../../api/deploy-request.ts';
import type { Revisions } from '../../requests/read-spec.ts';
import type { QueueMessage } from '../../sqs/queue.ts';

/**
 * How far a message of a batch is: pending → stored (its Job is in the API server) → listed (it stands in the live status) → ended (its
 * message is deleted, or it is not the batch's any more: rejected, or let go of).
 */
export type Phase = 'pending' | 'stored' | 'listed' | 'ended';

export type Read = { spec: CapDeployJobSpec; revisions: Revisions };

export interface Item {
  readonly message: QueueMessage;
  readonly group: string | undefined;
  /** Position in the order of receipt. */
  readonly index: number;
  phase: Phase;
  request: DeployRequest | undefined;
  /** The reading of the spec that the request was parsed with: an edit counts at once. */
  parsedBy: Read | undefined;
}

/** @returns the items of one receive, in its order. */
export function itemsOf(messages: readonly QueueMessage[]): Item[] {
  return messages.map((message, index) => ({
    message,
    group: message.messageGroupId,
    index,
    phase: 'pending',
    request: undefined,
    parsedBy: undefined,
  }));
}
