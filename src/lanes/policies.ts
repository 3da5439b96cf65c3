import type { CapDeployJobSpec } from '../api/capdeployjob.ts';
import { isRollback } from '../api/deploy-request.ts';
import { OUTCOME, type OutcomeReason, type Result } from '../api/reasons.ts';
import type { StoredRequest } from './job.ts';
import { isBefore, type Turn } from './order.ts';

/** What the checks below read: one waiting request and its lane, at one moment. */
export interface Candidate {
  readonly request: StoredRequest;
  /** When its Job was created, that is when its message was first read (epoch milliseconds). */
  readonly readAt: number;
  /** False for a request that no status lists yet. */
  readonly listed: boolean;
  /** How many other requests already wait in its lane. */
  readonly ahead: number;
  /** The newest request of its task that was started in its lane, or is claimed to be. */
  readonly watermark: Turn | undefined;
  /** Since when the lane has been open; undefined while it is frozen, closed or busy. */
  readonly openSince: number | undefined;
  /** When an approval that had been missing was seen (epoch milliseconds). */
  readonly approvedAt: number | undefined;
  /** It could start now if nothing else had the lane. */
  readonly startable: boolean;
  /** A newer request that could start and that replaces this one. */
  readonly newer: StoredRequest | undefined;
  readonly environmentExists: boolean;
  readonly spec: CapDeployJobSpec;
  readonly now: number;
}

export interface Drop {
  readonly result: Result;
  readonly reason: OutcomeReason;
  readonly message: string;
}

type Check = (candidate: Candidate) => Drop | undefined;

/** The reasons for which a waiting request is never started, in the order in which they count. */
const CHECKS: readonly Check[] = [
  environmentWasRemoved,
  somethingDueLaterHasStarted,
  hasExpired,
  wasTooOldWhenRead,
  hasWaitedTooLong,
  couldHaveStartedLongAgo,
  newerOneTakesItsPlace,
  laneIsFull,
];

/** @returns why the request is to be dropped, or undefined if it may wait or start. */
export function dropReason(candidate: Candidate): Drop | undefined {
  for (const check of CHECKS) {
    const drop = check(candidate);
    if (drop) return drop;
  }
  return undefined;
}

function environmentWasRemoved({ environmentExists, request }: Candidate): Drop | undefined {
  if (environmentExists) return undefined;
  return {
    result: 'Refused',
    reason: OUTCOME.environmentRemoved,
    message: `the environment "${request.environment}" is no longer in spec.environments`,
  };
}

/** Standard queues deliver late and in any order: an old revision must not follow a newer one (invariant 4). */
function somethingDueLaterHasStarted({ watermark, request }: Candidate): Drop | undefined {
  if (!watermark || !isBefore(request, watermark)) return undefined;
  return {
    result: 'Superseded',
    reason: OUTCOME.outOfOrder,
    message: `request ${watermark.id}, due later (${watermark.dueAt}), has been started already`,
  };
}

/** The producer's own bound, whatever delayed the request until then. */
function hasExpired({ request, now }: Candidate): Drop | undefined {
  const { expiresAt } = request;
  if (expiresAt === undefined || now < Date.parse(expiresAt)) return undefined;
  return {
    result: 'Missed',
    reason: OUTCOME.expired,
    message: `the request was to start before ${expiresAt} (expiresAt)`,
  };
}

/** The Job's creation is when the message was first read, and it stays known when the status is lost. */
function wasTooOldWhenRead({ request, readAt, spec }: Candidate): Drop | undefined {
  const age = readAt - Date.parse(request.dueAt);
  if (age <= spec.startingDeadlineSeconds * 1000) return undefined;
  return {
    result: 'Missed',
    reason: OUTCOME.startingDeadline,
    message: `the request was ${seconds(age)} s old when it was read; ${deadlineOf(spec)}`,
  };
}

function hasWaitedTooLong({ request, spec, now }: Candidate): Drop | undefined {
  if (now - Date.parse(request.dueAt) <= spec.waitingDeadlineSeconds * 1000) return undefined;
  return {
    result: 'Missed',
    reason: OUTCOME.waitingDeadline,
    message: `the request waited longer than waitingDeadlineSeconds (${spec.waitingDeadlineSeconds})`,
  };
}

/** CronJob's rule: an operator that comes back after an outage ships nothing stale. */
function couldHaveStartedLongAgo({
  request,
  openSince,
  approvedAt,
  startable,
  spec,
  now,
}: Candidate): Drop | undefined {
  if (openSince === undefined || !startable) return undefined;
  const startableSince = Math.max(Date.parse(request.dueAt), openSince, approvedAt ?? openSince);
  if (now - startableSince <= spec.startingDeadlineSeconds * 1000) return undefined;
  const iso = new Date(startableSince).toISOString();
  return {
    result: 'Missed',
    reason: OUTCOME.startingDeadline,
    message: `the request could have started at ${iso} but no operator started it; ${deadlineOf(spec)}`,
  };
}

/** Supersede and Replace, and a rollback under any policy: what was asked for before is no longer wanted. */
function newerOneTakesItsPlace({ newer }: Candidate): Drop | undefined {
  if (!newer) return undefined;
  return {
    result: 'Superseded',
    reason: OUTCOME.newerRequest,
    message: `request ${newer.id} (${newer.revision ?? newer.task}), due later (${newer.dueAt}), takes its place: ${
      isRollback(newer.task) ? 'a rollback is about all that was asked for before it' : 'that is the concurrencyPolicy'
    }`,
  };
}

/** Only new requests are refused: a request in the status has been promised its turn. */
function laneIsFull({ listed, ahead, spec }: Candidate): Drop | undefined {
  if (listed || ahead < spec.maxWaiting) return undefined;
  return {
    result: 'Refused',
    reason: OUTCOME.laneFull,
    message: `${ahead} requests wait already; maxWaiting is ${spec.maxWaiting}`,
  };
}

const deadlineOf = (spec: CapDeployJobSpec): string => `startingDeadlineSeconds is ${spec.startingDeadlineSeconds}`;

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);
