import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from './local-sqs.ts';

/** A command of `capdeploy` as a cluster runs it: in a process of its own, told where to look by flags and environment. */
export interface Program {
  /** For example `controller`. */
  readonly command: string;
  readonly pid: number;
  /** What it logged, one JSON object a line. */
  readonly log: readonly string[];
  /** Resolves with the exit code, or the signal's name, when it ends. */
  readonly ended: Promise<number | string>;
  /** The first SIGTERM drains; who does not end in time is killed. @returns what `ended` does. */
  stop(): Promise<number | string>;
}

const KEEP_LINES = 2000;
const STOP_MS = 15_000;

export interface ProgramOptions {
  kubeconfig: string;
  queueOrigin: string;
  /** Further flags, such as `--namespace=deploy`. */
  flags?: readonly string[];
  /** Instead of the sources: the bundle, for example, which is what the image holds. */
  program?: string;
  /** Options of Node itself, such as `--inspect=127.0.0.1:0`. */
  nodeOptions?: readonly string[];
}

/** `capdeploy controller`. */
export const startOperator = (options: ProgramOptions): Program => startProgram('controller', options);

/** A command that uses a cluster and queues. */
export function startProgram(command: string, options: ProgramOptions): Program {
  const child: ChildProcess = spawn(
    process.execPath,
    [
      ...(options.nodeOptions ?? []),
      options.program ?? fileURLToPath(new URL('../src/main.ts', import.meta.url)),
      command,
      `--kubeconfig=${options.kubeconfig}`,
      `--allow-queue-origin=${options.queueOrigin}`,
      '--health-probe-bind-address=0',
      ...(options.flags ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own: Ctrl-C reaches the demo alone, which then stops everything in order.
      detached: true,
      env: {
        PATH: process.env.PATH,
        AWS_REGION: LOCAL_REGION,
        AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
        // No request to the metadata service of a cloud, whatever machine this is.
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    },
  );
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) collectLines(stream!, log);

  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string);
  const kill = () => child.kill('SIGKILL');
  // Even if the demo itself falls over.
  process.on('exit', kill);
  ended.then(() => process.off('exit', kill));

  return {
    command,
    pid: child.pid as number,
    log,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(kill, STOP_MS);
      const result = await ended;
      clearTimeout(late);
      return result;
    },
  };
}

function collectLines(stream: NodeJS.ReadableStream, into: string[]): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    into.push(...lines);
    into.splice(0, into.length - KEEP_LINES);
  });
}
