import type { Claim, HistoryEntry, WaitingEntry } from '../api/capdeployjob.ts';
import type { Freeze } from '../api/freeze.ts';
import type { Language } from './texts/language.ts';

/** What answers show of an environment, as a status says it. */
export interface LaneState {
  readonly environment: string;
  /** What has the lane. */
  readonly active: Claim | undefined;
  /** The next one is first. */
  readonly waiting: readonly WaitingEntry[];
  readonly frozen: Freeze | undefined;
  readonly closed: { readonly why: string; readonly until: string | undefined } | undefined;
  /** The last deploy that succeeded. */
  readonly current:
    | {
        readonly revision: string;
        readonly finishedAt: string;
        readonly requestedBy?: string | undefined;
        readonly senderId?: string | undefined;
      }
    | undefined;
  /** What was started after it, and may have changed the revision. */
  readonly unsure: HistoryEntry | undefined;
  /** What ended last. */
  readonly last: HistoryEntry | undefined;
  /** Milliseconds. */
  readonly usualMs: number | undefined;
}

/** Who reads an answer, and when. */
export interface Reader {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly timeZone: string;
  readonly language: Language;
  /** Senders whose requests say truly who asked. */
  readonly trustedSenders: readonly string[];
}
