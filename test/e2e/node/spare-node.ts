import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Cluster, fromEnvironment } from '../../cluster/cluster.ts';
import { findBinaries } from '../../cluster/control-plane/build.ts';
import type { Component } from '../../cluster/control-plane/components.ts';
import type { Running } from '../../cluster/processes.ts';
import { eventually } from '../../kit/eventually.ts';
import { IMAGES } from '../place.ts';
import { createGroupIn } from './cgroups.ts';
import { type ContainerdOptions, containerdSocket, importImage, startContainerd } from './containerd.ts';
import { startKubelet } from './kubelet.ts';
import { addNodeAddress } from './network.ts';

/** Between the first node's address and those of the servers. */
const ADDRESS = '10.10.0.2';

/**
 * A second node, which a test may lose: containerd and kubelet of its own beside those of the first. It has the pause
 * image alone. Pods come there by `spec.nodeName`; the scheduler sends none. One at a time.
 */
export class SpareNode {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #containerd: ContainerdOptions;
  readonly #controlGroup: string;
  #runtime: Running | undefined;
  #kubelet: Component | undefined;
  #removeAddress: (() => Promise<void>) | undefined;

  private constructor(cluster: Cluster) {
    this.name = `spare-${crypto.randomUUID().slice(0, 8)}`;
    this.#cluster = cluster;
    this.#containerd = { name: this.name, pauseImage: IMAGES.pause.tag, logs: tmpdir() };
    this.#controlGroup = createGroupIn(fromEnvironment('TEST_E2E_CONTROL_GROUP'), this.name);
  }

  /** Resolves when it takes Pods. */
  static async start(cluster: Cluster): Promise<SpareNode> {
    const node = new SpareNode(cluster);
    node.#removeAddress = await addNodeAddress(ADDRESS);
    node.#runtime = await startContainerd(node.#containerd);
    await importImage(node.name, IMAGES.pause.archive);
    node.#kubelet = await startKubelet(
      {
        name: node.name,
        address: ADDRESS,
        binaries: await findBinaries({ components: ['kubelet'] }),
        logs: tmpdir(),
        controlGroup: node.#controlGroup,
        kubeconfig: readFileSync(fromEnvironment('TEST_KUBECONFIG'), 'utf8'),
        configuration: { registerWithTaints: [{ key: 'capdeployjob.dev/spare', effect: 'NoSchedule' }] },
      },
      () => node.#isReady(),
    );
    return node;
  }

  async #isReady(): Promise<boolean> {
    const { body } = await this.#cluster.request('GET', `/api/v1/nodes/${this.name}`);
    const conditions = (body.status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions;
    return conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  }

  /** As where it cannot be reached any more: what runs there runs on. */
  async losesItsKubelet(): Promise<void> {
    await this.#kubelet?.stop('SIGKILL');
  }

  /** As where its power fails, and comes back. */
  async reboots(): Promise<void> {
    await this.#losePower();
    this.#runtime = await startContainerd(this.#containerd);
    await this.#kubelet?.start();
  }

  async #losePower(): Promise<void> {
    await this.#kubelet?.stop('SIGKILL');
    await this.#runtime?.stop({ signal: 'SIGKILL' });
    await eventually(`no process of ${this.name} is left`, () => {
      const left = [...this.#processes()];
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended since.
        }
      }
      return left.length === 0;
    });
  }

  /** Those of its containers, and those that containerd left to look after them. */
  *#processes(): Generator<number> {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const read = (file: string): string => {
        try {
          return readFileSync(`/proc/${pid}/${file}`, 'latin1');
        } catch {
          return '';
        }
      };
      // One that has ended, and that nobody has asked about yet, has no command line any more.
      const command = read('cmdline');
      if (command === '') continue;
      const isShim = command.includes('containerd-shim') && command.includes(containerdSocket(this.name));
      if (isShim || read('cgroup').includes(this.#controlGroup)) yield Number(pid);
    }
  }

  /** It is gone for good. */
  async stop(): Promise<void> {
    await this.#losePower();
    await this.#cluster.request('DELETE', `/api/v1/nodes/${this.name}`);
    await this.#removeAddress?.();
  }
}
