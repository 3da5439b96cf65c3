import type { RejectionReason } from '../../api/reasons.ts';
import type { ResourceKey } from './ports.ts';

/** What intake counts. */
export interface IntakeMetrics {
  /** Messages of a receive, with redelivered ones. */
  received(key: ResourceKey, count: number): void;
  rejected(key: ResourceKey, reason: RejectionReason): void;
  /** A new Job was stored. */
  created(key: ResourceKey, secondsSinceSent: number): void;
  /** `code` is AWS's or the transport's. */
  sqsError(key: ResourceKey, code: string): void;
  /** `reason` is the API server's or the transport's. */
  createError(key: ResourceKey, reason: string): void;
}
