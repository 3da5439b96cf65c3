import type { Log } from '../../src/base/log.ts';
import { LEASE_NAME, startOperator } from '../../src/operator/operator.ts';
import { KubePort } from './kube-port.ts';
import type { Incarnation } from './replica.ts';
import { SqsPort } from './sqs-port.ts';
import type { World } from './world.ts';

/** Where the replicas of an installation keep their Lease. */
export const OPERATOR_NAMESPACE = 'capdeployjob-system';
const LEASE_MS = 15_000;

/**
 * The operator itself, as the program starts it, in one of its lives: with leader election in some worlds, in others
 * without.
 */
export function startReplica(world: World, incarnation: Incarnation): void {
  const { clock, name } = incarnation;
  const operator = startOperator({
    kube: new KubePort(world, incarnation),
    namespaces: [],
    instance: name,
    metrics: NO_METRICS,
    log: logOf(world, incarnation),
    clock,
    selection: { allowedOrigins: new Set(), allowRules: [], defaultRegion: undefined },
    openQueue: ({ url }) => new SqsPort(world, incarnation, world.setting.queueAt(url)),
    election: world.profile.election
      ? { lease: { namespace: OPERATOR_NAMESPACE, name: LEASE_NAME }, identity: name, durationMs: LEASE_MS }
      : undefined,
  });
  incarnation.running = operator;
  // The program ends where leadership was lost, and is started again.
  void operator.lost.then(() => world.replicaEnded(incarnation, 'leadership lost'));
}

const nothing = (): void => {};
const NO_METRICS = {
  received: nothing,
  rejected: nothing,
  created: nothing,
  sqsError: nothing,
  createError: nothing,
  started: nothing,
  ended: nothing,
  lanes: nothing,
  forget: nothing,
  reconciled: nothing,
  reconcileFailed: nothing,
  eventLost: nothing,
  queue: nothing,
  leader: nothing,
  leaderChanged: nothing,
};

/**
 * What the operator logs goes into the trace, where somebody reads it. What it calls an unexpected error is one here,
 * too.
 */
function logOf(world: World, incarnation: Incarnation): Log {
  const say = (level: string) => (fields: object, message: string) => {
    const { err } = fields as { err?: unknown };
    if (err !== undefined && isOwnMistake(err)) world.oracle.operatorFailed(err);
    if (!world.trace.keepsLines) return;
    const { err: _, ...rest } = fields as Record<string, unknown>;
    const words = err === undefined ? '' : ` (${err instanceof Error ? err.message : String(err)})`;
    world.trace.say(`    ${incarnation.name} logs ${level}: ${message}${words} ${JSON.stringify(rest)}`);
  };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}

/** TypeErrors and the like come of no fault outside. */
const isOwnMistake = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
