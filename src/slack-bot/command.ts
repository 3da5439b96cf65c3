import type { Command } from '../chat/command-line.ts';
import type { Answer } from '../chat/rich-text.ts';
import type { Asker, Profile } from './asker.ts';
import type { BotContext } from './context.ts';

/** A command, whoever typed it and however it came: a line, a slash command, or a form. */
export interface Call {
  readonly command: Command;
  readonly asker: Asker;
  readonly profile: Profile;
  /** The id of a request that it makes: the same call twice is one deploy. */
  readonly id: string;
  /** When it was asked for, which orders it among other requests. Epoch milliseconds. */
  readonly at: number;
}

/** @returns what the one who asked is told. @throws never an ActionError: it becomes an answer */
export type Handler = (bot: BotContext, call: Call) => Promise<Answer>;
