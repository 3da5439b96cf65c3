import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { DeleteQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { pause, type Rig, startRig, until } from '../../bench/rig.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { EVENTS } from '../../src/kube/client.ts';
import { Debugger } from './debugger.ts';
import type { Report } from './report.ts';

const RESOURCES = 10;
/** A resource lives for so many rounds; then another one, with another name and another queue, takes its place. */
const ROUND_MS = 2_000;
/** Long polls are short here, so that what is deleted is let go of soon. */
const SPEC = { environments: [{ name: 'production' }, { name: 'staging' }] };

interface Sample {
  heap: number;
  rss: number;
  handles: number;
  sockets: number;
  files: number;
}

/** So many real minutes of one operator process: resources and queues come and go, messages flow, watches are cut. */
export async function realSoak(minutes: number, report: Report): Promise<void> {
  const rig = await startRig({ playedPods: true, nodeOptions: ['--inspect=127.0.0.1:0'] });
  try {
    const operator = await attach(rig);
    const samples: Sample[] = [];
    const churn = new RealChurn(rig);
    report.head(['real minutes', 'heap MiB', 'RSS MiB', 'handles', 'sockets', 'files']);
    await churn.fill();
    const begun = Date.now();
    // The first third warms up.
    const between = (minutes * 60_000) / 30;
    for (let round = 1; round <= 30; round += 1) {
      while (Date.now() < begun + round * between) await churn.round();
      if (round <= 10 || round % 2 === 1) continue;
      const sample = await measure(rig.operator.pid, operator);
      samples.push(sample);
      const { heap, rss, handles, sockets, files } = sample;
      report.row([(Date.now() - begun) / 60_000, heap, rss, handles, sockets, files]);
    }
    const values = (name: keyof Sample) => samples.map((sample) => sample[name]);
    report.flat('heap of the process after collection (MiB)', values('heap'), { share: 0.1, least: 3 });
    report.flat('memory of the process (MiB)', values('rss'), { share: 0.15, least: 20 });
    for (const name of ['handles', 'sockets', 'files'] as const) {
      report.flat(`${name} of the process`, values(name), { share: 0.25, least: 5 });
    }
    report.check('messages became Jobs all the while', churn.jobs > samples.length, String(churn.jobs));
    await churn.clear();
    const idle = (sample: Sample) => sample.sockets <= IDLE_SOCKETS;
    let last = await measure(rig.operator.pid, operator);
    for (let waited = 0; waited < 60_000 && !idle(last); waited += 1_000) {
      await pause(1_000);
      last = await measure(rig.operator.pid, operator);
    }
    report.row([(Date.now() - begun) / 60_000, last.heap, last.rss, last.handles, last.sockets, last.files]);
    report.check('no socket of a queue is left when every resource is gone', idle(last), `${last.sockets} sockets`);
    operator.close();
  } finally {
    await rig.stop();
  }
}

/**
 * Three watches, some idle connections to the API server (for 30 s), the listeners of metrics and debugger, this test's
 * own.
 */
const IDLE_SOCKETS = 12;

async function attach(rig: Rig): Promise<Debugger> {
  const listening = () =>
    rig.operator.log.map((line) => /Debugger listening on (ws:\S+)/.exec(line)?.[1]).find(Boolean);
  await until('the debugger listens', 30, async () => listening() !== undefined);
  return Debugger.connect(listening() as string);
}

async function measure(pid: number, operator: Debugger): Promise<Sample> {
  await operator.collectGarbage();
  const heap = await operator.evaluate<number>('process.memoryUsage().heapUsed');
  const handles = await operator.evaluate<number>(
    'process.getActiveResourcesInfo().filter((name) => name !== "Timeout").length',
  );
  const files = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed between the two looks.
      return [];
    }
  });
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  const sockets = files.filter((target) => target.startsWith('socket:')).length;
  return { heap: heap / 2 ** 20, rss, handles, sockets, files: files.length };
}

class RealChurn {
  readonly #rig: Rig;
  readonly #queues = new Map<string, string>();
  jobs = 0;
  #made = 0;
  #rounds = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
    rig.cluster.store.onChange((type, { type: change }) => {
      if (type.storage === 'batch/jobs' && change === 'ADDED') this.jobs += 1;
    });
  }

  async fill(): Promise<void> {
    while (this.#queues.size < RESOURCES) await this.#make();
  }

  async round(): Promise<void> {
    const begun = Date.now();
    this.#rounds += 1;
    const [oldest] = this.#queues.keys();
    if (oldest !== undefined) await this.#remove(oldest);
    await this.#make();
    for (const [name, QueueUrl] of this.#queues) {
      const request = {
        repository: name,
        environment: this.#rounds % 2 ? 'production' : 'staging',
        revision: `v${this.#rounds}`,
      };
      for (const MessageBody of [JSON.stringify(request), 'poison']) {
        await this.#rig.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      }
    }
    if (this.#rounds % 10 === 0) this.#rig.cluster.store.endWatches();
    if (this.#rounds % 25 === 0) this.#rig.cluster.store.forgetHistory();
    this.#forgetEvents();
    await pause(Math.max(0, begun + ROUND_MS - Date.now()));
  }

  async clear(): Promise<void> {
    for (const name of [...this.#queues.keys()]) await this.#remove(name);
  }

  async #make(): Promise<void> {
    this.#made += 1;
    const name = `soak-${this.#made}`;
    const queue = { url: this.#rig.queueUrl(name), waitTimeSeconds: 2 };
    this.#queues.set(name, await this.#rig.deployable(name, [], { ...SPEC, queue }));
  }

  /** Each second time the queue goes first, as where somebody clears away in the wrong order. */
  async #remove(name: string): Promise<void> {
    const QueueUrl = this.#queues.get(name);
    const dropQueue = () => this.#rig.sqs.send(new DeleteQueueCommand({ QueueUrl }));
    this.#queues.delete(name);
    if (this.#made % 2 === 0) await dropQueue();
    this.#rig.cluster.store.delete(CAPDEPLOYJOBS, 'default', name, { propagationPolicy: 'Background' });
    if (this.#made % 2 === 1) await dropQueue();
  }

  /** As the API server's own time to live, an hour by default, does. */
  #forgetEvents(): void {
    const { store } = this.#rig.cluster;
    for (const { metadata } of store.list(EVENTS).items) store.delete(EVENTS, metadata.namespace, metadata.name, {});
  }
}
