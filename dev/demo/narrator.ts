import { once } from 'node:events';
import type { CapDeployJob, HistoryEntry, RejectionEntry } from '../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeClient, type KubeObject, PODS } from '../../src/kube/client.ts';
import { Cache } from '../../src/kube/informer/cache.ts';
import { isRunning, isSuspended, type Job, type Pod, storedRequest } from '../../src/lanes/job.ts';
import type { Row, Table } from './table.ts';

/** Reads the log of a Pod as it is written, line by line. */
export type FollowLog = (pod: string, onLine: (line: string) => void, signal: AbortSignal) => Promise<void>;

/**
 * Tells what happens, as any client with a kubeconfig could: from watches of the CapDeployJob, its Jobs and its Pods,
 * and from the Pods' logs. It sends no request to the operator.
 */
export class Narrator {
  /** What each Job that had to wait was said to wait for, the first reason first. */
  readonly waits = new Map<string, string[]>();
  readonly jobs = new Map<string, Job>();
  /** The last state of each Pod: the containers' own times outlive the Pod here. */
  readonly pods = new Map<string, Pod>();
  readonly history = new Map<string, HistoryEntry>();
  readonly rejections = new Map<string, RejectionEntry>();
  ready: boolean = false;

  readonly #table: Table;
  readonly #caches: Cache<KubeObject>[];
  readonly #followLog: FollowLog;
  readonly #stopping = new AbortController();
  readonly #followed = new Map<string, Promise<void>>();
  readonly #waiters = new Set<() => void>();

  constructor(options: { client: KubeClient; namespace: string; table: Table; followLog: FollowLog }) {
    const { client, namespace, table, followLog } = options;
    this.#table = table;
    this.#followLog = followLog;
    const watch = (type: typeof JOBS, tell: (object: KubeObject, deleted: boolean) => void) => {
      const cache = new Cache<KubeObject>({ client, type, namespaces: [namespace] });
      cache.onEvent(({ type: event, object }) => {
        tell(object, event === 'DELETED');
        for (const check of this.#waiters) check();
      });
      return cache;
    };
    this.#caches = [
      watch(CAPDEPLOYJOBS, (object) => this.#resource(object as KubeObject & CapDeployJob)),
      watch(JOBS, (object, deleted) => this.#job(object as KubeObject & Job, deleted)),
      watch(PODS, (object) => this.#pod(object as KubeObject & Pod)),
    ];
  }

  start(): void {
    for (const cache of this.#caches) cache.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#caches.map((cache) => cache.stop()), ...this.#followed.values()]);
  }

  /** Resolves when the condition holds, looked at after each change. @throws Error that says what was waited for. */
  async until(condition: () => boolean, what: string, milliseconds: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => condition() && resolve();
    const stop = () => reject(signal.reason);
    const late = setTimeout(() => reject(new Error(`${what}: not within ${milliseconds / 1000} s`)), milliseconds);
    this.#waiters.add(check);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    check();
    try {
      await promise;
    } finally {
      clearTimeout(late);
      this.#waiters.delete(check);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Every Pod that was seen has run to its end: its containers' times are known. */
  allFinished(): boolean {
    return [...this.pods.values()].every(({ status }) => status?.containerStatuses?.[0]?.state?.terminated);
  }

  /** Resolves when every log line that was written has been told. */
  async logsTold(signal: AbortSignal): Promise<void> {
    const told = Promise.all(this.#followed.values());
    await Promise.race([told, once(signal, 'abort')]);
    signal.throwIfAborted();
  }

  #resource({ status }: CapDeployJob): void {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    if (ready && !this.ready) this.#table.row({ resource: 'capdeployjob/web', what: 'Ready: the queue is being read' });
    this.ready = ready;
    for (const lane of status?.environments ?? []) {
      for (const { job, revision, why } of lane.waiting ?? []) {
        const before = this.waits.get(job) ?? [];
        if (before.at(-1) === why) continue;
        this.waits.set(job, [...before, why]);
        this.#row({ job, environment: lane.name, revision, what: `waiting: ${why}`, style: 'yellow' });
      }
    }
    for (const entry of [...(status?.history ?? [])].reverse()) {
      if (this.history.has(entry.job)) continue;
      this.history.set(entry.job, entry);
      const good = entry.result === 'Succeeded';
      const what = [entry.result, good ? '' : ` (${entry.reason}) ${firstLine(entry.message)}`].join('');
      this.#row({ ...entry, what, style: good ? 'green' : 'red' });
    }
    for (const entry of [...(status?.rejections ?? [])].reverse()) {
      if (this.rejections.has(entry.messageId)) continue;
      this.rejections.set(entry.messageId, entry);
      const what = `REJECTED (${entry.reason}) ${firstLine(entry.message)}`;
      this.#table.row({ resource: `message ${entry.messageId.slice(0, 8)}`, what, style: 'magenta' });
    }
  }

  #job(job: Job, deleted: boolean): void {
    const before = this.jobs.get(job.metadata.name);
    this.jobs.set(job.metadata.name, job);
    const say = (what: string, style?: Row['style']) => {
      const { environment, revision } = storedRequest(job);
      this.#row({ job: job.metadata.name, environment, revision, what, style });
    };
    if (deleted) say('Job deleted', 'dim');
    else if (!before) say(isSuspended(job) ? 'Job created, suspended' : 'Job found');
    else if (!isRunning(before) && isRunning(job)) say('started', 'cyan');
  }

  #pod(pod: Pod): void {
    const { name } = pod.metadata;
    this.pods.set(name, pod);
    const state = pod.status?.containerStatuses?.[0]?.state;
    if (this.#followed.has(name) || !(state?.running || state?.terminated)) return;
    const job = this.jobs.get(pod.metadata.ownerReferences?.[0]?.name ?? '');
    const request = job && storedRequest(job);
    const tell = (line: string) => {
      // Capistrano indents what belongs to a task: commands, their output and their times are left to `kubectl logs`.
      if (/^\s/.test(line)) return;
      this.#row({ ...request, job: job?.metadata.name ?? name, what: `| ${line}`, style: 'dim' });
    };
    this.#followed.set(
      name,
      this.#followLog(name, tell, this.#stopping.signal).catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) tell(`(the log could not be read: ${(error as Error).message})`);
      }),
    );
  }

  #row({ job, ...row }: { [K in keyof Row]: Row[K] | undefined } & { job: string; what: string }): void {
    const { environment = '', revision = '', what, style } = row;
    this.#table.row({ resource: job, environment, revision, what, ...(style ? { style } : {}) });
  }
}

const firstLine = (text = ''): string => text.split('\n', 1)[0] ?? '';
