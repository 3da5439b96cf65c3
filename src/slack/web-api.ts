import type { View } from '@slack/types';
import { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Log } from '../base/log.ts';
import { cut } from '../text/escape.ts';
import { ANSWERS, channelInfo, readAnswer, userInfo } from './answers.ts';
import { SlackDispatcher } from './dispatcher.ts';
import { escapeEntities } from './escape-entities.ts';
import type { SlackMetrics } from './metrics.ts';
import { SILENT } from './silent-logger.ts';
import type { ChannelInfo, Message, OpenView, Self, SlackApi, UserInfo } from './slack-api.ts';
import { SlackError, toSlackError } from './slack-error.ts';
import type { TokenFile } from './token-file.ts';

export interface WebApiOptions {
  readonly token: Pick<TokenFile, 'current' | 'reload'>;
  /** Default: https://slack.com/api/. Ends in a slash. */
  readonly slackApiUrl?: string | undefined;
  /** For each call, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
  readonly metrics: Pick<SlackMetrics, 'slackCallFailed' | 'slackSentAsPlainText'>;
  readonly log: Log;
}

/** Slack answers most calls within 0.3 s. Who asked waits for this. Milliseconds. */
export const CALL_TIMEOUT_MS = 5_000;
/** Slack refuses more than 40,000 of the escaped text; nobody reads more than this in a notification. UTF-16 units. */
const MAX_TEXT = 3_900;
/** https://docs.slack.dev/reference/methods/conversations.members: at most 1000 a page; Slack advises 200. */
const PAGE = 200;
const MAX_PAGES = 50;

/** Slack refuses the layout of the message, so it would refuse it again. */
const REFUSED_LAYOUT = ['invalid_blocks', 'invalid_blocks_format', 'msg_blocks_too_long', 'msg_too_long'];
/** The token is not, or no longer, one that Slack knows. */
export const REFUSED_TOKEN = ['invalid_auth', 'not_authed', 'token_revoked', 'token_expired', 'account_inactive'];

/** Nothing of a text is made a link, a mention or a preview. */
const LITERAL = { parse: 'none', link_names: false } as const;
const NO_PREVIEW = { unfurl_links: false, unfurl_media: false } as const;
/**
 * Stars and backticks of a text stay what they are: https://docs.slack.dev/reference/methods/chat.postMessage.
 * `chat.postEphemeral` has no such argument.
 */
const PLAIN = { mrkdwn: false } as const;

type Arguments = Record<string, unknown>;

const refusal = z.object({ error: z.string().regex(/^[a-z0-9_]{1,64}$/) });

/** The Web API with the bot's token. */
export class WebApi implements SlackApi {
  readonly #client: WebClient;
  readonly #dispatcher = new SlackDispatcher();
  readonly #options: WebApiOptions;

