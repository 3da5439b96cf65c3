import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Running, scratchFolder, startProcess, untilReady } from '../processes.ts';

/** A queue server in a process of its own. Neither it nor its files outlive this process (see processes.ts). */
export interface SqsServerProcess {
  /** `http://127.0.0.1:<port>`, the same for its whole life. */
  readonly endpoint: string;
  readonly version: string;
  /** From start to ready, of the last start. */
  readonly startedInMs: number;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Ends it for good, and removes its files. */
  stop(): Promise<void>;
  /** kill -9: nothing is said to clients, nothing is saved. */
  kill(): Promise<void>;
  /**
   * Ends it, where it still runs, and starts it on the same port with the same data; `env` adds to its environment, for
   * this start only.
   */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
}

export interface ServerRecipe {
  readonly name: string;
  readonly version: string;
  readonly command: string;
  readonly args: readonly string[];
  env(at: Place): Record<string, string>;
  /** Whether it answers as itself. May throw what fetch throws. */
  isReady(endpoint: string): Promise<boolean>;
  /** The signal that ends it without loss of data. */
  readonly endsBy: NodeJS.Signals;
}

export interface Place {
  readonly port: number;
  /** A directory of its own, empty at first. */
  readonly directory: string;
}

/** A JVM on a machine with much else to do. */
const READY_TIMEOUT_MS = 120_000;
/** Between finding a port free and listening on it somebody else may take it. */
const PORT_TRIES = 5;

/** Starts a server on a free port. @throws Error with the end of its log where it does not come up. */
export async function startServer(recipe: ServerRecipe): Promise<SqsServerProcess> {
  const folder = scratchFolder(recipe.name);
  let startedInMs = 0;
  const launch = async (port: number, env: Readonly<Record<string, string>> = {}): Promise<Running> => {
    const from = performance.now();
    const running = await launchAt(recipe, { port, directory: folder.path }, env);
    startedInMs = performance.now() - from;
    return running;
  };
  try {
    const first = await onFreePort(launch);
    const { port } = first;
    let { running } = first;
    return {
      endpoint: endpointOf(port),
      version: recipe.version,
      get startedInMs() {
        return startedInMs;
      },
      get pid() {
        return running.pid;
      },
      async stop() {
        await running.stop({ signal: 'SIGKILL' });
        folder.remove();
      },
      kill: () => running.stop({ signal: 'SIGKILL' }),
      async restart(env) {
        await running.stop({ signal: recipe.endsBy });
        running = await launch(port, env);
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

async function onFreePort(launch: (port: number) => Promise<Running>): Promise<{ port: number; running: Running }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return { port, running: await launch(port) };
    } catch (error) {
      const taken = /already in use|BindException|EADDRINUSE/.test((error as Error).message);
      if (attempt === PORT_TRIES || !taken) throw error;
    }
  }
}

async function launchAt(recipe: ServerRecipe, at: Place, extra: Readonly<Record<string, string>>): Promise<Running> {
  const running = startProcess({
    name: recipe.name,
    command: recipe.command,
    args: recipe.args,
    env: { ...withoutOurs(), TMPDIR: at.directory, ...recipe.env(at), ...extra },
    cwd: at.directory,
    logFile: join(at.directory, 'server.log'),
  });
  try {
    await untilReady(
      running,
      // What answers while this one is on its way out is somebody else on its port.
      async () => (await recipe.isReady(endpointOf(at.port))) && running.end === undefined,
      READY_TIMEOUT_MS,
    );
    return running;
  } catch (error) {
    await running.stop({ signal: 'SIGKILL' });
    throw error;
  }
}

/** What steers the operator under test must not steer the server: no proxy, nothing of AWS. */
function withoutOurs(): Record<string, undefined> {
  const ours = Object.keys(process.env).filter((name) => /^AWS_|_PROXY$/i.test(name));
  return Object.fromEntries(ours.map((name) => [name, undefined]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const endpointOf = (port: number) => `http://127.0.0.1:${port}`;
