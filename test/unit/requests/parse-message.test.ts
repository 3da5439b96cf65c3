import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../src/requests/parse-message.ts';
import { readSpec } from '../../../src/requests/read-spec.ts';
import type { QueueMessage } from '../../../src/sqs/queue.ts';
import { aCheckedResource, aMessage, anEnvelope, GOOD } from '../../kit/builders.ts';
import { processorTime } from '../../kit/processor-time.ts';

function readingOf(spec: Record<string, unknown> = {}) {
  const read = readSpec(aCheckedResource({ spec }));
  if ('problem' in read) throw new Error(read.problem);
  return read;
}

const RECEIVED_AT = Date.parse('2026-06-01T12:00:05.000Z');
const parse = (body: unknown, spec?: Record<string, unknown>, changes?: Partial<QueueMessage>) =>
  parseMessage(aMessage(body, changes), readingOf(spec), RECEIVED_AT);

describe('a message is accepted', () => {
  it('with repository, environment and revision, and gets the defaults for the rest', () => {
    expect(parse(GOOD).request).toEqual({
      id: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
      messageId: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
      senderId: 'AIDAEXAMPLE',
      repository: 'livesense/web',
      environment: 'production',
      task: 'deploy',
      revision: 'v1.0.0',
      sentAt: '2026-06-01T12:00:00.000Z',
      notBefore: undefined,
      expiresAt: undefined,
      requestedBy: undefined,
      reason: undefined,
      source: undefined,
      slack: undefined,
    });
  });

  it('with everything that may be said', () => {
    const slack = { channel: 'C024BE91L', threadTs: '1401383885.000061' };
    const more = { id: 'ci-7', task: 'deploy', requestedBy: 'alice', reason: 'release', source: 'CI #7', slack };
    expect(parse({ ...GOOD, ...more }).request).toMatchObject(more);
  });

  it.each([
    ['short names', { repo: 'livesense/web', env: 'production', hash: 'v1.0.0' }],
    ['names in capitals', { REPOSITORY: 'livesense/web', Environment: 'production', HASH: 'v1.0.0' }],
    ['two names that say the same', { ...GOOD, repo: 'livesense/web', Revision: 'v1.0.0' }],
    ['keys that nobody knows', { ...GOOD, constructor: 1, toString: 'x', hasOwnProperty: null, extra: [[[]]] }],
    ['a __proto__ key', `{"__proto__": {"environment": "staging"}, ${JSON.stringify(GOOD).slice(1)}`],
    ['blanks around it', `\n\t ${JSON.stringify(GOOD)} \r\n`],
  ])('with %s', (_, body) => {
    expect(parse(body).request).toMatchObject(GOOD);
  });

  it.each([
    ['a SHA', '0123456789abcdef0123456789abcdef01234567'],
    ['a branch with slashes', 'feature/ABC-1_new+x@2'],
    ['244 characters', 'a'.repeat(244)],
  ])('with a revision that is %s', (_, revision) => {
    expect(parse({ ...GOOD, revision }).request?.revision).toBe(revision);
  });

  it('without a revision if its task is not deploy', () => {
    const { revision: _, ...body } = GOOD;
    const tasks = ['deploy', 'deploy:rollback'];
    const environments = [{ name: 'production', revisions: 'v.*' }];
    expect(parse({ ...body, task: 'deploy:rollback' }, { tasks, environments }).request).toMatchObject({
      task: 'deploy:rollback',
      revision: undefined,
    });
  });

  it.each([
    [
      'the bounds that it sets, in UTC',
      { notBefore: '2026-06-02T07:00:00+09:00', expiresAt: '2026-06-02T08:00:00.5+09:00' },
      { notBefore: '2026-06-01T22:00:00.000Z', expiresAt: '2026-06-01T23:00:00.500Z' },
    ],
    ['a start on the 30th day', { notBefore: '2026-07-01T12:00:05Z' }, { notBefore: '2026-07-01T12:00:05.000Z' }],
    [
      'an end that an offset puts beyond the years of four digits',
      { expiresAt: '9999-12-31T23:59:59-05:00' },
      { expiresAt: '9999-12-31T23:59:59.000Z' },
    ],
    ['a start before all years', { notBefore: '0000-01-01T00:00:00+09:00' }, { notBefore: '1970-01-01T00:00:00.000Z' }],
    ['a start that lies behind', { NotBefore: '2020-01-01T00:00:00Z' }, { notBefore: '2020-01-01T00:00:00.000Z' }],
    [
      'an end that lies behind, which its lane has to judge',
      { expiresAt: '2026-06-01T12:00:00Z' },
      { notBefore: undefined, expiresAt: '2026-06-01T12:00:00.000Z' },
    ],
  ])('with %s', (_, bounds, expected) => {
    expect(parse({ ...GOOD, ...bounds }).request).toMatchObject(expected);
  });

  it.each(['task', 'id', 'sentAt', 'notBefore', 'expiresAt', 'requestedBy', 'reason', 'source', 'slack'])(
    'with null for its %s, as if nothing were said of it',
    (field) => {
      expect(parse({ ...GOOD, [field]: null }).request).toEqual(parse(GOOD).request);
    },
  );

  it.each([
    ['a revision that is null, where its task needs none', { revision: null, task: 'deploy:rollback' }, undefined],
    ['null under the other name of its revision', { hash: null }, 'v1.0.0'],
    ['null beside the other name of its revision', { revision: null, HASH: 'v2' }, 'v2'],
  ])('with %s', (_, changes, revision) => {
    expect(parse({ ...GOOD, ...changes }, { tasks: ['deploy', 'deploy:rollback'] }).request?.revision).toBe(revision);
  });

  it('with a channel of Slack, and null for the thread', () => {
    expect(parse({ ...GOOD, slack: { Channel: 'C1', threadTS: null } }).request?.slack).toEqual({ channel: 'C1' });
  });

  it('with a leap second, which is the second after it', () => {
    expect(parse({ ...GOOD, sentAt: '2016-12-31T23:59:60Z' }).request?.sentAt).toBe('2017-01-01T00:00:00.000Z');
  });

  it('with a task that Rake names with a hyphen', () => {
    const tasks = ['puma:phased-restart'];
    expect(parse({ ...GOOD, task: 'puma:phased-restart' }, { tasks }).request?.task).toBe('puma:phased-restart');
  });

  it('with the words that say which days it may start on', () => {
    expect(parse({ ...GOOD, notBefore: '2027-01-01T00:00:00Z' }).rejection?.message).toBe(
      'notBefore: found "2027-01-01T00:00:00Z"; expected a time at most 30 days ahead, now until 2026-07-01T12:00:05.000Z',
    );
  });

  it.each([
    ['the message itself says', { ...GOOD, sentAt: '2026-05-01T21:00:00+09:00' }, '2026-05-01T12:00:00.000Z'],
    ['SQS says, where the message says later', { ...GOOD, sentAt: '2027-01-01T00:00:00Z' }, '2026-06-01T12:00:00.000Z'],
    ['the SNS envelope says', anEnvelope(GOOD, { Timestamp: '2026-04-01T00:00:00.000Z' }), '2026-04-01T00:00:00.000Z'],
    [
      'the epoch is, where it claims to be older',
      { ...GOOD, sentAt: '1815-01-01T00:00:00Z' },
      '1970-01-01T00:00:00.000Z',
    ],
  ])('as sent when %s, if that is the earliest', (_, body, sentAt) => {
    expect(parse(body).request?.sentAt).toBe(sentAt);
  });

  it('as sent when it was received, if the server has no stamp and the message claims the future', () => {
    const body = { ...GOOD, sentAt: '2099-01-01T00:00:00Z' };
    expect(parse(body, {}, { sentTimestamp: undefined }).request?.sentAt).toBe('2026-06-01T12:00:05.000Z');
  });

  it('out of an SNS envelope, whose id is the default id', () => {
    expect(parse(anEnvelope(GOOD)).request).toMatchObject({ ...GOOD, id: 'sns-message-id' });
    expect(parse(anEnvelope({ ...GOOD, id: 'mine' })).request?.id).toBe('mine');
    expect(parse(anEnvelope({ ...GOOD, id: '&'.repeat(25) })).request?.id).toBe('&'.repeat(25));
  });

  it.each([
    ['colours and cursor moves', '\u001b[31mred\u001b[0m \u009b2Jtext', 'red text'],
    ['a terminal title', 'a\u001b]0;title\u0007b', 'ab'],
    ['bidi overrides and zero-width characters', 'a\u202eb\u2066c\u200bd\ufeff', 'abcd'],
    ['control characters', 'a\u0000b\u0008c\u007fd\u0085', 'abcd'],
    ['line ends', ' one\r\ntwo\tthree\u2028four ', 'one two threefour'],
    ['lone surrogates', 'a\ud800b\udc00', 'ab'],
    ['other alphabets', '山田 太郎 🚀', '山田 太郎 🚀'],
    ['a novel', 'x'.repeat(5000), 'x'.repeat(256)],
    ['nothing but blanks', ' \t ', undefined],
  ])('with texts for people cleaned of %s', (_, reason, kept) => {
    expect(parse({ ...GOOD, reason, requestedBy: reason, source: reason }).request).toMatchObject({
      reason: kept,
      requestedBy: kept,
      source: kept,
    });
  });
});

