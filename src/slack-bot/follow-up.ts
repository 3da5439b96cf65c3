import { ARRIVAL_MS, awaitRequest } from '../actions/await-request.ts';
import type { DeployMessage } from '../actions/send.ts';
import { answer } from '../chat/rich-text.ts';
import type { Target } from '../chat/target.ts';
import { deployTexts, type Understood } from '../chat/texts/deploy.ts';
import type { Asker, Profile } from './asker.ts';
import type { BotContext } from './context.ts';

/** Who is told of a message, and what was asked for. */
interface Sent {
  readonly asker: Asker;
  readonly profile: Profile;
  readonly target: Target;
  readonly wanted: Understood;
  readonly message: DeployMessage;
  /** Of SQS. */
  readonly messageId: string;
}

/** Looks in the background whether a request is taken up. Who asked hears of it only if it is not. */
export function followUp(bot: BotContext, sent: Sent): void {
  // With `source: file` nobody here can see what becomes of it.
  if (sent.target.resource === undefined) return;
  lookFor(bot, sent).catch((error: unknown) => {
    bot.log.error({ err: error, id: sent.message.id }, 'could not look for a request');
  });
}

async function lookFor(bot: BotContext, sent: Sent): Promise<void> {
  const { asker, profile, target, wanted } = sent;
  const texts = deployTexts[profile.language];
  const status = {
    read: () => bot.targets.status(target),
    changed: (signal: AbortSignal) => bot.targets.changed(target, signal),
  };
  const arrival = await awaitRequest(status, sent, bot.clock, bot.signal);
  if (bot.signal.aborted || arrival.kind === 'found') return;
  const { id } = sent.message;
  const reason = arrival.kind === 'rejected' ? arrival.reason : undefined;
  bot.log.warn({ user: asker.user, target: target.name, id, reason }, 'what was sent did not become a deploy');
  const line =
    arrival.kind === 'rejected'
      ? texts.rejected(wanted, arrival.reason, arrival.message ?? '')
      : texts.notSeen(wanted, ARRIVAL_MS / 1000);
  await bot.voice.whisper(asker, answer([line]));
}
