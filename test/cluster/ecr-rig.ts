/**
 * What the tests of `ecr-login` on a real control plane share. They need `TEST_KUBECONFIG` (an administrator's),
 * `TEST_KUBECTL` or kubectl on the PATH, and the endpoint of MiniStack with the services ecr and sts in
 * `TEST_SQS_ENDPOINT` (`TEST_SQS=ministack`).
 *
 * Everything lies in namespaces of the test's own and has names of its own, so that it may run in any cluster, beside
 * anything.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubeObject } from '../../src/kube/client.ts';
import { NAMESPACES } from '../../src/kube/client.ts';
import { HttpKubeClient } from '../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../src/kube/http/kubeconfig.ts';
import { testNamespace } from '../kit/test-namespace.ts';
import { fromEnvironment, fromRoot } from './cluster.ts';
import { Kubectl, type Result } from './kubectl.ts';

const ACCOUNT = 'capdeployjob-ecr-login';

export interface Ended {
  code: number | string;
  stdout: string;
  stderr: string;
}

export class EcrRig {
  readonly kubeconfig = fromEnvironment('TEST_KUBECONFIG');
  readonly directory = mkdtempSync(join(realpathSync(tmpdir()), 'capdeployjob-ecr-'));
  readonly id = crypto.randomUUID().slice(0, 8);
  /** Of the administrator. */
  readonly kube = new HttpKubeClient({ config: () => loadKubeConfig({ kubeconfig: this.kubeconfig }) });
  readonly #namespaces: string[] = [];
  readonly #applied: string[] = [];

  async stop(): Promise<void> {
    for (const file of this.#applied) await this.kubectl(['delete', '--ignore-not-found', '--wait=false', '-f', file]);
    if (this.#namespaces.length > 0) {
      await this.kubectl(['delete', 'namespace', '--ignore-not-found', '--wait=false', ...this.#namespaces]);
    }
    await this.kube.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async namespace(suffix: string, labels: Record<string, string> = {}): Promise<string> {
    const name = `capdeployjob-ecr-${this.id}-${suffix}`;
    await this.kube.create(NAMESPACES, testNamespace(name, labels));
    this.#namespaces.push(name);
    return name;
  }

  /** @throws Error in kubectl's words when it fails */
  kubectl(args: readonly string[]): Promise<string> {
    return this.#kubectlOf(this.kubeconfig).run(args);
  }

  tryKubectl(args: readonly string[], kubeconfig = this.kubeconfig): Promise<Result> {
    return this.#kubectlOf(kubeconfig).try(args);
  }

  #kubectlOf(kubeconfig: string): Kubectl {
    return new Kubectl(process.env.TEST_KUBECTL || 'kubectl', kubeconfig, join(this.directory, 'cache'));
  }

  /**
   * What kustomize makes of components of deploy/ecr-login in a namespace of the test's, all names with an ending of
   * the test's own.
   * @param target where the Secret goes: the Role of the variant for one namespace lies there.
   */
  async build(parts: readonly string[], home: string, target = home): Promise<KubeObject[]> {
    const folder = join(this.directory, `overlay-${crypto.randomUUID()}`);
    mkdirSync(folder);
    const from = relative(folder, fromRoot('deploy/ecr-login'));
    const overlay = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      nameSuffix: `-${this.id}`,
      components: [from, ...parts.map((part) => `${from}/${part}`)],
      images: [{ name: 'capdeployjob', newName: 'registry.example.com/capdeployjob', newTag: '0.1.0' }],
    };
    writeFileSync(join(folder, 'kustomization.yaml'), stringify(overlay));
    const built = parseAllDocuments(await this.kubectl(['kustomize', folder])).map(
      (document) => document.toJS() as KubeObject,
    );
    const text = JSON.stringify(built)
      .replaceAll(`capdeployjob-system:${ACCOUNT}`, `${home}:${ACCOUNT}-${this.id}`)
      .replaceAll('"namespace":"capdeployjob-system"', `"namespace":"${home}"`)
      .replaceAll('"namespace":"deploy"', `"namespace":"${target}"`);
    return JSON.parse(text) as KubeObject[];
  }

  /** What kustomize makes of a folder of examples/ecr-login, copied beside a checkout as it says. */
  async example(name: string): Promise<KubeObject[]> {
    const folder = join(this.directory, `example-${crypto.randomUUID()}`);
    cpSync(fromRoot(`examples/ecr-login/${name}`), join(folder, name), { recursive: true });
    symlinkSync(fromRoot('.'), join(folder, 'capdeployjob'));
    const text = await this.kubectl(['kustomize', join(folder, name)]);
    return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
  }

  /** @returns what kubectl says. What is applied goes when the rig stops. */
  async apply(objects: readonly KubeObject[]): Promise<string> {
    const file = join(this.directory, `${crypto.randomUUID()}.json`);
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    this.#applied.push(file);
    return this.kubectl(['apply', '--warnings-as-errors', '-f', file]);
  }

  /** A kubeconfig with the token of the refresher's ServiceAccount, and no other right. */
  async accountKubeconfig(home: string): Promise<string> {
    const token = (await this.kubectl(['create', 'token', `${ACCOUNT}-${this.id}`, '-n', home])).trim();
    const cluster = JSON.parse(
      await this.kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']),
    ) as {
      users: unknown[];
      contexts: { context: { user: string } }[];
    };
    cluster.users = [{ name: 'refresher', user: { token } }];
    for (const { context } of cluster.contexts) context.user = 'refresher';
    const file = join(this.directory, `account-${crypto.randomUUID()}.kubeconfig`);
    writeFileSync(file, JSON.stringify(cluster), { mode: 0o600 });
    return file;
  }

  config(targets: readonly object[]): string {
    const file = join(this.directory, `config-${crypto.randomUUID()}.yaml`);
    writeFileSync(file, stringify({ targets }));
    return file;
  }

  /**
   * `capdeploy ecr-login` as a process of its own, with credentials of an AWS account that MiniStack knows by its id.
   */
  start(args: readonly string[], kubeconfig: string): { ended: Promise<Ended>; kill(): void } {
    const child = spawn(
      process.execPath,
      [fromRoot('src/main.ts'), 'ecr-login', `--kubeconfig=${kubeconfig}`, ...args],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env.PATH, ...AWS_ENV() },
      },
    );
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        text[name] += chunk;
      });
    }
    const ended = once(child, 'close').then(([code, signal]) => ({
      code: (code ?? signal) as number | string,
      ...text,
    }));
    return { ended, kill: () => child.kill('SIGKILL') };
  }

  run(args: readonly string[], kubeconfig: string): Promise<Ended> {
    return this.start(args, kubeconfig).ended;
  }
}

export const AWS_ENV = (): Record<string, string> => ({
  AWS_ENDPOINT_URL: fromEnvironment('TEST_SQS_ENDPOINT'),
  AWS_ACCESS_KEY_ID: '123456789012',
  AWS_SECRET_ACCESS_KEY: 'example',
  AWS_REGION: 'ap-northeast-1',
  AWS_EC2_METADATA_DISABLED: 'true',
});

export const REGISTRY = '123456789012.dkr.ecr.ap-northeast-1.amazonaws.com';

/** The `msg` of each line of the log that is about a target. */
export const linesOf = ({ stdout }: Ended): string[] =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { msg: string; result?: string })
    .filter(({ result }) => result !== undefined)
    .map(({ msg }) => msg);
