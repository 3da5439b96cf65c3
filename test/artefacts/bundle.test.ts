import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../../docker/operator/bundle.ts';
import packageJson from '../../package.json' with { type: 'json' };

/** The bundle that the image holds: what is in it, and that it starts. */

const run = promisify(execFile);
let directory: string;
let metafile: Metafile;

beforeAll(async () => {
  // Away from the checkout: nothing in node_modules can help it to start.
  directory = await mkdtemp(join(tmpdir(), 'capdeployjob-bundle-'));
  metafile = await bundle(directory);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs the bundle. @returns what it printed, and its exit code. */
async function capdeploy(args: string[], env: Record<string, string> = {}) {
  const started = run(process.execPath, [join(directory, 'capdeploy.js'), ...args], { env, cwd: directory });
  return started.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

describe('what is in the bundle', () => {
  test('the in-memory Kubernetes and the tests are not', () => {
    const inputs = Object.keys(metafile.inputs);
    expect(inputs).toContain('src/main.ts');
    expect(inputs.filter((path) => /^(packages|dev|tools|test|bench|crds|docker)\//.test(path))).toEqual([]);
  });

  test('each command is loaded when it is called, and none loads what another one needs alone', () => {
    const outputs = new Map(Object.entries(metafile.outputs).map(([file, output]) => [basename(file), output]));
    const entry = outputs.get('capdeploy.js');
    const commands = entry?.imports.filter(({ kind }) => kind === 'dynamic-import').map(({ path }) => basename(path));
    expect(commands?.map((file) => file.replace(/-[A-Z0-9]+\.js$/, '')).sort()).toEqual([
      'controller',
      'controller-flags',
      'ecr-login',
      'ecr-login-flags',
      'slack-bot',
      'slack-bot-flags',
    ]);
    /** The sources that a file holds, with those of the files that it loads at once. */
    const loaded = (file: string, seen = new Set<string>()): string[] => {
      if (seen.has(file)) return [];
      seen.add(file);
      const { inputs = {}, imports = [] } = outputs.get(file) ?? {};
      const more = imports.filter(({ kind, external }) => kind === 'import-statement' && !external);
      return [...Object.keys(inputs), ...more.flatMap(({ path }) => loaded(basename(path), seen))];
    };
    const rooms = (file: string) => new Set(loaded(file).flatMap((path) => /^src\/([a-z-]+)\//.exec(path)?.[1] ?? []));
    const [controller = '', ecrLogin = '', slackBot = ''] = (commands ?? [])
      .filter((file) => !file.includes('-flags-'))
      .sort();
    expect([...rooms('capdeploy.js')].sort()).toEqual(['base', 'text']);
    expect(rooms(controller)).toContain('operator');
    expect(rooms(controller)).not.toContain('ecr');
    for (const room of ['actions', 'chat', 'slack', 'slack-bot']) expect(rooms(controller)).not.toContain(room);
    expect(rooms(slackBot)).toContain('slack-bot');
    for (const room of ['operator', 'lanes', 'ecr']) expect(rooms(slackBot)).not.toContain(room);
    expect(rooms(ecrLogin)).toContain('ecr');
    expect(rooms(ecrLogin)).not.toContain('operator');
    // What `--help` loads: it would take many times as long with what a command works with.
    for (const file of (commands ?? []).filter((name) => name.includes('-flags-'))) {
      expect(loaded(file)).toContain('src/cli/flags.ts');
      expect(
        loaded(file).filter((path) => /^src\/(operator|kube|aws|slack|slack-bot)\/|health\.ts$|\/pino\//.test(path)),
      ).toEqual([]);
    }
    expect(loaded('capdeploy.js').filter((path) => path.startsWith('node_modules/'))).toEqual([]);
  });

  test('no package is, that is there for development only', () => {
    const packages = new Set(
      Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(path)?.[0] ?? []),
    );
    expect(packages).toContain('node_modules/zod');
    const lock = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
    const locked = (JSON.parse(lock) as { packages: Record<string, { dev?: boolean } | undefined> }).packages;
    expect([...packages].filter((path) => locked[path]?.dev !== undefined || !locked[path])).toEqual([]);
  });
});

describe('the bundle starts, without a checkout around it', () => {
  test('--version prints the version of the package', async () => {
    expect(await capdeploy(['--version'])).toMatchObject({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  test.each([[['--help']], [['help']]])('%j lists the commands', async (args) => {
    const { code, stdout } = await capdeploy(args);
    expect(code).toBe(0);
    expect(stdout.match(/^ {2}capdeploy [a-z][a-z-]*/gm)).toEqual([
      '  capdeploy controller',
      '  capdeploy slack-bot',
      '  capdeploy ecr-login',
    ]);
  });

  test.each([
    [['controller', '--help'], '--health-probe-bind-address'],
    [['ecr-login', '--no-such-flag', '--help'], '--secret-name'],
  ])('%j prints the flags of that command', async (args, flag) => {
    const { code, stdout } = await capdeploy(args);
    expect(code).toBe(0);
    expect(stdout).toContain(`  ${flag} `);
  });

  test.each([
    [[], {}, 'capdeploy: no command, allowed are controller, slack-bot, ecr-login, --help and --version\n'],
    [
      ['deploy'],
      {},
      'capdeploy: "deploy": unknown command, allowed are controller, slack-bot, ecr-login, --help and --version\n',
    ],
    [
      ['constructor'],
      {},
      'capdeploy: "constructor": unknown command, allowed are controller, slack-bot, ecr-login, --help and --version\n',
    ],
    [
      ['controller', '--log-level=loud'],
      {},
      'capdeploy: --log-level: "loud" is no log level: expected one of trace, debug, info, warn, error, fatal, silent\n',
    ],
    [
      ['controller'],
      { CAPDEPLOY_NAMESPACE: 'A' },
      'capdeploy: CAPDEPLOY_NAMESPACE: "A" is no namespace: expected 1 to 63 of a-z 0-9 -, first and last no -\n',
    ],
    [
      ['ecr-login'],
      {},
      'capdeploy: --config or --secret-name is needed: a file with targets, or flags for one target\n',
    ],
    [['controller', '--kubeconfig=missing.yaml'], {}, 'capdeploy: --kubeconfig: missing.yaml is not there\n'],
  ])('%j with %j exits 2 with one line', async (args, env, stderr) => {
    expect(await capdeploy(args, env)).toMatchObject({ code: 2, stdout: '', stderr });
  });
});
