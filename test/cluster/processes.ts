import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * Processes that never outlive this one. Each is the leader of a process group, which takes Ctrl-C away from it: it
 * ends when it is told to, in order. Whatever happens to this process (see `leash.ts`), its groups are killed and its
 * folders removed.
 */

export interface StartOptions {
  /** For messages to people. */
  name: string;
  command: string;
  args: readonly string[];
  /** Laid over this process's own; undefined takes a variable away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Gets stdout and stderr, readable by its owner only. Without it they are this process's own. */
  logFile?: string;
}

export interface Running {
  readonly name: string;
  readonly pid: number | undefined;
  /** Resolves with how it ended: `exited with 1`, `was ended by SIGKILL`, `could not be started: …`. */
  readonly ended: Promise<string>;
  /** The same, once it has; undefined before. */
  readonly end: string | undefined;
  /** The exit code, once it has exited by itself. */
  readonly code: number | undefined;
  signal(signal: NodeJS.Signals): void;
  /**
   * Resolves when the process and its group are gone.
   * @param options.signal the first one; default SIGTERM
   * @param options.graceMs until SIGKILL; default 10 s
   */
  stop(options?: { signal?: NodeJS.Signals; graceMs?: number }): Promise<void>;
  /** The last lines of its log. */
  tail(lines?: number): string;
}

/** Starts a program; that it cannot be started is told by `ended`. */
export function startProcess(options: StartOptions): Running {
  const { name, command, args, logFile } = options;
  const env = { ...process.env, ...options.env };
  for (const [key, value] of Object.entries(env)) if (value === undefined) delete env[key];
  const out = logFile === undefined ? 'inherit' : openSync(logFile, 'a', 0o600);
  const rope = leash();
  const child = spawn(command, args, {
    env,
    cwd: options.cwd,
    detached: true,
    stdio: ['ignore', out, out],
  });
  if (typeof out === 'number') closeSync(out);
  const { pid } = child;
  if (pid !== undefined) tell(rope, { hold: true, group: pid });

  let end: string | undefined;
  let code: number | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (exitCode, signal) => {
      code = exitCode ?? undefined;
      resolve(exitCode === null ? `was ended by ${signal}` : `exited with ${exitCode}`);
    });
  }).then((how) => {
    end = how;
    return how;
  });

  const group = (signal: NodeJS.Signals | 0): boolean => {
    try {
      return pid !== undefined && process.kill(-pid, signal);
    } catch {
      return false;
    }
  };

  return {
    name,
    pid,
    ended,
    get end() {
      return end;
    },
    get code() {
      return code;
    },
    signal: (signal) => {
      if (end === undefined) child.kill(signal);
    },
    async stop({ signal = 'SIGTERM', graceMs = 10_000 } = {}) {
      if (end === undefined) {
        child.kill(signal);
        const timer = setTimeout(() => group('SIGKILL'), graceMs);
        await ended;
        clearTimeout(timer);
      }
      // Its own children, should it have left any.
      for (let i = 0; i < 200 && group('SIGKILL'); i++) await sleep(10);
      if (pid !== undefined) tell(rope, { hold: false, group: pid });
    },
    tail: (lines = 20) => (logFile === undefined ? '' : tail(logFile, lines)),
  };
}

/**
 * Waits for a condition that a process brings about.
 * @param check asked every 50 ms; what it throws counts as no
 * @throws Error that ends in the tail of its log, when the process ends first or the limit (milliseconds) passes
 */
export async function untilReady(
  running: Running,
  check: () => Promise<boolean>,
  limitMs: number,
  condition = 'ready',
): Promise<void> {
  const deadline = performance.now() + limitMs;
  let last = '';
  while (running.end === undefined) {
    try {
      if (await check()) return;
    } catch (error) {
      last = ` (${(error as Error).message})`;
    }
    if (performance.now() > deadline) {
      throw new Error(`${running.name} was not ${condition} within ${limitMs / 1000} s${last}:\n${running.tail()}`);
    }
    await Promise.race([sleep(50), running.ended]);
  }
  throw new Error(`${running.name} ${running.end} before it was ${condition}:\n${running.tail()}`);
}

/** A new folder for this run alone (0700), removed when this process ends, if it is not removed before. */
export function scratchFolder(purpose: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `capdeployjob-${purpose}-`));
  return { path, remove: heldFolder(path) };
}

/** Has a folder removed when this process ends. @returns what removes it before */
export function heldFolder(path: string): () => void {
  const rope = leash();
  tell(rope, { hold: true, folder: path });
  return () => {
    // Where somebody else removes a part of it at the same time (the leash of a process that has just ended), rmSync
    // stops without a word.
    for (let i = 0; i < 50 && existsSync(path); i++) {
      rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
    tell(rope, { hold: false, folder: path });
  };
}

/**
 * Kills what is still held, removes what is left, and resolves when nothing is. To be called last, where the process
 * goes on.
 */
export async function letGo(): Promise<void> {
  if (current === undefined) return;
  const { child } = current;
  current = undefined;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.ref();
  child.stdin?.end();
  await exit;
}

interface Leash {
  readonly child: ChildProcess;
}

let current: Leash | undefined;

function leash(): Leash {
  if (current !== undefined) return current;
  const program = fileURLToPath(new URL('leash.ts', import.meta.url));
  // Not the options of this process: those of a test runner's worker would make it load the test runner.
  const child = spawn(process.execPath, [program], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  // It ends with this process, so it must not keep it.
  child.unref();
  (child.stdin as Writable & { unref?: () => void }).unref?.();
  child.stdin?.on('error', () => {});
  current = { child };
  return current;
}

function tell(rope: Leash, message: { hold: boolean; group?: number; folder?: string }): void {
  rope.child.stdin?.write(`${JSON.stringify(message)}\n`);
}

function tail(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}
