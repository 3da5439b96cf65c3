import type { RejectionReason } from '../../api/reasons.ts';
import type { ResourceKey } from './ports.ts';

/** What intake counts. The operator gives it Prometheus, tests give it nothing. */
export interface IntakeMetrics {
  /** Messages that a receive brought, redelivered ones included. */
  received(key: ResourceKey, count: number): void;
  rejected(key: ResourceKey, reason: RejectionReason): void;
  /** A Job was stored that was not there before. */
  created(key: ResourceKey, secondsSinceSent: number): void;
  /** `code` is AWS's or the transport's. */
  sqsError(key: ResourceKey, code: string): void;
  /** `reason` is the API server's or the transport's. */
  createError(key: ResourceKey, reason: string): void;
}

export const NO_METRICS: IntakeMetrics = {
  received() {},
  rejected() {},
  created() {},
  sqsError() {},
  createError() {},
};
