import { type Ended, PodPlayer } from 'in-memory-kubernetes/kubelet/play-pods.ts';
import { at, listAt, textAt } from 'in-memory-kubernetes/store/json.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { PODS } from '../../src/kube/client.ts';
import { drawScript, type Script } from './fates.ts';
import { openEnd } from './gaps.ts';
import type { World } from './world.ts';

/** A Pod as its node has it, whatever the API server has been told of it yet. */
interface Life {
  readonly script: Script;
  /** How the first container has ended, in its latest run. */
  ended: Ended | undefined;
  /** Its kubelet has begun to end it, of its own accord. */
  isEvicted: boolean;
}

const TOLD_TO_END = 143;
const KILLED = 137;

/**
 * Scheduler and nodes: each Pod starts after a while, runs, ends, and ends when it is told to, unless its node is lost.
 * What really happened to its first container is told to the oracle at that moment; the API server hears of it from the
 * kubelet, later.
 */
export class Nodes {
  readonly #world: World;
  readonly #player: PodPlayer;
  readonly #lives = new Map<string, Life>();
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
    if (pod !== undefined) this.#endDeleted(pod);
  }

  /** Somebody is about to delete the Pod, for the node's sake, and says so first. */
  announceDisruption(pod: KubeObject, reason: string): void {
    this.#player.announceDisruption(...placeOf(pod), reason);
  }

  #play(pod: KubeObject): void {
    const { profile, calmPods } = this.#world;
    const random = this.#world.random('pod', this.#lives.size);
    const script = drawScript(profile, pod, random, calmPods);
    if (script.fate !== 'succeeds') this.#world.trace.count(`Pod ${script.fate}`);
    const life: Life = { script, ended: undefined, isEvicted: false };
    this.#lives.set(uidOf(pod), life);
    this.#later(pod, script.startMs, (current) => {
      if (!isBeingDeleted(current)) this.#begin(current, life);
    });
  }

  #begin(pod: KubeObject, { script }: Life): void {
    const place = placeOf(pod);
    if (script.fate === 'is refused by its node') {
      this.#player.refuse(...place, 'OutOfcpu', 'Node didn’t have enough resource: cpu');
      return;
    }
    if (script.fate === 'fails in an init container') {
      this.#player.failInit(...place, 1);
      return;
    }
    if (script.fate === 'cannot be started') this.#endsByItself(pod, script.end);
    else this.#run(this.#player.run(...place), script.runMs, script.end);
  }

  /** The first container runs, and ends after a while. */
  #run(pod: KubeObject, runMs: number | undefined, end: Ended): void {
    if (runMs === undefined) return;
    const { fate } = this.#lives.get(uidOf(pod))?.script ?? {};
    this.#later(pod, runMs, (running) => {
      // Told to end: what comes then is the end by signal.
      if (isBeingDeleted(running) || textAt(running, 'status', 'phase') !== 'Running') return;
      if (fate === 'is evicted') this.#evict(running);
      else if (fate === 'is forgotten by its node') this.#forget(running, end);
      else this.#endsByItself(running, end);
    });
  }

  #endsByItself(pod: KubeObject, end: Ended): void {
    const uid = uidOf(pod);
    const life = this.#lives.get(uid);
    if (life === undefined || life.isEvicted) return;
    const { script } = life;
    const ended = { ...end, at: this.#world.clock.now() };
    const again = end === script.end ? script.again : undefined;
    life.ended = ended;
    this.#world.oracle.firstContainerEnded(uid, { code: end.exitCode, at: ended.at, byItself: true });
    openEnd(this.#world, pod.metadata.name);
    if (script.reportMs > 500) this.#world.trace.count('end of a Pod is reported late');
    this.#soon(pod, script.reportMs, (current) => {
      // It was ended meanwhile, and all was reported with that.
      if (life.ended !== ended || isOver(current)) return;
      if (again) this.#player.endForNow(...placeOf(current), ended);
      else this.#endNativeSoon(this.#player.end(...placeOf(current), 0, ended));
    });
    if (!again) {
      this.#endSide(pod, life);
      return;
    }
    this.#later(pod, script.reportMs + again.pauseMs, (current) => {
      if (isBeingDeleted(current) || isOver(current) || life.isEvicted) return;
      life.ended = undefined;
      this.#world.oracle.firstContainerStarted(uid);
      this.#run(this.#player.restart(...placeOf(current)), again.runMs, again.end);
    });
  }

  #endSide(pod: KubeObject, { script: { side } }: Life): void {
    if (side === undefined) return;
    this.#world.trace.count(`side-car ${side.fate}`);
    if (side.ms === undefined) return;
    this.#later(pod, side.ms, (current) => {
      if (isBeingDeleted(current) || isOver(current)) return;
      this.#endNativeSoon(this.#player.end(...placeOf(current), 1, { exitCode: side.exitCode }));
    });
  }

  /** The kubelet ends the native side-cars when all others have ended. */
  #endNativeSoon(pod: KubeObject): void {
    const hasNative = listAt(pod, 'spec', 'initContainers').some(({ restartPolicy }) => restartPolicy === 'Always');
    const runs = listAt(pod, 'status', 'containerStatuses').some((each) => at(each, 'state', 'running') !== undefined);
    if (!hasNative || runs) return;
    this.#world.trace.count('native side-car ends');
    this.#later(pod, this.#lives.get(uidOf(pod))?.script.nativeMs ?? 1, (current) => {
      if (!isBeingDeleted(current) && !isOver(current)) this.#player.endNative(...placeOf(current));
    });
  }

  /** The kubelet ends the Pod of its own accord, and tells of it when it has ended. */
  #evict(pod: KubeObject): void {
    const life = this.#lives.get(uidOf(pod))!;
    life.isEvicted = true;
    this.#later(pod, life.script.endMs, (current) => {
      if (isOver(current)) return;
      this.#player.evict(...placeOf(current), this.#ended(current, KILLED));
    });
  }

  /** The node was started anew, and knows nothing of the containers that it had. */
  #forget(pod: KubeObject, unknown: Ended): void {
    const life = this.#lives.get(uidOf(pod))!;
    life.ended = unknown;
    this.#world.oracle.firstContainerEnded(uidOf(pod), {
      code: unknown.exitCode,
      at: this.#world.clock.now(),
      byItself: false,
    });
    const containers = listAt(pod, 'spec', 'containers');
    let current = pod;
    for (const [index] of containers.entries()) current = this.#player.end(...placeOf(pod), index, unknown);
    this.#endNativeSoon(current);
  }

  #endSoon(pod: KubeObject): void {
    const { exitMs = 1, endMs = 1, letGoMs = 0 } = this.#lives.get(uidOf(pod))?.script ?? {};
    this.#later(pod, exitMs, (current) => void this.#ended(current, TOLD_TO_END));
    this.#later(pod, endMs, (current) => {
      this.#player.stop(...placeOf(current), this.#ended(current, TOLD_TO_END));
      if (letGoMs === 0) this.#player.letGo(...placeOf(current));
      else this.#later(current, letGoMs, (ended) => this.#player.letGo(...placeOf(ended)));
    });
  }

  #endDeleted(pod: KubeObject): void {
    if (!isBeingDeleted(pod)) return;
    this.#player.stop(...placeOf(pod), this.#ended(pod, TOLD_TO_END));
    this.#player.letGo(...placeOf(pod));
  }

  /** How the first container has ended; where it runs, it ends now, as it was told to. */
  #ended(pod: KubeObject, signalled: number): Ended {
    const life = this.#lives.get(uidOf(pod));
    if (life === undefined) return { exitCode: signalled };
    const isRunning = firstState(pod, 'running') !== undefined;
    if (life.ended === undefined && isRunning) {
      life.ended = { exitCode: life.script.traps ? 0 : signalled, at: this.#world.clock.now() };
      if (life.script.traps) this.#world.trace.count('Pod exits 0 when told to end');
      this.#world.oracle.firstContainerEnded(uidOf(pod), {
        code: life.ended.exitCode,
        at: this.#world.clock.now(),
        byItself: false,
      });
    }
    return life.ended ?? { exitCode: signalled };
  }

  #soon(pod: KubeObject, ms: number, act: (current: KubeObject) => void): void {
    if (ms > 0) this.#later(pod, ms, act);
    else act(pod);
  }

  #later(pod: KubeObject, ms: number, act: (current: KubeObject) => void): void {
    const { uid = '', namespace, name } = pod.metadata;
    this.#world.clock.setTimeout(() => {
      const current = this.#world.store.find(PODS, namespace, name);
      if (current?.metadata.uid === uid && !this.lost.has(uid)) act(current);
    }, ms);
  }
}

const uidOf = ({ metadata }: KubeObject): string => metadata.uid ?? '';
const placeOf = ({ metadata }: KubeObject): [string, string] => [metadata.namespace ?? '', metadata.name];
const isBeingDeleted = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;
const isOver = (pod: KubeObject): boolean => ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? '');

function firstState(pod: KubeObject, state: 'running' | 'terminated'): unknown {
  const name = textAt(pod, 'spec', 'containers', 0, 'name');
  const status = listAt(pod, 'status', 'containerStatuses').find((each) => each.name === name);
  return at(status, 'state', state);
}
