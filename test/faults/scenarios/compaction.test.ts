import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { JOBS, type KubeObject, type ListOptions, type ResourceType } from '../../../src/kube/client.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { HttpKubeClient } from '../../../src/kube/http/http-client.ts';
import { loadKubeConfig } from '../../../src/kube/http/kubeconfig.ts';
import { listAll } from '../../../src/kube/list-all.ts';
import { messages } from '../site/amounts.ts';
import { compact } from '../site/etcd.ts';
import { NAMESPACE, onSite, within } from '../site/site.ts';
import { TcpProxy } from '../site/tcp-proxy.ts';
import { startTraffic } from '../site/traffic.ts';
import { expectAllIsWell } from '../site/verdict.ts';

test('etcd forgets its history: watches find their place gone (410), and a list’s second page its revision', async () => {
  let network: TcpProxy | undefined;
  const apiServerThrough = async (url: string) => {
    network = await TcpProxy.start(Number(new URL(url).port));
    return { url: `https://127.0.0.1:${network.port}`, close: network.close.bind(network) };
  };
  await onSite({ resources: 6, mayMakeTwoPods: true, apiServerThrough, flags: ['--log-level=debug'] }, async (site) => {
    const { random, controlPlane, admin } = site;
    const through = network as TcpProxy;
    const replicas = [await site.startReplica(), await site.startReplica()];
    const traffic = startTraffic(site, { messages: messages(120), overMs: 40_000 });
    let times = 0;
    do {
      await pause(random.between(1_000, 4_000));
      if (random.chance(0.5)) {
        // Under those that watch: their watches are fed by the API server's own memory, and go on.
        await compact(controlPlane.etcdUrl);
        continue;
      }
      // Cut off, while all goes on; the API server forgets what it had in memory, and etcd the rest.
      through.refuse();
      await change(site.admin);
      await controlPlane.apiServer.stop(random.of(['SIGKILL', 'SIGTERM']));
      await compact(controlPlane.etcdUrl);
      await controlPlane.apiServer.start();
      await change(site.admin);
      await compact(controlPlane.etcdUrl);
      through.heal();
      times += 1;
    } while (!traffic.isOver || times === 0);
    const told = () =>
      replicas
        .flatMap((replica) => replica.logLines())
        .filter((line) => /the watch failed/.test(line) && /Expired|Gone/.test(line));
    expect(await within(60_000, () => told().length > 0)).toBe(true);
    site.note(`${times} times cut off from a history that was gone; told ${told().length} times`);

    await expectAllIsWell(site, traffic);
    await expectWholeListOverExpiredPages();

    /** An object comes and goes: what a watch had seen last is not the last that there is. */
    async function change(kube: typeof admin): Promise<void> {
      const metadata = { name: `bystander-${crypto.randomUUID()}`, namespace: NAMESPACE };
      await kube.create(JOBS, bystander(metadata));
      await kube.deleteOne(JOBS, NAMESPACE, metadata.name, { propagationPolicy: 'Background' });
    }

    /**
     * The list that the operator's caches and live looks make, over three pages of which all but the first come too
     * late.
     */
    async function expectWholeListOverExpiredPages(): Promise<void> {
      const names = Array.from({ length: 25 }, (_, index) => `bystander-${String(index).padStart(2, '0')}`);
      for (const name of names) await admin.create(JOBS, bystander({ name, namespace: NAMESPACE }));
      const client = new HttpKubeClient({ config: loadKubeConfig({ kubeconfig: controlPlane.kubeconfig }) });
      const expired: string[] = [];
      const list = async <T extends KubeObject>(type: ResourceType, options: ListOptions = {}) => {
        if (options.continue !== undefined && expired.length === 0) {
          await change(admin);
          await controlPlane.apiServer.stop('SIGKILL');
          await compact(controlPlane.etcdUrl);
          await controlPlane.apiServer.start();
        }
        try {
          return await client.list<T>(type, options);
        } catch (error) {
          if (isKubeError(error)) expired.push(`${error.status} ${error.reason}`);
          throw error;
        }
      };
      const selection = { namespace: NAMESPACE, labelSelector: 'app=bystander', limit: 10 };
      const { items } = await listAll({ list }, JOBS, selection);
      await client.close();
      expect(expired).toEqual(['410 Expired']);
      expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(names);
    }
  });
});

const bystander = (metadata: { name: string; namespace: string }): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { ...metadata, labels: { app: 'bystander' } },
  spec: {
    suspend: true,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'none', image: 'example.test/none:1' }] } },
  },
});
