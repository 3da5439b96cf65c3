import type { Operator, OperatorOptions } from './operators.ts';
import type { World } from './world.ts';

/** Creates a queue whose messages go to a dead-letter queue once they were received so often. */
export async function createQueueWithDeadLetters(world: World, name: string, maxReceiveCount: number) {
  const deadLetters = await world.createQueue(`${name}-dead`);
  const policy = { deadLetterTargetArn: await world.queueArn(deadLetters), maxReceiveCount };
  const queue = await world.createQueue(name, { RedrivePolicy: JSON.stringify(policy) });
  return { queue, deadLetters };
}

/** A CapDeployJob "web" with its queue, and an operator that reads it. */
export async function served(
  world: World,
  spec: Record<string, unknown> = {},
  options: OperatorOptions = {},
): Promise<Served> {
  const queue = await world.createQueue('web');
  await world.deployable('web', queue, spec);
  const operator = world.startOperator(options);
  return {
    queue,
    operator,
    /** Sends a request for production, `minute` minutes into the last half hour. */
    ask: (revision, minute, over = {}) => world.send(queue, message({ revision, sentAt: sentAt(minute), ...over })),
  };
}

export interface Served {
  queue: string;
  operator: Operator;
  ask(revision: string, minute: number, over?: Record<string, unknown>): Promise<string>;
}

/** A message that is accepted; what a test is about is laid over it. */
export const message = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  repository: 'livesense/web',
  environment: 'production',
  revision: 'v1.0.0',
  ...over,
});

const HALF_AN_HOUR_AGO = Date.now() - 30 * 60_000;

/** A moment of the last half hour, by its minute: whatever is sent now is sent later. */
export const sentAt = (minute: number): string => new Date(HALF_AN_HOUR_AGO + minute * 60_000).toISOString();
