/** A modal view as the person before it uses it. */

import type { Problems } from '../block-kit/check.ts';
import { suggestionAnswer } from '../block-kit/elements.ts';
import { isObject, type Json, objects } from '../json.ts';
import { plain } from '../mrkdwn.ts';
import { renderBlocks } from '../render.ts';
import { SlackError } from '../slack-error.ts';
import type { Acknowledgement, Envelopes } from '../socket-mode/envelopes.ts';
import type { User } from '../team.ts';
import { isEmpty, stateField } from '../view-state.ts';
import type { View } from '../views.ts';
import type { World } from '../world.ts';
import {
  chosen,
  type Found,
  findElement,
  inputsOf,
  isDispatched,
  optionNamed,
  optionTexts,
  shortestQuery,
} from './elements.ts';
import { blockActionsInView, blockSuggestion, viewClosed, viewSubmission } from './payloads.ts';

/** What the person sees when the app did not answer in time, or not in a way that Slack takes. */
export const TROUBLE = 'We had some trouble connecting. Try again?';

export type Submitted =
  /** The client did not send it. */
  | { result: 'incomplete'; errors: Record<string, string> }
  /** The app's errors, by the label of the input. */
  | { result: 'errors'; errors: Record<string, string> }
  | { result: 'closed' | 'cleared' | 'updated' | 'pushed' }
  | { result: 'failed'; shown: string };

export class Form {
  readonly #world: World;
  readonly #envelopes: Envelopes;
  readonly #user: User;
  readonly view: View;
  readonly #offered = new Map<string, Json[]>();

  constructor(world: World, envelopes: Envelopes, user: User, view: View) {
    this.#world = world;
    this.#envelopes = envelopes;
    this.#user = user;
    this.view = view;
  }

  get open(): boolean {
    return this.#world.views.find({ id: this.view.id }) !== undefined;
  }

