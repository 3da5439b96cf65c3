import { describe, expect, test } from 'vitest';
import type { CapDeployJobStatus } from '../../../src/api/capdeployjob.ts';
import { LARGEST_STATUS, truncateStatus } from '../../../src/lanes/truncate-status.ts';
import { aHistoryEntry, aJob, aWaitingEntry } from '../../kit/builders.ts';

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