const LONG = '['.repeat(500_000);

describe('a message is rejected', () => {
  it.each<[name: string, body: unknown, reason: string, field: string, spec?: Record<string, unknown>]>([
    ['that is not JSON', 'deploy web!', 'NotJSON', 'body'],
    ['that is empty', '', 'NotJSON', 'body'],
    ['that begins with a byte order mark', `\ufeff${JSON.stringify(GOOD)}`, 'NotJSON', 'body'],
    ['that is nested for ever', LONG, 'NotJSON', 'body'],
    ['that is longer than SQS allows', `"${'x'.repeat(1_048_576)}"`, 'WrongShape', 'body'],
    ['that is a list', [GOOD], 'WrongShape', 'body'],
    ['that is a deep list', `${LONG}${']'.repeat(500_000)}`, 'WrongShape', 'body'],
    ['that is null', 'null', 'WrongShape', 'body'],
    ['that is a number', '42', 'WrongShape', 'body'],
    ['that is a text', '"production"', 'WrongShape', 'body'],
    ['without a repository', { environment: 'production', revision: 'v1' }, 'WrongShape', 'repository'],
    ['without an environment', { repository: 'web', revision: 'v1' }, 'WrongShape', 'environment'],
    ['without a revision', { repository: 'web', environment: 'production' }, 'WrongShape', 'revision'],
    ['whose environment is a list', { ...GOOD, environment: ['production'] }, 'WrongShape', 'environment'],
    ['whose revision is a number', { ...GOOD, revision: 1 }, 'WrongShape', 'revision'],
    ['whose revision is null', { ...GOOD, revision: null }, 'WrongShape', 'revision'],
    ['whose repository has a blank', { ...GOOD, repository: 'a b' }, 'WrongShape', 'repository'],
    ['whose id has a blank', { ...GOOD, id: 'a b' }, 'WrongShape', 'id'],
    ['whose id is empty', { ...GOOD, id: '' }, 'WrongShape', 'id'],
    ['whose id grows sixfold where it is stored', { ...GOOD, id: '<'.repeat(26) }, 'WrongShape', 'id'],
    ['whose id is too long', { ...GOOD, id: 'x'.repeat(129) }, 'WrongShape', 'id'],
    ['whose reason is an object', { ...GOOD, reason: {} }, 'WrongShape', 'reason'],
    ['sent at no moment', { ...GOOD, sentAt: 'yesterday' }, 'WrongShape', 'sentAt'],
    ['sent on 30 February', { ...GOOD, sentAt: '2026-02-30T00:00:00Z' }, 'WrongShape', 'sentAt'],
    ['whose environment is null', { ...GOOD, environment: null }, 'WrongShape', 'environment'],
    ['whose Slack channel is a name', { ...GOOD, slack: { channel: '#deploys' } }, 'WrongShape', 'slack.channel'],
    ['whose Slack channel is null', { ...GOOD, slack: { channel: null } }, 'WrongShape', 'slack.channel'],
    [
      'whose Slack thread is a number',
      { ...GOOD, slack: { channel: 'C1', threadTs: 1 } },
      'WrongShape',
      'slack.threadTs',
    ],
    ['whose Slack place is a text', { ...GOOD, slack: 'C1' }, 'WrongShape', 'slack'],
    ['that says two revisions under two names', { ...GOOD, hash: 'v2' }, 'WrongShape', 'revision'],
    ['that says two environments in two cases', { ...GOOD, Environment: 'staging' }, 'WrongShape', 'environment'],
    ['that says null under a second name', { ...GOOD, repo: null }, 'WrongShape', 'repository'],
    ['that has one key twice', `{"revision": "v2", ${JSON.stringify(GOOD).slice(1)}`, 'WrongShape', 'revision'],
    [
      'that has one key twice, once in escapes',
      `{"\\u0072evision": "v2", ${JSON.stringify(GOOD).slice(1)}`,
      'WrongShape',
      'revision',
    ],
    ['with a Kelvin sign in a key', { ...GOOD, revision: undefined, tas\u212a: 'x' }, 'WrongShape', 'revision'],
    ['for an environment that is not listed', { ...GOOD, environment: 'qa' }, 'UnknownEnvironment', 'environment'],
    [
      'for an environment in other letters',
      { ...GOOD, environment: 'Production' },
      'UnknownEnvironment',
      'environment',
    ],
    ['for an environment with a blank', { ...GOOD, environment: ' production' }, 'UnknownEnvironment', 'environment'],
    ['for an option of rake', { ...GOOD, environment: '-f' }, 'UnknownEnvironment', 'environment'],
    ['for an inherited property', { ...GOOD, environment: 'constructor' }, 'UnknownEnvironment', 'environment'],
    ['for a task that is not listed', { ...GOOD, task: 'deploy:rollback' }, 'UnknownTask', 'task'],
    ['for a task that is an assignment', { ...GOOD, task: 'BRANCH=x' }, 'UnknownTask', 'task'],
    ['for another repository', GOOD, 'ForeignRepository', 'repository', { repositories: ['livesense/api'] }],
    [
      'for a repository in other letters',
      { ...GOOD, repository: 'Livesense/Web' },
      'ForeignRepository',
      'repository',
      { repositories: ['livesense/web'] },
    ],
    ['to start at no moment', { ...GOOD, notBefore: 'tonight' }, 'WrongShape', 'notBefore'],
    ['to start on a day that no month has', { ...GOOD, notBefore: '2026-06-31T00:00:00Z' }, 'WrongShape', 'notBefore'],
    ['to start at a moment without a zone', { ...GOOD, notBefore: '2026-06-02T00:00:00' }, 'WrongShape', 'notBefore'],
    ['to start more than 30 days ahead', { ...GOOD, notBefore: '2026-07-01T12:00:05.001Z' }, 'WrongShape', 'notBefore'],
    ['with no end, in any case of its letters', { ...GOOD, EXPIRESAT: 'never' }, 'WrongShape', 'expiresAt'],
    ['to start at hour 24', { ...GOOD, notBefore: '2026-06-02T24:00:00Z' }, 'WrongShape', 'notBefore'],
    ['to end on 30 February', { ...GOOD, expiresAt: '2027-02-30T00:00:00Z' }, 'WrongShape', 'expiresAt'],
    ['with an end that is a number', { ...GOOD, expiresAt: 1_800_000_000 }, 'WrongShape', 'expiresAt'],
    [
      'that ends before it may start',
      { ...GOOD, notBefore: '2026-06-02T00:00:00Z', expiresAt: '2026-06-02T08:59:59+09:00' },
      'WrongShape',
      'expiresAt',
    ],
    [
      'that ends when it may start',
      { ...GOOD, notBefore: '2026-06-02T00:00:00Z', expiresAt: '2026-06-02T00:00:00Z' },
      'WrongShape',
      'expiresAt',
    ],
    ['in two SNS envelopes', anEnvelope(anEnvelope(GOOD)), 'WrongShape', 'Message'],
    ['in an SNS envelope that holds no JSON', anEnvelope('hello'), 'NotJSON', 'Message'],
    ['in an SNS envelope without a message', anEnvelope(GOOD, { Message: GOOD }), 'WrongShape', 'body'],
    ['in an SNS envelope with an unfit id', anEnvelope(GOOD, { MessageId: 'a\nb' }), 'WrongShape', 'MessageId'],
    ['in an SNS envelope of no time', anEnvelope(GOOD, { Timestamp: 'now' }), 'WrongShape', 'Timestamp'],
    [
      'in an SNS envelope of 30 February',
      anEnvelope(GOOD, { Timestamp: '2026-02-30T00:00:00.000Z' }),
      'WrongShape',
      'Timestamp',
    ],
    [
      'whose revision does not match the pattern as a whole',
      { ...GOOD, revision: 'v1.0.0-rc1' },
      'UnsafeRevision',
      'revision',
      { environments: [{ name: 'production', revisions: 'v[0-9.]+' }] },
    ],
    [
      'whose revision matches one side of an alternative only in part',
      { ...GOOD, revision: 'v1/../../x' },
      'UnsafeRevision',
      'revision',
      { environments: [{ name: 'production', revisions: '^v1|main$' }] },
    ],
  ])('%s', (_, body, reason, field, spec) => {
    const { rejection } = parse(body, spec);
    expect(rejection).toMatchObject({ reason, field, message: expect.stringContaining(field) });
    expect(rejection?.body.length).toBeLessThanOrEqual(600);
    expect(rejection?.message?.length).toBeLessThanOrEqual(512);
  });

  it.each([
    ['a shell command', 'main;reboot'],
    ['a command substitution', 'main$(reboot)'],
    ['a variable', 'main$' + '{IFS}x'],
    ['an option', '--output=/tmp/x'],
    ['an assignment', 'A=b'],
    ['a line end', 'v1\n'],
    ['a line end before it', '\nv1'],
    ['a NUL', 'v1\u0000'],
    ['blanks', ' v1'],
    ['a pipe', 'v1|sh'],
    ['quotes', "v1'x'"],
    ['a path upwards', 'a/../b'],
    ['two slashes', 'a//b'],
    ['a reflog entry', 'main@{1}'],
    ['a lock file', 'main.lock'],
    ['a slash at the end', 'main/'],
    ['a dot at the end', 'main.'],
    ['a colon', 'refs:x'],
    ['a tilde', 'main~1'],
    ['a circumflex', 'main^'],
    ['full-width letters', 'ｖ１'],
    ['a bidi override', 'v1\u202e'],
    ['245 characters', 'a'.repeat(245)],
    ['nothing', ''],
  ])('Invariant 5: whose revision is or holds %s', (_, revision) => {
    expect(parse({ ...GOOD, revision }).rejection).toMatchObject({ reason: 'UnsafeRevision', field: 'revision' });
  });

  it('with words that say what was found, in escapes, and what is allowed', () => {
    expect(parse({ ...GOOD, environment: 'qa\u202e\n\u001b[2J' }).rejection?.message).toBe(
      'environment: found "qa\\u{202e}\\n\\u{1b}[2J"; allowed: production, staging',
    );
  });

  const TIME = 'expected an RFC 3339 time with its offset, such as 2026-01-31T09:30:00Z or 2026-01-31T18:30:00+09:00';
  it.each<[name: string, changes: Record<string, unknown>, words: string]>([
    [
      'a time without an offset',
      { sentAt: '2026-06-01T12:00:00' },
      `sentAt: found "2026-06-01T12:00:00"; ${TIME}; it has no offset`,
    ],
    [
      'a day that there is not',
      { notBefore: '2026-06-31T12:00:00Z' },
      `notBefore: found "2026-06-31T12:00:00Z"; ${TIME}; there is no such day or second`,
    ],
    ['a time in words', { expiresAt: 'tonight' }, `expiresAt: found "tonight"; ${TIME}`],
    ['a number for a time', { expiresAt: 1_800_000_000 }, `expiresAt: found 1800000000; ${TIME}`],
    [
      'the name of a channel',
      { slack: { channel: '#deploys' } },
      'slack.channel: found "#deploys"; expected the id of a Slack channel, not its name: 1 to 32 of A-Z and 0-9, such as C024BE91L',
    ],
    [
      'no channel',
      { slack: {} },
      'slack.channel: found nothing; expected the id of a Slack channel, not its name: 1 to 32 of A-Z and 0-9, such as C024BE91L',
    ],
    [
      'a number for a thread',
      { slack: { channel: 'C1', THREADTS: 1.5 } },
      'slack.threadTs: found 1.5; expected the time stamp of a Slack message, such as 1700000000.000100',
    ],
    [
      'a text for a place in Slack',
      { slack: 'C1' },
      'slack: found "C1"; expected an object {"channel": "C024BE91L", "threadTs": "1700000000.000100"}',
    ],
    ['an object for a text', { reason: {} }, 'reason: found an object; expected a string of at most 65536 characters'],
  ])('with words that name the path, what was found and what is allowed: %s', (_, changes, words) => {
    expect(parse({ ...GOOD, ...changes }).rejection).toMatchObject({ message: words, field: words.split(':')[0] });
  });

  it('with a body that shows every character of its beginning', () => {
    const { rejection } = parse(`\u001b[2J\u202e\ud800\u0000${'x'.repeat(2000)}`);
    expect(rejection?.body).toMatch(/^\\u\{1b\}\[2J\\u\{202e\}\\u\{d800\}\\u\{0\}x+…$/);
  });
});

describe('the revisions pattern of an environment', () => {
  it.each([
    ['without anchors', 'v[0-9]+', 'v12', true],
    ['with its own anchors', '^v[0-9]+$', 'v12', true],
    ['with anchors on one side of an alternative', '^main|v[0-9]+$', 'v12', true],
    ['that would match a part', '[0-9]+', 'v12', false],
    ['with a lazy quantifier', 'v.*?', 'v12', true],
    ['with the flag for lines', '(?m)^v1$', 'v1', true],
    ['with classes of RE2', '\\pL[[:digit:]]+', 'v12', true],
  ])('%s: %s with %s: %s', (_, revisions, revision, accepted) => {
    const { request } = parse({ ...GOOD, revision }, { environments: [{ name: 'production', revisions }] });
    expect(request !== undefined).toBe(accepted);
  });

  it.each([
    ['does not compile', '('],
    ['looks behind', '(?<=v)1'],
    ['refers back', '(a)\\1'],
    ['is a bomb', `(?:${'\\pL{900}'.repeat(40)})`],
  ])('that %s makes the spec invalid, with the name of its environment', (_, revisions) => {
    const read = readSpec(
      aCheckedResource({ spec: { environments: [{ name: 'staging' }, { name: 'qa', revisions }] } }),
    );
    expect(read).toEqual({
      problem: expect.stringMatching(/^spec\.environments\[1\]\.revisions: found ".*" \(environment "qa"\); /),
    });
  });

  it('that is none is told with what was found, and what is expected', () => {
    const environments = [{ name: 'qa', revisions: '*' }];
    expect(readSpec(aCheckedResource({ spec: { environments } }))).toEqual({
      problem:
        'spec.environments[0].revisions: found "*" (environment "qa"); expected an RE2 pattern ' +
        '(https://github.com/google/re2/wiki/Syntax) that matches a revision from its start to its end, such as ' +
        'v[0-9]+\\.[0-9]+\\.[0-9]+; RE2 says: error parsing regexp: missing argument to repetition operator: `*`',
    });
  });

  const HINT = '; in RE2 * repeats what stands before it, and .* is any text';
  it.each([
    ['v*', HINT],
    ['release/*', HINT],
    ['v.*x', ''],
    ['(rc)*[0-9]*', ''],
    ['v\\d*', ''],
    ['main|v[0-9]+', ''],
  ])('%s is told as RE2, and where it looks like one of file names, what * means', (revisions, hint) => {
    const environments = [{ name: 'production', revisions }];
    expect(parse({ ...GOOD, revision: 'v1.0.0' }, { environments }).rejection?.message).toBe(
      `revision: found "v1.0.0"; environment "production" takes only what the RE2 pattern ${revisions.replace('\\', '\\\\')} matches from start to end${hint}`,
    );
  });

  it('cannot make a match take exponential time', () => {
    const environments = [{ name: 'production', revisions: '(a+)+b' }];
    const match = () =>
      expect(parse({ ...GOOD, revision: 'a'.repeat(244) }, { environments }).rejection?.reason).toBe('UnsafeRevision');
    expect(processorTime(match)).toBeLessThan(1000);
  });
});

describe('a secret that came in a message', () => {
  it('is taken out before a text is cut, and escape sequences do not hide it', () => {
    const token = `ghp_${'a1'.repeat(18)}`;
    const cut = parse({ ...GOOD, repository: `${'x'.repeat(60)} ${token}` }).rejection;
    expect(JSON.stringify(cut)).not.toContain('ghp_');
    const body = `{"note":"${'-'.repeat(480)} ${token}" no JSON`;
    expect(JSON.stringify(parse(body).rejection)).not.toContain('ghp_');
    const hidden = parse(`no JSON: ${[...token].join('\x1b[0m')}`).rejection;
    expect(hidden?.body).toBe('no JSON: [redacted]');
    expect(parse('no JSON: \x1b[0m').rejection?.body).toBe('no JSON: \\u{1b}[0m');
  });

  it('stands neither in a rejection nor in the texts of a request', () => {
    const url = 'https://bob:p4ssw0rd@host.example/x y';
    const { rejection } = parse({ ...GOOD, repository: url, token: 'hunter2secret' });
    expect(rejection).toMatchObject({ reason: 'WrongShape', field: 'repository' });
    expect(JSON.stringify(rejection)).not.toMatch(/p4ssw0rd|hunter2secret/);
    const { request } = parse({ ...GOOD, reason: 'password=hunter2secret', source: url, requestedBy: 'alice' });
    expect(request).toMatchObject({ requestedBy: 'alice', reason: expect.stringContaining('[redacted]') });
    expect(JSON.stringify(request)).not.toMatch(/p4ssw0rd|hunter2secret/);
  });
});
