import type { ModalView } from '@slack/types';
import type { Log } from '../base/log.ts';
import type { Answer } from '../chat/rich-text.ts';
import type { SlackApi } from '../slack/slack-api.ts';
import { SlackError } from '../slack/slack-error.ts';
import type { Asker } from './asker.ts';
import type { Voice } from './context.ts';

/** What the bot says, by the Web API. What Slack does not take is logged: it was counted where the call was made. */
export class SlackVoice implements Voice {
  readonly #api: SlackApi;
  readonly #log: Log;

  constructor(api: SlackApi, log: Log) {
    this.#api = api;
    this.#log = log;
  }

  async whisper({ user, channel, threadTs, responseUrl }: Asker, { text, blocks }: Answer): Promise<boolean> {
    const sent =
      responseUrl === undefined
        ? this.#api.postEphemeral({ channel, user, threadTs, text, blocks })
        : this.#api.respond(responseUrl, { text, blocks });
    return (await this.#attempt('answer', channel, taken(sent))) ?? false;
  }

  async say(channel: string, threadTs: string | undefined, { text, blocks }: Answer): Promise<boolean> {
    const sent = this.#api.postMessage({ channel, threadTs, text, blocks });
    return (await this.#attempt('message', channel, taken(sent))) ?? false;
  }

  async openView(triggerId: string, view: ModalView): Promise<string | undefined> {
    return (await this.#attempt('view', undefined, this.#api.openView(triggerId, view)))?.id;
  }

  async updateView(viewId: string, view: ModalView): Promise<void> {
    await this.#attempt('view', undefined, this.#api.updateView(viewId, view));
  }

  async #attempt<T>(what: string, channel: string | undefined, call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      const { method, code } = error;
      this.#log.warn({ method, code, channel }, `Slack did not take the ${what}`);
      return undefined;
    }
  }
}

const taken = (call: Promise<unknown>): Promise<true> => call.then(() => true);
