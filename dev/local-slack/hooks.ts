/**
 * Addresses that take messages without a token: `response_url` and incoming webhooks.
 *
 * @see https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
import { randomBytes } from 'node:crypto';
import type { App } from './app.ts';
import { checkedContent, optionsOf, POST, RESPONSE } from './content.ts';
import { isObject, type Json } from './json.ts';
import type { Message } from './messages.ts';
import { SlackError } from './slack-error.ts';
import { POSTS_PER_MINUTE } from './tiers.ts';
import type { World } from './world.ts';

export const RESPONSE_URL_USES = 5;
export const RESPONSE_URL_LIFE_MS = 30 * 60_000;

interface Response {
  app: App;
  channel: string;
  user: string;
  /** The message that `replace_original` means: the clicked one, or the command's last answer. */
  original?: Message;
  threadTs?: string;
  issuedAt: number;
  uses: number;
}

export interface HookAnswer {
  status: number;
  body: string;
}

const RESPONSE_FIELDS = new Set([
  ...['text', 'blocks', 'response_type', 'replace_original', 'delete_original', 'thread_ts', 'metadata'],
  ...['parse', 'link_names', 'mrkdwn', 'unfurl_links', 'unfurl_media'],
]);

export class Hooks {
  readonly #world: World;
  readonly #responses = new Map<string, Response>();

  constructor(world: World) {
    this.#world = world;
  }

  /** @returns the URL that goes into a payload */
  issue(app: App, channel: string, user: string, about: { original?: Message; threadTs?: string } = {}): string {
    const path = `/actions/${this.#world.team.id}/${this.#responses.size + 1}/${randomBytes(12).toString('hex')}`;
    this.#responses.set(path, { ...about, app, channel, user, issuedAt: this.#world.clock.now(), uses: 0 });
    return this.#world.origin + path;
  }

  /** @returns the URL that the app's settings show */
  addWebhook(app: App, channel: string): string {
    const path = `/services/${this.#world.team.id}/${app.botId}/${randomBytes(12).toString('hex')}`;
    app.webhooks.set(path, channel);
    return this.#world.origin + path;
  }

  /** Which kind of hook a path is; undefined for none. */
  kind(path: string): 'response_url' | 'incoming_webhook' | undefined {
    if (path.startsWith('/actions/')) return 'response_url';
    return path.startsWith('/services/') ? 'incoming_webhook' : undefined;
  }

  /** A call counts as one of the five whatever comes of it. */
  respond(path: string, body: unknown): HookAnswer {
    const response = this.#responses.get(path);
    if (response === undefined) return failed(404, 'invalid_url');
    if (this.#world.clock.now() - response.issuedAt > RESPONSE_URL_LIFE_MS) return failed(404, 'expired_url');
    if (response.uses >= RESPONSE_URL_USES) return failed(404, 'used_url');
    response.uses += 1;
    if (!isObject(body)) return failed(400, 'invalid_json');
    try {
      this.#answer(response, body);
      return { status: 200, body: 'ok' };
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      return failed(400, error.code);
    }
  }

  /** The answer to a command that came with its acknowledgement; no use of the URL is counted. */
  answerTo(url: string, body: Json): void {
    const response = this.#responses.get(url.slice(this.#world.origin.length));
    if (response !== undefined) this.#answer(response, body);
  }

  #answer(response: Response, body: Json): void {
    const { messages, team } = this.#world;
    const unknown = Object.keys(body).filter((field) => !RESPONSE_FIELDS.has(field));
    if (unknown.length > 0) throw new SlackError(`invalid_arguments: ${unknown.join(', ')}`);
    if (team.channel(response.channel).archived) throw new SlackError('is_archived');
    const { original } = response;
    if (body.delete_original === true || body.replace_original === true) {
      if (original === undefined || messages.find(original.channel, original.ts) === undefined) {
        throw new SlackError('message_not_found');
      }
      if (body.delete_original === true) messages.remove(original);
      else messages.edit(original, checkedContent(this.#world, body, RESPONSE), response.app.userId);
      return;
    }
    const content = checkedContent(this.#world, body, RESPONSE);
    const threadTs = typeof body.thread_ts === 'string' ? body.thread_ts : response.threadTs;
    const posted = messages.post({
      ...content,
      channel: response.channel,
      user: response.app.userId,
      appId: response.app.id,
      botId: response.app.botId,
      broadcast: false,
      options: optionsOf(body),
      ...(threadTs === undefined ? {} : { threadTs }),
      ...(body.response_type === 'in_channel' ? {} : { ephemeralTo: response.user }),
    });
    response.original ??= posted;
  }

  /** An incoming webhook posts into its channel. It cannot edit, and its errors are words in plain text. */
  webhook(path: string, body: unknown): HookAnswer {
    const app = this.#world.apps.find(({ webhooks }) => webhooks.has(path));
    if (app === undefined) return { status: 404, body: 'no_service' };
    if (app.tokenState !== 'valid') return { status: 404, body: 'no_active_hooks' };
    const channel = this.#world.team.channel(app.webhooks.get(path) ?? '');
    this.#world.tiers.take(`${app.id}/post`, POSTS_PER_MINUTE);
    this.#world.tiers.takePost(app.id, channel.id);
    if (!isObject(body)) return { status: 400, body: 'invalid_payload' };
    if (channel.archived) return { status: 410, body: 'channel_is_archived' };
    if (body.channel !== undefined || body.username !== undefined) return { status: 403, body: 'action_prohibited' };
    try {
      const content = checkedContent(this.#world, body, POST);
      const by = { user: app.userId, appId: app.id, botId: app.botId, broadcast: false };
      const threadTs = typeof body.thread_ts === 'string' ? { threadTs: body.thread_ts } : {};
      this.#world.messages.post({ ...content, ...by, ...threadTs, channel: channel.id });
      return { status: 200, body: 'ok' };
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      return { status: 400, body: error.code };
    }
  }
}

const failed = (status: number, error: string): HookAnswer => ({
  status,
  body: JSON.stringify({ ok: false, error }),
});
