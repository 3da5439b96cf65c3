import { DECISION_VIEW } from '../chat/decision-view.ts';
import { answer } from '../chat/rich-text.ts';
import { deployTexts } from '../chat/texts/deploy.ts';
import type { Action, Listeners, Received, Submission, ViewListener } from '../slack/listeners.ts';
import type { Asker } from './asker.ts';
import { CommandLines } from './command-lines.ts';
import type { BotContext } from './context.ts';
import { type Confirmation, Decisions } from './decide/decisions.ts';
import { Form } from './form/form.ts';
import type { Membership } from './form/rights.ts';

/** What becomes of each envelope. Every way to an action is here; each asks `Permissions` itself. */
export function listenersOf(bot: BotContext, membership: Membership): Listeners {
  const lines = new CommandLines(bot);
  const decisions = new Decisions(bot);
  const form = new Form(bot, membership);
  const inTurn = capped(bot);
  return {
    mention: ({ userId: user, channelId: channel, ...line }) =>
      inTurn({ user, channel, threadTs: line.threadTs }, () => lines.mention({ ...line, user, channel })),
    command: ({ userId: user, channelId: channel, ...command }) =>
      inTurn({ user, channel, responseUrl: command.responseUrl }, () =>
        command.text.trim() === ''
          ? form.open({ ...command, user, channel })
          : lines.slashCommand({ ...command, user, channel }),
      ),
    shortcut: ({ userId: user, triggerId }) => form.open({ user, channel: undefined, triggerId }),
    actions: form.listeners.actions,
    // Buttons have ids such as `abort:3`, so that each is there once in its message; old ones are answered as well.
    unknownAction: (action) => clicked(decisions, action),
    options: form.listeners.options,
    views: { ...form.listeners.views, [DECISION_VIEW]: decisionView(decisions) },
  };
}

/** Each takes some 100 KiB while SQS or the API server does not answer. */
const MOST_AT_WORK = 300;

/** What is more than can be worked on is refused in words: all is acknowledged, so what is lost is lost without any. */
function capped(bot: BotContext): (asker: Asker, work: () => Promise<void>) => Promise<void> {
  let atWork = 0;
  return async (asker, work) => {
    if (atWork >= MOST_AT_WORK) {
      bot.log.warn({ user: asker.user, channel: asker.channel }, 'too much is asked for at once: this was not done');
      await bot.voice.whisper(asker, answer([deployTexts.en.busy(), deployTexts.ja.busy()]));
      return;
    }
    atWork += 1;
    try {
      await work();
    } finally {
      atWork -= 1;
    }
  };
}

/** Tells whoever clicked that it failed. Lines and views say so themselves, and a shortcut has no channel. */
export async function apologise(bot: BotContext, received: Received): Promise<void> {
  if (received.kind !== 'action' || received.data.place.kind !== 'message') return;
  const { userId: user, place, responseUrl } = received.data;
  const { language } = await bot.people.profile(user);
  const asker = { user, channel: place.channelId, threadTs: place.threadTs, responseUrl };
  await bot.voice.whisper(asker, answer([deployTexts[language].failed()]));
}

async function clicked(decisions: Decisions, { userId, actionId, value, triggerId, place }: Action): Promise<void> {
  if (place.kind === 'view') return;
  const { channelId, messageTs, threadTs, isEphemeral } = place;
  await decisions.clicked({
    user: userId,
    channel: channelId,
    // A message that only one person sees begins no thread.
    threadTs: threadTs ?? (isEphemeral ? undefined : messageTs),
    actionId,
    value: typeof value === 'string' ? value : undefined,
    triggerId,
  });
}

const decisionView = (decisions: Decisions): ViewListener => ({
  submit: (submission) => decisions.confirmed(confirmationOf(submission)),
  late: (submission) => decisions.late(confirmationOf(submission)),
  failed: (submission) => decisions.failed(confirmationOf(submission)),
  afterLate: (submission, answer) => {
    const shown = answer && 'view' in answer ? { response_action: 'update' as const, view: answer.view } : undefined;
    return decisions.afterLate(confirmationOf(submission), shown);
  },
});

const confirmationOf = ({ userId, view }: Submission): Confirmation => ({
  user: userId,
  viewId: view.id,
  viewHash: view.hash,
  privateMetadata: view.privateMetadata,
});
