import { describe, expect, test } from 'vitest';
import type { CapDeployJobStatus, LaneStatus } from '../../../src/api/capdeployjob.ts';
import { MOST_ESCAPED_IN_ID } from '../../../src/api/deploy-request.ts';
import type { WaitingReason } from '../../../src/api/reasons.ts';
import { LARGEST_STATUS, truncateStatus } from '../../../src/lanes/truncate-status.ts';
import { storedBytes } from '../../../src/text/truncate.ts';
import { aClaim, aHistoryEntry, aJob, at, aWaitingEntry } from '../../kit/builders.ts';

/** As the API server stores it: Go's encoding/json escapes these five (its documentation, `HTMLEscape`). */
const bytes = (status: CapDeployJobStatus) =>
  Buffer.byteLength(JSON.stringify(status).replace(/[<>&\u2028\u2029]/g, '\\u003c'));
const waiting = (count: number, text: string) =>
  Array.from({ length: count }, (_, index) =>
    aWaitingEntry(aJob({ id: `r${index}`.padEnd(128, 'x'), revision: 'v'.padEnd(244, '1') }), {
      requestedBy: text.slice(0, 256),
      why: text.slice(0, 512),
    }),
  );
const history = (count: number, text: string) =>
  Array.from({ length: count }, (_, index) =>
    aHistoryEntry(aJob({ id: `h${index}` }), { result: 'Failed', message: text.slice(0, 2048) }),
  );
const full = (text: string): CapDeployJobStatus => ({
  environments: Array.from({ length: 50 }, (_, index) => ({ name: `e${index}`, waiting: waiting(20, text) })),
  history: history(200, text),
});

const SLACK = { channel: 'C'.repeat(32), threadTs: `${'1'.repeat(16)}.${'1'.repeat(16)}` };
const REASONS: WaitingReason[] = ['NotDue', 'ApprovalMissing', 'Frozen', 'Closed'];
/** `--max-request-bytes` of etcd. */
const LIMIT_OF_ETCD = 1_572_864;

/** 50 lanes with a claim and as many waiting requests each, and the longest history. Every field is as long as it can be. */
function filled(text: string, waitingEach = 20): CapDeployJobStatus {
  const times = { notBefore: at(1), expiresAt: at(2) };
  const job = (id: string) =>
    aJob({
      id: `${id}-${'<'.repeat(MOST_ESCAPED_IN_ID)}`.padEnd(128, 'x'),
      repository: 'r'.repeat(140),
      revision: 'v'.repeat(244),
      uid: 'u'.repeat(36),
      ...times,
      slack: SLACK,
    });
  const texts = {
    job: 'j'.repeat(63),
    requestedBy: text.slice(0, 256),
    requestReason: text.slice(0, 256),
    senderId: text.slice(0, 256),
  };
  const lane = (index: number): LaneStatus => ({
    name: `${index}`.padEnd(50, 'e'),
    active: [
      aClaim(job(`a${index}`), {
        ...texts,
        why: text.slice(0, 512),
        ending: { ...ENDING, message: text.slice(0, 1024) },
      }),
    ],
    waiting: Array.from({ length: waitingEach }, (_, place) =>
      aWaitingEntry(job(`w${index}-${place}`), {
        ...texts,
        why: text.slice(0, 512),
        reasons: REASONS,
        until: at(9),
        approvalMissing: true,
      }),
    ),
    frozen: text.slice(0, 256),
    closed: text.slice(0, 512),
    lastSuccessful: {
      task: 'deploy',
      revision: 'v'.repeat(244),
      job: texts.job,
      requestedBy: texts.requestedBy,
      finishedAt: at(0),
    },
  });
  return {
    environments: Array.from({ length: 50 }, (_, index) => lane(index)),
    history: Array.from({ length: 200 }, (_, index) =>
      aHistoryEntry(job(`h${index}`), {
        ...texts,
        environment: 'e'.repeat(50),
        ...ENDING,
        message: text.slice(0, 2048),
      }),
    ),
  };
}
const ENDING = { result: 'Failed', reason: 'BackoffLimitExceeded' } as const;

const counts = ({ environments = [], history = [] }: CapDeployJobStatus) => [
  environments.map(({ active = [], waiting = [] }) => [active.length, waiting.length]),
  history.length,
];

const KANJI = '漢'.repeat(2048);

