import { hostname } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import { type Controller, startController } from '../controller/run.ts';
import { FlagError, parseControllerFlags } from '../flags.ts';
import { Supervisor } from '../intake/supervisor.ts';
import { systemClock } from '../kube/clock.ts';
import { HttpKubeClient } from '../kube/http-client.ts';
import { loadKubeConfig } from '../kube/kubeconfig.ts';
import { type RunningServer, serveMetrics, serveProbes } from '../observability/health.ts';
import { createLogger } from '../observability/logger.ts';
import { Metrics } from '../observability/metrics.ts';
import { SqsClients } from '../sqs/clients.ts';
import { countPolls, operatorMetrics } from './operator-metrics.ts';
import { endOnUnexpectedErrors, endSoon, stopSignal } from './process.ts';

/**
 * `capdeploy controller`: flags → clients → the two loops, until a signal.
 * @returns the exit code. @throws FlagError or KubeConfigError where it cannot begin.
 */
export async function runController(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const flags = parseControllerFlags(args, env);
  const config = () => loadKubeConfig({ kubeconfig: flags.kubeconfig, env });
  config();

  const log = createLogger({ level: flags['log-level'] });
  const stopRequested = stopSignal(log);
  endOnUnexpectedErrors(log);
  const metrics = new Metrics();
  const kube = new HttpKubeClient({
    config,
    version: packageJson.version,
    onError: (verb, { kind }) => metrics.kubeRequestFailed(verb, kind),
  });
  const sqs = new SqsClients();

  // Before the caches are complete: /healthz answers from the start, /readyz says what is missing.
  let controller: Controller | undefined;
  const servers = await serve({
    probes: flags['health-probe-bind-address'],
    metricsAddress: flags['metrics-bind-address'],
    metrics: {
      contentType: metrics.contentType,
      text: () => {
        metrics.clockSkew((kube.clockSkewMs() ?? 0) / 1000);
        return metrics.text();
      },
    },
    controller: () => controller,
  });

  const counted = operatorMetrics(metrics);
  controller = startController({
    kube,
    namespaces: flags.namespace,
    instance: env.HOSTNAME || hostname(),
    metrics: counted,
    log,
    startIntake: ({ resources, reports }) =>
      new Supervisor({
        kube,
        resources,
        reports: countPolls(reports, metrics),
        metrics: counted,
        clock: systemClock,
        log,
        targets: {
          allowedOrigins: new Set(flags['allow-queue-origin']),
          allowRules: flags['allow-queue'],
          defaultRegion: env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined,
        },
        openQueue: (settings) => sqs.open(settings),
      }),
  });
  log.info(
    {
      version: packageJson.version,
      namespaces: flags.namespace,
      probes: at(servers.probes),
      metrics: at(servers.metrics),
    },
    'started',
  );

  const signal = await stopRequested;
  log.info({ signal }, 'stopping: nothing more is received, what is in hand is settled');
  await controller.stop();
  sqs.close();
  await kube.close();
  await Promise.all([servers.probes?.close(), servers.metrics?.close()]);
  log.info({}, 'stopped');
  endSoon(log);
  return 0;
}

async function serve(options: {
  probes: string;
  metricsAddress: string;
  metrics: { contentType: string; text(): Promise<string> };
  controller: () => Controller | undefined;
}): Promise<{ probes: RunningServer | undefined; metrics: RunningServer | undefined }> {
  const { controller } = options;
  const starting = { ok: false, message: 'starting' };
  let probes: RunningServer | undefined;
  try {
    probes = await serveProbes({
      address: options.probes,
      healthz: { controller: () => controller()?.liveness() ?? { ok: true } },
      readyz: { controller: () => controller()?.readiness() ?? starting },
    });
    return { probes, metrics: await serveMetrics({ address: options.metricsAddress, metrics: options.metrics }) };
  } catch (error) {
    await probes?.close();
    // "--metrics-bind-address: cannot listen on …": for the person who chose the address.
    throw new FlagError((error as Error).message, { cause: error });
  }
}

/** Where a server listens, for the log: port 0 in a flag takes a free one. */
const at = (server: RunningServer | undefined): string => (server ? `${server.host}:${server.port}` : 'off');
