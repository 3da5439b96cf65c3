import { BoundedMap } from '../../base/bounded-map.ts';
import { sleep } from '../../base/clock.ts';
import { FORM_BUTTON, type FormValue, formValue, readValue } from '../../chat/buttons.ts';
import { fold } from '../../chat/fold.ts';
import {
  type Choice,
  choiceValue,
  FORM_ACTIONS,
  FORM_VIEWS,
  type FormMetadata,
  LONG_REVISION,
  readFields,
  readMetadata,
  recentRevisions,
} from '../../chat/form.ts';
import { messageView, repositoryOptions, revisionOptions } from '../../chat/form-view.ts';
import { answer } from '../../chat/rich-text.ts';
import { deployTexts } from '../../chat/texts/deploy.ts';
import { formTexts } from '../../chat/texts/form.ts';
import { languageOf } from '../../chat/texts/language.ts';
import type { Action, Listeners, OptionsListener, Query } from '../../slack/listeners.ts';
import type { BotContext } from '../context.ts';
import { expiredView, keptFields, languageIn, viewOf, withChannel } from './answers.ts';
import { drawForm, refuse } from './draw.ts';
import { type Membership, type Rights, rightsOf } from './rights.ts';
import { FormSubmissions } from './submissions.ts';

/** From where a form is opened. */
export interface Opening {
  readonly user: string;
  /** Undefined for a global shortcut, which has none: the form asks for it. */
  readonly channel: string | undefined;
  readonly threadTs?: string | undefined;
  readonly triggerId: string;
  /** For a refusal where the bot is no member. */
  readonly responseUrl?: string | undefined;
}

/** A trigger id lives 3 s. What is known after this is shown at once; else there is a view that waits for it. */
const OPEN_WITHIN_MS = 1_000;
/** Forms that are open at one time, and more. */
const REMEMBERED = 2_000;

/**
 * The form of `deploy`. Who uses it is authorised anew at each step: as it opens, at each list of options, at each change,
 * and when it is submitted. A view sends once.
 */
export class Form {
  readonly #bot: BotContext;
  readonly #membership: Membership;
  readonly #submissions: FormSubmissions;
  /** By view: how many changes there were. */
  readonly #changes = new BoundedMap<string, number>(REMEMBERED);

  constructor(bot: BotContext, membership: Membership) {
    this.#bot = bot;
    this.#membership = membership;
    this.#submissions = new FormSubmissions(bot, membership);
  }

