/** A person at their client: says, clicks, opens, fills in. Whatever the client would not let them do throws. */
import type { App } from '../app.ts';
import { EMOJI } from '../emoji.ts';
import { isObject, type Json } from '../json.ts';
import type { Message } from '../messages.ts';
import { SlackError } from '../slack-error.ts';
import type { Acknowledgement, Envelopes } from '../socket-mode/envelopes.ts';
import type { Channel, User } from '../team.ts';
import { stateField, stateOf } from '../view-state.ts';
import type { World } from '../world.ts';
import { chosen, findElement, optionNamed, optionTexts, questionOf } from './elements.ts';
import { Form, suggestions, TROUBLE } from './form.ts';
import { deliverMentions } from './mentions.ts';
import { blockActionsInMessage, shortcut, slashCommand, type Used } from './payloads.ts';
import { Reader } from './reader.ts';
import { richTextOf, typed, typedCommand } from './typing.ts';

export interface Outcome {
  acknowledged: boolean;
  /** What Slack itself shows the person if it went wrong. */
  shown?: string;
}

export interface Said {
  message: Message;
  /** Settled once every app that was mentioned has acknowledged, or Slack has given up. */
  delivered: Promise<Acknowledgement[]>;
}

export class Person {
  readonly #world: World;
  readonly #envelopes: Envelopes;
  readonly user: User;
  readonly reads: Reader;
  readonly #offered = new Map<string, Json[]>();

  constructor(world: World, envelopes: Envelopes, user: User) {
    this.#world = world;
    this.#envelopes = envelopes;
    this.user = user;
    this.reads = new Reader(world, user);
  }

