import type { KubeClient, KubeObject } from '../../src/kube/client.ts';
import { PODS } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { Pod } from '../../src/lanes/job.ts';

/** What a played Pod does by itself once it is there. */
export type Script = { exitCode: number; log?: string } | 'run' | 'pending';

export interface Played {
  job: string;
  environment: string;
  args: string[];
  env: Record<string, string | undefined>;
  startedAt: number;
  endedAt: number | undefined;
}

/**
 * Plays the kubelet for every Pod of the operator, through the API only, so that it works on any control plane: no process runs, a
 * Pod's phases are set by its script or by the test. It keeps a diary, from which overlaps can be read.
 */
export class PlayedKubelet {
  readonly diary: Played[] = [];
  readonly #kube: KubeClient;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  readonly #script: (pod: Pod) => Script;
  readonly #handled = new Map<string, Played>();
  readonly #removePod: (pod: Pod) => Promise<void>;

  constructor(options: { kube: KubeClient; script: (pod: Pod) => Script; removePod: (pod: Pod) => Promise<void> }) {
    this.#kube = options.kube;
    this.#script = options.script;
    this.#removePod = options.removePod;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Ends the running container of a Job's Pod. */
  async finish(job: string, exitCode: number, log?: string): Promise<void> {
    const pods = await this.#kube.list<Pod & KubeObject>(PODS, {
      labelSelector: `batch.kubernetes.io/job-name=${job}`,
    });
    for (const pod of pods.items) if (pod.status?.phase === 'Running') await this.#end(pod, exitCode, log);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const list = await this.#kube.list<Pod & KubeObject>(PODS, { signal });
        for (const pod of list.items) await this.#look(pod);
        const watch = this.#kube.watch<Pod & KubeObject>(PODS, {
          resourceVersion: list.metadata.resourceVersion,
          signal,
        });
        for await (const { type, object } of watch) {
          if (type === 'ADDED' || type === 'MODIFIED') await this.#look(object);
          if (type === 'DELETED') this.#note(object);
        }
      } catch (error) {
        if (!signal.aborted && !isKubeError(error)) throw error;
      }
    }
  }

  async #look(pod: Pod & KubeObject): Promise<void> {
    try {
      if (pod.metadata.deletionTimestamp !== undefined) return await this.#removePod(pod);
      if (this.#handled.has(pod.metadata.uid)) return this.#note(pod);
      const script = this.#script(pod);
      if (script === 'pending') return;
      await this.#begin(pod);
      if (script !== 'run') await this.#end(pod, script.exitCode, script.log);
    } catch (error) {
      if (!isKubeError(error)) throw error;
    }
  }

  async #begin(pod: Pod & KubeObject): Promise<void> {
    const [container] = (pod.spec as { containers: { args?: string[]; env?: { name: string; value?: string }[] }[] })
      .containers;
    const played: Played = {
      job: pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? '',
      environment: pod.metadata.labels?.['capdeployjob.dev/environment'] ?? '',
      args: container?.args ?? [],
      env: Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value])),
      startedAt: Date.now(),
      endedAt: undefined,
    };
    this.#handled.set(pod.metadata.uid, played);
    this.diary.push(played);
    await this.#setStatus(pod, 'Running', { running: { startedAt: new Date().toISOString() } });
  }

  async #end(pod: Pod & KubeObject, exitCode: number, log: string | undefined): Promise<void> {
    const finishedAt = new Date().toISOString();
    await this.#setStatus(pod, exitCode === 0 ? 'Succeeded' : 'Failed', {
      terminated: {
        exitCode,
        reason: exitCode === 0 ? 'Completed' : 'Error',
        startedAt: finishedAt,
        finishedAt,
        ...(log === undefined ? {} : { message: log }),
      },
    });
  }

  async #setStatus(pod: Pod & KubeObject, phase: string, state: Record<string, unknown>): Promise<void> {
    const current = await this.#kube.get<Pod & KubeObject>(PODS, pod.metadata.namespace, pod.metadata.name);
    const [container] = (pod.spec as { containers: { name: string; image: string }[] }).containers;
    const status = {
      ...current.status,
      phase,
      containerStatuses: [
        {
          name: container?.name,
          image: container?.image,
          imageID: '',
          ready: phase === 'Running',
          restartCount: 0,
          state,
        },
      ],
    };
    await this.#kube.replaceStatus(PODS, { ...current, status } as unknown as KubeObject);
  }

  #note(pod: Pod): void {
    const played = this.#handled.get(pod.metadata.uid);
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed' || pod.metadata.deletionTimestamp;
    if (played && ended) played.endedAt ??= Date.now();
  }
}