  /** Which listener has which action id or callback id. */
  get listeners(): Pick<Listeners, 'actions' | 'options' | 'views'> {
    const changed = (action: Action) => this.changed(action);
    const { channel, repository, environment, revision, back } = FORM_ACTIONS;
    return {
      actions: {
        [FORM_BUTTON]: (action) => this.clicked(action),
        ...Object.fromEntries([channel, repository, environment, revision, back].map((id) => [id, changed])),
      },
      options: { [repository]: this.#repositories, [revision]: this.#revisions },
      views: { [FORM_VIEWS.form]: this.#submissions.filled, [FORM_VIEWS.confirm]: this.#submissions.confirmed },
    };
  }

  /** Opens a view within the time that Slack gives. @param prefill names of a line that was not complete */
  async open(opening: Opening, prefill?: FormValue): Promise<void> {
    const { user, channel, threadTs, triggerId, responseUrl } = opening;
    const { voice } = this.#bot;
    const drawn = this.#drawNew(opening, prefill);
    const first = await this.#inTime(drawn);
    const asker = channel === undefined ? undefined : { user, channel, threadTs, responseUrl };
    if (first && 'refused' in first && asker) return void (await voice.whisper(asker, first.refused));
    const { locale } = this.#bot.config().slack;
    // Nobody knows yet which language the person reads.
    const language = languageOf(locale === 'auto' ? undefined : locale);
    const loading = messageView(language, [formTexts[language].loading()]);
    const viewId = await voice.openView(triggerId, first ? viewOf(first, first.language) : loading);
    if (viewId === undefined && asker) {
      const profile = await this.#bot.people.profile(user);
      return void (await voice.whisper(asker, answer([formTexts[profile.language].couldNotOpen()])));
    }
    if (viewId === undefined || first) return;
    try {
      const late = await drawn;
      await voice.updateView(viewId, viewOf(late, late.language));
    } catch (error) {
      await voice.updateView(viewId, messageView(language, [deployTexts[language].failed()]));
      throw error;
    }
  }

  /** [Open the form] under an answer. A value that is of another version opens an empty form. */
  async clicked({ userId: user, triggerId, value, place }: Action): Promise<void> {
    if (place.kind !== 'message') return;
    const { channelId: channel, threadTs } = place;
    const prefill = typeof value === 'string' ? readValue(formValue, value) : undefined;
    await this.open({ user, channel, threadTs, triggerId }, prefill);
  }

  async #drawNew({ user, channel, threadTs }: Opening, prefill: FormValue | undefined) {
    const profile = await this.#bot.people.profile(user);
    const metadata: FormMetadata = {
      language: profile.language,
      ...(channel === undefined ? {} : { channel }),
      ...(threadTs === undefined ? {} : { threadTs }),
      picksChannel: channel === undefined,
      chosen: {},
    };
    const sketch = { user, profile, metadata, fields: {}, ...(prefill ? { prefill } : {}) };
    return { ...(await drawForm(this.#bot, this.#membership, sketch)), language: profile.language };
  }

  async #inTime<T>(work: Promise<T>): Promise<T | undefined> {
    const stop = new AbortController();
    try {
      return await Promise.race([work, sleep(this.#bot.clock, OPEN_WITHIN_MS, stop.signal).then(() => undefined)]);
    } finally {
      stop.abort();
    }
  }

  /** Something was chosen that changes what else there is to choose, or the question was taken back. */
  async changed({ userId, actionId, place }: Action): Promise<void> {
    if (place.kind !== 'view') return;
    const { id, privateMetadata, values } = place.view;
    const metadata = readMetadata(privateMetadata);
    if (!metadata) return await this.#bot.voice.updateView(id, expiredView());
    const typed = readFields(values);
    const { revision } = typed;
    if (actionId === FORM_ACTIONS.revision && revision !== LONG_REVISION && !revision?.startsWith('#')) return;
    const isNewest = this.#countChange(id);
    const profile = await this.#bot.people.profile(userId);
    const fields = actionId === FORM_ACTIONS.back ? metadata.chosen : keptFields(typed, metadata);
    const sketch = { user: userId, profile, metadata: withChannel(metadata, typed), fields };
    const drawn = await drawForm(this.#bot, this.#membership, sketch);
    // If another change began meanwhile, its view will be the right one.
    if (isNewest()) await this.#bot.voice.updateView(id, viewOf(drawn, metadata.language));
  }

  #countChange(viewId: string): () => boolean {
    const count = (this.#changes.get(viewId) ?? 0) + 1;
    this.#changes.set(viewId, count);
    return () => this.#changes.get(viewId) === count;
  }

  readonly #repositories: OptionsListener = {
    suggest: async (query) => {
      const known = await this.#rightsOfQuery(query);
      return { options: known ? repositoryOptions(known.rights.choices, query.value) : [] };
    },
    late: () => ({ options: [] }),
  };

  readonly #revisions: OptionsListener = {
    suggest: async (query) => {
      const known = await this.#rightsOfQuery(query);
      if (!known) return { options: [] };
      const { rights, metadata } = known;
      const choice = rights.choices.find((each) => choiceValue(each) === metadata.chosen.repository);
      const recent = choice ? this.#recent(choice, rights) : [];
      return { options: revisionOptions(metadata.language, recent, fold(query.value), this.#bot.clock.now()) };
    },
    // What was typed tells nothing that the person does not know.
    late: ({ value, place }) => {
      const language = place.kind === 'view' ? languageIn(place.view.privateMetadata) : 'en';
      return { options: revisionOptions(language, [], fold(value), this.#bot.clock.now()) };
    },
  };

  #recent({ target, repository }: Choice, rights: Rights) {
    const open = rights.environmentsOf(target).map(({ name }) => name);
    return recentRevisions(this.#bot.targets.status(target), repository, (environment) => open.includes(environment));
  }

  async #rightsOfQuery({ userId, place }: Query): Promise<{ rights: Rights; metadata: FormMetadata } | undefined> {
    const metadata = place.kind === 'view' ? readMetadata(place.view.privateMetadata) : undefined;
    if (metadata?.channel === undefined) return undefined;
    const asker = { user: userId, channel: metadata.channel };
    const rights = await rightsOf(this.#bot, this.#membership, asker, metadata);
    if (!('because' in rights)) return { rights, metadata };
    refuse(this.#bot, asker, rights.because);
    return undefined;
  }
}
