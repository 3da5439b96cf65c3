import { beforeAll, expect, test } from 'vitest';
import { type Answer, type ApiStatus, cdjPath, openCluster } from './cluster.ts';
import { type Constraint, constraints, fieldName, valueAt, withValue } from './constraints.ts';
import { definition } from './manifests.ts';
import { created, type Resource, resource, STRICT, uniqueName } from './resources.ts';

/**
 * Every bound of the status, asked of a real API server: it is the ledger, and an entry beyond a bound would refuse the
 * whole write. Only the operator writes it, so that values are made of the bounds here; those of the spec stand in a
 * table of their own (cel.test.ts).
 */
const cluster = openCluster();
let object: Resource;
beforeAll(async () => {
  object = await created(cluster, resource(await cluster.namespace(), uniqueName()));
});

const at = '2026-11-02T09:00:00.123Z';
const request = { job: 'web-production-a', id: 'a', repository: 'web', task: 'deploy', revision: 'v1', sentAt: at };
const times = { notBefore: at, expiresAt: at };
/** Made anew for each entry: a copy of the whole keeps apart what is broken alone. */
const people = () => ({
  requestedBy: 'alice',
  requestReason: 'fixes the basket',
  slack: { channel: 'C024BE91L', threadTs: '1764500000.000100' },
  senderId: 'AROA:alice',
  approvedBy: 'bob',
  abortedBy: 'carol',
});

const deployed = () => ({ commit: 'a'.repeat(40), committedAt: at, release: '20261102090000' });

/** A status with something in every field. */
const FULL = {
  status: {
    observedGeneration: 1,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: at,
        reason: 'AsExpected',
        message: '',
      },
    ],
    waiting: 1,
    active: 1,
    last: 'staging main Failed',
    environments: [
      {
        name: 'production',
        active: [
          {
            ...request,
            ...times,
            ...people(),
            uid: 'b',
            dueAt: at,
            since: at,
            why: 'no container runs yet',
            exit: { code: 1, reason: 'OOMKilled', finishedAt: at, message: 'exit code 137', ...deployed() },
            ending: { result: 'Aborted', reason: 'JobDeleted', message: 'somebody deleted it' },
          },
        ],
        waiting: [
          {
            ...request,
            ...times,
            ...people(),
            uid: 'c',
            dueAt: at,
            why: 'not before a moment',
            reasons: ['NotDue'],
            until: at,
            approvalMissing: true,
            approvedAt: at,
          },
        ],
        frozen: 'alice: incident 42',
        closed: 'no window of kind Allow is open',
        closedUntil: at,
        openSince: at,
        lastStarted: [{ task: 'deploy', id: 'a', repository: 'web', revision: 'v1', dueAt: at }],
        lastSuccessful: {
          revision: 'v1',
          task: 'deploy',
          job: 'web-production-a',
          requestedBy: 'alice',
          finishedAt: at,
          ...deployed(),
        },
        lastResult: 'Succeeded',
        lastEndedAt: at,
      },
    ],
    rejections: [{ messageId: 'a', reason: 'NotJson', field: 'revision', message: 'it is', body: '{', at }],
    rejectionsCount: 1,
    history: [
      {
        ...request,
        ...times,
        ...people(),
        environment: 'production',
        result: 'Failed',
        reason: 'BackoffLimitExceeded',
        message: 'exit 1',
        startedAt: at,
        finishedAt: at,
        ...deployed(),
      },
    ],
  },
};

const ofStatus = constraints(definition()).filter(({ path }) => /^status\b/.test(path));

const write = (status: unknown): Promise<Answer<Resource & ApiStatus>> =>
  cluster.request('PUT', cdjPath(object.metadata.namespace ?? '', object.metadata.name, 'status'), {
    query: { ...STRICT.query, dryRun: 'All' },
    body: { ...object, ...(status as object) },
  });

