import type { KubeObject } from '../../src/kube/client.ts';
import { PODS } from '../../src/kube/client.ts';
import { PodPlayer } from '../../src/local/kubelet/play-pods.ts';
import { textAt } from '../../src/local/store/json.ts';
import type { World } from './world.ts';

/** How a Pod lives, drawn when it is created. Milliseconds. */
interface Script {
  startMs: number;
  /** undefined: it hangs until somebody ends it. */
  runMs: number | undefined;
  exitCode: number;
  /** From the request to end it until it has ended. */
  endMs: number;
}

/** Scheduler and nodes: each Pod starts after a while, runs, ends, and ends when it is told to, unless its node is lost. */
export class Nodes {
  readonly #world: World;
  readonly #player: PodPlayer;
  readonly #scripts = new Map<string, Script>();
  /** Pods (by uid) whose node nobody hears of any more. */
  readonly lost = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    this.#player = new PodPlayer(world.store);
    world.store.onChange((type, { type: change, object, previous }) => {
      if (type.storage !== '/pods') return;
      if (change === 'ADDED') this.#play(object);
      const wasDeleted = previous?.metadata.deletionTimestamp !== undefined;
      if (change === 'MODIFIED' && object.metadata.deletionTimestamp !== undefined && !wasDeleted)
        this.#endSoon(object);
    });
  }

  /** The node is gone: the Pod stays as it is, for nobody reports its end. */
  lose(pod: KubeObject): void {
    this.lost.add(pod.metadata.uid ?? '');
  }

  /** The node is heard of again: what was to end has ended. */
  comeBack(uid: string): void {
    this.lost.delete(uid);
    const pod = this.#world.store.list(PODS).items.find(({ metadata }) => metadata.uid === uid);
    if (pod !== undefined) this.#player.endDeleted(...placeOf(pod));
  }

  #play(pod: KubeObject): void {
    const { profile } = this.#world;
    const random = this.#world.random('pod', this.#scripts.size);
    const kind = this.#world.calmPods ? 'succeeds' : random.weighted(profile.podFates);
    const script: Script = {
      startMs: kind === 'never starts' ? 10 ** 9 : random.magnitude(20, kind === 'starts late' ? 90_000 : 3_000),
      runMs: kind === 'hangs' ? undefined : random.magnitude(500, 60_000),
      exitCode: kind === 'fails' ? 1 : 0,
      endMs: kind === 'ends slowly' ? random.magnitude(1_000, 45_000) : random.magnitude(1, 2_000),
    };
    if (kind !== 'succeeds') this.#world.trace.count(`Pod ${kind}`);
    this.#scripts.set(pod.metadata.uid ?? '', script);
    this.#later(pod, script.startMs, (current) => {
      if (current.metadata.deletionTimestamp !== undefined) return;
      this.#player.run(...placeOf(current));
      if (script.runMs === undefined) return;
      this.#later(current, script.runMs, (running) => {
        // Told to end: what comes then is the end by signal.
        if (running.metadata.deletionTimestamp !== undefined || textAt(running, 'status', 'phase') !== 'Running')
          return;
        this.#player.finish(...placeOf(running), script.exitCode, script.exitCode === 0 ? undefined : 'cap aborted!');
      });
    });
  }

  #endSoon(pod: KubeObject): void {
    const endMs = this.#scripts.get(pod.metadata.uid ?? '')?.endMs ?? 1;
    this.#later(pod, endMs, (current) => this.#player.endDeleted(...placeOf(current)));
  }

  #later(pod: KubeObject, ms: number, act: (current: KubeObject) => void): void {
    const { uid = '', namespace, name } = pod.metadata;
    this.#world.clock.after(ms, () => {
      const current = this.#world.store.find(PODS, namespace, name);
      if (current?.metadata.uid === uid && !this.lost.has(uid)) act(current);
    });
  }
}

const placeOf = ({ metadata }: KubeObject): [string, string] => [metadata.namespace ?? '', metadata.name];
