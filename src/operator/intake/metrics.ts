import type { RejectionReason } from '../../api/reasons.ts';
import type { ObjectKey } from '../../base/object-key.ts';

/** What intake counts. */
export interface IntakeMetrics {
  /** Messages of a receive, with redelivered ones. */
  received(key: ObjectKey, count: number): void;
  rejected(key: ObjectKey, reason: RejectionReason): void;
  /** A new Job was stored. */
  created(key: ObjectKey, secondsSinceSent: number): void;
  /** `code` is AWS's or the transport's. */
  sqsError(key: ObjectKey, code: string): void;
  /** `reason` is the API server's or the transport's. */
  createError(key: ObjectKey, reason: string): void;
}
