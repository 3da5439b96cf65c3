import {
  type Asked,
  type Check,
  clock,
  type Entry,
  type Evidence,
  laneAndTaskOf,
  named,
  type Run,
} from './evidence.ts';

/**
 * The double-entry part of the audit: what was asked for against what is recorded against what ran. (Invariants 1, 2, 5
 * and 7 of the architecture.)
 */

/** Of all that stands for one request. */
interface Account {
  asked: Asked;
  entries: Entry[];
  runs: Run[];
}

function accounts({ requests, entries, runs }: Evidence): Account[] {
  const entriesOf = Map.groupBy(entries, named);
  const runsOf = Map.groupBy(runs, named);
  return requests.map((asked) => ({
    asked,
    entries: entriesOf.get(named(asked)) ?? [],
    runs: runsOf.get(named(asked)) ?? [],
  }));
}

export const lost: Check = (evidence) =>
  accounts(evidence)
    .filter(({ entries }) => entries.length === 0)
    .map(({ asked, runs }) => `${named(asked)} is lost: it has no history entry, and ran ${runs.length} times`);

export const recordedTwice: Check = (evidence) =>
  accounts(evidence)
    .filter(({ entries }) => entries.length > 1 && !entries.slice(1).every((entry) => isRedelivered(entry, entries)))
    .map(
      ({ asked, entries }) => `${named(asked)} is recorded ${entries.length} times: ${entries.map(told).join('; ')}`,
    );

/**
 * An id is recognised while its Job, its history entry or the watermark knows it (contract, section 5): who is
 * delivered again after that, for the history keeps 50 requests, is recorded again, but as what it is: out of order,
 * and not started.
 */
const isRedelivered = (entry: Entry, all: readonly Entry[]): boolean =>
  entry.result === 'Superseded' &&
  entry.reason === 'OutOfOrder' &&
  entry.startedAt === undefined &&
  all.every((other) => other === entry || other.seen.last < entry.seen.first || entry.seen.last < other.seen.first);

/** By Pods of different Jobs: the operator started it twice. */
export const ranTwice: Check = (evidence) =>
  accounts(evidence)
    .filter(({ runs }) => new Set(runs.map(({ job }) => job)).size > 1)
    .map(({ asked, runs }) => `${named(asked)} ran ${runs.length} times: ${runs.map(toldRun).join('; ')}`);

/**
 * The Job controller made two Pods for one Job of one completion. Kubernetes does not rule that out ("the same program
 * may sometimes be started twice", Jobs, "Handling Pod and container failures"): it happens where the answer to its
 * creating a Pod gets lost.
 */
export const twoPodsOfOneJob: Check = (evidence) =>
  accounts(evidence)
    .filter(({ runs }) => runs.length > new Set(runs.map(({ job }) => job)).size)
    .map(({ asked, runs }) => `${named(asked)}: one Job, ${runs.length} Pods: ${runs.map(toldRun).join('; ')}`);

/** Poison that became a deploy, a request in another lane than its own, or one that nobody sent. */
export const unasked: Check = ({ requests, entries, runs }) => {
  const asked = new Set(requests.map((request) => `${named(request)} ${request.task}`));
  const isUnasked = (one: Entry | Run) => !asked.has(`${named(one)} ${one.task}`);
  return [
    ...runs.filter(isUnasked).map((run) => `${named(run)} (${run.task}) ran, and nobody asked for it: ${run.pod}`),
    ...entries.filter(isUnasked).map((entry) => `${named(entry)} (${entry.task}) is recorded, and nobody asked for it`),
  ];
};

/** What an entry says against what its container did. */
export const untrue: Check = (evidence) =>
  accounts(evidence).flatMap(({ asked, entries: [entry], runs }) => {
    if (entry === undefined) return [];
    // Where several ran, which is found elsewhere, it may be true of one of them.
    const lies = (runs.length > 0 ? runs : [undefined]).map((run) => lieOf(entry, run, asked));
    const lie = lies.find((each) => each !== undefined);
    return lie === undefined || lies.includes(undefined)
      ? []
      : [`${named(asked)} is recorded as ${told(entry)}, but ${lie}`];
  });

function lieOf({ result, reason }: Entry, run: Run | undefined, asked: Asked): string | undefined {
  if (run !== undefined && run.endedAt === undefined) return 'its container still runs';
  switch (result) {
    case 'Succeeded':
      return run?.exitCode === 0 ? undefined : ended(run);
    case 'Failed':
      return run !== undefined && run.exitCode === asked.exitCode && asked.exitCode !== 0 ? undefined : ended(run);
    case 'Superseded':
      return run === undefined ? undefined : ended(run);
    case 'Aborted':
      // Nobody deletes anything in a scenario: only a policy may have ended it.
      return reason === 'Replaced' ? undefined : 'nobody aborted it';
    default:
      // Refused, Missed, Unknown: no scenario fills a lane, waits for an hour, or takes a started Job away.
      return 'nothing of the kind was done to it';
  }
}

/** The last one wins: who is dropped for a newer one is dropped only where a newer one has started. */
export const droppedForNothing: Check = (evidence) => {
  const newestStarted = new Map<string, number>();
  for (const { asked, runs } of accounts(evidence)) {
    const key = laneAndTaskOf(asked);
    if (runs.length > 0) newestStarted.set(key, Math.max(asked.dueAt, newestStarted.get(key) ?? 0));
  }
  return accounts(evidence)
    .filter(({ asked, entries }) => {
      const dropped = entries.some(({ result, reason }) => result === 'Superseded' || reason === 'Replaced');
      return dropped && !((newestStarted.get(laneAndTaskOf(asked)) ?? 0) > asked.dueAt);
    })
    .map(({ asked, entries: [entry] }) => `${named(asked)} is ${told(entry as Entry)}, and no newer one has started`);
};

const told = ({ result, reason, startedAt, finishedAt }: Entry): string =>
  `${result} (${reason}; ${startedAt ?? 'not started'} to ${finishedAt})`;

const toldRun = ({ pod, startedAt, endedAt, exitCode }: Run): string =>
  `${pod} ${clock(startedAt)} to ${clock(endedAt)} (${exitCode})`;

const ended = (run: Run | undefined): string =>
  run === undefined ? 'no container of it ran' : `its container ended with ${run.exitCode}`;
