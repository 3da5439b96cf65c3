import type { Clock, TimerHandle } from '../../src/base/clock.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import type { Operator } from '../../src/operator/operator.ts';
import { type KnownExit, type Look, learnt, NO_LOOK } from './looks.ts';
import type { Random } from './random.ts';
import { annotationOf } from './truth.ts';
import type { World } from './world.ts';

/**
 * One life of an operator's process. When it dies, nothing of it ever happens again: its timers are gone, its promises
 * never settle, its memory is lost. Requests that it had sent may still arrive.
 */
export class Incarnation {
  readonly name: string;
  readonly clock: ProcessClock;
  isDead = false;
  isPaused = false;
  /** It got SIGTERM. */
  isStopping = false;
  running: Operator | undefined;
  readonly bornAt: number;
  /** What its latest pass has seen, by resource. */
  readonly looks = new Map<string, Look>();
  /** What it knows of the ends of Pods, by their uid. */
  readonly known = new Map<string, KnownExit>();
  /** Whose name was on the Jobs of whose deletion a watch has told it, by their uid. */
  readonly aborters = new Map<string, string | undefined>();
  readonly #onDeath: (() => void)[] = [];

  constructor(name: string, clock: ProcessClock, bornAt: number) {
    this.name = name;
    this.clock = clock;
    this.bornAt = bornAt;
  }

  onDeath(callback: () => void): void {
    this.#onDeath.push(callback);
  }

  /** A watch or a list has shown it a version of a Pod. */
  hasSeen(pod: KubeObject): void {
    const uid = pod.metadata.uid ?? '';
    this.known.set(uid, learnt(this.known.get(uid), pod));
  }

  /** A watch has told it of the deletion of a Job. */
  hasHeardOfDeletion(job: KubeObject): void {
    this.aborters.set(job.metadata.uid ?? '', annotationOf(job, 'aborted-by'));
  }

  /** A pass begins with its look at the Jobs of a resource; whatever comes after that, it cannot have seen. */
  looksAtJobs(resource: string, version: number): void {
    this.looks.set(resource, { ...NO_LOOK, jobs: version });
  }

  looksAtPods(resource: string, version: number): void {
    const look = this.looks.get(resource) ?? NO_LOOK;
    this.looks.set(resource, { ...look, pods: version, known: new Map(this.known), aborters: new Map(this.aborters) });
  }

  pause(): void {
    this.isPaused = true;
    this.clock.hold();
  }

  wake(): void {
    this.isPaused = false;
    this.clock.letGo();
  }

  die(): void {
    this.isDead = true;
    this.clock.die();
    for (const callback of this.#onDeath.splice(0)) callback();
  }
}

interface Pending {
  timer: TimerHandle;
  callback: () => void;
}

/** A process's clock: the world's time, set a little wrong, and timers that stop with the process. */
export class ProcessClock implements Clock {
  readonly #world: World;
  readonly #skewMs: number;
  readonly #random: Random;
  readonly #timers = new Set<Pending>();
  #held: Pending[] | undefined;
  #dead = false;

  constructor(world: World, skewMs: number, random: Random) {
    this.#world = world;
    this.#skewMs = skewMs;
    this.#random = random;
  }

  now = (): number => this.#world.clock.now() + this.#skewMs;
  random = (): number => this.#random.next();

  setTimeout(callback: () => void, ms: number): TimerHandle {
    const pending: Pending = { timer: undefined, callback };
    if (this.#dead) return pending;
    this.#timers.add(pending);
    // Whole milliseconds, at least one, as Node's own timers.
    pending.timer = this.#world.clock.setTimeout(() => this.#fire(pending), Math.max(1, Math.trunc(ms)));
    return pending;
  }

  clearTimeout(handle: TimerHandle): void {
    const pending = handle as Pending | undefined;
    if (pending === undefined || !this.#timers.delete(pending)) return;
    this.#world.clock.clearTimeout(pending.timer);
  }

  hold(): void {
    this.#held ??= [];
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pending of held) this.#fire(pending);
  }

  die(): void {
    this.#dead = true;
    for (const { timer } of this.#timers) this.#world.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  #fire(pending: Pending): void {
    if (this.#dead || !this.#timers.has(pending)) return;
    if (this.#held) {
      this.#held.push(pending);
      return;
    }
    this.#timers.delete(pending);
    pending.callback();
  }
}
