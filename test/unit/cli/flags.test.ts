import { describe, expect, test } from 'vitest';
import { controllerHelp, FlagError, parseControllerFlags } from '../../../src/cli/controller-flags.ts';

const parse = (args: string[], env: NodeJS.ProcessEnv = {}) => parseControllerFlags(args, env);

describe('what the flags say', () => {
  test('without any flag the defaults are those of controller-runtime: every namespace, metrics on 8080, probes on 8081', () => {
    expect(parse([])).toEqual({
      kubeconfig: undefined,
      namespace: [],
      'leader-elect': false,
      'leader-elect-lease-duration': 15_000,
      'metrics-bind-address': ':8080',
      'health-probe-bind-address': ':8081',
      'log-level': 'info',
      'allow-queue-origin': [],
      'allow-queue': [],
    });
  });

  test.each([
    [
      'a value may follow its flag or an equals sign',
      ['--kubeconfig', '/a', '--log-level=debug'],
      { kubeconfig: '/a', 'log-level': 'debug' },
    ],
    [
      'a repeatable flag keeps every value in the order given',
      ['--namespace=b', '--namespace', 'a'],
      { namespace: ['b', 'a'] },
    ],
    [
      'of a flag that is given twice the last one counts',
      ['--log-level=debug', '--log-level=warn'],
      { 'log-level': 'warn' },
    ],
    ['a flag that is true or false may stand alone', ['--leader-elect'], { 'leader-elect': true }],
    ['and may be taken back', ['--leader-elect', '--leader-elect=false'], { 'leader-elect': false }],
    [
      'a duration is given in seconds or minutes',
      ['--leader-elect-lease-duration=2m'],
      { 'leader-elect-lease-duration': 120_000 },
    ],
    ['0 turns a server off', ['--metrics-bind-address=0'], { 'metrics-bind-address': '0' }],
    ['an address may name a host', ['--metrics-bind-address=127.0.0.1:0'], { 'metrics-bind-address': '127.0.0.1:0' }],
    ['an address may be IPv6', ['--metrics-bind-address=[::1]:80'], { 'metrics-bind-address': '[::1]:80' }],
    [
      'an equals sign may stand in the value',
      ['--allow-queue=deploy=arn:aws:sqs:*:*:web-*'],
      { 'allow-queue': [{ namespace: 'deploy', arnGlob: 'arn:aws:sqs:*:*:web-*' }] },
    ],
    ['an origin may end in a slash', ['--allow-queue-origin=http://a:1/'], { 'allow-queue-origin': ['http://a:1'] }],
  ])('%s', (_, args, expected) => {
    expect(parse(args)).toMatchObject(expected);
  });
});

describe('what the environment says', () => {
  test.each([
    ['every flag can come as CAPDEPLOY_<FLAG>', { CAPDEPLOY_LOG_LEVEL: 'warn' }, [], { 'log-level': 'warn' }],
    [
      'the command line wins over the environment',
      { CAPDEPLOY_LOG_LEVEL: 'warn' },
      ['--log-level=debug'],
      { 'log-level': 'debug' },
    ],
    [
      'the command line replaces a list, it does not add to it',
      { CAPDEPLOY_NAMESPACE: 'a,b' },
      ['--namespace=c'],
      { namespace: ['c'] },
    ],
    [
      'a list is separated by commas or lines',
      { CAPDEPLOY_NAMESPACE: 'a, b\nc\n' },
      [],
      { namespace: ['a', 'b', 'c'] },
    ],
    ['true is enough for a flag without a value', { CAPDEPLOY_LEADER_ELECT: 'true' }, [], { 'leader-elect': true }],
    [
      'the command line takes back what the environment says',
      { CAPDEPLOY_LEADER_ELECT: 'true' },
      ['--leader-elect=false'],
      { 'leader-elect': false },
    ],
    ['set to nothing is not set', { CAPDEPLOY_LOG_LEVEL: '' }, [], { 'log-level': 'info' }],
    [
      'what Kubernetes sets for a Service called capdeploy is no mistake',
      { CAPDEPLOY_PORT: 'tcp://10.0.0.1:80' },
      [],
      {},
    ],
  ])('%s', (_, env, args, expected) => {
    expect(parse(args, env)).toMatchObject(expected);
  });
});

describe('what is wrong is said in one line that names the flag, the value found and what is allowed', () => {
  test.each([
    [['--lok-level=debug'], {}, /^--lok-level: unknown flag, allowed are --kubeconfig, --namespace/],
    [['-v'], {}, /^-v: unknown flag/],
    [['--__proto__=1'], {}, /^--__proto__: unknown flag/],
    [['staging'], {}, /^"staging": no argument is allowed here/],
    [['--', 'staging'], {}, /^"staging": no argument is allowed here/],
    [['--kubeconfig'], {}, /^--kubeconfig: no value found, FILE is needed/],
    [['--kubeconfig', '--namespace=a'], {}, /^--kubeconfig: no value found/],
    [['--kubeconfig='], {}, /^--kubeconfig: "" is no path/],
    [['--log-level=loud'], {}, /^--log-level: "loud" is no log level: expected one of trace, debug, info/],
    [
      ['--leader-elect-lease-duration=1s'],
      {},
      /^--leader-elect-lease-duration: "1s" is no lease duration: expected 2s to 10m, such as 15s$/,
    ],
    [['--leader-elect-lease-duration=15'], {}, /^--leader-elect-lease-duration: "15" is no lease duration/],
    [['--leader-elect-lease-duration=601s'], {}, /^--leader-elect-lease-duration: "601s" is no lease duration/],
    [['--leader-elect=yes'], {}, /^--leader-elect: "yes": expected true or false$/],
    [[], { CAPDEPLOY_LEADER_ELECT: 'on' }, /^CAPDEPLOY_LEADER_ELECT: "on": expected true or false$/],
    [['--namespace=a,b'], {}, /^--namespace: "a,b" is no namespace/],
    [['--metrics-bind-address=8080'], {}, /^--metrics-bind-address: "8080" is no address: write ":8080"/],
    [['--metrics-bind-address=:65536'], {}, /^--metrics-bind-address: ":65536" is no address/],
    [['--allow-queue-origin=x'], {}, /^--allow-queue-origin: "x" is not an origin: expected scheme/],
    [[], { CAPDEPLOY_ALLOW_QUEUE: 'a=arn:b,c' }, /^CAPDEPLOY_ALLOW_QUEUE: "c" has no "="/],
    [[], { CAPDEPLOY_LOG_LEVEL: 'LOUD' }, /^CAPDEPLOY_LOG_LEVEL: "LOUD" is no log level/],
    [[], { CAPDEPLOY_NAMESPACE: 'a,B' }, /^CAPDEPLOY_NAMESPACE: "B" is no namespace/],
  ])('%j with %j', (args, env, message) => {
    const problem = problemOf(() => parse(args, env));
    expect(problem).toMatch(message);
    expect(problem).not.toContain('\n');
  });

  test('a line break in a value does not break the line', () => {
    expect(problemOf(() => parse(['--log-level=a\nb']))).toBe(
      '--log-level: "a\\nb" is no log level: expected one of trace, debug, info, warn, error, fatal, silent',
    );
  });
});

test('the help names every flag', () => {
  for (const flag of Object.keys(parse([]))) expect(controllerHelp()).toMatch(new RegExp(`^  --${flag}( |$)`, 'm'));
});

function problemOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(FlagError);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
