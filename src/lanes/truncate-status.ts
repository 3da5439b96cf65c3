import type { CapDeployJobStatus, Claim, HistoryEntry, LaneStatus, WaitingEntry } from '../api/capdeployjob.ts';
import { boundedKeepingTheEnd, boundedStored, storedBytes } from '../text/truncate.ts';

/**
 * Bytes. etcd refuses an object of more than 1.5 MiB (`--max-request-bytes`), and a status that is refused stops every
 * lane of its resource. The rest is for spec and metadata.
 */
export const LARGEST_STATUS = 1_000_000;
/** A status that is still larger than this is cut further, as short as it can be. */
const TOO_LARGE = 1_250_000;
/** A status of fewer entries is not measured: no entry is longer than 10 kB, or 25 kB of letters that are escaped. */
const FEW = 40;
/** Bytes of a text that is cut, and of one that is cut once more. */
const SHORT = 96;
const SHORTEST = 32;
const WHOLE_MESSAGES = 10;
const WHOLE_MESSAGE = 2048;
/** Bytes of a message, and of the words of a claim: an announced end is recognised by its beginning. */
const SHORT_MESSAGE = 256;

/** Texts for people that each entry may have. */
const PEOPLE = ['requestedBy', 'requestReason', 'senderId', 'approvedBy', 'abortedBy'] as const;

/** What is cut first comes first. After each step the status may be so many bytes long. */
const STEPS: readonly [cut: (status: CapDeployJobStatus) => CapDeployJobStatus, enough: number][] = [
  [(status) => ({ ...status, ...lanesOf(status, shorterWaiting) }), LARGEST_STATUS],
  [(status) => ({ ...status, ...historyOf(status, brief) }), TOO_LARGE],
  [(status) => ({ ...status, ...lanesOf(status, shortestWaiting) }), TOO_LARGE],
  [(status) => ({ ...status, ...lanesOf(status, shortestLane), ...historyOf(status, briefest) }), TOO_LARGE],
];

/**
 * The status as it is, unless a thousand requests with long texts wait. Then it leaves out what can be found elsewhere:
 * the texts for people (the Job has them), the end of long reasons to wait, the end of old messages. It leaves out no
 * entry and no `reasons`.
 */
export function truncateStatus(status: CapDeployJobStatus): CapDeployJobStatus {
  const { environments = [], history = [] } = status;
  const entries = environments.reduce(
    (sum, { active = [], waiting = [] }) => sum + active.length + waiting.length,
    history.length,
  );
  if (entries < FEW || storedBytes(status) <= LARGEST_STATUS) return status;
  let cut = status;
  for (const [step, enough] of STEPS) {
    cut = step(cut);
    if (storedBytes(cut) <= enough) return cut;
  }
  return cut;
}

const lanesOf = ({ environments }: CapDeployJobStatus, change: (lane: LaneStatus) => LaneStatus) =>
  environments ? { environments: environments.map(change) } : {};

const historyOf = ({ history }: CapDeployJobStatus, change: (entry: HistoryEntry, place: number) => HistoryEntry) =>
  history ? { history: history.map(change) } : {};

const waitingOf = ({ waiting }: LaneStatus, change: (entry: WaitingEntry) => WaitingEntry) =>
  waiting ? { waiting: waiting.map(change) } : {};

function shorterWaiting(lane: LaneStatus): LaneStatus {
  const shorter = ({ requestedBy: _, requestReason: __, senderId: ___, ...entry }: WaitingEntry): WaitingEntry => {
    const { approvedBy: ____, abortedBy: _____, ...rest } = entry;
    return shortened(rest, ['why'], SHORT);
  };
  return { ...lane, ...waitingOf(lane, shorter) };
}

/** `reasons` stays: it says the same as `why`. `until` is the later of `notBefore` and the lane's `closedUntil`. */
function shortestWaiting(lane: LaneStatus): LaneStatus {
  const shortest = ({ slack: _, until: __, ...entry }: WaitingEntry) => shortened(entry, ['why'], SHORTEST);
  return { ...lane, ...waitingOf(lane, shortest) };
}

function shortestLane(lane: LaneStatus): LaneStatus {
  const { active, lastSuccessful } = lane;
  return {
    ...shortened(lane, ['frozen', 'closed'], SHORT),
    ...(active ? { active: active.map(shortestClaim) } : {}),
    ...(lastSuccessful ? { lastSuccessful: shortened(lastSuccessful, ['requestedBy'], SHORT) } : {}),
  };
}

function shortestClaim(claim: Claim): Claim {
  const { exit, ending } = claim;
  return {
    ...shortened(shortened(claim, PEOPLE, SHORT), ['why'], SHORT_MESSAGE),
    ...(exit ? { exit: shortened(exit, ['message'], SHORT_MESSAGE, boundedKeepingTheEnd) } : {}),
    ...(ending ? { ending: shortened(ending, ['message'], SHORT_MESSAGE) } : {}),
  };
}

const brief = (entry: HistoryEntry, place: number): HistoryEntry =>
  shortened(shortened(entry, PEOPLE, SHORT), ['message'], place < WHOLE_MESSAGES ? WHOLE_MESSAGE : SHORT);

function briefest({ slack, ...entry }: HistoryEntry, place: number): HistoryEntry {
  const isNew = place < WHOLE_MESSAGES;
  const short = shortened(shortened(entry, PEOPLE, SHORTEST), ['message'], isNew ? SHORT_MESSAGE : SHORTEST);
  return slack && isNew ? { ...short, slack } : short;
}

/** The entry with these of its texts cut to so many bytes. */
function shortened<T extends object>(
  entry: T,
  fields: readonly (keyof T)[],
  bytes: number,
  cut?: (text: string, max: number) => string,
): T {
  const texts = fields.flatMap((field) => {
    const text = entry[field];
    return typeof text === 'string' ? [[field, boundedStored(text, bytes, cut)]] : [];
  });
  return { ...entry, ...Object.fromEntries(texts) };
}
