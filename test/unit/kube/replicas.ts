import { Store } from 'in-memory-kubernetes/store/store.ts';
import { createLocalClient } from '../../../dev/in-process-client.ts';
import { type Clock, sleep } from '../../../src/base/clock.ts';
import type { KubeClient, KubeObject } from '../../../src/kube/client.ts';
import { LEASES, NAMESPACES } from '../../../src/kube/client.ts';
import { LeaderElector } from '../../../src/kube/election/leader-elector.ts';
import type { Lease, LeaseRecord } from '../../../src/kube/election/lease.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { VirtualClock } from '../../kit/clocks.ts';
import { type Call, interceptClient } from '../../kit/intercept-client.ts';

export const LEASE = { namespace: 'capdeployjob-system', name: 'capdeployjob' };

/** One API server on a virtual clock, and replicas that want to lead. */
export class Replicas {
  readonly clock = new VirtualClock();
  readonly store: Store;
  /** With all rights, for a person. */
  readonly person: KubeClient;
  readonly all: Replica[] = [];

  constructor() {
    this.store = new Store({ clock: this.clock });
    this.person = createLocalClient(this.store);
    this.store.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: LEASE.namespace },
    } as KubeObject);
  }

  /** Starts one more, under this name. */
  start(name: string, options: Partial<ConstructorParameters<typeof Replica>[2]> = {}): Replica {
    const replica = new Replica(this, name, { durationMs: 15_000, aheadMs: 0, ...options });
    this.all.push(replica);
    replica.elector.start();
    return replica;
  }

  get lease(): Lease | undefined {
    return this.store.find(LEASES, LEASE.namespace, LEASE.name) as Lease | undefined;
  }

  get record(): LeaseRecord | undefined {
    return this.lease?.spec;
  }

  /** Of those that run: one that is stopped does nothing, and its first question decides. */
  get leaders(): string[] {
    return this.all.filter(({ elector, isPaused }) => !isPaused && elector.granted()).map(({ name }) => name);
  }

  /** As a person with kubectl. */
  async edit(patch: Record<string, unknown>): Promise<void> {
    const { uid = '', resourceVersion = '' } = this.lease!.metadata;
    await this.person.patch(LEASES, LEASE.namespace, LEASE.name, { uid, resourceVersion }, patch);
  }

  async delete(): Promise<void> {
    const { uid = '', resourceVersion = '' } = this.lease!.metadata;
    await this.person.delete(LEASES, LEASE.namespace, LEASE.name, { uid, resourceVersion });
  }

  /**
   * Lets time pass; two leaders at any moment are an error, unless the test expects them. @returns the most that there
   * were at once.
   */
  async advance(ms: number, stepMs = 100): Promise<number> {
    let most = 0;
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advance(Math.min(stepMs, ms - passed));
      most = Math.max(most, this.leaders.length);
    }
    return most;
  }

  async end(): Promise<void> {
    for (const replica of this.all) replica.fault = undefined;
    for (const replica of this.all) if (replica.isPaused) replica.resume();
    await Promise.all(this.all.map(({ elector }) => elector.abandon()));
  }
}

/** What becomes of a request: it fails before it takes effect, or after, or is never answered. */
export type Fault = 'refused' | 'no answer' | 'done, no answer' | undefined;

/**
 * A process that wants to lead: it has a clock of its own, may be cut off from the API server, and may be stopped and
 * woken (SIGSTOP, SIGCONT).
 */
export class Replica {
  readonly name: string;
  readonly elector: LeaderElector;
  /** Every request but watches, in order. */
  readonly requests: string[] = [];
  readonly seenLeaders: string[] = [];
  readonly warnings: string[] = [];
  fault: Fault | ((verb: string) => Fault);
  /** Whether its clock was put forward, or back, by somebody. */
  wallAheadMs: number;
  lost: string | undefined;
  /** The way of each answer back to it. */
  answersAfterMs = 0;
  readonly #world: Replicas;
  #woken: PromiseWithResolvers<void> | undefined;
  #due: (() => void)[] = [];

  constructor(world: Replicas, name: string, options: { durationMs: number; aheadMs: number }) {
    this.#world = world;
    this.name = name;
    this.wallAheadMs = options.aheadMs;
    this.elector = new LeaderElector({
      client: this.#client(createLocalClient(world.store)),
      lease: LEASE,
      identity: name,
      durationMs: options.durationMs,
      clock: this.#clock(),
      log: {
        debug: () => {},
        info: () => {},
        warn: (_, message) => this.warnings.push(message),
        error: (_, message) => this.warnings.push(message),
      },
      onNewLeader: (identity) => this.seenLeaders.push(identity),
    });
    void this.elector.lost.then(({ message }) => {
      this.lost = message;
    });
  }

  get isPaused(): boolean {
    return this.#woken !== undefined;
  }

  pause(): void {
    this.#woken = Promise.withResolvers<void>();
  }

  /** What fell due in its sleep happens now, but only after the caller has looked. */
  resume(): void {
    this.#woken?.resolve();
    this.#woken = undefined;
    for (const callback of this.#due.splice(0)) queueMicrotask(callback);
  }

  #clock(): Clock {
    const { clock } = this.#world;
    return {
      now: () => clock.now() + this.wallAheadMs,
      monotonic: () => clock.now(),
      random: () => clock.random(),
      setTimeout: (callback, ms) => {
        const run = () => void (this.isPaused ? this.#due.push(run) : callback());
        return clock.setTimeout(run, ms);
      },
      clearTimeout: (handle) => clock.clearTimeout(handle),
    };
  }

  #client(client: KubeClient): KubeClient {
    const send = async <T>({ verb }: Call, request: () => Promise<T>): Promise<T> => {
      await this.#woken?.promise;
      this.requests.push(verb);
      const fault = typeof this.fault === 'function' ? this.fault(verb) : this.fault;
      if (fault === 'refused') throw unreachable();
      if (fault === 'no answer') return new Promise(() => {});
      const answer = await request();
      if (fault === 'done, no answer') return new Promise(() => {});
      if (this.answersAfterMs > 0) await sleep(this.#world.clock, this.answersAfterMs, new AbortController().signal);
      await this.#woken?.promise;
      return answer;
    };
    return interceptClient(client, send, (...args) => this.#watch(client, args));
  }

  async *#watch<T extends KubeObject>(client: KubeClient, args: Parameters<KubeClient['watch']>) {
    const fault = typeof this.fault === 'function' ? this.fault('watch') : this.fault;
    if (fault !== undefined) throw unreachable();
    for await (const event of client.watch<T>(...args)) {
      await this.#woken?.promise;
      yield event;
    }
  }
}

const unreachable = () =>
  new KubeError('retryable', { status: 0, reason: 'ECONNREFUSED', message: 'the API server cannot be reached' });