test('a status with something in every field is taken as it is', async () => {
  const { status, warnings, body } = await write(FULL);
  expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 200, warnings: [] });
  expect(body.status).toEqual(FULL.status);
});

test('something is in every field: each can be broken alone', () => {
  const empty = ofStatus.filter(({ path }) => valueAt(FULL, path) === undefined);
  expect(empty.map(({ name }) => name)).toEqual([]);
});

/** RFC 3339 with as many digits of a second as make it so long. */
const moment = (length: number) => `2026-11-02T09:00:00.${'0'.repeat(length - 21)}Z`;

/** Copies that differ in the key of the list, where it has one. */
function copies(item: unknown, count: number, keys: unknown): unknown[] {
  const [key] = (keys ?? []) as string[];
  return Array.from({ length: count }, (_, index) =>
    key === undefined ? item : { ...(item as object), [key]: `k${index}` },
  );
}

interface Values {
  accepted: unknown[];
  refused: [value: unknown, says: string][];
  /** Within the field. */
  at?: string;
}

/**
 * What a bound lets through at its edge, and the first value beyond. @throws Error for a keyword that is not known
 * here.
 */
function values({ path, keyword, value, schema }: Constraint): Values {
  const limit = value as number;
  const some = valueAt(FULL, path);
  switch (keyword) {
    case 'maxLength': {
      const text = schema.format === 'date-time' ? moment : (length: number) => 'x'.repeat(length);
      return { accepted: [text(limit)], refused: [[text(limit + 1), `may not be more than ${limit} bytes`]] };
    }
    case 'minLength':
      return { accepted: ['x'.repeat(limit)], refused: [['', `should be at least ${limit} chars long`]] };
    case 'minimum':
      return { accepted: [limit], refused: [[limit - 1, `should be greater than or equal to ${limit}`]] };
    case 'enum':
      return { accepted: value as unknown[], refused: [['Other', 'supported values: ']] };
    case 'format':
      return { accepted: [at, '2026-11-02T18:00:00+09:00'], refused: [['yesterday', 'must be of type date-time']] };
    case 'maxItems': {
      const [item] = some as unknown[];
      const list = (count: number) => copies(item, count, schema['x-kubernetes-list-map-keys']);
      return { accepted: [list(limit)], refused: [[list(limit + 1), `must have at most ${limit} item`]] };
    }
    case 'list': {
      const [item] = some as unknown[];
      // The items of an atomic list may be equal; those of a map differ in their key.
      if (value === 'atomic') return { accepted: [schema.maxItems === 1 ? [item] : [item, item]], refused: [] };
      return { accepted: [[item]], refused: [[[item, item], 'Duplicate value']], at: '[1]' };
    }
    case 'required':
      return {
        accepted: [some],
        refused: [[{ ...(some as object), [value as string]: undefined }, 'Required value']],
        at: `.${value}`,
      };
    default:
      throw new Error(`${path}: the tests do not know the keyword ${keyword}`);
  }
}

test('there are bounds to ask for, and each is of a kind that is known here', () => {
  expect(ofStatus.length).toBeGreaterThan(100);
  expect(ofStatus.map(values)).toHaveLength(ofStatus.length);
});

test.each(ofStatus)('$name: what is at its edge is taken, what is beyond is refused', async (constraint) => {
  const { accepted, refused, at: within = '' } = values(constraint);
  const { path } = constraint;
  for (const value of accepted) {
    const { status, body } = await write(withValue(FULL, path, value));
    expect(status, JSON.stringify(body).slice(0, 500)).toBe(200);
  }
  for (const [value, says] of refused) {
    const { status, body } = await write(withValue(FULL, path, value));
    expect(status).toBe(422);
    const field = `${fieldName(path)}${within}`;
    const causes = body.details?.causes ?? [];
    expect(causes).toContainEqual(expect.objectContaining({ field, message: expect.stringContaining(says) }));
    expect(causes.filter((cause) => cause.field !== field && !/rules were not checked/.test(cause.message))).toEqual(
      [],
    );
  }
});
