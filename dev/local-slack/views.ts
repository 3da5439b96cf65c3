/**
 * Open modal views: a stack for each person and app, three deep at most.
 *
 * @see https://docs.slack.dev/surfaces/modals
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../src/base/clock.ts';
import type { App } from './app.ts';
import { checkView, withIds } from './block-kit/blocks.ts';
import { LIMITS } from './block-kit/limits.ts';
import { type Json, objects, text } from './json.ts';
import { problemsError, SlackError } from './slack-error.ts';
import { stateOf, type Values } from './view-state.ts';

/** https://docs.slack.dev/surfaces/modals#pushing_views */
export const STACK = 3;

export interface View {
  id: string;
  app: App;
  user: string;
  hash: string;
  /** As the app gave it, with ids in all blocks. */
  content: Json;
  values: Values;
  previous?: string;
  root: string;
}

export class Views {
  readonly #clock: Clock;
  readonly #teamId: string;
  readonly #open: View[] = [];
  readonly #newBlockId: () => string;
  #count = 0;

  constructor(clock: Clock, teamId: string, newBlockId: () => string) {
    this.#clock = clock;
    this.#teamId = teamId;
    this.#newBlockId = newBlockId;
  }

  /** @param on the view on which this one is pushed; without it, it begins a stack of its own */
  open(app: App, user: string, content: unknown, on?: View): View {
    this.#check(content);
    this.#externalIdIsFree(content as Json);
    const previous = on === undefined ? undefined : this.stackOf(on).at(-1);
    if (previous !== undefined && this.stackOf(previous).length >= STACK) throw new SlackError('push_limit_reached');
    const id = `V0${String(++this.#count).padStart(8, '0')}`;
    const view: View = { id, app, user, hash: '', content: {}, values: {}, root: previous?.root ?? id };
    if (previous !== undefined) view.previous = previous.id;
    this.#put(view, content as Json);
    this.#open.push(view);
    return view;
  }

  update(view: View, content: unknown): View {
    this.#check(content);
    this.#externalIdIsFree(content as Json, view);
    this.#put(view, content as Json);
    return view;
  }

  close(...views: View[]): void {
    for (const view of views) this.#open.splice(this.#open.indexOf(view), 1);
  }

  /** All views of a person, the newest last. */
  of(user: string): View[] {
    return this.#open.filter((view) => view.user === user);
  }

  /** The view's stack, lowest first. */
  stackOf(view: View): View[] {
    return this.#open.filter(({ root }) => root === view.root);
  }

  find(by: { id?: unknown; externalId?: unknown }): View | undefined {
    if (by.id !== undefined) return this.#open.find((view) => view.id === by.id);
    return this.#open.find((view) => by.externalId !== '' && text(view.content.external_id) === by.externalId);
  }

  /** As the Web API and payloads show it. */
  object(view: View): Json {
    const { content } = view;
    return {
      id: view.id,
      team_id: this.#teamId,
      type: 'modal',
      blocks: content.blocks,
      private_metadata: text(content.private_metadata),
      callback_id: text(content.callback_id),
      state: { values: view.values },
      hash: view.hash,
      title: content.title,
      clear_on_close: content.clear_on_close ?? false,
      notify_on_close: content.notify_on_close ?? false,
      close: content.close ?? null,
      submit: content.submit ?? null,
      previous_view_id: view.previous ?? null,
      root_view_id: view.root,
      app_id: view.app.id,
      external_id: text(content.external_id),
      app_installed_team_id: this.#teamId,
      bot_id: view.app.botId,
    };
  }

  #check(content: unknown): void {
    const problems = checkView(content, '/view');
    if (problems.length > 0) throw problemsError('invalid_arguments', problems);
    if (Buffer.byteLength(JSON.stringify(content)) > LIMITS.viewBytes) throw new SlackError('view_too_large');
  }

  #externalIdIsFree(content: Json, own?: View): void {
    const holder = this.find({ externalId: text(content.external_id) });
    if (holder !== undefined && holder !== own) throw new SlackError('duplicate_external_id');
  }

  #put(view: View, content: Json): void {
    view.content = { ...content, blocks: withIds(content.blocks, this.#newBlockId) };
    view.values = stateOf(objects(view.content.blocks), view.values);
    view.hash = `${Math.floor(this.#clock.now() / 1000)}.${randomBytes(4).toString('hex')}`;
  }
}
