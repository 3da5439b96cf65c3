import type { KubeClient } from '../../../../src/kube/client.ts';
import { aClaim, aHistoryEntry, aJob, at, aWaitingEntry, type JobChanges } from '../../../kit/builders.ts';
import { ALICE, aWeb, BOB, BOT_SENDER, TEAM } from '../fake-bot.ts';

/** Never called: reading asks the API server nothing. */
export const NO_KUBE = {} as KubeClient;

const fromSlack = (user: string): JobChanges => ({
  requestedBy: `slack:${TEAM}/${user} somebody`,
  senderId: `${BOT_SENDER}:session`,
});
const byAlice = fromSlack(ALICE);
const byBob = fromSlack(BOB);

/** A name that another sender wrote. */
export const FORGED = `slack:${TEAM}/${ALICE} <!channel>`;

const running = aJob({ id: 'r5', revision: 'v1.1.0', ...byAlice });
const waiting = aJob({ id: 'r6', revision: 'v1.2.0', reason: 'fixes the basket', ...byBob });
const forged = aJob({ id: 'r7', revision: 'v1.3.0', requestedBy: FORGED, senderId: 'AROAOTHEREXAMPLE12345:x' });
const staging = aJob({ id: 'r8', environment: 'staging', revision: 'main', requestedBy: 'ci', senderId: BOT_SENDER });

const HISTORY = [
  aHistoryEntry(aJob({ id: 'r4', revision: 'v1.0.9', ...byBob }), {
    result: 'Failed',
    reason: 'BackoffLimitExceeded',
    message: 'secret of the log',
    startedAt: at(-3600),
    finishedAt: at(-3500),
  }),
  aHistoryEntry(aJob({ id: 'r3', revision: 'v1.0.8', requestedBy: 'ci', senderId: BOT_SENDER }), {
    result: 'Superseded',
    reason: 'NewerRequest',
    finishedAt: at(-3650),
  }),
  aHistoryEntry(aJob({ id: 'r2', revision: 'v1.0.0', ...byAlice }), { startedAt: at(-7324), finishedAt: at(-7200) }),
  aHistoryEntry(aJob({ id: 'r1', revision: 'v0.9.0', requestedBy: FORGED }), {
    startedAt: at(-90_140),
    finishedAt: at(-90_000),
  }),
  aHistoryEntry(aJob({ id: 'r0', environment: 'staging', revision: 'old', ...byBob }), {
    result: 'Aborted',
    reason: 'JobDeleted',
    abortedBy: `slack:${TEAM}/${BOB}`,
    startedAt: at(-95_140),
    finishedAt: at(-95_000),
  }),
].map((entry) => (entry.result === 'Superseded' ? { ...entry, startedAt: undefined } : entry));

const withoutUndefined = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

export const BUSY = withoutUndefined({
  conditions: [
    { type: 'Ready', status: 'True', reason: 'AsExpected', message: '', lastTransitionTime: at(-60) },
    { type: 'QueueReachable', status: 'True', reason: 'Polling', message: '', lastTransitionTime: at(-60) },
  ],
  environments: [
    {
      name: 'production',
      active: [aClaim(running, { since: at(-65) })],
      waiting: [
        aWaitingEntry(waiting, { why: 'kubectl annotate …', reasons: ['ApprovalMissing'], approvalMissing: true }),
        aWaitingEntry(forged, { why: 'r5 has the lane', reasons: ['LaneBusy'] }),
      ],
      frozen: `slack:${TEAM}/${BOB} (bob): incident 42 <!here>`,
    },
    {
      name: 'staging',
      waiting: [aWaitingEntry(staging, { why: 'closed', reasons: ['Closed'] })],
      closed: 'outside the windows of staging',
      closedUntil: at(3 * 3600),
    },
  ],
  history: HISTORY,
});

/** `deploy/web` with something in every place. */
export const busyWeb = () => aWeb(BUSY);
