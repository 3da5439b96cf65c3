import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeployRequest } from '../../../src/api/deploy-request.ts';
import { buildJob } from '../../../src/lanes/build-job.ts';
import { parseMessage } from '../../../src/requests/parse-message.ts';
import { readSpec } from '../../../src/requests/read-spec.ts';
import { aCheckedResource, aMessage } from '../../kit/builders.ts';

const resource = aCheckedResource({
  spec: {
    repositories: ['livesense/web', 'web'],
    environments: [{ name: 'production', revisions: '^v[0-9]+(\\.[0-9]+)*$' }, { name: 'staging' }],
    tasks: ['deploy', 'deploy:rollback'],
  },
});
const read = readSpec(resource);
if ('problem' in read) throw new Error(read.problem);
const { spec } = read;

/** CI sets 100,000, which take half a minute. */
const RUNS = Number(process.env.TEST_FUZZ_RUNS || 25_000);

const HOSTILE = [
  '--output=/tmp/x',
  '-e',
  '-f/etc/passwd',
  'A=b',
  '`id`',
  '$(id)',
  '$' + '{IFS}',
  ';reboot',
  '|sh',
  '&',
  '>',
  '\n',
  '\r\n',
  '\u0000',
  '\u001b[2J',
  '\u202e',
  '\ud800',
  '\udfff',
  '\ufeff',
  '..',
  '//',
  '@{',
  '.lock',
  '/',
  '.',
  '~1',
  '^',
  ':',
  '*',
  '?',
  '[',
  '\\',
  ' ',
  "'",
  '"',
  'ｖ１',
  '\u212a',
  '__proto__',
  'constructor',
  'toString',
]; // prettier-ignore
const PLAIN = [
  'v1.0.0',
  'v2',
  'main',
  'feature/x',
  'a1b2c3d',
  'production',
  'staging',
  'web',
  'livesense/web',
  'deploy',
];

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PLAIN) },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PLAIN) },
  { weight: 2, arbitrary: fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join('')) },
);
const odd: fc.Arbitrary<unknown> = fc.constantFrom(null, 0, -1, true, [], {}, ['v1'], { a: 1 }, '', 1e308);
const value = fc.oneof({ weight: 8, arbitrary: text as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: odd });
const NO_MOMENTS = ['2026-13-01T00:00:00Z', '2026-06-31T00:00:00Z', '2026-06-10T00:00:00', '1'];
const moment = fc.oneof(
  fc.constantFrom(
    '2026-01-01T00:00:00Z',
    '2026-06-10T00:00:00+09:00',
    '2026-08-01T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999+23:59',
    '2016-12-31T23:59:60Z',
    ...NO_MOMENTS,
  ),
  value,
);
const KEYS = [
  'repository',
  'repo',
  'REPO',
  'environment',
  'env',
  'Env',
  'revision',
  'hash',
  'Hash',
  'task',
  'TASK',
  'id',
  'ID',
  'reason',
  'requestedBy',
  'source',
  'slack',
  'notBefore',
  'expiresat',
  '__proto__',
  'constructor',
  'Type',
  'Message',
  'toString',
  'x',
]; // prettier-ignore

const seldom = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** A message that may well be good, with a few fields put in, changed or doubled. */
const likely = fc
  .record({
    repository: fc.constantFrom<unknown>('web', 'web', 'livesense/web', 'api'),
    environment: fc.oneof({ weight: 5, arbitrary: fc.constantFrom<unknown>('production', 'staging') }, value),
    revision: fc.oneof({ weight: 3, arbitrary: fc.constantFrom<unknown>('v1', 'v1.2.3', 'main') }, value),
    more: fc.array(fc.tuple(fc.constantFrom(...KEYS), value), { maxLength: 2 }),
    sentAt: fc.option(moment, { nil: undefined, freq: 3 }),
    notBefore: seldom(moment),
    expiresAt: seldom(moment),
  })
  .map(({ more, sentAt, notBefore, expiresAt, ...fields }) => [
    ...Object.entries(fields),
    ...more,
    ...Object.entries({ sentAt, notBefore, expiresAt }).filter(([, stamp]) => stamp !== undefined),
  ]);
const anything = fc.array(fc.tuple(fc.oneof(fc.constantFrom(...KEYS), text), value), { maxLength: 6 });