describe('a status', () => {
  test('of ordinary size stays as it is', () => {
    const status = { environments: [{ name: 'production', waiting: waiting(100, 'alice') }] };
    expect(truncateStatus(status)).toBe(status);
  });

  test('of a thousand waiting requests with the longest of texts, in letters of three bytes, fits into etcd with its spec', () => {
    expect(bytes(full(KANJI))).toBeGreaterThan(3_000_000);
    expect(bytes(truncateStatus(full(KANJI)))).toBeLessThan(1_300_000);
  });

  test('of a thousand waiting requests whose every letter is stored in six bytes, ids too, fits into etcd', () => {
    const text = '<'.repeat(2048);
    const status = full(text);
    for (const { waiting = [] } of status.environments ?? []) {
      for (const [index, entry] of waiting.entries()) entry.id = `${index}-`.padEnd(128, '<');
    }
    for (const entry of status.history ?? [])
      Object.assign(entry, { requestedBy: text.slice(0, 256), senderId: text.slice(0, 256) });
    expect(Buffer.byteLength(JSON.stringify(truncateStatus(status)))).toBeLessThan(LARGEST_STATUS);
    expect(bytes(truncateStatus(status))).toBeLessThan(1_572_864 - 50_000);
    const once = truncateStatus(status);
    expect(truncateStatus({ ...status, history: once.history })).toEqual(once);
    expect(once.environments?.[0]?.waiting?.[0]?.id).toHaveLength(128);
  });

  test('of a thousand requests in which senders fill every field with the worst letters fits, if every lane is busy, too', () => {
    const status = filled('<'.repeat(2048));
    const cut = truncateStatus(status);
    expect(bytes(status)).toBeGreaterThan(13_000_000);
    expect(bytes(cut)).toBe(storedBytes(cut));
    // The rest is for spec and metadata.
    expect(bytes(cut)).toBeLessThan(LIMIT_OF_ETCD - 60_000);
    expect(counts(cut)).toEqual(counts(status));
  });

  test('that is cut is cut the same way again once its claims and its history have come back from the API server', () => {
    for (const text of ['<'.repeat(2048), KANJI, 'a'.repeat(2048)]) {
      const fresh = filled(text);
      const again = (stored: CapDeployJobStatus) =>
        truncateStatus({
          ...fresh,
          environments: (fresh.environments ?? []).map((lane, index) => ({
            ...lane,
            active: stored.environments?.[index]?.active,
          })),
          history: stored.history,
        });
      const twice = again(again(truncateStatus(fresh)));
      expect(again(twice)).toEqual(twice);
    }
  });

  test('keeps the Slack threads at first, and the reasons to wait always', () => {
    const text = 'a'.repeat(2048);
    const some = filled(text, 5);
    expect(bytes(some)).toBeGreaterThan(LARGEST_STATUS);
    const [cut, most] = [truncateStatus(some), truncateStatus(filled(text))];
    const first = ({ environments, history }: CapDeployJobStatus) => [
      environments?.[0]?.waiting?.[0],
      environments?.[0]?.active?.[0],
      history?.[9],
      history?.[10],
    ];
    for (const entry of first(cut)) expect(entry).toHaveProperty('slack', SLACK);
    expect(first(most).map((entry) => entry?.slack)).toEqual([undefined, SLACK, SLACK, undefined]);
    for (const status of [cut, most]) {
      const [waits, runs, ended] = first(status);
      expect(waits).toHaveProperty('reasons', REASONS);
      expect(waits).not.toHaveProperty('requestReason');
      expect(runs?.requestReason).toMatch(/^a{31,}/);
      expect(ended?.requestReason).toMatch(/^a{29,}…$/);
    }
  });

  test('of few requests is measured, too, if every lane is busy', () => {
    const status = { ...filled('<'.repeat(2048), 0), history: filled('<'.repeat(2048)).history?.slice(0, 39) ?? [] };
    expect(bytes(status)).toBeGreaterThan(LIMIT_OF_ETCD);
    expect(bytes(truncateStatus(status))).toBeLessThan(LIMIT_OF_ETCD - 60_000);
  });

  test('that is cut keeps every entry, its order, and what tells one request from another', () => {
    const status = truncateStatus(full(KANJI));
    expect(status.environments?.map((lane) => lane.waiting?.length)).toEqual(Array(50).fill(20));
    const { requestedBy: _, senderId: __, why: ___, ...rest } = waiting(1, KANJI)[0]!;
    expect(status.environments?.[0]?.waiting?.[0]).toEqual({ ...rest, why: `${'漢'.repeat(31)}…` });
    expect(status.history).toHaveLength(200);
    expect([status.history?.[0]?.message?.length, status.history?.[199]?.message?.length]).toEqual([682, 32]);
  });

  test('that is cut is cut the same way by the next pass, which then writes nothing', () => {
    const once = truncateStatus(full(KANJI));
    expect(truncateStatus({ ...full(KANJI), history: once.history })).toEqual(once);
  });

  test('that fits once people are left out keeps its messages', () => {
    const status: CapDeployJobStatus = { ...full('a'.repeat(500)), history: history(50, 'm'.repeat(2048)) };
    expect(bytes(status)).toBeGreaterThan(LARGEST_STATUS);
    expect(truncateStatus(status).history).toEqual(status.history);
  });
});
