import type { Logger } from 'pino';
import { startController } from '../../src/controller/run.ts';
import { Supervisor } from '../../src/intake/supervisor.ts';
import { KubePort } from './kube-port.ts';
import type { Incarnation } from './replica.ts';
import { SqsPort } from './sqs-port.ts';
import type { World } from './world.ts';

/** The operator itself, as `src/commands/controller.ts` puts it together, in one of its lives. */
export function startOperator(world: World, incarnation: Incarnation): void {
  const kube = new KubePort(world, incarnation);
  const { clock } = incarnation;
  const log = logOf(world, incarnation);
  incarnation.running = startController({
    kube,
    namespaces: [],
    instance: incarnation.name,
    metrics: NO_METRICS,
    log,
    clock,
    startIntake: ({ resources, reports }) =>
      new Supervisor({
        kube,
        resources,
        reports,
        metrics: NO_METRICS,
        clock,
        log,
        targets: { allowedOrigins: new Set(), allowRules: [], defaultRegion: undefined },
        openQueue: ({ url }) => new SqsPort(world, incarnation, world.setting.queueAt(url)),
      }),
  });
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
};

/** What the operator logs goes into the trace, where somebody reads it. What it calls an unexpected error is one here, too. */
function logOf(world: World, incarnation: Incarnation): Logger {
  const say = (level: string) => (fields: object, message: string) => {
    const { err } = fields as { err?: unknown };
    if (err !== undefined && isOwnMistake(err)) world.oracle.operatorFailed(err);
    if (!world.trace.keepsLines) return;
    const { err: _, ...rest } = fields as Record<string, unknown>;
    const words = err === undefined ? '' : ` (${err instanceof Error ? err.message : String(err)})`;
    world.trace.say(`    ${incarnation.name} logs ${level}: ${message}${words} ${JSON.stringify(rest)}`);
  };
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error'), child: () => log };
  return log as unknown as Logger;
}

/** TypeErrors and the like come of no fault outside. */
const isOwnMistake = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