/** Written by hand, for an object cannot hold a key twice. */
const object = (entries: (readonly [string, unknown])[]) =>
  `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item)}`).join(',')}}`;
const enveloped = (message: string, id: unknown, stamp: unknown) =>
  object([
    ['Type', 'Notification'],
    ['Message', message],
    ['MessageId', id],
    ['Timestamp', stamp],
  ]); // prettier-ignore

const objectBody = fc.oneof({ weight: 4, arbitrary: likely }, { weight: 1, arbitrary: anything }).map(object);
const body = fc.oneof(
  { weight: 12, arbitrary: objectBody },
  { weight: 3, arbitrary: fc.tuple(objectBody, value, moment).map(([inner, id, at]) => enveloped(inner, id, at)) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.tuple(objectBody, fc.nat(30)).map(([good, at]) => good.slice(0, good.length - at)) },
);

const RECEIVED_AT = aMessage().sentTimestamp as number;

/** The rules once more, in other words: a second opinion, not a copy. */
function isAllowed(request: DeployRequest): boolean {
  const { repository, environment, revision, task } = request;
  const listed =
    ['livesense/web', 'web'].indexOf(repository) >= 0 &&
    ['production', 'staging'].indexOf(environment) >= 0 &&
    ['deploy', 'deploy:rollback'].indexOf(task) >= 0;
  if (!listed) return false;
  for (const item of [request.requestedBy, request.reason, request.source]) {
    if (item === undefined) continue;
    if (item.length === 0 || item.length > 256 || !item.isWellFormed()) return false;
    for (const character of item) {
      const code = character.codePointAt(0) as number;
      if (code < 32 || (code >= 127 && code < 160) || (code >= 0x202a && code <= 0x202e)) return false;
    }
  }
  if (request.id.length < 1 || request.id.length > 128 || [...request.id].some((c) => c <= ' ' || c > '~'))
    return false;
  if (new Date(request.sentAt).toISOString() !== request.sentAt || Date.parse(request.sentAt) < 0) return false;
  if (Date.parse(request.sentAt) > (aMessage().sentTimestamp as number)) return false;
  const { notBefore, expiresAt } = request;
  for (const stamp of [notBefore, expiresAt]) {
    if (stamp !== undefined && new Date(stamp).toISOString() !== stamp) return false;
  }
  if (notBefore !== undefined && Date.parse(notBefore) - RECEIVED_AT > 30 * 24 * 3_600_000) return false;
  if (notBefore !== undefined && expiresAt !== undefined && new Date(notBefore) >= new Date(expiresAt)) return false;
  if (revision === undefined) return task !== 'deploy';
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  if (revision.length < 1 || revision.length > 244 || !letters.includes(revision.charAt(0))) return false;
  for (const character of revision) if (!letters.includes(character) && !'._/@+-'.includes(character)) return false;
  if (revision.split('/').some((part) => part === '' || part.endsWith('.lock'))) return false;
  if (revision.endsWith('.') || revision.indexOf('..') >= 0 || revision.indexOf('@{') >= 0) return false;
  if (environment === 'production') {
    if (revision.charAt(0) !== 'v') return false;
    if (
      !revision
        .slice(1)
        .split('.')
        .every((part) => part !== '' && [...part].every((c) => c >= '0' && c <= '9'))
    )
      return false;
  }
  return true;
}

/**
 * What the body says of a field, over all keys that mean it; undefined where it does not say one single thing. Null
 * says nothing of a field that may be left out.
 */
function said(message: string, ...keys: string[]): unknown {
  let parsed = JSON.parse(message);
  if (parsed.Type === 'Notification' && typeof parsed.Message === 'string') parsed = JSON.parse(parsed.Message);
  const values = new Set(
    Object.keys(parsed)
      .filter((key) => keys.some((name) => name.toUpperCase() === key.toUpperCase()))
      .map((key) => parsed[key])
      .filter((value) => value !== null || keys.includes('environment')),
  );
  return values.size === 1 ? [...values][0] : undefined;
}

type Built = {
  spec: { template: { spec: { containers: { args: string[]; env: { name: string; value: string }[] }[] } } };
};

describe('Invariant 5: whatever comes in a message', () => {
  it('generated messages never throw, are accepted only if every rule holds, and become nothing but the command', () => {
    let accepted = 0;
    const reasons = new Set<string>();
    fc.assert(
      fc.property(body, (message) => {
        const { request, rejection } = parseMessage(aMessage(message), read, RECEIVED_AT);
        if (rejection) {
          reasons.add(rejection.reason);
          return (
            rejection.body.length <= 600 && (rejection.message?.length ?? 0) <= 512 && rejection.body.isWellFormed()
          );
        }
        accepted++;
        if (!isAllowed(request)) return false;
        if (said(message, 'environment', 'env') !== request.environment) return false;
        if (said(message, 'revision', 'hash') !== request.revision) return false;
        const bounds = [said(message, 'notBefore'), said(message, 'expiresAt')];
        const kept = [request.notBefore, request.expiresAt];
        if (bounds.some((stamp) => NO_MOMENTS.includes(stamp as string))) return false;
        if (kept.some((stamp, index) => (stamp === undefined) !== (bounds[index] === undefined))) return false;
        const job = buildJob(resource, spec, request) as unknown as Built;
        const [container] = job.spec.template.spec.containers;
        const revisions = container?.env.filter(({ name }) => name === 'REVISION') ?? [];
        return (
          JSON.stringify(container?.args) === JSON.stringify(['cap', request.environment, request.task]) &&
          JSON.stringify(revisions) ===
            JSON.stringify(request.revision === undefined ? [] : [{ name: 'REVISION', value: request.revision }])
        );
      }),
      { numRuns: RUNS },
    );
    // The generator is worth nothing if it never gets through, or always.
    expect(accepted).toBeGreaterThan(RUNS * 0.05);
    expect(accepted).toBeLessThan(RUNS * 0.8);
    expect(reasons.size).toBeGreaterThanOrEqual(6);
  }, 300_000);
});
