import { App, SocketModeReceiver } from '@slack/bolt';
import { WebClient, type WebClientOptions } from '@slack/web-api';
import type { LocalSlack } from '../../../../dev/local-slack/local-slack.ts';
import { SILENT as logger } from '../../../../src/slack/silent-logger.ts';

/** The client's own repetitions and pauses are off: a test has to see what Slack answers. */
const clientOptions = (slack: LocalSlack): WebClientOptions => ({
  slackApiUrl: slack.apiUrl,
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
  logger,
});

/** The real Web API client with the bot's token. */
export const webClient = (slack: LocalSlack, app = 'capdeploy', token = slack.app(app).botToken): WebClient =>
  new WebClient(token, clientOptions(slack));

/** The real Bolt in Socket Mode. It connects again after 1 ms whenever the library says that it is disconnected. */
export class BoltApp implements AsyncDisposable {
  readonly app: App;
  readonly receiver: SocketModeReceiver;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;
  /** What went wrong: listeners that threw, connections that could not be made. */
  readonly errors: unknown[] = [];

  constructor(slack: LocalSlack, app = 'capdeploy') {
    const { appToken, botToken } = slack.app(app);
    this.receiver = new SocketModeReceiver({
      appToken,
      logger,
      autoReconnectEnabled: false,
      // A third of it is how often the client looks; it has to notice a silent socket within a test.
      clientPingTimeout: 150,
      installerOptions: { clientOptions: clientOptions(slack) },
    });
    this.app = new App({ token: botToken, receiver: this.receiver, clientOptions: clientOptions(slack), logger });
    this.app.error(async (error) => {
      this.errors.push(error);
    });
  }

  async connect(): Promise<this> {
    this.receiver.client.on('disconnected', () => this.#again());
    await this.receiver.client.start();
    return this;
  }

  #again(): void {
    clearTimeout(this.#retry);
    if (this.#stopped) return;
    this.#retry = setTimeout(() => {
      this.receiver.client.start().catch((error: unknown) => {
        this.errors.push(error);
        this.#again();
      });
    }, 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    // Not awaited: it ends with the connection, and Slack does not end it (see `keepTcpOpen`) before it is stopped
    // itself.
    this.receiver.client.disconnect().catch(() => {});
  }
}
