import type { RateLimiter } from '../../base/rate-limiter.ts';
import type { QueueContext } from './context.ts';
import type { GroupOrder } from './group-order.ts';
import type { Rejections } from './reject/rejections.ts';

/** What the batches of one resource share. Its own members are shared with no other resource (invariant 9). */
export interface ResourceContext extends QueueContext {
  readonly rejections: Rejections;
  readonly groups: GroupOrder;
  /** Of its new Jobs. */
  readonly rateLimiter: RateLimiter;
  /** Call it when something has begun or ended: after minutes without a call the loop counts as stuck. */
  readonly progress: () => void;
}
