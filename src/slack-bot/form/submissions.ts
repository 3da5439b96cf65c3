import type { ModalView } from '@slack/types';
import { BoundedMap } from '../../base/bounded-map.ts';
import { type FormMetadata, LONG_REVISION, readFields, readMetadata } from '../../chat/form.ts';
import { confirmView } from '../../chat/form-confirm-view.ts';
import { messageView } from '../../chat/form-view.ts';
import { answer, type Line } from '../../chat/rich-text.ts';
import { deployTexts, type Understood } from '../../chat/texts/deploy.ts';
import { formTexts } from '../../chat/texts/form.ts';
import type { Language } from '../../chat/texts/language.ts';
import type { Submission, ViewAnswer, ViewListener } from '../../slack/listeners.ts';
import type { Asker, Profile } from '../asker.ts';
import type { BotContext } from '../context.ts';
import { readerOf } from '../read/target-state.ts';
import { submit } from '../submit.ts';
import {
  errorsAt,
  expiredView,
  keptFields,
  languageIn,
  problemsOf,
  saying,
  updateTo,
  viewOf,
  withChannel,
} from './answers.ts';
import { type Accepted, type Checked, checkForm, type Filled, textOf } from './check.ts';
import { drawForm, laneOf, noRightsLine, refuse, type Sketch } from './draw.ts';
import { type Membership, rightsOf, staleMs } from './rights.ts';

/** Forms that are remembered: Slack delivers an envelope again within some minutes, and Bolt runs a listener twice. */
const REMEMBERED = 2_000;

/** What a view has sent. */
interface Sent {
  readonly content: string;
  readonly wanted: Understood;
  /** What became of it. */
  readonly answer: Promise<ViewAnswer>;
}

/** What becomes of a form that is submitted: errors at its fields, a question, or a message to SQS. */
export class FormSubmissions {
  readonly #bot: BotContext;
  readonly #membership: Membership;
  /** By view. */
  readonly #sent = new BoundedMap<string, Sent>(REMEMBERED);

  constructor(bot: BotContext, membership: Membership) {
    this.#bot = bot;
    this.#membership = membership;
  }

