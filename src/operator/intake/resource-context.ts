import type { RateLimiter } from '../../base/rate-limiter.ts';
import type { QueueContext } from './context.ts';
import type { GroupOrder } from './group-order.ts';
import type { Rejections } from './reject/rejections.ts';

/** What the batches of one resource have in common. Nothing in it is shared with another resource that could be harmed by it. */
export interface ResourceContext extends QueueContext {
  readonly rejections: Rejections;
  readonly groups: GroupOrder;
  /** Of its new Jobs. */
  readonly rateLimiter: RateLimiter;
  /** To be called whenever something has begun or ended: silence for minutes means a loop that is stuck. */
  readonly progress: () => void;
}
