import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import packageJson from '../../package.json' with { type: 'json' };
import { ClockWasSetError } from '../base/clock-step.ts';
import { timingsOf } from '../kube/election/leader-elector.ts';
import { KUBE_ERROR_KINDS } from '../kube/errors.ts';
import { HttpKubeClient, type HttpKubeClientOptions, VERBS } from '../kube/http/http-client.ts';
import { currentNamespace, KubeConfigError, loadKubeConfig } from '../kube/http/kubeconfig.ts';
import { createLogger } from '../observability/logger.ts';
import { Metrics } from '../observability/metrics.ts';
import { operatorMetrics } from '../operator/metrics.ts';
import { type ElectionOptions, LEASE_NAME, type Operator, startOperator } from '../operator/operator.ts';
import { SqsClients } from '../sqs/clients.ts';
import { type ControllerFlags, parseControllerFlags } from './controller-flags.ts';
import { endOnUnexpectedErrors, endSoon, stopSignal } from './process.ts';
import { addressesOf, startServers, stopServers } from './servers.ts';

/**
 * `capdeploy controller`: flags → clients → the operator, until a signal.
 * @returns the exit code: 0 after a clean stop, 1 if leadership was lost or the clock was set.
 * @throws UsageError if it cannot begin.
 */
export async function run(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const flags = parseControllerFlags(args, env);
  const config = () => loadKubeConfig({ kubeconfig: flags.kubeconfig, env });
  const namespace = currentNamespace(config());
  const instance = env.HOSTNAME || hostname();
  const election = flags['leader-elect'] ? electionOf(flags, namespace, instance) : undefined;

  const log = createLogger({ level: flags['log-level'] });
  const stopRequested = stopSignal(log);
  endOnUnexpectedErrors(log);
  const metrics = new Metrics({ kubeRequests: { verbs: VERBS, errorKinds: KUBE_ERROR_KINDS } });
  let operator: Operator | undefined;
  const client = (more: Partial<HttpKubeClientOptions>) =>
    new HttpKubeClient({
      config,
      version: packageJson.version,
      onError: (verb, { kind }) => metrics.kubeRequestFailed(verb, kind),
      ...more,
    });
  const kube = client({ mayWrite: () => operator?.mayWrite() ?? true });
  // With sockets of its own: a renewal must not wait behind requests that hang.
  const leaseClient =
    election && client({ maxConnections: 2, requestTimeoutMs: timingsOf(election.durationMs).renewDeadlineMs });
  const sqs = new SqsClients();

  const checks = {
    healthz: { controller: () => operator?.liveness() ?? { ok: true } },
    readyz: { controller: () => operator?.readiness() ?? { ok: false, message: 'starting' } },
  };
  const servers = await startServers(flags, checks, {
    contentType: metrics.contentType,
    text: () => {
      metrics.clockSkew((kube.clockSkewMs() ?? 0) / 1000);
      return metrics.text();
    },
  });

  operator = startOperator({
    kube,
    namespaces: flags.namespace,
    instance,
    metrics: operatorMetrics(metrics),
    log,
    selection: {
      allowedOrigins: new Set(flags['allow-queue-origin']),
      allowRules: flags['allow-queue'],
      defaultRegion: env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined,
    },
    openQueue: (settings) => sqs.open(settings),
    election: election && leaseClient ? { ...election, kube: leaseClient } : undefined,
  });
  log.info(
    {
      version: packageJson.version,
      namespaces: flags.namespace,
      ...addressesOf(servers),
      lease: election?.lease,
      identity: election?.identity,
    },
    'started',
  );

  const end = await Promise.race([stopRequested, operator.lost]);
  if (end instanceof Error) {
    // Not a follower again: this process holds the state of a leader. Kubernetes starts a new one, which forgets
    // nothing.
    const why = end instanceof ClockWasSetError ? 'the clock was set' : 'leadership was lost';
    log.error({ err: end }, `${why}: ending, for another process to go on`);
    process.exit(1);
  }
  log.info({ signal: end }, 'stopping: nothing more is received, what is in flight is settled');
  await operator.stop();
  sqs.close();
  await Promise.all([kube.close(), leaseClient?.close()]);
  await stopServers(servers);
  log.info({}, 'stopped');
  endSoon(log);
  return 0;
}

/** @throws KubeConfigError if the namespace of the Lease is not known. */
function electionOf(flags: ControllerFlags, namespace: string | undefined, instance: string): ElectionOptions {
  if (namespace === undefined) {
    throw new KubeConfigError(
      "--leader-elect: the Lease lies in the operator's own namespace, and that is not known: this is no Pod with a " +
        'service account, and the current context of the kubeconfig names none (kubectl config set-context --current ' +
        '--namespace=…)',
    );
  }
  return {
    lease: { namespace, name: LEASE_NAME },
    // A container that is started again has the name of the one that died, but it does not hold its Lease.
    identity: `${instance}_${randomUUID()}`,
    durationMs: flags['leader-elect-lease-duration'],
  };
}
