import { setTimeout as pause } from 'node:timers/promises';
import { LABEL } from '../../../src/api/names.ts';
import { type KubeObject, PODS } from '../../../src/kube/client.ts';
import { isKubeError } from '../../../src/kube/errors.ts';
import { Reflector } from '../../../src/kube/informer/reflector.ts';
import type { Pod } from '../../../src/lanes/job.ts';
import type { AdminClient } from '../../kit/admin-client.ts';
import type { Run } from '../audit/evidence.ts';

type ApiPod = Pod & KubeObject;

/** What the container of a Pod does by itself; milliseconds. */
export interface Script {
  /** From the kubelet's seeing the Pod to the container's start. */
  startsAfter: number;
  runsFor: number;
  exitCode: number;
  /** From being told to end to its end. */
  endsAfter: number;
}

const RETRY_MS = 100;
const KILLED = 143;

/**
 * A kubelet without containers for all Pods of a namespace, as one on a node that no fault of the control plane stops:
 * what runs runs on while the API server is away, and is reported when it is back. When its containers ran it writes
 * down by its own clock.
 */
export class FaultsKubelet {
  readonly runs: Run[] = [];
  readonly #admin: AdminClient;
  readonly #script: (revision: string) => Script;
  readonly #reflector: Reflector<ApiPod>;
  readonly #held = new Map<string, HeldPod>();
  readonly #stopped = new AbortController();
  readonly #work = new Set<Promise<void>>();

  constructor(options: { admin: AdminClient; namespace: string; script: (revision: string) => Script }) {
    this.#admin = options.admin;
    this.#script = options.script;
    this.#reflector = new Reflector<ApiPod>({
      client: options.admin,
      type: PODS,
      namespace: options.namespace,
      timings: { backoffBaseMs: 100, backoffCapMs: 500 },
      sink: {
        replace: (pods) => this.#replace(pods),
        apply: ({ type, object }) => (type === 'DELETED' ? this.#forget(object.metadata.uid) : this.#see(object)),
        failed: () => {},
      },
    });
    this.#reflector.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#reflector.stop();
    for (const held of this.#held.values()) held.end();
    await Promise.all(this.#work);
  }

  #replace(pods: readonly ApiPod[]): void {
    const there = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const uid of this.#held.keys()) if (!there.has(uid)) this.#forget(uid);
    for (const pod of pods) this.#see(pod);
  }

  #see(pod: ApiPod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    let held = this.#held.get(uid);
    if (held === undefined) {
      held = new HeldPod();
      this.#held.set(uid, held);
      const work = this.#live(pod, held);
      this.#work.add(work);
      void work.finally(() => this.#work.delete(work));
    }
    if (deletionTimestamp !== undefined) held.end();
  }

  /** Its object is gone, however that came: a kubelet kills what it has no Pod for. */
  #forget(uid: string): void {
    this.#held.get(uid)?.end();
    this.#held.delete(uid);
  }

  async #live(pod: ApiPod, held: HeldPod): Promise<void> {
    const container = containerOf(pod);
    const script = this.#script(container.revision);
    let exitCode = KILLED;
    await held.unlessEnding(script.startsAfter);
    if (!held.ending) {
      const run: Run = { ...container, startedAt: Date.now(), endedAt: undefined, exitCode: undefined };
      this.runs.push(run);
      const running = this.#report(pod, 'Running', { running: { startedAt: iso(run.startedAt) } }, run);
      await held.unlessEnding(script.runsFor);
      if (held.ending) await pause(script.endsAfter);
      else exitCode = script.exitCode;
      run.endedAt = Date.now();
      run.exitCode = exitCode;
      await running;
    }
    const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: iso(Date.now()) };
    await this.#report(pod, exitCode === 0 ? 'Succeeded' : 'Failed', { terminated });
    await held.ended;
    await this.#remove(pod);
  }

  /** Until the API server has it, or the Pod is gone. @param unless then there is something newer to report */
  async #report(pod: ApiPod, phase: string, state: object, unless?: Run): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const [container] = (pod.spec as { containers: { name: string; image: string }[] }).containers;
    const ready = phase === 'Running';
    const containerStatuses = [
      { name: container?.name, image: container?.image, imageID: '', ready, restartCount: 0, state },
    ];
    await this.#insist(async () => {
      if (unless?.endedAt !== undefined) return;
      const current = await this.#admin.get<ApiPod>(PODS, namespace, name);
      if (current.metadata.uid !== uid) return;
      await this.#admin.replaceStatus(PODS, { ...current, status: { ...current.status, phase, containerStatuses } });
    });
  }

  async #remove({ metadata: { namespace, name, uid } }: ApiPod): Promise<void> {
    await this.#insist(() =>
      this.#admin.deleteOne(PODS, namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } }),
    );
  }

  async #insist(send: () => Promise<void>): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      try {
        return await send();
      } catch (error) {
        if (!isKubeError(error)) throw error;
        if (error.kind === 'gone') return;
        // The Job controller wrote first: at once.
        if (error.kind !== 'conflict') await pause(RETRY_MS);
      }
    }
  }
}

/** What the kubelet knows of a Pod besides its object: whether it is to end. */
class HeldPod {
  ending = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly ended = this.#ended.promise;

  end(): void {
    this.ending = true;
    this.#ended.resolve();
  }

  /** Resolves after so many milliseconds, or as soon as it is to end. */
  async unlessEnding(ms: number): Promise<void> {
    const done = new AbortController();
    await Promise.race([pause(ms, undefined, { signal: done.signal }).catch(() => {}), this.ended]);
    done.abort();
  }
}

function containerOf(pod: ApiPod): Pick<Run, 'pod' | 'job' | 'resource' | 'environment' | 'task' | 'revision'> {
  const [container] = (pod.spec as { containers: { args?: string[]; env?: { name: string; value?: string }[] }[] })
    .containers;
  return {
    pod: pod.metadata.name,
    job: pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? '',
    resource: pod.metadata.labels?.[LABEL.name] ?? '',
    // What it is told to do, not what its labels say.
    environment: container?.args?.[1] ?? '',
    task: container?.args?.[2] ?? '',
    revision: container?.env?.find(({ name }) => name === 'REVISION')?.value ?? '',
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
