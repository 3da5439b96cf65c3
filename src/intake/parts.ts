import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import type { Pace } from '../base/rate-limiter.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Queue } from '../sqs/queue.ts';
import type { GroupOrder } from './group-order.ts';
import type { IntakeMetrics } from './metrics.ts';
import type { Reports, ResourceKey, Resources } from './ports.ts';
import type { Rejections } from './rejections.ts';

/** What intake works with; the same for all resources. */
export interface IntakeParts {
  readonly kube: KubeClient;
  readonly resources: Resources;
  readonly reports: Reports;
  readonly metrics: IntakeMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the batches of one resource have in common. Nothing in it is shared with another resource that could be harmed by it. */
export interface ResourceContext extends IntakeParts {
  readonly key: ResourceKey;
  /** Of the resource that is being read: another one of this name is not the one that these messages were received for. */
  readonly uid: string;
  readonly queue: Queue;
  readonly rejections: Rejections;
  readonly groups: GroupOrder;
  /** Of its new Jobs. */
  readonly pace: Pace;
  /** To be called whenever something has begun or ended: silence for minutes means a loop that is stuck. */
  readonly progress: () => void;
}

/** A controller that also aborts with its parent, and lets go of the parent when it aborts. */
export function linkedController(parent: AbortSignal): AbortController {
  const controller = new AbortController();
  if (parent.aborted) controller.abort();
  else {
    // Not by the option `signal`: Node then keeps everything that this controller can reach until it aborts, even where nobody has it any more.
    const abort = () => controller.abort();
    parent.addEventListener('abort', abort, { once: true });
    controller.signal.addEventListener('abort', () => parent.removeEventListener('abort', abort), { once: true });
  }
  return controller;
}
