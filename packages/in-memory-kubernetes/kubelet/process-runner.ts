/** How the kubelet runs a container: as a process of this machine, behind an interface, so that tests can play it. */
import { spawn } from 'node:child_process';

export interface ProcessSpec {
  command: string[];
  cwd: string;
  env: Record<string, string>;
}

export interface ProcessExit {
  /** As a container runtime reports it: 128 + signal for one that a signal ended. */
  exitCode: number;
  signal?: number;
  /** Set where the process could not be started at all. */
  startError?: string;
}

export interface RunningProcess {
  pid: number | undefined;
  /** To the whole group, as a container's end takes all its processes along. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface ProcessEvents {
  output(chunk: Buffer): void;
  /** Once; nothing comes after it. */
  exited(exit: ProcessExit): void;
}

export interface ProcessRunner {
  start(spec: ProcessSpec, events: ProcessEvents): RunningProcess;
}

const SIGNALS: Record<string, number> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/** How long output may still come when the first process has ended. */
const LAST_WORDS_MS = 500;

/** Each process leads a group of its own, so that it can be ended with all its children. */
export const localProcesses: ProcessRunner = {
  start({ command, cwd, env }, events) {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let over = false;
    const signal = (name: 'SIGTERM' | 'SIGKILL'): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, name);
      } catch {
        // The group is gone already.
      }
    };
    const exited = (exit: ProcessExit): void => {
      if (over) return;
      over = true;
      // What the first process left behind goes with it, as when a container's pid 1 ends.
      signal('SIGKILL');
      events.exited(exit);
    };
    child.stdout.on('data', (chunk: Buffer) => events.output(chunk));
    child.stderr.on('data', (chunk: Buffer) => events.output(chunk));
    child.on('error', (error) => exited({ exitCode: 128, startError: error.message }));
    // A child that holds on to the output must not keep the container alive: its group ends as soon as its first
    // process has, and what left the group (setsid) loses its output a moment later.
    child.on('exit', () => {
      signal('SIGKILL');
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, LAST_WORDS_MS).unref();
    });
    child.on('close', (code, name) => {
      const number = name === null ? undefined : (SIGNALS[name] ?? 0);
      exited(number === undefined ? { exitCode: code ?? 0 } : { exitCode: 128 + number, signal: number });
    });
    return { pid: child.pid, signal };
  },
};
