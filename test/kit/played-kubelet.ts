import type { KubeClient, KubeObject } from '../../src/kube/client.ts';
import { PODS } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { Pod } from '../../src/lanes/job.ts';

/** The revision that a Pod deploys. */
export function revisionOf(pod: Pod): string | undefined {
  const [container] = (pod.spec as { containers: { env?: { name: string; value?: string }[] }[] }).containers;
  return container?.env?.find(({ name }) => name === 'REVISION')?.value;
}

/** What a played Pod does by itself. */
export type Script = { exitCode: number; log?: string } | 'run' | 'pending';

export interface Played {
  pod: string;
  job: string;
  environment: string;
  args: string[];
  env: Record<string, string | undefined>;
  startedAt: number;
  endedAt: number | undefined;
}

/** Of a container that was never started, once its Pod has been deleted (kubelet's status manager, `TerminatePod`). */
const NEVER_RAN = {
  exitCode: 137,
  reason: 'ContainerStatusUnknown',
  message: 'The container could not be located when the pod was terminated',
};

/**
 * Plays the kubelet for every Pod of the operator. It uses only the API, so it works on any control plane. No process
 * runs: the script of a Pod, or the test, sets its phases. The diary shows which Pods overlapped.
 */
export class PlayedKubelet {
  readonly diary: Played[] = [];
  readonly #kube: KubeClient;
  readonly #stopped = new AbortController();
  readonly #running: Promise<void>;
  readonly #script: (pod: Pod) => Script;
  readonly #handled = new Map<string, Played>();
  /** By Pod UID. */
  readonly #workers = new Map<string, Promise<void>>();
  readonly #removePod: (pod: Pod) => Promise<void>;
  #nodeIsLost = false;
  /** The exit code of containers that are told to end. 143: ended by SIGTERM. */
  exitWhenTold = 143;

  constructor(options: { kube: KubeClient; script: (pod: Pod) => Script; removePod: (pod: Pod) => Promise<void> }) {
    this.#kube = options.kube;
    this.#script = options.script;
    this.#removePod = options.removePod;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
    await Promise.all(this.#workers.values());
  }

  /** Ends the running container of a Pod, or of a Job's Pod. */
  async finish(name: string, exitCode: number, log?: string): Promise<void> {
    for (const pod of (await this.#kube.list<Pod & KubeObject>(PODS)).items) {
      const isMeant = [pod.metadata.name, pod.metadata.labels?.['batch.kubernetes.io/job-name']].includes(name);
      if (isMeant && pod.status?.phase === 'Running') await this.#end(pod, exitCode, log);
    }
  }

  /** From now on no kubelet answers: deleted Pods stay terminating. */
  loseNode(): void {
    this.#nodeIsLost = true;
  }

  /** The node is back: Pods that were told to end now end. */
  async findNode(): Promise<void> {
    this.#nodeIsLost = false;
    for (const pod of (await this.#kube.list<Pod & KubeObject>(PODS)).items) {
      if (pod.metadata.deletionTimestamp !== undefined) await this.#look(pod);
    }
  }

  /** Begins to run a Pod that its script leaves pending. */
  async begin(pod: Pod & KubeObject): Promise<void> {
    await this.#begin(pod);
  }

  /** Ends only the first container of a Pod. */
  async finishFirst(pod: Pod & KubeObject, exitCode: number, log?: string): Promise<void> {
    const [first] = (pod.spec as { containers: { name: string }[] }).containers;
    const finishedAt = new Date().toISOString();
    const message = log === undefined ? {} : { message: log };
    const terminated = { exitCode, reason: 'Ended', startedAt: finishedAt, finishedAt, ...message };
    await this.#changeStatus(pod, (status) => ({
      ...status,
      containerStatuses: (status?.containerStatuses ?? []).map((each) =>
        each.name === first?.name ? { ...each, ready: false, state: { terminated } } : each,
      ),
    }));
  }

