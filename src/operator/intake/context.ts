import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { ObjectKey } from '../../base/object-key.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Queue } from '../../sqs/queue.ts';
import type { IntakeMetrics } from './metrics.ts';
import type { Reports, Resources } from './ports.ts';

/** What intake uses, the same for all resources. */
export interface IntakeContext {
  readonly kube: KubeClient;
  readonly resources: Resources;
  readonly reports: Reports;
  readonly metrics: IntakeMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

/** The queue of one resource, and what is needed to read it. */
export interface QueueContext extends IntakeContext {
  readonly key: ObjectKey;
  /** Of the resource: the messages are not for another one of this name. */
  readonly uid: string;
  readonly queue: Queue;
}
