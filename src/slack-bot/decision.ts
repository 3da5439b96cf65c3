import type { ActionErrorKind } from '../actions/action-error.ts';
import type { Refusal } from '../chat/authorise.ts';
import type { Verb } from '../chat/command-line.ts';
import type { Asker } from './asker.ts';

/**
 * How something that was asked for ended: `done`; `notUnderstood` (the line, or a name in it); `limited` (too often);
 * refused for lack of a right; or failed for the reason of the action.
 */
export type Outcome = 'done' | 'notUnderstood' | 'limited' | Refusal | ActionErrorKind;

/** One line in the log and one count for each: who asked what, where, by which rule, and how it ended. */
export interface Decision {
  readonly asker: Asker;
  readonly verb: Verb;
  readonly target?: string | undefined;
  readonly environment?: string | undefined;
  /** Its place in the configuration. */
  readonly rule?: number | undefined;
  readonly job?: string | undefined;
  /** Of the request that was sent. */
  readonly id?: string | undefined;
  readonly outcome: Outcome;
}
