import type { KnownBlock, ModalView } from '@slack/types';
import { deploysOf } from '../../actions/find-deploy.ts';
import { BoundedMap } from '../../base/bounded-map.ts';
import { ANYWHERE } from '../../chat/authorise.ts';
import { type DeployButton, type DeployValue, deployButtonOf, deployValue, readValue } from '../../chat/buttons.ts';
import { DECISION_VIEW, decisionMetadata, decisionView, noticeView } from '../../chat/decision-view.ts';
import { type Answer, answer, type Line } from '../../chat/rich-text.ts';
import type { Target } from '../../chat/target.ts';
import { decideTexts } from '../../chat/texts/decide.ts';
import { decidedTexts } from '../../chat/texts/decided.ts';
import { deployTexts } from '../../chat/texts/deploy.ts';
import type { Language } from '../../chat/texts/language.ts';
import type { Asker } from '../asker.ts';
import type { BotContext } from '../context.ts';
import type { Outcome } from '../decision.ts';
import { refusalAnswer } from '../refusal.ts';
import { carryOut, noteDecision } from './carry-out.ts';
import { outlookOf } from './outlook.ts';
import type { Possible } from './possible.ts';
import { type Subject, verbOf } from './subject.ts';

/** A click on a button of a deploy. Everything but `value` is Slack's own word. */
export interface Click {
  readonly user: string;
  readonly channel: string;
  /** Where the answer for all belongs: the thread of the message, or the one that it begins. None if only one sees it. */
  readonly threadTs: string | undefined;
  readonly actionId: string;
  readonly value: string | undefined;
  readonly triggerId: string;
}

/** The view of a click was submitted. */
export interface Confirmation {
  readonly user: string;
  readonly viewId: string;
  /** Slack's: another one after each change of the view. */
  readonly viewHash: string;
  readonly privateMetadata: string;
}

/** What becomes of the view: another one, or (undefined) it closes. */
export type ViewAnswer = Shown | undefined;

interface Shown {
  readonly response_action: 'update';
  readonly view: ModalView;
}

/** Views whose answers are remembered: Slack delivers a submission again, and Bolt runs a listener twice. */
const REMEMBERED = 1_000;

/** What the buttons of a deploy do: a click asks, in a view that says what would happen now; its submission does it. */
export class Decisions {
  readonly #bot: BotContext;
  readonly #answers = new BoundedMap<string, Promise<ViewAnswer>>(REMEMBERED);

  constructor(bot: BotContext) {
    this.#bot = bot;
  }

  /** Any button that is no other listener's: what it does not know is answered, too. */
  async clicked({ user, channel, threadTs, actionId, value, triggerId }: Click): Promise<void> {
    const bot = this.#bot;
    const asker: Asker = { user, channel, threadTs };
    const at = bot.clock.now();
    const kind = deployButtonOf(actionId);
    const meant = readValue(deployValue, value ?? '');
    if (!kind || !meant) {
      const { language } = await bot.people.profile(user);
      if (kind) bot.decided({ asker, verb: verbOf(kind), outcome: 'outdated' });
      return void (await bot.voice.whisper(asker, answer([decidedTexts[language].oldButton()])));
    }
    const asked = await this.#ask(asker, kind, meant, at);
    if ('told' in asked) return void (await bot.voice.whisper(asker, asked.told));
    const { language } = asked.subject.profile;
    const opened = await bot.voice.openView(triggerId, viewOf(asked.subject, asked.outlook, meant));
    if (opened === undefined) await bot.voice.whisper(asker, answer([decidedTexts[language].notOpened()]));
  }

  /** Authorises anew, looks anew, and does it if it is still what was shown. The same submission twice is done once. */
  async confirmed(confirmation: Confirmation): Promise<ViewAnswer> {
    const key = `${confirmation.viewId} ${confirmation.viewHash}`;
    const before = this.#answers.get(key);
    if (before) return await before;
    const settled = this.#settle(confirmation);
    this.#answers.set(key, settled);
    return await settled;
  }

  /** While `confirmed` takes longer than Slack waits. */
  late({ privateMetadata }: Pick<Confirmation, 'privateMetadata'>): ViewAnswer {
    return notice(privateMetadata, (language) => decidedTexts[language].working());
  }

  /** If `confirmed` throws. */
  failed({ privateMetadata }: Pick<Confirmation, 'privateMetadata'>): ViewAnswer {
    return notice(privateMetadata, (language) => deployTexts[language].failed());
  }

  /** Shows what `confirmed` said after `late` had gone out. What was not done is whispered, too: the view may be closed. */
  async afterLate({ user, viewId, privateMetadata }: Confirmation, given: ViewAnswer): Promise<void> {
    const { voice } = this.#bot;
    const shown = given ?? notice(privateMetadata, (language) => decidedTexts[language].done());
    await voice.updateView(viewId, shown.view);
    const metadata = readValue(decisionMetadata, privateMetadata);
    if (!given || !metadata) return;
    const { channel, threadTs } = metadata;
    const { title, blocks } = given.view;
    await voice.whisper({ user, channel, threadTs }, { text: title.text, blocks: blocks as KnownBlock[] });
  }

