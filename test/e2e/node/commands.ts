import { execFile } from 'node:child_process';

export interface RunOptions {
  input?: string;
  /** Laid over this process's own. */
  env?: Record<string, string>;
}

/** Runs a program of the system. @returns what it prints. @throws Error with its own words where it fails */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = '', env } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        if (error)
          reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || stdout.trim() || error.message}`));
        else resolve(stdout);
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** Several commands, one after the other, each as one line without quotes. */
export async function runAll(lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    const [command = '', ...args] = line.split(' ');
    await run(command, args);
  }
}
