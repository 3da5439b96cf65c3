import type { Asking } from '../../../src/actions/repeat.ts';
import type { CapDeployJobStatus, Claim, HistoryEntry, WaitingEntry } from '../../../src/api/capdeployjob.ts';

export const AT = '2026-11-30T09:00:00.000Z';
/** So many seconds after AT. */
export const after = (seconds: number): string => new Date(Date.parse(AT) + seconds * 1000).toISOString();

const request = (job: string) => ({
  ...{ job, id: `id-of-${job}`, repository: 'livesense/web', task: 'deploy', revision: 'v1.0.0', sentAt: AT },
});

export const running = (job: string, over: Partial<Claim> = {}): Claim => ({
  ...request(job),
  ...{ uid: `uid-of-${job}`, dueAt: AT, since: AT },
  ...over,
});
export const waits = (job: string, over: Partial<WaitingEntry> = {}): WaitingEntry => ({
  ...request(job),
  ...{ dueAt: AT, why: 'starts next' },
  ...over,
});
/** A deploy that took 60 s. */
export const ended = (job: string, over: Partial<HistoryEntry> = {}): HistoryEntry => ({
  ...request(job),
  ...{ environment: 'production', result: 'Succeeded', reason: 'Completed', startedAt: AT, finishedAt: after(60) },
  ...over,
});
export const failed = (job: string, over: Partial<HistoryEntry> = {}): HistoryEntry =>
  ended(job, { result: 'Failed', reason: 'BackoffLimitExceeded', ...over });

/** One lane, "production", and the history. */
export const aStatus = (
  lane: Partial<NonNullable<CapDeployJobStatus['environments']>[number]> = {},
  history: HistoryEntry[] = [],
): CapDeployJobStatus => ({ environments: [{ name: 'production', ...lane }], history });

export const ASKING: Asking = {
  idPrefix: 'slack-T0TEAM',
  requestedBy: 'slack:T0TEAM/U0ALICE alice',
  source: 'slack',
  sentAt: after(600),
  reason: 'again',
  slack: { channel: 'C0PROD' },
};
