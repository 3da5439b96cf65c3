import type { ActionErrorKind } from '../actions/action-error.ts';
import type { Refusal } from '../chat/authorise.ts';
import type { Verb } from '../chat/command-line.ts';
import type { Asker } from './asker.ts';

/**
 * Why a decision about a deploy was not carried out, beside a lack of right:
 *
 * - `outsideCluster`: a bot with `source: file` sees and changes no Job.
 * - `switchedOff`: the bot itself lacks the right, or could do more than it should.
 * - `ownRequest`: nobody approves what he asked for.
 * - `unverified`: nobody vouches for who asked, in a protected environment.
 * - `outdated`: the deploy has moved on, is not on record any more, or a button is of an older version.
 * - `asked`: the same was asked for before, or the line did not say which deploy it means. A button asks.
 */
export type NotDone = 'outsideCluster' | 'switchedOff' | 'ownRequest' | 'unverified' | 'outdated' | 'asked';

/**
 * How something that was asked for ended: `done`; `notUnderstood` (the line, or a name in it); `limited` (too often);
 * refused for lack of a right; not carried out; or failed for the reason of the action.
 */
export type Outcome = 'done' | 'notUnderstood' | 'limited' | Refusal | NotDone | ActionErrorKind;

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
