import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Command, type CommandProblem, parseCommandLine, VERBS } from '../../../src/chat/command-line.ts';
import { fold } from '../../../src/chat/fold.ts';
import { parseMessage } from '../../../src/requests/parse-message.ts';
import { readSpec } from '../../../src/requests/read-spec.ts';
import { aCheckedResource, aMessage } from '../../kit/builders.ts';

/** 18:00 in Tokyo, on a Monday. */
const SAID_AT = Date.parse('2026-11-30T09:00:00Z');
const TOKYO = { at: SAID_AT, timeZone: 'Asia/Tokyo' };
const read = (line: string, said = TOKYO) => parseCommandLine(line, said);
const problem = (line: string): CommandProblem | undefined => {
  const result = read(line);
  return 'problem' in result ? result.problem : undefined;
};

const DEPLOY: Command = { verb: 'deploy', repository: 'web', environment: 'production', revision: 'v1.0.0' };

describe('a deploy', () => {
  it.each([
    'deploy -r web -e production -h v1.0.0',
    'deploy web production v1.0.0',
    'DEPLOY --Env production --REPO=web -H v1.0.0',
    'deploy -h v1.0.0 --environment=production --repository web',
    'deploy -e production web v1.0.0',
    'deploy -rweb -eproduction -hv1.0.0',
    'deploy -env production -repo web -hash v1.0.0',
    'deploy "web" \'production\' --revision="v1.0.0"',
    'デプロイ web production v1.0.0',
    'ﾃﾞﾌﾟﾛｲ web production v1.0.0',
  ])('%s', (line) => {
    expect(read(fold(line))).toEqual({ command: DEPLOY });
  });

  it('may lack parts, for the form to ask for', () => {
    expect(read('deploy')).toEqual({ command: { verb: 'deploy' } });
    expect(read('deploy -h v1.0.0')).toEqual({ command: { verb: 'deploy', revision: 'v1.0.0' } });
  });

  it('carries task and reason; the reason becomes one line of bounded length', () => {
    expect(read('deploy web staging -t puma:phased-restart --reason "fix  the basket"')).toEqual({
      command: {
        ...{ verb: 'deploy', repository: 'web', environment: 'staging' },
        ...{ task: 'puma:phased-restart', reason: 'fix the basket' },
      },
    });
    const long = read(`deploy --reason "${'x'.repeat(300)}"`);
    expect('command' in long && long.command.reason).toHaveLength(256);
  });
});

describe('a time', () => {
  it.each([
    ['--in 30m', '2026-11-30T09:30:00.000Z'],
    ['--in 2h', '2026-11-30T11:00:00.000Z'],
    ['--in 1d2h3m', '2026-12-01T11:03:00.000Z'],
    ['--in 1H', '2026-11-30T10:00:00.000Z'],
    ['--at 19:30', '2026-11-30T10:30:00.000Z'],
    ['--at 2026-12-01T9:05', '2026-12-01T00:05:00.000Z'],
    ['--at "2026-12-01 09:05"', '2026-12-01T00:05:00.000Z'],
    ['--at 2026-12-01T09:05:00+01:00', '2026-12-01T08:05:00.000Z'],
  ])('%s counts from the line, by the clock of the asker', (option, notBefore) => {
    expect(read(`deploy web staging main ${option}`)).toMatchObject({ command: { notBefore } });
  });

  it('is read by the asker`s clock on the day that this clock shows', () => {
    // Nine in the morning in Los Angeles is six in the evening of the same day in London, and two at night of the next
    // in Tokyo.
    const at = Date.parse('2026-11-30T17:00:00Z');
    const timeZone = 'America/Los_Angeles';
    expect(read('deploy web staging main --at 19:30', { at, timeZone })).toMatchObject({
      command: { notBefore: '2026-12-01T03:30:00.000Z' },
    });
  });

  it.each([
    ['--at 17:59', 'past'],
    ['--at 18:00', 'past'],
    ['--at 2026-11-30T08:59:59Z', 'past'],
    ['--in 0m', 'past'],
    ['--in 31d', 'far'],
    ['--at 2027-01-01T00:00:00Z', 'far'],
    ['--in soon', 'format'],
    ['--in 30', 'format'],
    ['--in 1.5h', 'format'],
    ['--at 24:00', 'format'],
    ['--at 19:60', 'format'],
    ['--at 2026-02-30T10:00', 'format'],
    ['--at tomorrow', 'format'],
  ])('%s is refused', (option, why) => {
    expect(problem(`deploy web staging main ${option}`)).toMatchObject({ kind: 'badTime', problem: why });
  });

  it('is not read by a clock that is not known here; a wait is', () => {
    const said = { at: SAID_AT, timeZone: 'Nowhere/City' };
    expect(read('deploy web staging main --at 19:30', said)).toMatchObject({ problem: { problem: 'timeZone' } });
    expect(read('deploy web staging main --in 30m', said)).toMatchObject({ command: { verb: 'deploy' } });
  });

  it('is given once', () => {
    expect(problem('deploy web staging main --at 19:30 --in 30m')).toEqual({ kind: 'inAndAt' });
  });
});

