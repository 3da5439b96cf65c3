import packageJson from '../../package.json' with { type: 'json' };
import { systemClock } from '../base/clock.ts';
import { VERBS } from '../chat/command-line.ts';
import { HttpKubeClient } from '../kube/http/http-client.ts';
import { loadKubeConfig } from '../kube/http/kubeconfig.ts';
import { ChatMetrics } from '../observability/chat-metrics.ts';
import { createLogger } from '../observability/logger.ts';
import { TokenFile } from '../slack/token-file.ts';
import { WebApi } from '../slack/web-api.ts';
import { ConfigFile } from '../slack-bot/config-file.ts';
import { KUBE_TIMEOUT_MS } from '../slack-bot/drain.ts';
import { SlackBot } from '../slack-bot/slack-bot.ts';
import { SqsClients } from '../sqs/clients.ts';
import { endOnUnexpectedErrors, endSoon, stopSignal } from './process.ts';
import { addressesOf, startServers, stopServers } from './servers.ts';
import { parseSlackBotFlags } from './slack-bot-flags.ts';

/**
 * `capdeploy slack-bot`: flags → clients → the bot, until a signal.
 * @returns the exit code: 0 after a clean stop
 * @throws UsageError if it cannot begin
 */
export async function run(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const flags = parseSlackBotFlags(args, env);
  const log = createLogger({ level: flags['log-level'] });
  const clock = systemClock;
  const metrics = new ChatMetrics({ verbs: VERBS });
  const configFile = new ConfigFile(flags.config, log, (isGood) => metrics.configReloaded(isGood));
  const tokenOf = (kind: 'app' | 'bot') => new TokenFile({ path: flags[`${kind}-token-file`], kind, clock, log });
  const appToken = tokenOf('app');
  const slackApiUrl = flags['slack-api-url'];
  const api = new WebApi({ token: tokenOf('bot'), slackApiUrl, metrics, log });
  const config = () => loadKubeConfig({ kubeconfig: flags.kubeconfig, env });
  const isInCluster = configFile.current.source === 'cluster';
  // One that cannot be used ends the program now; later it is tried again and again.
  if (isInCluster) config();
  const kube = isInCluster
    ? new HttpKubeClient({ config, version: packageJson.version, requestTimeoutMs: KUBE_TIMEOUT_MS })
    : undefined;
  const sqs = new SqsClients();
  const bot = new SlackBot({
    configFile,
    api,
    connection: { token: appToken, slackApiUrl },
    kube,
    openQueue: (settings) => sqs.openForSending(settings),
    queueRules: {
      allowedOrigins: new Set(flags['allow-queue-origin']),
      allowRules: flags['allow-queue'],
      defaultRegion: env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined,
    },
    metrics,
    clock,
    log,
  });

  const stopRequested = stopSignal(log, 'what was asked for just now may be left without an answer');
  endOnUnexpectedErrors(log);
  // Slack being away is no reason to start the container again.
  const checks = { healthz: {}, readyz: { 'slack-bot': () => bot.readiness() } };
  const servers = await startServers(flags, checks, { contentType: metrics.contentType, text: () => metrics.text() });
  const end = async (): Promise<void> => {
    await bot.stop();
    sqs.close();
    await Promise.all([api.close(), kube?.close()]);
    await stopServers(servers);
  };
  try {
    await bot.start();
  } catch (error) {
    // What listens would keep the process.
    await end();
    throw error;
  }
  const { source, rules } = configFile.current;
  log.info({ version: packageJson.version, source, rules: rules.length, ...addressesOf(servers) }, 'started');

  const signal = await stopRequested;
  log.info({ signal }, 'stopping: nothing more is taken, what is at work is answered');
  await end();
  log.info({}, 'stopped');
  endSoon(log);
  return 0;
}