  constructor(options: WebApiOptions) {
    this.#options = options;
    this.#client = new WebClient(undefined, {
      ...(options.slackApiUrl === undefined ? {} : { slackApiUrl: options.slackApiUrl }),
      fetch: this.#dispatcher.fetch(() => options.token.current()),
      timeout: options.timeoutMs ?? CALL_TIMEOUT_MS,
      // Its own waiting for one method holds up all calls.
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      allowAbsoluteUrls: false,
      logger: SILENT,
    });
  }

  async authTest(): Promise<Self> {
    const { team_id, user_id } = await this.#call('auth.test', {}, ANSWERS.self);
    return { teamId: team_id, userId: user_id };
  }

  async userInfo(userId: string): Promise<UserInfo> {
    return userInfo(await this.#call('users.info', { user: userId, include_locale: true }, ANSWERS.user));
  }

  async channelInfo(channelId: string): Promise<ChannelInfo> {
    return channelInfo(await this.#call('conversations.info', { channel: channelId }, ANSWERS.channel));
  }

  async isMember(channelId: string, userId: string): Promise<boolean> {
    const method = 'conversations.members';
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const from = cursor === undefined ? {} : { cursor };
      const answer = await this.#call(method, { channel: channelId, limit: PAGE, ...from }, ANSWERS.members);
      if (answer.members.includes(userId)) return true;
      cursor = answer.response_metadata?.next_cursor || undefined;
      if (cursor === undefined) return false;
    }
    throw new SlackError(method, 'too_many_members', { detail: `more than ${MAX_PAGES * PAGE}` });
  }

  async groupMembers(groupId: string): Promise<readonly string[]> {
    return (await this.#call('usergroups.users.list', { usergroup: groupId }, ANSWERS.group)).users;
  }

  async postMessage(message: Message): Promise<{ channelId: string; ts: string }> {
    const { channel, ts } = await this.#send('chat.postMessage', message, { ...NO_PREVIEW, ...PLAIN }, ANSWERS.posted);
    return { channelId: channel, ts };
  }

  async postEphemeral(message: Message & { user: string }): Promise<void> {
    await this.#send('chat.postEphemeral', message, { user: message.user }, ANSWERS.done);
  }

  async respond(responseUrl: string, { text, blocks }: Pick<Message, 'text' | 'blocks'>): Promise<void> {
    const plain = { text: escapeEntities(cut(text, MAX_TEXT)), response_type: 'ephemeral', replace_original: false };
    const whole = { ...plain, ...LITERAL, ...PLAIN };
    await this.#orAsText('response_url', blocks, (layout) => this.#respond(responseUrl, { ...whole, ...layout }));
  }

  async openView(triggerId: string, view: View): Promise<OpenView> {
    return opened(await this.#call('views.open', { trigger_id: triggerId, view }, ANSWERS.view));
  }

  async updateView(viewId: string, view: View, hash?: string): Promise<OpenView> {
    const expected = hash === undefined ? {} : { hash };
    return opened(await this.#call('views.update', { view_id: viewId, view, ...expected }, ANSWERS.view));
  }

  /** Ends the connections. Calls under way fail. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  /** Sends once more without blocks if Slack refuses them: a bare answer is better than none. */
  async #send<T>(method: string, message: Message, more: Arguments, schema: z.ZodType<T>): Promise<T> {
    const { channel, threadTs, text, blocks } = message;
    const plain = {
      channel,
      text: escapeEntities(cut(text, MAX_TEXT)),
      ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
      ...LITERAL,
      ...more,
    };
    return await this.#orAsText(method, blocks, (layout) => this.#call(method, { ...plain, ...layout }, schema));
  }

  async #orAsText<T>(method: string, blocks: Message['blocks'], send: (layout: Arguments) => Promise<T>): Promise<T> {
    if (blocks === undefined) return await send({});
    try {
      return await send({ blocks });
    } catch (error) {
      if (!(error instanceof SlackError && REFUSED_LAYOUT.includes(error.code))) throw error;
      this.#options.metrics.slackSentAsPlainText();
      this.#options.log.error({ method, code: error.code }, 'Slack refused the layout of a message; it goes as text');
      return await send({});
    }
  }

  async #respond(url: string, body: Arguments): Promise<void> {
    const method = 'response_url';
    try {
      const response = await this.#dispatcher.fetch()(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(this.#options.timeoutMs ?? CALL_TIMEOUT_MS),
      });
      // Read in any case, or the connection is not used again.
      const text = await response.text();
      if (response.status !== 200) throw new SlackError(method, errorOf(text) ?? `http_${response.status}`);
    } catch (error) {
      const failure = toSlackError(method, error);
      this.#options.metrics.slackCallFailed(method, failure.code);
      throw failure;
    }
  }

  async #call<T>(method: string, args: Arguments, schema: z.ZodType<T>): Promise<T> {
    const { token } = this.#options;
    const used = token.current();
    try {
      return await this.#once(method, args, schema);
    } catch (error) {
      if (!(error instanceof SlackError && REFUSED_TOKEN.includes(error.code))) throw error;
      token.reload();
      if (token.current() === used) throw error;
      // Refused before anything was done, so this is no repetition.
      return await this.#once(method, args, schema);
    }
  }

  async #once<T>(method: string, args: Arguments, schema: z.ZodType<T>): Promise<T> {
    try {
      return readAnswer(method, schema, await this.#client.apiCall(method, args));
    } catch (error) {
      const failure = toSlackError(method, error);
      this.#options.metrics.slackCallFailed(method, failure.code);
      throw failure;
    }
  }
}

/** A refusal is JSON with the code, as that of a method is; or anything, from a proxy. */
function errorOf(text: string): string | undefined {
  try {
    const { error } = refusal.parse(JSON.parse(text));
    return error;
  } catch {
    return undefined;
  }
}

const opened = ({ view }: z.infer<typeof ANSWERS.view>): OpenView => ({ id: view.id, hash: view.hash });
