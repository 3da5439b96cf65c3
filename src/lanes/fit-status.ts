import type { CapDeployJobStatus, HistoryEntry, WaitingEntry } from '../api/capdeployjob.ts';
import { bounded } from './text.ts';

/**
 * Bytes. etcd refuses an object of more than 1.5 MiB (`--max-request-bytes`), and a status that is refused stops every lane of its resource;
 * the rest is for spec and metadata.
 */
export const LARGEST_STATUS = 1_000_000;
/** Below this nobody counts: no entry is longer than 10 kB. */
const FEW = 40;
const SHORT = 64;
const WHOLE_MESSAGES = 10;

/**
 * The status as it is, or, where a thousand requests with long texts wait, with what stands elsewhere too left out: who asked (it stands on
 * the Job), the end of long reasons to wait, the end of old messages. No entry is left out.
 */
export function fitted(status: CapDeployJobStatus): CapDeployJobStatus {
  const { environments = [], history = [] } = status;
  const entries = environments.reduce((sum, { waiting = [] }) => sum + waiting.length, history.length);
  if (entries < FEW || bytesOf(status) <= LARGEST_STATUS) return status;
  const fewer = {
    ...status,
    environments: environments.map((lane) => (lane.waiting ? { ...lane, waiting: lane.waiting.map(shorter) } : lane)),
  };
  if (bytesOf(fewer) <= LARGEST_STATUS) return fewer;
  return { ...fewer, history: history.map((entry, place) => (place < WHOLE_MESSAGES ? entry : briefer(entry))) };
}

function shorter({ requestedBy: _, senderId: __, approvedBy: ___, ...entry }: WaitingEntry): WaitingEntry {
  return { ...entry, why: bounded(entry.why, SHORT) };
}

function briefer({ message, ...entry }: HistoryEntry): HistoryEntry {
  return message === undefined ? entry : { ...entry, message: bounded(message, SHORT) };
}

const encoder = new TextEncoder();
const bytesOf = (status: CapDeployJobStatus): number => encoder.encode(JSON.stringify(status)).byteLength;