describe('the other commands', () => {
  it.each<[string, Command]>([
    ['status', { verb: 'status' }],
    ['状態 web', { verb: 'status', repository: 'web' }],
    ['queue -r web', { verb: 'queue', repository: 'web' }],
    ['履歴 web production', { verb: 'history', repository: 'web', environment: 'production' }],
    [
      "freeze web production incident 42, it's bad",
      { verb: 'freeze', repository: 'web', environment: 'production', reason: "incident 42, it's bad" },
    ],
    [
      '凍結 web production --reason "incident 42"',
      { verb: 'freeze', repository: 'web', environment: 'production', reason: 'incident 42' },
    ],
    ['解除 web production', { verb: 'unfreeze', repository: 'web', environment: 'production' }],
    [
      'abort web production qk3v7o2gs5xj4n6ta',
      { verb: 'abort', repository: 'web', environment: 'production', job: 'qk3v7o2gs5xj4n6ta' },
    ],
    ['approve web production', { verb: 'approve', repository: 'web', environment: 'production' }],
    ['whoami', { verb: 'whoami' }],
    ['ヘルプ', { verb: 'help' }],
    ['', { verb: 'help' }],
  ])('%s', (line, command) => {
    expect(read(line)).toEqual({ command });
  });
});

describe('what is not understood', () => {
  it.each<[string, CommandProblem]>([
    ['deplyo web', { kind: 'unknownCommand', found: 'deplyo' }],
    ['constructor', { kind: 'unknownCommand', found: 'constructor' }],
    ['deploy --reason "fix', { kind: 'openQuote' }],
    ['deploy -e', { kind: 'noValue', option: '-e' }],
    ['deploy --env=', { kind: 'noValue', option: '--env' }],
    ['deploy -e -h v1.0.0', { kind: 'noValue', option: '-e' }],
    ['deploy -e staging -e production', { kind: 'twice', field: 'environment' }],
    ['deploy --repo web -r api', { kind: 'twice', field: 'repository' }],
    ['deploy web production v1.0.0 now', { kind: 'tooManyWords', found: ['now'], verb: 'deploy' }],
    ['status web production', { kind: 'tooManyWords', found: ['production'], verb: 'status' }],
    ['freeze web production --reason x y', { kind: 'tooManyWords', found: ['y'], verb: 'freeze' }],
    ['freeze web production', { kind: 'missing', fields: ['reason'], verb: 'freeze' }],
    ['abort', { kind: 'missing', fields: ['repository', 'environment'], verb: 'abort' }],
    ['deploy web prod;id v1', { kind: 'badValue', field: 'environment', found: 'prod;id', problem: undefined }],
    [
      'deploy web production v1..v2',
      { kind: 'badValue', field: 'revision', found: 'v1..v2', problem: 'must not contain ".."' },
    ],
    ['deploy web production v1 -t -e', { kind: 'noValue', option: '-t' }],
    ['deploy web production v1 -t A=b', { kind: 'badValue', field: 'task', found: 'A=b', problem: undefined }],
  ])('%s', (line, expected) => {
    expect(problem(line)).toEqual(expected);
  });

  it.each([
    ['deploy --force', '--force'],
    ['deploy -f', '-f'],
    ['deploy --__proto__ x', '--__proto__'],
    ['deploy --constructor x', '--constructor'],
    ['status -h v1', '-h'],
    ['abort web production --at 19:30', '--at'],
  ])('%s has an option that its command has not', (line, found) => {
    expect(problem(line)).toMatchObject({ kind: 'unknownOption', found });
  });

  it('is told the options that the command has, each by one name', () => {
    const known = ['repository', 'environment', 'job'];
    expect(problem('abort web production --at 19:30')).toMatchObject({ kind: 'unknownOption', known });
  });
});