  /** The form itself. */
  readonly filled: ViewListener = this.#listener(async ({ view, userId }, metadata, profile) => {
    const typed = readFields(view.values);
    const there = withChannel(metadata, typed);
    const { channel } = there;
    const sketch = { user: userId, profile, metadata: there, fields: keptFields(typed, metadata) };
    // What the person sees belongs to another choice.
    const isBehind = there.channel !== metadata.channel || typed.repository !== metadata.chosen.repository;
    if (channel === undefined || isBehind || typed.revision === LONG_REVISION) return await this.#redraw(sketch);
    const asker: Asker = { user: userId, channel, threadTs: metadata.threadTs };
    const filled: Filled = { asker, profile, metadata, fields: sketch.fields, viewId: view.id };
    const checked = await this.#check(filled);
    if ('errors' in checked) return errorsAt(view.values, checked.errors) ?? (await this.#redraw(sketch));
    return checked.environment.needsConfirmation ? this.#question(checked, filled) : await this.#send(checked, filled);
  });

  /** The question that some environments ask. */
  readonly confirmed: ViewListener = this.#listener(async ({ view, userId }, metadata, profile) => {
    const { channel, threadTs, chosen, language } = metadata;
    if (channel === undefined) return updateTo(expiredView(language));
    const asker: Asker = { user: userId, channel, threadTs };
    const filled: Filled = { asker, profile, metadata, fields: chosen, viewId: view.id };
    const checked = await this.#check(filled);
    if ('errors' in checked) {
      const problems = problemsOf(language, checked.errors);
      return await this.#redraw({ user: userId, profile, metadata, fields: chosen, problems });
    }
    const runs = this.#runs(checked);
    if (runs !== metadata.shown) return this.#question(checked, filled, [formTexts[language].changed()]);
    return await this.#send(checked, filled);
  });

  async #check(filled: Filled): Promise<Checked> {
    const { asker, metadata } = filled;
    const rights = await rightsOf(this.#bot, this.#membership, asker, metadata);
    if (!('because' in rights)) return checkForm(this.#bot, rights, filled);
    refuse(this.#bot, asker, rights.because);
    return { errors: { repository: textOf(noRightsLine(metadata.language, asker.channel, rights.because)) } };
  }

  #runs({ submission: { target, wanted } }: Accepted): string {
    return laneOf(this.#bot, target, wanted.environment)?.current?.revision ?? '';
  }

  #question(
    checked: Accepted,
    { metadata, profile, fields, asker }: Filled,
    problems: readonly Line[] = [],
  ): ViewAnswer {
    const { target, wanted, reason } = checked.submission;
    // A short name for a revision, out of the menu, is written in full.
    const chosen = { ...fields, ...(wanted.revision === undefined ? {} : { revision: wanted.revision }) };
    return updateTo(
      confirmView({
        metadata: { ...metadata, channel: asker.channel, chosen, shown: this.#runs(checked) },
        wanted,
        reason,
        lane: laneOf(this.#bot, target, wanted.environment),
        problems,
        staleMs: staleMs(this.#bot),
        reader: readerOf(this.#bot, { profile }),
      }),
    );
  }

  /**
   * A view sends once: the same view again, by a second click or a repeated envelope, gets the answer of the first. With
   * another content it is told what the first was.
   */
  async #send(checked: Accepted, filled: Filled): Promise<ViewAnswer> {
    const { viewId, asker, metadata, profile, fields } = filled;
    const { target, wanted, reason } = checked.submission;
    const content = JSON.stringify([target.name, wanted, reason]);
    const before = this.#sent.get(viewId);
    if (before?.content === content) return await before.answer;
    if (before)
      return updateTo(messageView(metadata.language, [formTexts[metadata.language].sentBefore(before.wanted)]));
    if (!this.#bot.limit.take(asker.user)) {
      const place = { target: target.name, environment: wanted.environment };
      this.#bot.decided({ asker, verb: 'deploy', ...place, outcome: 'limited' });
      const problems = [deployTexts[profile.language].tooMany(this.#bot.config().limits.perUserPerMinute)];
      return await this.#redraw({ user: asker.user, profile, metadata, fields, problems });
    }
    const sent = this.#sendNow(checked, filled);
    this.#sent.set(viewId, { content, wanted, answer: sent });
    return await sent;
  }

  async #sendNow({ submission }: Accepted, filled: Filled): Promise<ViewAnswer> {
    const { isSent, ...told } = await submit(this.#bot, submission);
    const isHeard = await this.#bot.voice.whisper(filled.asker, told);
    const { picksChannel, language } = filled.metadata;
    // Who has chosen the channel in the form may not be looking at it.
    return isSent && isHeard && !picksChannel ? { response_action: 'clear' } : updateTo(saying(language, told));
  }

  async #redraw(sketch: Sketch): Promise<ViewAnswer> {
    const drawn = await drawForm(this.#bot, this.#membership, sketch);
    return updateTo(viewOf(drawn, sketch.metadata.language));
  }

  #listener(
    submitted: (submission: Submission, metadata: FormMetadata, profile: Profile) => Promise<ViewAnswer>,
  ): ViewListener {
    const say = (submission: Submission, line: (language: Language) => Line): ModalView => {
      const language = languageIn(submission.view.privateMetadata);
      return messageView(language, [line(language)]);
    };
    return {
      submit: async (submission) => {
        const metadata = readMetadata(submission.view.privateMetadata);
        if (!metadata) return updateTo(expiredView());
        try {
          return await submitted(submission, metadata, await this.#bot.people.profile(submission.userId));
        } catch (error) {
          await this.#whisper(submission, [deployTexts[metadata.language].failed()]);
          throw error;
        }
      },
      late: (submission) => updateTo(say(submission, (language) => formTexts[language].checking())),
      failed: (submission) => updateTo(say(submission, (language) => deployTexts[language].failed())),
      afterLate: async (submission, late) => {
        const view = await this.#viewAfterLate(submission, late);
        const sent = say(submission, (language) => formTexts[language].sent());
        await this.#bot.voice.updateView(submission.view.id, view ?? sent);
        if (late?.response_action !== 'errors') return;
        const lines = Object.values(late.errors).map((text): Line => [text]);
        const language = languageIn(submission.view.privateMetadata);
        await this.#whisper(submission, [formTexts[language].notSent(), ...lines]);
      },
    };
  }

  /** Who has closed the view reads it all the same. */
  async #whisper({ view, userId: user }: Submission, lines: readonly Line[]): Promise<void> {
    const metadata = readMetadata(view.privateMetadata);
    const { channel, threadTs } = (metadata && withChannel(metadata, readFields(view.values))) ?? {};
    if (channel !== undefined) await this.#bot.voice.whisper({ user, channel, threadTs }, answer(lines));
  }

  /** Errors can stand at their fields at once only. Later they stand above them. */
  async #viewAfterLate({ view, userId }: Submission, late: ViewAnswer): Promise<ModalView | undefined> {
    if (late === undefined || late.response_action === 'clear') return undefined;
    if (late.response_action !== 'errors') return late.view;
    const metadata = readMetadata(view.privateMetadata);
    if (!metadata) return expiredView();
    const typed = readFields(view.values);
    const profile = await this.#bot.people.profile(userId);
    const errors = Object.fromEntries(Object.entries(late.errors).map(([id, text]) => [id.split(':', 1)[0], text]));
    const problems = problemsOf(metadata.language, errors);
    const fields = keptFields(typed, metadata);
    const sketch = { user: userId, profile, metadata: withChannel(metadata, typed), fields, problems };
    return viewOf(await drawForm(this.#bot, this.#membership, sketch), metadata.language);
  }
}