  /** Merges this into the status of a Pod, as the kubelet or the scheduler does. */
  async report(pod: Pod & KubeObject, status: Record<string, unknown>): Promise<void> {
    await this.#changeStatus(pod, (current) => ({ ...current, ...status }));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const list = await this.#kube.list<Pod & KubeObject>(PODS, { signal });
        for (const pod of list.items) this.#take(pod);
        const watch = this.#kube.watch<Pod & KubeObject>(PODS, {
          resourceVersion: list.metadata.resourceVersion,
          signal,
        });
        for await (const { type, object } of watch) {
          if (type === 'ADDED' || type === 'MODIFIED') this.#take(object);
          if (type === 'DELETED') this.#note(object);
        }
      } catch (error) {
        if (!signal.aborted && !isKubeError(error)) throw error;
      }
    }
  }

  /** Ends are noted in the order of the watch. Each Pod has its own worker, as in a kubelet. */
  #take(pod: Pod & KubeObject): void {
    this.#note(pod);
    const { uid } = pod.metadata;
    const work = (this.#workers.get(uid) ?? Promise.resolve()).then(() => this.#look(pod));
    this.#workers.set(uid, work);
  }

  async #look(pod: Pod & KubeObject): Promise<void> {
    try {
      if (pod.metadata.deletionTimestamp !== undefined) return await this.#terminate(pod);
      if (this.#handled.has(pod.metadata.uid)) return;
      const script = this.#script(pod);
      if (script === 'pending') return;
      const begun = await this.#begin(pod);
      if (script !== 'run') await this.#end(begun, script.exitCode, script.log);
    } catch (error) {
      if (!isKubeError(error)) throw error;
    }
  }

  /** Sets the phase first, as a real kubelet does: the Job controller counts a killed Pod by its phase. */
  async #terminate(pod: Pod & KubeObject): Promise<void> {
    if (this.#nodeIsLost) return;
    const { phase } = pod.status ?? {};
    if (phase === 'Running') await this.#end(pod, this.exitWhenTold, undefined);
    else if (phase === 'Succeeded' || phase === 'Failed') await this.#removePod(pod);
    else await this.#setStatus(pod, 'Failed', { terminated: NEVER_RAN });
  }

  async #begin(pod: Pod & KubeObject): Promise<Pod & KubeObject> {
    const [container] = (pod.spec as { containers: { args?: string[]; env?: { name: string; value?: string }[] }[] })
      .containers;
    const played: Played = {
      pod: pod.metadata.name,
      job: pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? '',
      environment: pod.metadata.labels?.['capdeployjob.dev/environment'] ?? '',
      args: container?.args ?? [],
      env: Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value])),
      startedAt: Date.now(),
      endedAt: undefined,
    };
    this.#handled.set(pod.metadata.uid, played);
    const begun = await this.#setStatus(pod, 'Running', { running: { startedAt: new Date().toISOString() } });
    this.diary.push(played);
    return begun;
  }

  /** Its containers exit. A container that exited before keeps its exit code. */
  async #end(pod: Pod & KubeObject, exitCode: number, log: string | undefined): Promise<void> {
    const finishedAt = new Date().toISOString();
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    const message = log === undefined ? {} : { message: log };
    const terminated = { exitCode, reason, startedAt: finishedAt, finishedAt, ...message };
    await this.#changeStatus(pod, (status) => {
      const containerStatuses = (status?.containerStatuses ?? []).map((each) =>
        each.state?.terminated ? each : { ...each, ready: false, state: { terminated } },
      );
      const isGood = containerStatuses.every(({ state }) => state?.terminated?.exitCode === 0);
      return { ...status, phase: isGood ? 'Succeeded' : 'Failed', containerStatuses };
    });
  }

  async #setStatus(pod: Pod & KubeObject, phase: string, state: Record<string, unknown>): Promise<Pod & KubeObject> {
    const { containers } = pod.spec as { containers: { name: string; image: string }[] };
    const ready = phase === 'Running';
    const containerStatuses = containers.map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready,
      restartCount: 0,
      state,
    }));
    return this.#changeStatus(pod, (status) => ({ ...status, phase, containerStatuses }));
  }

  async #changeStatus(
    pod: Pod & KubeObject,
    change: (status: Pod['status']) => Pod['status'],
  ): Promise<Pod & KubeObject> {
    let current = pod;
    for (;;) {
      const next: Pod & KubeObject = { ...current, status: change(current.status) ?? {} };
      try {
        return await this.#kube.replaceStatus(PODS, next);
      } catch (error) {
        // The Job controller wrote first.
        if (!isKubeError(error, 'conflict')) throw error;
      }
      current = await this.#kube.get<Pod & KubeObject>(PODS, pod.metadata.namespace, pod.metadata.name);
    }
  }

  #note(pod: Pod): void {
    const played = this.#handled.get(pod.metadata.uid);
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed' || pod.metadata.deletionTimestamp;
    if (played && ended) played.endedAt ??= Date.now();
  }
}
