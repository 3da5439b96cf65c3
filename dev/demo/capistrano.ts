import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ResolvedImage } from 'in-memory-kubernetes/kubelet/pod-worker.ts';

const run = promisify(execFile);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The sample project as an image: what a team's own would hold, found on this machine. */
export interface SampleApplication {
  /** For the summary: the real thing with its version, or that it is a stand-in. */
  readonly capistrano: string;
  /** Where the environments are deployed to, each in a folder of its name. */
  readonly deployRoot: string;
  /** What the kubelet runs for it. The operator adds `args` and REVISION. */
  readonly image: ResolvedImage;
}

/**
 * Lays the sample project of examples/ out in `directory`. With Capistrano 3 on the PATH the container runs it (the
 * operator's args name `cap`, so there is no entrypoint to give); else the entrypoint is the stand-in, which gets the
 * same args.
 */
export async function prepareApplication(
  directory: string,
  repositoryUrl: string,
  buildSeconds: string,
): Promise<SampleApplication> {
  const project = join(directory, 'project');
  const deployRoot = join(directory, 'servers');
  const temporary = join(directory, 'tmp');
  await cp(here('../../examples/capistrano-app'), project, { recursive: true });
  // Deploys by commands on this machine instead of ssh, and takes its time.
  await cp(here('demo.rake'), join(project, 'lib/capistrano/tasks/demo.rake'));
  await mkdir(temporary, { recursive: true });

  const version = await capistranoVersion();
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: temporary,
    TMPDIR: temporary,
    LANG: 'C.UTF-8',
    SERVERS: 'localhost',
    REPO_URL: repositoryUrl,
    DEPLOY_ROOT: deployRoot,
    DEMO_BUILD_SECONDS: buildSeconds,
    // The settings of the person at the terminal stay out of it.
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
  return {
    capistrano: version ?? 'a stand-in for Capistrano (no cap on the PATH)',
    deployRoot,
    image: { entrypoint: version ? [] : [process.execPath, here('stand-in-cap.ts')], cwd: project, env },
  };
}

/** "Capistrano 3.x.y", or undefined where no cap of that major version answers. */
async function capistranoVersion(): Promise<string | undefined> {
  const output = await run('cap', ['--version']).then(
    ({ stdout }) => stdout,
    () => '',
  );
  const version = /Capistrano Version: (3\.\S+)/.exec(output)?.[1];
  return version && `Capistrano ${version}`;
}
