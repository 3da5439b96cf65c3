import type { CapDeployJobStatus, Claim, HistoryEntry, WaitingEntry } from '../api/capdeployjob.ts';
import { DEFAULT_TASK, isRollback } from '../api/deploy-request.ts';
import { type Freeze, readFrozenText } from '../api/freeze.ts';
import { type OutcomeReason, TRACES } from '../api/reasons.ts';

/** What people are shown of one environment before they decide. Pure. */

export interface LaneNow {
  readonly environment: string;
  /** What has the lane. */
  readonly active: Claim | undefined;
  /** Each says why it waits. The next one is first. */
  readonly waiting: readonly WaitingEntry[];
  readonly frozen: (Freeze & { readonly text: string }) | undefined;
  /** By the windows of the environment. `until` is RFC 3339, where it is known. */
  readonly closed: { readonly why: string; readonly until: string | undefined } | undefined;
  /** The last deploy that succeeded: its revision is on the servers, unless `unsure` says more. */
  readonly current: CurrentDeploy | undefined;
  /**
   * What was started after `current` and may have changed the revision: a deploy that did not succeed and may have done
   * a part of its work, or a rollback by a task. The newest one.
   */
  readonly unsure: HistoryEntry | undefined;
  /** The request that ended last, started or not. */
  readonly last: HistoryEntry | undefined;
  /** How long a deploy takes as a rule. Milliseconds; undefined if no success is on record. */
  readonly usualMs: number | undefined;
}

export interface CurrentDeploy {
  readonly revision: string;
  readonly job: string;
  readonly requestedBy: string | undefined;
  /** Without it nobody vouches for who asked: the history has forgotten the deploy, or its texts were cut. */
  readonly senderId: string | undefined;
  /** RFC 3339. */
  readonly finishedAt: string;
}

/** So many of the last successes say how long a deploy takes. */
const LAST_SUCCESSES = 10;

/**
 * Reads what a status says of one environment. One that the status does not name is empty.
 * @param status of the CapDeployJob; undefined before the operator has written one
 */
export function laneNow(status: CapDeployJobStatus | undefined, environment: string): LaneNow {
  const lane = status?.environments?.find(({ name }) => name === environment);
  const history = (status?.history ?? []).filter((entry) => entry.environment === environment);
  const frozen = lane?.frozen;
  const place = history.findIndex(isSuccessfulDeploy);
  return {
    environment,
    active: lane?.active?.[0],
    waiting: lane?.waiting ?? [],
    frozen: frozen === undefined ? undefined : { ...readFrozenText(environment, frozen), text: frozen },
    closed: lane?.closed === undefined ? undefined : { why: lane.closed, until: lane.closedUntil },
    current: currentDeploy(history[place] ?? lane?.lastSuccessful),
    unsure: (place < 0 ? history : history.slice(0, place)).find(mayHaveChangedRevision),
    last: history[0],
    usualMs: usualMs(status, environment),
  };
}

/**
 * The median time of the last successes of a task in an environment, from start to end.
 * @returns milliseconds; undefined if no success is on record
 */
export function usualMs(
  status: CapDeployJobStatus | undefined,
  environment: string,
  task: string = DEFAULT_TASK,
): number | undefined {
  const times = (status?.history ?? [])
    .filter((entry) => entry.environment === environment && entry.task === task && entry.result === 'Succeeded')
    .map(({ startedAt, finishedAt }) => Date.parse(finishedAt) - Date.parse(startedAt ?? ''))
    // A clock that was set back.
    .filter((ms) => ms >= 0)
    .slice(0, LAST_SUCCESSES)
    .sort((a, b) => a - b);
  const [lower, upper] = [times[(times.length - 1) >> 1], times[times.length >> 1]];
  return lower === undefined || upper === undefined ? undefined : (lower + upper) / 2;
}

const isSuccessfulDeploy = ({ task, result, revision }: HistoryEntry): boolean =>
  task === DEFAULT_TASK && result === 'Succeeded' && revision !== undefined;

/** The lane's last success outlives the history. It may be of another task, which says nothing about the revision. */
function currentDeploy(
  success: Pick<HistoryEntry, 'task' | 'revision' | 'job' | 'requestedBy' | 'senderId' | 'finishedAt'> | undefined,
): CurrentDeploy | undefined {
  if (success?.task !== DEFAULT_TASK || success.revision === undefined) return undefined;
  const { revision, job, requestedBy, senderId, finishedAt } = success;
  return { revision, job, requestedBy, senderId, finishedAt };
}

function mayHaveChangedRevision({ task, startedAt, reason }: HistoryEntry): boolean {
  if (startedAt === undefined || (task !== DEFAULT_TASK && !isRollback(task))) return false;
  // A reason of a newer operator is not in the table.
  return TRACES[reason as OutcomeReason] !== 'not touched';
}