/** CI sets 100,000. */
const RUNS = Number(process.env.TEST_FUZZ_RUNS || 25_000);

const repository = fc.constantFrom('web', 'livesense/web');
const environment = fc.constantFrom('production', 'staging');
const revision = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._/@+-]{0,20}$/);
const PIECES = [
  'deploy',
  'デプロイ',
  'web',
  'livesense/web',
  'production',
  'v1.0.0',
  '-r',
  '-e',
  '-h',
  '--env=',
  '—env',
  '–',
];
const HOSTILE = [
  '-t',
  'A=b',
  '$(id)',
  ';',
  '`id`',
  '"',
  "'",
  '\u00a0',
  '\u200b',
  '<http://a|b>',
  '&lt;',
  '--in',
  '30m',
  '\u0000',
];

describe('whatever is typed', () => {
  const resource = aCheckedResource({
    spec: {
      repositories: ['livesense/web', 'web'],
      environments: [{ name: 'production' }, { name: 'staging' }],
      tasks: ['deploy', 'deploy:rollback'],
    },
  });
  const spec = readSpec(resource);
  if ('problem' in spec) throw new Error(spec.problem);
  const receivedAt = SAID_AT + 1000;

  it('never crashes, and becomes no message that the operator finds unsafe or of a wrong shape', () => {
    const piece = fc.oneof(fc.constantFrom(...PIECES, ...HOSTILE), fc.string({ unit: 'binary', maxLength: 8 }));
    const anything = fc.array(piece, { maxLength: 10 });
    // A line that was typed right, with something put into it.
    const spoilt = fc.tuple(fc.nat({ max: 6 }), fc.array(piece, { maxLength: 2 })).map(([place, pieces]) => {
      const typed = ['-r', 'web', '-e', 'production', '-h', 'v1.0.0'];
      return typed.toSpliced(place, 0, ...pieces);
    });
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(anything, spoilt), fc.constantFrom(' ', ' ', '\u3000', ''), (pieces, blank) => {
        const result = read(fold(`deploy ${pieces.join(blank)}`));
        if ('problem' in result) return true;
        const { verb, job: _, ...message } = result.command;
        if (verb !== 'deploy' || !message.repository || !message.environment || !message.revision) return true;
        accepted += 1;
        const { rejection } = parseMessage(aMessage({ id: 'slack-1', ...message }), spec, receivedAt);
        return (
          rejection === undefined ||
          ['UnknownEnvironment', 'UnknownTask', 'ForeignRepository'].includes(rejection.reason)
        );
      }),
      { numRuns: RUNS },
    );
    // The generator is worth nothing if no line gets through.
    expect(accepted).toBeGreaterThan(RUNS * 0.05);
  });

  it('survives the fold if it was typed right', () => {
    const words = fc
      .stringMatching(/^[A-Za-zé0-9.,:;#%&<>()/ -]{0,40}$/)
      .map((text) => text.trim().replace(/ +/g, ' '));
    fc.assert(
      fc.property(repository, environment, revision, words, fc.boolean(), (repo, env, hash, reason, short) => {
        const line = short
          ? `deploy -r ${repo} -e ${env} -h ${hash} --reason="${reason}"`
          : `deploy ${repo} ${env} ${hash} --reason "${reason}"`;
        const sent = line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
        return JSON.stringify(read(fold(sent))) === JSON.stringify(read(line));
      }),
      { numRuns: RUNS / 10 },
    );
  });

  it('has a form for each verb', () => {
    for (const verb of VERBS)
      expect(problem(`${verb} --no-such-option x`)).toMatchObject({ kind: 'unknownOption', verb });
  });
});
