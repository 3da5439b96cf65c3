import { BoundedMap } from '../base/bounded-map.ts';
import { parseCommandLine, type Verb } from '../chat/command-line.ts';
import { fold } from '../chat/fold.ts';
import { idOfCommand, idOfLine } from '../chat/request-id.ts';
import { type Answer, answer } from '../chat/rich-text.ts';
import { isReading, needsNoRule } from '../chat/rules.ts';
import { deployTexts } from '../chat/texts/deploy.ts';
import type { Asker } from './asker.ts';
import type { Call } from './command.ts';
import type { BotContext } from './context.ts';
import { HANDLERS } from './handlers.ts';

/** A line in which the bot was mentioned. */
export interface Mention {
  readonly user: string;
  readonly channel: string;
  /** Of the line: its id in the channel, and when it was said. */
  readonly ts: string;
  readonly threadTs: string | undefined;
  /** In Slack's markup, without the mention. */
  readonly text: string;
}

export interface SlashCommand {
  readonly user: string;
  readonly channel: string;
  readonly text: string;
  readonly triggerId: string;
  readonly responseUrl: string;
}

/** Lines that are remembered: Slack delivers an event again within some minutes, and Bolt runs a listener twice. */
const REMEMBERED = 2_000;

/** What was typed: as a line that mentions the bot, or after the slash command. */
export class CommandLines {
  readonly #bot: BotContext;
  readonly #seen = new BoundedMap<string, true>(REMEMBERED);

  constructor(bot: BotContext) {
    this.#bot = bot;
  }

  async mention({ user, channel, ts, threadTs, text }: Mention): Promise<void> {
    const asker: Asker = { user, channel, threadTs: threadTs ?? ts };
    const at = Math.floor(Number(ts) * 1000);
    const id = idOfLine(this.#bot.config().slack.team, channel, ts);
    await this.#run(asker, text, at, id, { ...asker, threadTs });
  }

  async slashCommand({ user, channel, text, triggerId, responseUrl }: SlashCommand): Promise<void> {
    const asker: Asker = { user, channel, responseUrl };
    // A minute: if Slack delivers the command again, `--in 30m` has to mean the same.
    const at = Math.floor(this.#bot.clock.now() / 60_000) * 60_000;
    await this.#run(asker, text, at, idOfCommand(this.#bot.config().slack.team, triggerId), asker);
  }

  /** @param answerTo where the asker reads: an answer to a line in the channel itself belongs there, not in its thread */
  async #run(asker: Asker, line: string, at: number, id: string, answerTo: Asker): Promise<void> {
    if (this.#seen.has(id)) return;
    this.#seen.set(id, true);
    const profile = await this.#bot.people.profile(asker.user);
    try {
      await this.#bot.voice.whisper(answerTo, await this.#answerTo({ asker, profile, id, at }, line));
    } catch (error) {
      await this.#bot.voice.whisper(answerTo, answer([deployTexts[profile.language].failed()]));
      throw error;
    }
  }

  async #answerTo(call: Omit<Call, 'command'>, line: string): Promise<Answer> {
    const { asker, profile, at } = call;
    const texts = deployTexts[profile.language];
    const parsed = parseCommandLine(fold(line), { at, timeZone: profile.timeZone });
    if ('problem' in parsed) return answer([texts.problem(parsed.problem)]);
    const { command } = parsed;
    const { verb } = command;
    if (!isHarmless(verb) && !this.#bot.limit.take(asker.user)) {
      this.#bot.decided({ asker, verb, outcome: 'limited' });
      return answer([texts.tooMany(this.#bot.config().limits.perUserPerMinute)]);
    }
    const handler = HANDLERS[verb];
    return handler
      ? await handler(this.#bot, { ...call, command })
      : answer([texts.problem({ kind: 'unknownCommand', found: verb })]);
  }
}

const isHarmless = (verb: Verb): boolean => isReading(verb) || needsNoRule(verb);
