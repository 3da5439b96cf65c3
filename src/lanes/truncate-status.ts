import type { CapDeployJobStatus, HistoryEntry, LaneStatus, WaitingEntry } from '../api/capdeployjob.ts';
import { boundedStored, storedBytes } from '../text/truncate.ts';
import { defined } from './lane.ts';

/**
 * Bytes. etcd refuses an object of more than 1.5 MiB (`--max-request-bytes`), and a status that is refused stops every
 * lane of its resource. The rest is for spec and metadata.
 */
export const LARGEST_STATUS = 1_000_000;
/** A status that is still larger than this is cut once more, as short as it can be. */
const TOO_LARGE = 1_250_000;
/** A status of fewer entries is not measured: no entry is longer than 10 kB, or 25 kB of letters that are escaped. */
const FEW = 40;
/** Bytes of a text that is cut, and of one that is cut once more. */
const SHORT = 96;
const SHORTEST = 32;
const WHOLE_MESSAGES = 10;
const WHOLE_MESSAGE = 2048;

/**
 * The status as it is, unless a thousand requests with long texts wait. Then it leaves out what can be found elsewhere:
 * the requester (the Job has it), the end of long reasons to wait, the end of old messages. It leaves out no entry.
 */
export function truncateStatus(status: CapDeployJobStatus): CapDeployJobStatus {
  const { environments = [], history = [] } = status;
  const entries = environments.reduce((sum, { waiting = [] }) => sum + waiting.length, history.length);
  if (entries < FEW || storedBytes(status) <= LARGEST_STATUS) return status;
  const fewer = { ...status, environments: shorterLanes(environments, SHORT) };
  if (storedBytes(fewer) <= LARGEST_STATUS) return fewer;
  const old = history.map((entry, place) => briefer(entry, place < WHOLE_MESSAGES ? WHOLE_MESSAGE : SHORT));
  const brief = { ...fewer, history: old };
  if (storedBytes(brief) <= TOO_LARGE) return brief;
  return { ...brief, environments: shorterLanes(environments, SHORTEST).map(withShortName) };
}

const shorterLanes = (lanes: readonly LaneStatus[], bytes: number): LaneStatus[] =>
  lanes.map((lane) => (lane.waiting ? { ...lane, waiting: lane.waiting.map((entry) => shorter(entry, bytes)) } : lane));

const withShortName = (lane: LaneStatus): LaneStatus =>
  lane.lastSuccessful?.requestedBy === undefined
    ? lane
    : {
        ...lane,
        lastSuccessful: { ...lane.lastSuccessful, requestedBy: boundedStored(lane.lastSuccessful.requestedBy, SHORT) },
      };

function shorter(
  { requestedBy: _, senderId: __, approvedBy: ___, abortedBy: ____, ...entry }: WaitingEntry,
  bytes: number,
): WaitingEntry {
  return { ...entry, why: boundedStored(entry.why, bytes) };
}

function briefer(entry: HistoryEntry, bytes: number): HistoryEntry {
  const cut = (text: string | undefined, most: number) => (text === undefined ? undefined : boundedStored(text, most));
  return {
    ...entry,
    ...defined({
      message: cut(entry.message, bytes),
      requestedBy: cut(entry.requestedBy, SHORT),
      senderId: cut(entry.senderId, SHORT),
      approvedBy: cut(entry.approvedBy, SHORT),
      abortedBy: cut(entry.abortedBy, SHORT),
    }),
  };
}
