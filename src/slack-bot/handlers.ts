import type { Verb } from '../chat/command-line.ts';
import type { Handler } from './command.ts';
import { deploy } from './deploy.ts';

/** What each command does. */
export const HANDLERS: Readonly<Partial<Record<Verb, Handler>>> = { deploy };
