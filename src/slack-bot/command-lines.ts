import { BoundedMap } from '../base/bounded-map.ts';
import { beginsWithVerb, parseCommandLine, type Verb } from '../chat/command-line.ts';
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
  /** The line begins with the mention. */
  readonly isAddressed: boolean;
}

export interface SlashCommand {
  readonly user: string;
  readonly channel: string;
  readonly text: string;
  readonly triggerId: string;
  readonly responseUrl: string;
}

interface Line {
  /** As `fold` left it; undefined if it does not begin with the name of the bot. */
  readonly line: string | undefined;
  /** From when `--in` and `--at` count; epoch milliseconds. */
  readonly saidAt: number;
}

const MINUTE_MS = 60_000;

/**
 * Slack delivers an event that was not acknowledged again at once, after 1 minute and after 5
 * (https://docs.slack.dev/apis/events-api/#retries): to another replica, or to a bot that has restarted.
 */
const LATE_MS = 45_000;

/** Lines that are remembered: Slack delivers an event again within some minutes, and Bolt runs a listener twice. */
const REMEMBERED = 2_000;

/** What was typed: as a line that mentions the bot, or after the slash command. */
export class CommandLines {
  readonly #bot: BotContext;
  readonly #seen = new BoundedMap<string, true>(REMEMBERED);

  constructor(bot: BotContext) {
    this.#bot = bot;
  }

  async mention({ user, channel, ts, threadTs, text, isAddressed }: Mention): Promise<void> {
    const asker: Asker = { user, channel, threadTs: threadTs ?? ts };
    // Who only names the bot in a sentence commands nothing.
    const line = isAddressed ? fold(text).replace(/^[\s:,、]+/, '') : undefined;
    const at = Math.floor(Number(ts) * 1000);
    const id = idOfLine(this.#bot.config().slack.team, channel, ts);
    await this.#run({ asker, id, at }, { line, saidAt: at }, { ...asker, threadTs });
  }

  async slashCommand({ user, channel, text, triggerId, responseUrl }: SlashCommand): Promise<void> {
    const asker: Asker = { user, channel, responseUrl };
    // Slack does not say when the command was typed. Its own time orders it among other requests. `--in 30m` counts from
    // the minute: if the command is delivered again, the request has to have the same bounds.
    const at = this.#bot.clock.now();
    const saidAt = Math.floor(at / MINUTE_MS) * MINUTE_MS;
    const id = idOfCommand(this.#bot.config().slack.team, triggerId);
    await this.#run({ asker, id, at }, { line: withVerb(fold(text)), saidAt }, asker);
  }

  /** @param answerTo where the asker reads: an answer to a line in the channel itself belongs there, not in its thread */
  async #run(call: Omit<Call, 'command' | 'profile'>, said: Line, answerTo: Asker): Promise<void> {
    const { asker, id } = call;
    if (this.#seen.has(id)) return;
    this.#seen.set(id, true);
    const profile = await this.#bot.people.profile(asker.user);
    try {
      await this.#bot.voice.whisper(answerTo, await this.#answerTo({ ...call, profile }, said));
    } catch (error) {
      await this.#bot.voice.whisper(answerTo, answer([deployTexts[profile.language].failed()]));
      throw error;
    }
  }

  async #answerTo(call: Omit<Call, 'command'>, { line, saidAt }: Line): Promise<Answer> {
    const { asker, profile } = call;
    const texts = deployTexts[profile.language];
    if (line === undefined) return answer([texts.mentionFirst()]);
    const parsed = parseCommandLine(line, { at: saidAt, timeZone: profile.timeZone });
    if ('problem' in parsed) {
      const { user, channel } = asker;
      this.#bot.log.info({ user, channel, problem: parsed.problem.kind }, 'a line was not understood');
      return answer([texts.problem(parsed.problem)]);
    }
    const { command } = parsed;
    const { verb } = command;
    if (!isHarmless(verb) && !this.#bot.limit.take(asker.user)) {
      this.#bot.decided({ asker, verb, outcome: 'limited' });
      return answer([texts.tooMany(this.#bot.config().limits.perUserPerMinute)]);
    }
    // A deploy says by its id that it is the same. What decides about what is there now would decide about something else.
    if (!isHarmless(verb) && verb !== 'deploy' && this.#bot.clock.now() - call.at > LATE_MS) {
      this.#bot.decided({ asker, verb, outcome: 'outdated' });
      return answer([texts.late()]);
    }
    return await HANDLERS[verb](this.#bot, { ...call, command });
  }
}

/** `/deploy web production v1.0.0` has its verb in the name of the slash command. */
const withVerb = (line: string): string => (line === '' || beginsWithVerb(line) ? line : `deploy ${line}`);

const isHarmless = (verb: Verb): boolean => isReading(verb) || needsNoRule(verb);
