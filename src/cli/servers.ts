import {
  type Check,
  type MetricsText,
  type RunningServer,
  serveMetrics,
  serveProbes,
} from '../observability/health.ts';
import { FlagError } from './flags.ts';

/** What every program serves. */
export interface Servers {
  readonly probes: RunningServer | undefined;
  readonly metrics: RunningServer | undefined;
}

/**
 * Serves probes and metrics. To be called before anything else begins: /healthz answers from the start, and /readyz says
 * what is missing.
 * @param flags the addresses
 * @param checks by name
 * @throws FlagError if an address cannot be listened on
 */
export async function startServers(
  flags: { readonly 'health-probe-bind-address': string; readonly 'metrics-bind-address': string },
  checks: { readonly healthz: Record<string, Check>; readonly readyz: Record<string, Check> },
  metrics: MetricsText,
): Promise<Servers> {
  let probes: RunningServer | undefined;
  try {
    probes = await serveProbes({ address: flags['health-probe-bind-address'], ...checks });
    return { probes, metrics: await serveMetrics({ address: flags['metrics-bind-address'], metrics }) };
  } catch (error) {
    await probes?.close();
    // "--metrics-bind-address: cannot listen on …": for the person who chose the address.
    throw new FlagError((error as Error).message, { cause: error });
  }
}

export const stopServers = async ({ probes, metrics }: Servers): Promise<void> => {
  await Promise.all([probes?.close(), metrics?.close()]);
};

/** Where the servers listen, for the log: port 0 in a flag takes a free port. */
export const addressesOf = ({ probes, metrics }: Servers) => ({ probes: at(probes), metrics: at(metrics) });

const at = (server: RunningServer | undefined): string => (server ? `${server.host}:${server.port}` : 'off');
