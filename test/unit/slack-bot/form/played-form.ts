import type { ModalView } from '@slack/types';
import { checkView } from '../../../../dev/local-slack/block-kit/blocks.ts';
import { isObject, type Json } from '../../../../dev/local-slack/json.ts';
import { renderBlocks } from '../../../../dev/local-slack/render.ts';
import { stateField, stateOf, type Values } from '../../../../dev/local-slack/view-state.ts';
import type { UNKNOWN } from '../../../../src/chat/authorise.ts';
import type { FormValue } from '../../../../src/chat/buttons.ts';
import type { FieldValue, ViewAnswer, ViewState } from '../../../../src/slack/listeners.ts';
import { Form } from '../../../../src/slack-bot/form/form.ts';
import { aHistoryEntry, aJob, aRawSpec, aResource } from '../../../kit/builders.ts';
import { ALICE, aWeb, FakeBot, TEAM, team } from '../fake-bot.ts';

/** A person before the form: fills it in and submits it, without Slack. Every view is held against Block Kit. */
export class PlayedForm {
  readonly form: Form;
  readonly #bot: FakeBot;
  readonly user: string;
  /** Who is in which channel; default: everybody in each. */
  members: (channel: string, user: string) => boolean | typeof UNKNOWN = () => true;
  /** What stands in the fields. */
  values: Values = {};
  #view: ModalView | undefined;

  constructor(bot: FakeBot, { user = ALICE, form }: { user?: string; form?: Form } = {}) {
    this.#bot = bot;
    this.user = user;
    this.form = form ?? new Form(bot.bot, { isMember: async (channel, who) => this.members(channel, who) });
  }

  /** @param channel `null`: by the global shortcut */
  async open(prefill?: FormValue, channel: string | null = 'C0PROD'): Promise<this> {
    const opening = { user: this.user, channel: channel ?? undefined, triggerId: 'trigger' };
    await this.form.open(opening, prefill);
    const { opened, updated } = this.#bot.voice;
    const view = updated.at(-1)?.view ?? opened.at(-1)?.view;
    if (view) this.show(view);
    return this;
  }

  show(view: ModalView): void {
    const problems = checkView(view, '/view');
    if (problems.length > 0) throw new Error(problems.join('; '));
    this.#view = view;
    this.values = stateOf(view.blocks as unknown as Json[], this.values);
  }

  get view(): ModalView {
    if (!this.#view) throw new Error('no form is open');
    return this.#view;
  }

  /** What the person reads. */
  get text(): string {
    return renderBlocks(team, this.view.blocks as unknown as Json[]);
  }

  get metadata(): Json {
    return JSON.parse(this.view.private_metadata ?? '{}') as Json;
  }

  /** Chooses or types, without telling the bot. @param value the value of an option, or a text */
  fill(action: string, value: string): this {
    const block = this.#blockOf(action);
    const element = block.element as Json;
    const field = stateField(element) ?? 'value';
    const filled = field === 'selected_option' ? { value, text: { type: 'plain_text', text: value } } : value;
    this.values[String(block.block_id)] = { [action]: { type: element.type, [field]: filled } };
    return this;
  }

  /** Chooses, and waits for the view that comes of it. */
  async choose(action: string, value: string): Promise<this> {
    this.fill(action, value);
    await this.send(action, String(this.#blockOf(action).block_id));
    return this;
  }

  async send(actionId: string, blockId = 'block'): Promise<void> {
    const { updated } = this.#bot.voice;
    const before = updated.length;
    await this.form.listeners.actions[actionId]?.({
      ...this.#envelope,
      actionId,
      blockId,
      value: undefined,
      responseUrl: undefined,
    });
    const view = updated.length > before ? updated.at(-1)?.view : undefined;
    if (view) this.show(view);
  }

  /** What a menu offers. */
  async search(actionId: string, value: string): Promise<string[]> {
    const query = { ...this.#envelope, actionId, blockId: 'block', value };
    const answer = await this.form.listeners.options[actionId]?.suggest(query);
    return answer && 'options' in answer ? answer.options.map((option) => option.value ?? '') : [];
  }

  /** @returns the answer; its view is shown */
  async submit(): Promise<ViewAnswer> {
    const answer = await this.listener.submit(this.submission);
    if (answer?.response_action === 'update') this.show(answer.view);
    return answer;
  }

  /** Errors by field. */
  async errors(): Promise<Record<string, string> | undefined> {
    const answer = await this.submit();
    if (answer?.response_action !== 'errors') return undefined;
    return Object.fromEntries(Object.entries(answer.errors).map(([id, text]) => [id.split(':', 1)[0], text]));
  }

  get listener() {
    const listener = this.form.listeners.views[this.view.callback_id ?? ''];
    if (!listener) throw new Error(`nothing listens to ${this.view.callback_id}`);
    return listener;
  }

  get submission() {
    const { teamId, enterpriseId, userId, triggerId, place } = this.#envelope;
    return { teamId, enterpriseId, userId, triggerId, view: place.view };
  }

  get #envelope() {
    const view: ViewState = {
      id: 'V0VIEW',
      hash: '1',
      callbackId: this.view.callback_id ?? '',
      privateMetadata: this.view.private_metadata ?? '',
      values: plainValues(this.values),
    };
    const place = { kind: 'view' as const, view };
    return { teamId: TEAM, enterpriseId: undefined, userId: this.user, triggerId: 'trigger', place };
  }

  #blockOf(action: string): Json {
    const blocks = this.view.blocks as unknown as Json[];
    const block = blocks.find(({ element }) => isObject(element) && element.action_id === action);
    if (!block) throw new Error(`the form has no ${action}`);
    return block;
  }
}

/** As src/slack reads them out of an envelope. */
const plainValues = (values: Values): Record<string, Record<string, FieldValue>> =>
  Object.fromEntries(
    Object.entries(values).map(([block, fields]) => {
      const filled = Object.entries(fields).flatMap(([action, state]) => {
        const value = Object.entries(state).find(([key]) => key !== 'type')?.[1];
        const plain = isObject(value) ? value.value : value;
        return plain === null || plain === undefined ? [] : [[action, String(plain)] as const];
      });
      return [block, Object.fromEntries(filled)];
    }),
  );

export const WEB = 'deploy/web livesense/web';
export const entry = (id: string, over: object = {}) => aHistoryEntry(aJob({ id, revision: 'v1.0.0', ...over }), over);
export const STATUS = {
  environments: [{ name: 'production' }, { name: 'staging' }],
  history: [entry('r2', { environment: 'staging', revision: 'v1.1.0' }), entry('r1')],
};

/** Alice before a form that is filled in, in #prod: staging, v1.1.0. */
export async function filledIn(bot: FakeBot = new FakeBot({ resources: [aWeb(STATUS)] }), environment = 'staging') {
  const played = new PlayedForm(bot);
  await played.open();
  await played.choose('form-environment', environment);
  played.fill('form-revision', 'v1.1.0').fill('form-reason', 'fixes the basket');
  return { bot, played };
}

/** A second repository, with a task of its own. */
export const anotherApi = aResource({
  spec: aRawSpec({
    repositories: ['livesense/api'],
    environments: [{ name: 'staging' }],
    tasks: ['deploy', 'puma:restart'],
  }),
  metadata: { name: 'api' },
});
