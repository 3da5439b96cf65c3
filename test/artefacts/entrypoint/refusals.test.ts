import { expect, test } from 'vitest';
import { Entrypoint } from './script.ts';

/** The whole script: what it refuses ends with 2, in words, and cap is not run. */

const RAN = 'cap was run with';
const withCap = () => new Entrypoint().program('cap', `echo "${RAN} $*"`).program('bundle', `echo "${RAN} $*"`);

test.each([
  ['a deploy', ['cap', 'production', 'deploy'], 'production deploy'],
  ['several tasks', ['cap', 'production', 'deploy:check', 'deploy'], 'production deploy:check deploy'],
  ['a deploy by Bundler', ['bundle', 'exec', 'cap', 'staging-2', 'deploy'], 'exec cap staging-2 deploy'],
  ['a task with a hyphen', ['cap', 'production', 'puma:phased-restart'], 'production puma:phased-restart'],
  ['the list of tasks', ['cap', '-T'], '-T'],
  ['the version', ['cap', '--version'], '--version'],
  ['the tasks of an environment', ['cap', 'production', '-T'], 'production -T'],
])('%s is run', async (_, args, expected) => {
  const entrypoint = withCap();
  expect(await entrypoint.start(args)).toEqual({ code: 0, signal: null });
  expect(entrypoint.output).toContain(`${RAN} ${expected}\n`);
});

test.each([
  ['nothing at all', [], 'no other program, not ""'],
  ['a shell', ['sh', '-c', 'cap production deploy'], 'no other program, not "sh"'],
  ['rake', ['bundle', 'exec', 'rake', 'deploy'], 'no other program, not "rake"'],
  ['bundle alone', ['bundle', 'install'], 'no other program, not "bundle"'],
  ['cap alone', ['cap'], 'environment "":'],
  ['an environment alone', ['cap', 'production'], 'a task is missing'],
  ['code for an environment', ['cap', '-e', 'puts 1'], 'environment "-e":'],
  ['an option before the environment', ['cap', '-f/tmp/x', 'production', 'deploy'], 'environment "-f/tmp/x":'],
  ['a variable in the environment', ['cap', 'production NAME=x', 'deploy'], 'environment "production NAME=x":'],
  ['a variable', ['cap', 'production', 'NAME=x', 'deploy'], 'task "NAME=x":'],
  ['code after a task', ['cap', 'production', 'deploy', '-e', 'x'], 'task "-e":'],
  ['a list with something after it', ['cap', '-T', 'deploy'], 'environment "-T":'],
  ['an argument of a task', ['cap', 'production', 'deploy[x]'], 'task "deploy[x]":'],
  ['an option that looks harmless', ['cap', 'production', 'deploy', '--trace'], 'task "--trace":'],
  ['an empty task', ['cap', 'production', ''], 'task "":'],
])('%s is refused', async (_, args, words) => {
  const entrypoint = withCap();
  expect(await entrypoint.start(args)).toEqual({ code: 2, signal: null });
  expect(entrypoint.output).toMatch(/^capdeployjob: ERROR: /);
  expect(entrypoint.output).toContain(words);
  expect(entrypoint.output).not.toContain(RAN);
});

const DEPLOY = ['cap', 'production', 'deploy'];
const INJECTION = `a$(touch\${IFS}pwned)`;

test.each<[string, Record<string, string | undefined>, string]>([
  ['a substitution', { REVISION: INJECTION }, `REVISION "${INJECTION}" must be 1 to 244 of the characters`],
  ['an option', { REVISION: '--output=/tmp/x' }, 'REVISION "--output=/tmp/x" must be'],
  ['a second line', { REVISION: 'v1\nrm' }, 'REVISION "v1?rm" must be'],
  ['a lock', { REVISION: 'v1.lock' }, 'must not have a part that ends in ".lock"'],
  ['a substitution for an older project', { WEB_DEPLOY_HASH: INJECTION }, `WEB_DEPLOY_HASH "${INJECTION}" must be`],
  ['an empty one', { REVISION: '' }, 'REVISION is not set'],
  ['none', { REVISION: undefined }, 'REVISION is not set'],
])('a deploy of %s is refused', async (_, env, words) => {
  const entrypoint = withCap();
  expect(await entrypoint.start(DEPLOY, env)).toEqual({ code: 2, signal: null });
  expect(entrypoint.output).toContain(words);
  expect(entrypoint.output).not.toContain(RAN);
});

test('a task other than deploy goes without a revision, but not with a bad one', async () => {
  const rollback = ['cap', 'production', 'deploy:rollback'];
  expect(await withCap().start(rollback, { REVISION: undefined })).toMatchObject({ code: 0 });
  expect(await withCap().start(rollback, { REVISION: INJECTION })).toMatchObject({ code: 2 });
});

test('a variable of several lines hides no other one, and is not taken for one', async () => {
  const entrypoint = withCap();
  const env = { NOTE: 'one\nFAKE_DEPLOY_HASH=$(x)\ntwo', WEB_DEPLOY_HASH: 'v1.0.0' };
  expect(await entrypoint.start(DEPLOY, env)).toEqual({ code: 0, signal: null });
});

test('what it shows of a hostile value cannot steer a terminal, and is cut', async () => {
  const entrypoint = withCap();
  await entrypoint.start(['cap', `\u001b[2Jé${'x'.repeat(5000)}`, 'deploy']);
  expect(entrypoint.output).toMatch(/^[ -~\n]*$/);
  expect(entrypoint.output.length).toBeLessThan(500);
});