  async #settle({ user, privateMetadata }: Confirmation): Promise<ViewAnswer> {
    const bot = this.#bot;
    const metadata = readValue(decisionMetadata, privateMetadata);
    if (!metadata) {
      const { language } = await bot.people.profile(user);
      return update(noticeView(answer([decidedTexts[language].oldButton()]), 'abort', language));
    }
    const { kind, channel, threadTs, language, target, environment, job, seen } = metadata;
    const asker: Asker = { user, channel, threadTs };
    if (!bot.limit.take(user)) {
      bot.decided({ asker, verb: verbOf(kind), job, outcome: 'limited' });
      const told = answer([deployTexts[language].tooMany(bot.config().limits.perUserPerMinute)]);
      return update(noticeView(told, kind, language));
    }
    const asked = await this.#ask(asker, kind, { target, environment, job }, bot.clock.now());
    if ('told' in asked) return update(noticeView(asked.told, kind, language));
    const { subject, outlook } = asked;
    if (outlook.seen !== seen) {
      noteDecision(bot, subject, job, 'outdated');
      return update(viewOf(subject, outlook, metadata, [decidedTexts[language].changed()]));
    }
    const { isDone, answer: told } = await carryOut(bot, subject, outlook);
    return isDone ? undefined : update(noticeView(told, kind, language));
  }

  /** Whether this person may do this now, and what it would do. The value says which Job, and gives no right. */
  async #ask(
    asker: Asker,
    kind: DeployButton,
    meant: DeployValue,
    at: number,
  ): Promise<{ subject: Subject; outlook: Possible } | { told: Answer }> {
    const bot = this.#bot;
    const verb = verbOf(kind);
    const [profile, verdictOn] = await Promise.all([
      bot.people.profile(asker.user),
      bot.permissions.forAsker(asker, [verb]),
    ]);
    const texts = decidedTexts[profile.language];
    const { job } = meant;
    const not = (outcome: Outcome, told: Answer, found?: { target: Target; environment?: string }) => {
      bot.decided({ asker, verb, target: found?.target.name, environment: found?.environment, job, outcome });
      return { told };
    };
    const target = bot.targets.all().find(({ name }) => name === meant.target);
    // Who may do this nowhere here does not learn whether there is such a Job.
    const somewhere = verdictOn(verb, { target: target ?? ANYWHERE, environment: ANYWHERE });
    if (!somewhere.allowed) return not(somewhere.because, refusalAnswer(profile.language, somewhere.because));
    if (!target) return not('outdated', answer([texts.notOnRecord()]));
    if (!target.resource) return not('outsideCluster', answer([texts.outsideCluster(kind)]), { target });
    const deploy = deploysOf(bot.targets.status(target)).find(({ entry }) => entry.job === job);
    if (!deploy) return not('outdated', answer([texts.notOnRecord()]), { target });
    // That of the status: the value may name another one, in which the person may do more.
    const { environment } = deploy;
    const verdict = verdictOn(verb, { target, environment });
    if (!verdict.allowed) {
      return not(verdict.because, refusalAnswer(profile.language, verdict.because), { target, environment });
    }
    const subject: Subject = { kind, asker, profile, target, environment, deploy, rule: verdict.rule, at };
    const outlook = outlookOf(bot, subject);
    if (outlook.may) return { subject, outlook };
    noteDecision(bot, subject, job, outlook.outcome);
    return { told: answer([outlook.line]) };
  }
}

/** @param first what is said above */
function viewOf(subject: Subject, outlook: Possible, meant: DeployValue, first: readonly Line[] = []): ModalView {
  const { kind, asker, profile, target, environment } = subject;
  const { language } = profile;
  const { channel, threadTs } = asker;
  const texts = decideTexts[language];
  const submit = outlook.isAskedBefore ? texts.askAgain : texts.buttons[kind];
  const place = { target: target.name, environment, job: meant.job, channel, threadTs };
  const lines = [...first, ...outlook.lines];
  return decisionView(lines, submit, { kind, ...place, seen: outlook.seen, language });
}

const update = (view: ModalView): Shown => ({ response_action: 'update', view });

function notice(privateMetadata: string, line: (language: Language) => Line): Shown {
  const { kind, language } = readValue(decisionMetadata, privateMetadata) ?? { kind: 'abort', language: 'en' };
  return update(noticeView(answer([line(language)]), kind, language));
}

/** Which method takes what, by action id (before its colon) and by callback id. */
export const DECISION_LISTENERS = {
  actions: { approve: 'clicked', refuse: 'clicked', abort: 'clicked', retry: 'clicked', rollback: 'clicked' },
  views: { [DECISION_VIEW]: 'confirmed' },
} as const satisfies {
  actions: Record<DeployButton, keyof Decisions>;
  views: Record<string, keyof Decisions>;
};
