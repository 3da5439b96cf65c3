/** A cluster and AWS on loopback, and runs of the refresher against them in this process. */

import { type LocalCluster, startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { vi } from 'vitest';
import { Aws } from '../../../src/aws/aws-client.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Target } from '../../../src/ecr/config.ts';
import { type RunOptions, runOnce } from '../../../src/ecr/run.ts';
import { type KubeObject, NAMESPACES, type ResourceType, SECRETS, SERVICE_ACCOUNTS } from '../../../src/kube/client.ts';
import { HttpKubeClient } from '../../../src/kube/http/http-client.ts';
import { anonymous } from '../../kit/api-server.ts';
import { AwsServer } from './aws-server.ts';

export const REGISTRY = '123456789012.dkr.ecr.ap-northeast-1.amazonaws.com';

export interface Line {
  level: 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  text: string;
}

/** Waits as the system's clock does, but a thousandth as long. */
export const hastyClock = {
  ...systemClock,
  setTimeout: (callback: () => void, ms: number) => systemClock.setTimeout(callback, ms > 120_000 ? ms : ms / 1000),
};

export function target(more: Partial<Target> = {}): Target {
  return {
    label: 'targets[0]',
    registryIds: [],
    region: 'ap-northeast-1',
    role: undefined,
    secretName: 'ecr-pull-secret',
    namespaces: ['deploy'],
    serviceAccounts: [],
    ...more,
  };
}

export class Rig {
  readonly aws: AwsServer;
  readonly cluster: LocalCluster;
  readonly kube: HttpKubeClient;
  readonly lines: Line[] = [];

  private constructor(aws: AwsServer, cluster: LocalCluster) {
    this.aws = aws;
    this.cluster = cluster;
    this.kube = new HttpKubeClient({ config: anonymous(cluster.url) });
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
  }

  static async start(namespaces: readonly string[] = ['deploy']): Promise<Rig> {
    const rig = new Rig(await new AwsServer().listen(), await startLocalCluster({ kubelet: false }));
    for (const name of namespaces) await rig.namespace(name);
    return rig;
  }

  async stop(): Promise<void> {
    await this.kube.close();
    await this.cluster.stop();
    await this.aws.close();
  }

  /** @returns how many failed. */
  async run(targets: readonly Target[] = [target()], more: Partial<RunOptions> = {}): Promise<number> {
    const aws = new Aws();
    const level =
      (name: Line['level']) =>
      (fields: object, text: string): void => {
        this.lines.push({ level: name, fields: fields as Line['fields'], text });
      };
    const log = { ...silentLog, info: level('info'), warn: level('warn'), error: level('error') };
    try {
      const { signal } = new AbortController();
      const { kube } = this;
      return await runOnce({ targets, aws, kube, clock: hastyClock, log, dryRun: false, signal, ...more });
    } finally {
      aws.close();
    }
  }

  /** What the last run said but for its summary: `targets[0] deploy/ecr-pull-secret: …`. */
  get said(): string[] {
    return this.lines.filter(({ fields }) => 'result' in fields).map(({ text }) => text);
  }

  namespace(name: string, labels: Record<string, string> = {}): Promise<KubeObject> {
    return this.create(NAMESPACES, undefined, name, {}, { labels });
  }

  create(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    body: object,
    metadata: object = {},
  ): Promise<KubeObject> {
    const object = {
      apiVersion: 'v1',
      kind: type.kind,
      metadata: { name, ...(namespace && { namespace }), ...metadata },
      ...body,
    };
    return this.kube.create(type, object);
  }

  secret(namespace = 'deploy', name = 'ecr-pull-secret'): Promise<KubeObject> {
    return this.kube.get(SECRETS, namespace, name);
  }

  serviceAccount(namespace = 'deploy', name = 'default'): Promise<KubeObject> {
    return this.kube.get(SERVICE_ACCOUNTS, namespace, name);
  }

  async docker(namespace = 'deploy', name = 'ecr-pull-secret'): Promise<DockerConfig> {
    return dockerOf(await this.secret(namespace, name));
  }
}

export interface DockerConfig {
  auths: Record<string, { username: string; password: string; auth: string }>;
  [key: string]: unknown;
}

export function dockerOf(secret: KubeObject): DockerConfig {
  const { '.dockerconfigjson': data } = secret.data as Record<string, string>;
  return JSON.parse(Buffer.from(data as string, 'base64').toString('utf8')) as DockerConfig;
}

/** `data` of a pull Secret. */
export const dockerData = (config: unknown): Record<string, string> => ({
  '.dockerconfigjson': Buffer.from(typeof config === 'string' ? config : JSON.stringify(config)).toString('base64'),
});

export const PULL_SECRET_TYPE = 'kubernetes.io/dockerconfigjson';