  get title(): string {
    return plain(this.#world.team, String((this.view.content.title as Json).text));
  }

  /** As it looks, without what is filled in. */
  get text(): string {
    return renderBlocks(this.#world.team, this.#blocks);
  }

  /** What is filled in, by action id. */
  get values(): Record<string, unknown> {
    const all = Object.values(this.view.values).flatMap((byAction) => Object.entries(byAction));
    return Object.fromEntries(
      all.map(([actionId, state]) => [actionId, Object.entries(state).find(([field]) => field !== 'type')?.[1]]),
    );
  }

  get #blocks(): Json[] {
    return objects(this.view.content.blocks);
  }

  /**
   * Types or chooses. What the field does not allow throws.
   * @param key action id, block id or label
   * @param value the text of the option, or what is typed
   */
  async fill(key: string, value: string | string[]): Promise<Acknowledgement | undefined> {
    const found = this.#find(key);
    return this.#put(found, chosen(this.#world.team, found.element, value));
  }

  /**
   * Types into an external menu. @returns the texts that the app offers; none if its answer came late or was not valid
   */
  async search(key: string, query: string): Promise<string[]> {
    const found = this.#find(key);
    const place = { place: this.view, app: this.view.app, user: this.#user };
    const options = await suggestions(this.#world, this.#envelopes, place, found, query);
    this.#offered.set(String(found.element.action_id), options);
    return optionTexts(options);
  }

  /** Chooses of what the last search offered. */
  async pick(key: string, name: string): Promise<Acknowledgement | undefined> {
    const found = this.#find(key);
    const offered = this.#offered.get(String(found.element.action_id));
    if (offered === undefined) throw new Error('an external menu has to be searched first');
    return this.#put(found, { selected_option: optionNamed(offered, name) });
  }

  /** Clicks a button in the view. */
  async click(key: string): Promise<Acknowledgement> {
    const found = this.#find(key);
    if (found.element.type !== 'button') throw new Error(`"${key}" is not a button`);
    return this.#send(blockActionsInView(this.#world, this.#user, this.view, { ...found, value: {} }));
  }

  async submit(): Promise<Submitted> {
    this.#mustBeOpen();
    if (this.view.content.submit === undefined) throw new Error('the view has no button to submit it');
    const missing = this.#incomplete();
    if (Object.keys(missing).length > 0) return { result: 'incomplete', errors: missing };
    const answer = await this.#send(viewSubmission(this.#world, this.#user, this.view));
    if (!answer.acknowledged) return { result: 'failed', shown: TROUBLE };
    try {
      return this.#applied(answer.payload);
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      this.#world.violations.push(`answer to view_submission: ${error.code} ${JSON.stringify(error.details)}`);
      return { result: 'failed', shown: TROUBLE };
    }
  }

  /** Closes it by its ×. The app hears of it only if it asked (`notify_on_close`). */
  async close(): Promise<void> {
    this.#mustBeOpen();
    const clear = this.view.content.clear_on_close === true;
    const closing = clear ? this.#world.views.stackOf(this.view) : [this.view];
    const payloads = closing
      .filter(({ content }) => content.notify_on_close === true)
      .map((view) => viewClosed(this.#world, this.#user, view, clear));
    this.#world.views.close(...closing);
    await Promise.all(payloads.map((payload) => this.#send(payload)));
  }

  #applied(payload: Json): Submitted {
    const { views } = this.#world;
    if (!this.open) return { result: 'closed' };
    switch (payload.response_action) {
      case undefined:
        if (Object.keys(payload).length > 0) throw new SlackError('response_action is missing');
        views.close(this.view);
        return { result: 'closed' };
      case 'clear':
        views.close(...views.stackOf(this.view));
        return { result: 'cleared' };
      case 'update':
        views.update(this.view, payload.view);
        return { result: 'updated' };
      case 'push':
        views.open(this.view.app, this.#user.id, payload.view, this.view);
        return { result: 'pushed' };
      case 'errors':
        return { result: 'errors', errors: this.#errors(payload.errors) };
      default:
        throw new SlackError(`no such response_action: ${String(payload.response_action)}`);
    }
  }

  /** Errors stand at inputs, by block id. One elsewhere is no valid answer. */
  #errors(errors: unknown): Record<string, string> {
    if (!isObject(errors) || Object.keys(errors).length === 0) throw new SlackError('errors are missing');
    const inputs = inputsOf(this.#blocks);
    return Object.fromEntries(
      Object.entries(errors).map(([blockId, message]) => {
        const input = inputs.find(({ block }) => block.block_id === blockId);
        if (input === undefined || typeof message !== 'string' || message === '') {
          throw new SlackError(`an error at what is no input: ${blockId}`);
        }
        return [input.label, message];
      }),
    );
  }

  /** What the client itself asks for. */
  #incomplete(): Record<string, string> {
    const missing: Record<string, string> = {};
    for (const { block, element, label } of inputsOf(this.#blocks)) {
      const state = this.view.values[String(block.block_id)]?.[String(element.action_id)] ?? {};
      const value = state[stateField(element) ?? ''];
      if (isEmpty(value)) {
        if (block.optional !== true) missing[label] = 'Please complete this required field.';
      } else if (typeof value === 'string' && value.length < Number(element.min_length ?? 0)) {
        missing[label] = `Please enter at least ${String(element.min_length)} characters.`;
      }
    }
    return missing;
  }

  #put(found: Found, value: Json): Promise<Acknowledgement> | undefined {
    const [blockId, actionId] = [String(found.block.block_id), String(found.element.action_id)];
    if (stateField(found.element) !== undefined) {
      this.view.values[blockId] = { ...this.view.values[blockId], [actionId]: { type: found.element.type, ...value } };
    }
    if (!isDispatched(found)) return undefined;
    return this.#send(blockActionsInView(this.#world, this.#user, this.view, { ...found, value }));
  }

  #find(key: string): Found {
    this.#mustBeOpen();
    return findElement(this.#blocks, key);
  }

  #mustBeOpen(): void {
    if (!this.open) throw new Error(`the view "${this.title}" is not open any more`);
  }

  #send(payload: Json): Promise<Acknowledgement> {
    return this.#envelopes.deliver(this.view.app, 'interactive', payload);
  }
}

interface Place {
  place: View | Parameters<typeof blockSuggestion>[3];
  app: View['app'];
  user: User;
}

/** Asks the app for the options of an external menu. */
export async function suggestions(
  world: World,
  envelopes: Envelopes,
  { place, app, user }: Place,
  found: Found,
  query: string,
): Promise<Json[]> {
  if (found.element.type !== 'external_select') throw new Error('the menu does not ask the app');
  if (query.length < shortestQuery(found.element)) throw new Error(`type ${shortestQuery(found.element)} characters`);
  const payload = blockSuggestion(world, app, user, place, { ...found, value: { value: query } });
  const answer = await envelopes.deliver(app, 'interactive', payload);
  if (!answer.acknowledged) return [];
  const problems: Problems = [];
  suggestionAnswer(answer.payload, '', problems);
  if (problems.length > 0) {
    world.violations.push(`answer to block_suggestion: ${problems.join('; ')}`);
    return [];
  }
  const groups = objects(answer.payload.option_groups).flatMap((group) => objects(group.options));
  return [...objects(answer.payload.options), ...groups];
}
