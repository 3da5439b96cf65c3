import type { DeployRequest } from '../../api/deploy-request.ts';
import type { ReadSpec } from '../../requests/read-spec.ts';
import type { QueueMessage } from '../../sqs/queue.ts';

/**
 * The phase of a message: pending → stored (its Job is in the API server) → listed (it stands in the live status) →
 * ended (it is deleted, or no longer the batch's: rejected, or released).
 */
export type Phase = 'pending' | 'stored' | 'listed' | 'ended';

export interface Item {
  readonly message: QueueMessage;
  /** Of a FIFO queue. */
  readonly group: string | undefined;
  /** Position in the order of receipt. */
  readonly index: number;
  phase: Phase;
  request: DeployRequest | undefined;
  /** The spec that the request was parsed with: after an edit it is parsed again. */
  parsedBy: ReadSpec | undefined;
}

export type ParsedItem = Item & { request: DeployRequest };
