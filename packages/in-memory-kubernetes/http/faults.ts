/**
 * Faults that tests play: the API server that answers late, wrongly, or not at all, before or after it has done what it
 * was asked.
 */
import type { ApiRequest } from './http-request.ts';

export interface Fault {
  /** Whether the request has taken effect when this happens. Without `status` and `drop` it is only late. */
  when?: 'before' | 'after';
  status?: number;
  /** JSON; a metav1.Status, for example. */
  body?: unknown;
  headers?: Record<string, string>;
  delayMs?: number;
  /** Ends the connection without an answer. */
  drop?: boolean;
}

/** Asked for every request; undefined lets it pass. A Promise makes the request wait. */
export type Intercept = (request: ApiRequest) => Fault | undefined | Promise<Fault | undefined>;