  /**
   * Writes into a channel. An app that is mentioned there and is a member hears of it.
   * @param options `raw`: the text is Slack's markup already, as a paste or another client may make it
   */
  say(channelKey: string, text: string, options: { thread?: string; raw?: boolean; attachments?: Json[] } = {}): Said {
    const channel = this.#writable(channelKey);
    const kept = options.raw ? text : typed(this.#world.team, text);
    const message = this.#world.messages.post({
      channel: channel.id,
      user: this.user.id,
      text: kept,
      blocks: this.user.bot ? [] : richTextOf(kept, this.#world.newId()),
      broadcast: false,
      attachments: options.attachments ?? [],
      ...(options.thread === undefined ? {} : { threadTs: options.thread }),
    });
    return { message, delivered: deliverMentions(this.#world, this.#envelopes, message) };
  }

  /** Edits an own message. A mention in the new text is an event again, under the same `ts`. */
  edit(message: Message, text: string): Said {
    if (message.user !== this.user.id) throw new Error('people edit their own messages only');
    const kept = typed(this.#world.team, text);
    const content = { text: kept, blocks: richTextOf(kept, this.#world.newId()) };
    this.#world.messages.edit(message, content, this.user.id);
    return { message, delivered: deliverMentions(this.#world, this.#envelopes, message) };
  }

  /** Shares a message elsewhere: its text stands in an attachment. An app mentioned in it hears of it. */
  forward(message: Message, channelKey: string, comment = ''): Said {
    return this.say(channelKey, comment, { attachments: [{ is_share: true, text: message.text, ts: message.ts }] });
  }

  /** Deletes a message: an own one, or any as an administrator. */
  remove(message: Message): void {
    if (message.user !== this.user.id && !this.user.admin)
      throw new Error('only administrators delete what others wrote');
    this.#world.messages.remove(message);
  }

  react(message: Message, name: string): void {
    this.#sees(message);
    if (!(name in EMOJI)) throw new Error(`there is no emoji "${name}"`);
    this.#world.messages.react(message, name, this.user.id);
  }

  /** Sends a slash command. It reaches the app also where its bot is no member. */
  async command(channelKey: string, command: string, text = ''): Promise<Outcome> {
    const channel = this.#writable(channelKey);
    const app = this.#world.apps.find(
      ({ seed }) => seed.commands?.includes(command) && seed.scopes.includes('commands'),
    );
    if (app === undefined) return { acknowledged: false, shown: `${command} is not a valid command.` };
    const encoded = app.seed.escapedCommands?.includes(command) ?? false;
    const sent = typedCommand(this.#world.team, text.trim(), encoded);
    const payload = slashCommand(this.#world, app, this.user, channel, command, sent);
    const answer = await this.#envelopes.deliver(app, 'slash_commands', payload);
    if (!answer.acknowledged) {
      return { acknowledged: false, shown: `${command} failed with the error "${answer.why}"` };
    }
    return this.#answered(command, String(payload.response_url), answer.payload);
  }

  /** Opens a global shortcut. It has no channel. */
  async shortcut(callbackId: string): Promise<Outcome> {
    const app = this.#world.apps.find(({ seed }) => seed.shortcuts?.includes(callbackId));
    if (app === undefined) throw new Error(`no app has the shortcut ${callbackId}`);
    return outcome(
      await this.#envelopes.deliver(app, 'interactive', shortcut(this.#world, app, this.user, callbackId)),
    );
  }

  /**
   * Clicks a button.
   * @param key action id, block id, or the button's text
   * @param options `confirm` must say what is answered if the button asks; `stale`: the client still shows an earlier
   * revision
   */
  async click(
    message: Message,
    key: string,
    options: { confirm?: 'ok' | 'cancel'; stale?: boolean } = {},
  ): Promise<Outcome> {
    const found = findElement(options.stale ? staleBlocks(message, key) : this.#blocks(message), key);
    if (found.element.type !== 'button') throw new Error(`"${key}" is not a button`);
    const question = questionOf(found.element);
    if (question !== undefined && options.confirm === undefined) throw new Error(`the button asks: ${question}`);
    if (question === undefined && options.confirm !== undefined) throw new Error('the button does not ask');
    if (options.confirm === 'cancel') return { acknowledged: false };
    return this.#use(message, { ...found, value: {} });
  }

  /** Chooses in a menu, radio buttons and the like of a message. */
  async choose(message: Message, key: string, value: string | string[]): Promise<Outcome> {
    const found = findElement(this.#blocks(message), key);
    return this.#use(message, { ...found, value: chosen(this.#world.team, found.element, value) });
  }

  /** Types into an external menu of a message. */
  async search(message: Message, key: string, query: string): Promise<string[]> {
    const found = findElement(this.#blocks(message), key);
    const place = { place: message, app: this.#appOf(message), user: this.user };
    const options = await suggestions(this.#world, this.#envelopes, place, found, query);
    this.#offered.set(`${message.ts}/${key}`, options);
    return optionTexts(options);
  }

  /** Chooses of what the last search offered. */
  async pick(message: Message, key: string, name: string): Promise<Outcome> {
    const offered = this.#offered.get(`${message.ts}/${key}`);
    if (offered === undefined) throw new Error('an external menu has to be searched first');
    const found = findElement(this.#blocks(message), key);
    return this.#use(message, { ...found, value: { selected_option: optionNamed(offered, name) } });
  }

  /** The view in front. */
  form(): Form {
    const view = this.#world.views.of(this.user.id).at(-1);
    if (view === undefined) throw new Error(`no view is open for ${this.user.name}`);
    return new Form(this.#world, this.#envelopes, this.user, view);
  }

  /** Titles of the open views, the one in front last. */
  get openViews(): string[] {
    return this.#world.views.of(this.user.id).map(({ content }) => String((content.title as Json).text));
  }

  async #use(message: Message, used: Used): Promise<Outcome> {
    const app = this.#appOf(message);
    const values = stateOf(message.blocks);
    const field = stateField(used.element);
    if (field !== undefined) {
      const blockId = String(used.block.block_id);
      const state = { type: used.element.type, ...used.value };
      values[blockId] = { ...values[blockId], [String(used.element.action_id)]: state };
    }
    const payload = blockActionsInMessage(this.#world, app, this.user, message, used, values);
    return outcome(await this.#envelopes.deliver(app, 'interactive', payload));
  }

  #answered(command: string, responseUrl: string, payload: Json): Outcome {
    if (Object.keys(payload).length === 0) return { acknowledged: true };
    try {
      this.#world.hooks.answerTo(responseUrl, payload);
      return { acknowledged: true };
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      this.#world.violations.push(`answer to ${command}: ${error.code} ${JSON.stringify(error.details)}`);
      return { acknowledged: true, shown: `${command} failed with the error "invalid_command_response"` };
    }
  }

  #writable(key: string): Channel {
    const channel = this.#world.team.channel(key);
    if (channel.archived) throw new Error(`#${channel.name} is archived`);
    if (!channel.members.has(this.user.id)) throw new Error(`${this.user.name} is not in #${channel.name}`);
    if (this.user.deleted) throw new Error(`${this.user.name} has left`);
    return channel;
  }

  #sees(message: Message): void {
    if (this.#world.messages.find(message.channel, message.ts) === undefined) throw new Error('the message is gone');
    const channel = this.#world.team.channel(message.channel);
    const visible = message.ephemeralTo === undefined || message.ephemeralTo === this.user.id;
    if (this.user.deleted) throw new Error(`${this.user.name} has left`);
    if (!visible || !this.#world.team.canRead(this.user, channel)) {
      throw new Error(`${this.user.name} does not see this message`);
    }
  }

  #blocks(message: Message): Json[] {
    this.#sees(message);
    return message.blocks;
  }

  #appOf(message: Message): App {
    const app = this.#world.apps.find(({ id }) => id === message.appId);
    if (app === undefined) throw new Error('no app has posted this message');
    return app;
  }
}

const outcome = (answer: Acknowledgement): Outcome =>
  answer.acknowledged ? { acknowledged: true } : { acknowledged: false, shown: TROUBLE };

/** Blocks of the newest revision, the present one included, that has the element. */
function staleBlocks(message: Message, key: string): Json[] {
  for (const { blocks } of [message, ...message.revisions.toReversed()]) {
    try {
      if (isObject(findElement(blocks, key))) return blocks;
    } catch {
      // Not in this revision.
    }
  }
  throw new Error(`the message never had "${key}"`);
}
