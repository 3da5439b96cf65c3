import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../../../dev/local-sqs.ts';
import { OPERATOR } from '../../cluster/cluster.ts';
import { writeOperatorKubeconfig } from '../../cluster/install.ts';
import type { Kubectl } from '../../cluster/kubectl.ts';
import { type Running, startProcess } from '../../cluster/processes.ts';

/** A kubelet waits for longer, and ever longer: a scenario has no time for that. */
const RESTART_MS = 500;

export interface ReplicaOptions {
  name: string;
  /** For its kubeconfig and its log. */
  folder: string;
  kubectl: Kubectl;
  flags: readonly string[];
  /** Where it finds the API server, where that is not the API server itself. */
  apiServer?: string | undefined;
}

/** `capdeploy controller` in a process of its own, with a token of its own of the operator's ServiceAccount. */
export class Replica {
  readonly name: string;
  /** By this the audit log tells its requests from those of other replicas. */
  readonly credentialId: string;
  readonly logFile: string;
  readonly #kubeconfig: string;
  readonly #flags: readonly string[];
  #running: Running | undefined;
  /** How many times it was started. */
  starts = 0;
  /** How it ended by itself for no reason that it should. */
  readonly crashes: string[] = [];

  private constructor(options: ReplicaOptions, kubeconfig: string, credentialId: string) {
    this.name = options.name;
    this.credentialId = credentialId;
    this.logFile = join(process.env.TEST_FAULTS_LOGS ?? options.folder, `${options.name}.log`);
    this.#kubeconfig = kubeconfig;
    this.#flags = options.flags;
  }

  static async create(options: ReplicaOptions): Promise<Replica> {
    const kubeconfig = join(options.folder, `${options.name}.kubeconfig`);
    await writeOperatorKubeconfig(options.kubectl, kubeconfig);
    const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: { cluster: { server: string } }[];
      users: { user: { token: string } }[];
      contexts: { context: { namespace?: string } }[];
    };
    // Where the Lease lies.
    for (const { context } of config.contexts) context.namespace = OPERATOR.namespace;
    if (options.apiServer !== undefined) {
      for (const { cluster } of config.clusters) cluster.server = options.apiServer;
    }
    writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
    return new Replica(options, kubeconfig, credentialIdOf(config.users[0]?.user.token ?? ''));
  }

  get isRunning(): boolean {
    return this.#running !== undefined && this.#running.end === undefined;
  }

  start(): void {
    if (this.#running !== undefined) throw new Error(`${this.name} was started already`);
    this.starts += 1;
    const running = startProcess({
      name: this.name,
      command: process.execPath,
      args: [bundle(), 'controller', `--kubeconfig=${this.#kubeconfig}`, ...this.#flags],
      env: {
        HOSTNAME: this.name,
        POD_NAME: this.name,
        AWS_REGION: LOCAL_REGION,
        AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true',
        NODE_OPTIONS: undefined,
        ...Object.fromEntries(
          Object.keys(process.env)
            .filter(isProxyVariable)
            .map((name) => [name, undefined]),
        ),
      },
      logFile: this.logFile,
    });
    this.#running = running;
    void running.ended.then((end) => this.#restart(running, end));
  }

  /** As a kubelet does with a container that ends by itself. */
  async #restart(ended: Running, how: string): Promise<void> {
    if (this.#running !== ended) return;
    // Whoever has lost its leadership is to end: for a new process, which knows nothing that was true before.
    const last = this.logLines().slice(-3).join('\n');
    if (!last.includes('leadership was lost')) this.crashes.push(`${how}, its last words:\n${last}`);
    await pause(RESTART_MS);
    if (this.#running !== ended) return;
    this.#running = undefined;
    this.start();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop({ signal: 'SIGKILL' });
  }

  /** SIGTERM. @returns its exit code, undefined where it had to be killed after 30 s */
  async stop(): Promise<number | undefined> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop({ graceMs: 30_000 });
    return running?.code;
  }

  /** SIGSTOP: it stands still, its connections stay open. */
  freeze(): void {
    this.#running?.signal('SIGSTOP');
  }

  /** SIGCONT. */
  wake(): void {
    this.#running?.signal('SIGCONT');
  }

  /** Lines of its log, of all its starts. */
  logLines(): string[] {
    try {
      return readFileSync(this.logFile, 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  }
}

function bundle(): string {
  const file = process.env.TEST_FAULTS_BUNDLE;
  if (!file) throw new Error('TEST_FAULTS_BUNDLE is not set: run these tests with  npm run test:faults');
  return file;
}

const isProxyVariable = (name: string): boolean => /_proxy$/i.test(name);

/**
 * The audit log's `authentication.kubernetes.io/credential-id` of a ServiceAccount's token (KEP-4193): JTI= and its
 * claim of that name.
 */
function credentialIdOf(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
  return `JTI=${claims.jti}`;
}
