import packageJson from '../../package.json' with { type: 'json' };
import { Aws } from '../aws/aws-client.ts';
import { sleep, systemClock } from '../base/clock.ts';
import { runOnce } from '../ecr/run.ts';
import { HttpKubeClient } from '../kube/http/http-client.ts';
import { loadKubeConfig } from '../kube/http/kubeconfig.ts';
import { createLogger } from '../observability/logger.ts';
import { parseEcrLogin } from './ecr-login-flags.ts';
import { endOnUnexpectedErrors, endSoon, stopSignal } from './process.ts';

/** One request to the API server; it is tried again. */
const KUBE_TIMEOUT_MS = 10_000;
/** After a run in which something failed, however long the interval is. */
const AFTER_FAILURE_MS = 5 * 60_000;

/**
 * `capdeploy ecr-login`: puts fresh ECR tokens into pull Secrets, once or at an interval.
 * @returns the exit code of the last run: 0 if every target and namespace is good, 1 if some failed.
 * @throws UsageError if it cannot begin.
 */
export async function run(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { targets, intervalMs, dryRun, kubeconfig, logLevel } = parseEcrLogin(args, env);
  const config = () => loadKubeConfig({ kubeconfig, env });
  config();

  const log = createLogger({ level: logLevel });
  const stopped = new AbortController();
  void stopSignal(log, 'each Secret is as it was, or refreshed').then((signal) => {
    stopped.abort(new Error(`stopped by ${signal}`));
  });
  endOnUnexpectedErrors(log);
  const aws = new Aws();
  const kube = new HttpKubeClient({ config, version: packageJson.version, requestTimeoutMs: KUBE_TIMEOUT_MS });
  const { signal } = stopped;

  let failed: number;
  for (;;) {
    failed = await runOnce({ targets, aws, kube, clock: systemClock, log, dryRun, signal });
    if (intervalMs === undefined || signal.aborted) break;
    await waitFor(failed > 0 ? Math.min(intervalMs, AFTER_FAILURE_MS) : intervalMs, signal);
    if (signal.aborted) break;
  }
  aws.close();
  await kube.close();
  endSoon(log);
  return failed > 0 ? 1 : 0;
}

/** `sleep` ends after five minutes at the latest. */
async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  const end = systemClock.now() + ms;
  while (!signal.aborted && systemClock.now() < end) await sleep(systemClock, end - systemClock.now(), signal);
}
