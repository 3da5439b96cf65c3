import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Queue } from '../../sqs/queue.ts';
import type { IntakeMetrics } from './metrics.ts';
import type { Reports, ResourceKey, Resources } from './ports.ts';

/** What intake works with; the same for all resources. */
export interface IntakeContext {
  readonly kube: KubeClient;
  readonly resources: Resources;
  readonly reports: Reports;
  readonly metrics: IntakeMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** One resource's queue, as it is read now. */
export interface QueueContext extends IntakeContext {
  readonly key: ResourceKey;
  /** Of the resource that is being read: another one of this name is not the one that these messages were received for. */
  readonly uid: string;
  readonly queue: Queue;
}
