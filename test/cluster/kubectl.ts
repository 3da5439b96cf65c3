import { execFile } from 'node:child_process';

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** kubectl with the rights of one kubeconfig, whatever the user's own says. */
export class Kubectl {
  readonly #program: string;
  readonly #env: NodeJS.ProcessEnv;

  /** @param cache a folder for what it remembers of the API, so that it writes into no home directory */
  constructor(program: string, kubeconfig: string, cache: string) {
    this.#program = program;
    this.#env = { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: cache };
  }

  /** Whatever its exit code is. @throws Error where it cannot be run */
  try(args: readonly string[], input = ''): Promise<Result> {
    return new Promise((resolve, reject) => {
      const options = { env: this.#env, maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(this.#program, [...args], options, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(new Error(`${this.#program}: ${error.message}`));
        else resolve({ code: Number(error?.code ?? 0), stdout, stderr });
      });
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  }

  /** @returns what it prints. @throws Error in its words where it fails */
  async run(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} exited with ${code}:\n${stderr.trim()}`);
    return stdout;
  }
}
