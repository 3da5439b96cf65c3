import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { UsageError } from '../base/usage-error.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ChatMetrics } from '../observability/chat-metrics.ts';
import type { SlackApi } from '../slack/slack-api.ts';
import { SlackApp, type SlackAppOptions } from '../slack/slack-app.ts';
import { SlackError } from '../slack/slack-error.ts';
import type { QueueRules } from '../sqs/check-queues.ts';
import type { Queue, QueueSettings } from '../sqs/queue.ts';
import { ClusterTargets } from './cluster-targets.ts';
import type { ConfigFile } from './config-file.ts';
import type { BotContext, Powers } from './context.ts';
import type { Decision } from './decision.ts';
import { DRAIN_MS } from './drain.ts';
import { SlackFacts } from './facts.ts';
import { FileTargets } from './file-targets.ts';
import { apologise, listenersOf } from './listeners.ts';
import { People } from './people.ts';
import { Permissions } from './permissions.ts';
import { PersonalLimit } from './personal-limit.ts';
import { OpenQueues } from './queues.ts';
import { SelfCheck } from './self-check.ts';
import { SlackVoice } from './voice.ts';

export interface SlackBotOptions {
  readonly configFile: ConfigFile;
  readonly api: SlackApi;
  /** Of the app-level token, and where Slack is. */
  readonly connection: Pick<SlackAppOptions, 'token' | 'slackApiUrl' | 'timing'>;
  /** Undefined with `source: file`. */
  readonly kube: KubeClient | undefined;
  readonly openQueue: (settings: QueueSettings) => Pick<Queue, 'send' | 'close'>;
  readonly queueRules: QueueRules;
  readonly metrics: ChatMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

const OUTSIDE = 'with source: file the bot sees no cluster';
const NO_POWERS: Powers = { freeze: OUTSIDE, abort: OUTSIDE, approve: OUTSIDE };

/** The bot: from envelopes of Slack to messages on queues and writes to the cluster. */
export class SlackBot {
  readonly #options: SlackBotOptions;
  readonly #stopping = new AbortController();
  readonly #queues: OpenQueues;
  readonly #cluster: ClusterTargets | undefined;
  readonly #selfCheck: SelfCheck | undefined;
  readonly #app: SlackApp;
  readonly #running: Promise<unknown>[] = [];

  constructor(options: SlackBotOptions) {
    this.#options = options;
    const { configFile, api, connection, kube, queueRules, metrics, clock, log } = options;
    const config = () => configFile.current;
    this.#queues = new OpenQueues(options.openQueue);
    const sources = { config, rules: queueRules, queues: this.#queues };
    if (kube) {
      const cluster = new ClusterTargets({ ...sources, kube, namespaces: config().namespaces, clock, log });
      this.#cluster = cluster;
      this.#selfCheck = new SelfCheck({ client: kube, resources: () => cluster.resources(), clock, log });
    }
    const facts = new SlackFacts({
      api,
      settings: () => ({ team: config().slack.team, lookupTimeoutMs: config().limits.lookupTimeoutMs }),
      clock,
      log,
    });
    const bot: BotContext = {
      config,
      targets: this.#cluster ?? new FileTargets(sources),
      permissions: new Permissions(config, facts),
      people: new People(facts, config),
      voice: new SlackVoice(api, log),
      kube,
      powers: ({ resource }) => (resource && this.#selfCheck?.powers(resource)) ?? NO_POWERS,
      limit: new PersonalLimit(clock, () => config().limits.perUserPerMinute),
      decided: (decision) => this.#decided(decision),
      clock,
      log,
      signal: this.#stopping.signal,
    };
    const listeners = listenersOf(bot, facts);
    const onError: SlackAppOptions['onError'] = (_error, received) => apologise(bot, received);
    this.#app = new SlackApp({ ...connection, listeners, onError, drainMs: DRAIN_MS, metrics, clock, log });
  }

  /**
   * Begins to listen. Slack need not be there.
   * @throws UsageError if the token is of another team than the configuration names
   */
  async start(): Promise<void> {
    const { configFile, clock } = this.#options;
    this.#cluster?.start();
    await this.#checkTeam();
    this.#app.start();
    const { signal } = this.#stopping;
    this.#running.push(configFile.watch(clock, signal), this.#selfCheck?.run(signal) ?? Promise.resolve());
  }

  /** Ends after what is at work. */
  async stop(): Promise<void> {
    await this.#app.stop();
    this.#stopping.abort();
    await this.#cluster?.stop();
    await Promise.all(this.#running);
    this.#queues.close();
  }

  readiness(): { ok: boolean; message?: string } {
    if (!this.#app.connected()) return { ok: false, message: 'not connected to Slack' };
    if (this.#cluster && !this.#cluster.hasSynced())
      return { ok: false, message: 'the CapDeployJobs are not listed yet' };
    return { ok: true };
  }

  async #checkTeam(): Promise<void> {
    const { api, configFile, log } = this.#options;
    const { team } = configFile.current.slack;
    try {
      const self = await api.authTest();
      if (self.teamId === team) return;
      throw new UsageError(`the bot token is of the team ${self.teamId}, and the configuration names ${team}`);
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      log.warn({ code: error.code }, 'Slack could not be asked for the team of the bot token');
    }
  }

  #decided({ asker, verb, outcome, ...what }: Decision): void {
    const { metrics, log } = this.#options;
    metrics.requested(verb, outcome);
    const { user, channel } = asker;
    log.info({ user, channel, verb, outcome, ...what }, 'decided');
  }
}
