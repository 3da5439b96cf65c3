import { VirtualClock } from 'in-memory-kubernetes/clock.ts';
import { GarbageCollector } from 'in-memory-kubernetes/controllers/garbage-collector.ts';
import { JobController } from 'in-memory-kubernetes/controllers/job-controller.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { createLocalClient } from '../../dev/in-process-client.ts';
import { createStore } from '../kit/store.ts';
import { Call, type Task } from './call.ts';
import { openGap } from './gaps.ts';
import { Nodes } from './kubelet.ts';
import { OPERATOR_NAMESPACE, startReplica } from './operator.ts';
import { Oracle } from './oracle.ts';
import { drawProfile, type Profile, type Special } from './profile.ts';
import { Random } from './random.ts';
import { Incarnation, ProcessClock } from './replica.ts';
import { Setting } from './setting.ts';
import type { QueueModel } from './sqs-model.ts';
import { Trace } from './trace.ts';
import { Watch } from './watch.ts';

const START = '2026-03-10T12:00:00.000Z';
const CONTROLLER_REACTION_MS = 2;
/** How long a request takes where nothing delays it. */
const CALL_MS = 1;
const RESTART_MS = 1_000;

export interface WorldOptions {
  readonly seed: number;
  /** No Pod but those that start soon and succeed. */
  readonly calmPods?: boolean;
  readonly profile?: Partial<Profile>;
  readonly keepsLines?: boolean;
}

/** Who does what is being done: a replica's request, somebody by hand, or the cluster itself. */
export type Actor = Incarnation | 'somebody' | 'the cluster';

/**
 * A cluster, its queues and its operators, in one process, on one clock, with nothing in it that the seed does not
 * decide.
 */
export class World {
  readonly seed: number;
  readonly calmPods: boolean;
  readonly clock = new VirtualClock(START);
  readonly trace: Trace;
  readonly profile: Profile;
  readonly store: Store;
  readonly client;
  readonly nodes: Nodes;
  readonly oracle: Oracle;
  readonly setting: Setting;
  readonly queues = new Map<string, QueueModel>();
  /** What can happen next, in the order in which it became possible. */
  tasks: Task[] = [];
  readonly watches = new Set<Watch>();
  silentWatches: Watch[] = [];
  readonly replicas: (Incarnation | undefined)[] = [];
  actor: Actor = 'the cluster';
  /** His name, where somebody acts by hand and it matters. */
  person: string | undefined;
  /**
   * What the name of the Job that somebody has in mind begins with: of several that suit, it is mostly such a one that
   * he acts on.
   */
  inMind: string | undefined;
  /** No request reaches the API server, or SQS, before this. */
  apiDownUntil = 0;
  sqsDownUntil = 0;
  /** The Job controller looks at nothing before this, and so much later at anything. */
  jobControllerPausedUntil = 0;
  jobControllerLagMs = 0;
  isDraining = false;
  /** Writes of operators, for the rest in which there must be none. */
  operatorWrites = 0;
  #numbers = 0;
  #lives = 0;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.calmPods = options.calmPods ?? false;
    this.trace = new Trace(options.keepsLines ?? false, () => this.clock.now());
    this.profile = { ...drawProfile(this.random('profile')), ...options.profile };
    const names = this.random('names');
    let uids = 0;
    const newUid = () => {
      uids += 1;
      return `00000000-0000-4000-8000-${String(uids).padStart(12, '0')}`;
    };
    this.store = createStore({ clock: this.clock, random: () => names.next(), newUid }, OPERATOR_NAMESPACE);
    this.client = createLocalClient(this.store);
    const lag = this.random('lag');
    new JobController(this.store, {
      reactionMs: () =>
        CONTROLLER_REACTION_MS +
        this.jobControllerLagMs +
        Math.max(0, this.jobControllerPausedUntil - this.clock.now()),
      finishesEarly: this.profile.finishesEarly,
      podCreationLagMs: () => (this.isDraining ? 1 : 1 + lag.int(this.profile.podLagMs + 1)),
    });
    new GarbageCollector(this.store, { delayMs: this.profile.collectorMs });
    this.nodes = new Nodes(this);
    this.oracle = new Oracle(this);
    this.store.onChange((type, { type: change, object }) => {
      if (this.actor instanceof Incarnation && type.plural !== 'leases') this.operatorWrites += 1;
      this.trace.note(`${change} ${object.metadata.name} ${object.metadata.resourceVersion}`, () => {
        return `    ${change} ${object.kind} ${object.metadata.name} (${object.metadata.resourceVersion}) by ${this.actorName}`;
      });
    });
    this.setting = new Setting(this);
  }

  get actorName(): string {
    return this.actor instanceof Incarnation ? this.actor.name : this.actor;
  }

  /** A stream of its own for everything that has a name: it does not depend on what else was drawn. */
  random(...parts: readonly (number | string)[]): Random {
    return new Random(this.seed, ...parts);
  }

  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  chance(probability: number): boolean {
    return this.random('chance', this.nextNumber()).chance(probability);
  }

  sqsRefusesEntry(): boolean {
    return !this.isDraining && this.profile.weights.some(([special]) => special === 'SQS refuses') && this.chance(0.05);
  }

  as<T>(actor: Actor, act: () => T): T {
    const before = this.actor;
    this.actor = actor;
    try {
      return act();
    } finally {
      this.actor = before;
    }
  }

  asPerson<T>(name: string, act: () => T): T {
    this.person = name;
    try {
      return this.as('somebody', act);
    } finally {
      this.person = undefined;
    }
  }

  happened(special: Special, words: string): true {
    this.trace.count(special);
    this.trace.note(`! ${special}`, () => `!! ${special}: ${words}`);
    return true;
  }

  // ---- Replicas
  // -------------------------------------------------------------------------------------------------------------------

  /** Starts those that are not there. */
  startReplicas(): void {
    for (let index = 0; index < this.profile.replicas; index += 1) if (!this.replicas[index]) this.startReplica(index);
  }

  startReplica(index: number): void {
    this.#lives += 1;
    const name = `${'AB'[index]}${this.#lives}`;
    const skewMs = index === 1 ? this.profile.skewMs : 0;
    const incarnation = new Incarnation(
      name,
      new ProcessClock(this, skewMs, this.random('process', name)),
      this.clock.now(),
    );
    this.replicas[index] = incarnation;
    this.trace.note(`${name} starts`);
    startReplica(this, incarnation);
  }

  /** A process that ended by itself; its kubelet starts it again. */
  replicaEnded(incarnation: Incarnation, why: string): void {
    const index = this.replicas.indexOf(incarnation);
    if (index < 0 || incarnation.isDead) return;
    this.trace.count(`replica ends: ${why}`);
    this.trace.note(`${incarnation.name} ends`, () => `${incarnation.name} ends: ${why}`);
    // Not from within what it is just doing.
    this.clock.setTimeout(() => {
      if (this.replicas[index] === incarnation) this.crash(index, RESTART_MS);
    }, 1);
  }

  /** @param restartMs when another process takes its place. */
  crash(index: number, restartMs: number): void {
    const incarnation = this.replicas[index];
    if (!incarnation) return;
    const random = this.random('crash', this.nextNumber());
    for (const task of this.tasks) {
      if (task instanceof Call && task.incarnation === incarnation)
        task.abandon(random.chance(0.5) ? random.magnitude(1, 10_000) : undefined);
    }
    incarnation.die();
    this.tasks = this.tasks.filter(
      (task) => task.incarnation !== incarnation || (task instanceof Call && task.isGhost),
    );
    this.replicas[index] = undefined;
    this.clock.setTimeout(() => {
      if (!this.replicas[index]) this.startReplica(index);
    }, restartMs);
  }

  /** A request to the API server is on its way. */
  sent(call: Call): void {
    openGap(this, call);
  }

  // ---- The scheduler's hands
  // --------------------------------------------------------------------------------------------------------

  /**
   * All that follows by itself from what has just happened has happened: promises only, for there is no other time here
   * than the clock's.
   */
  settled(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  get possible(): Task[] {
    return this.tasks.filter((task) => !task.isBlocked());
  }

  /** Takes the next thing in order, or lets time pass until there is one. */
  async stepInOrder(): Promise<void> {
    const task = this.tasks.find((each) => !each.isBlocked());
    if (task === undefined) return this.passTime(this.clock.nextDue() ?? this.clock.now() + 1000);
    await this.#do(task, true);
  }

  /** One stage of one thing: a request takes effect, and its answer is still to come. */
  stepOf(task: Task): Promise<void> {
    return this.#do(task, false);
  }

  async #do(task: Task, whole: boolean): Promise<void> {
    if (task instanceof Watch) {
      this.tasks = this.tasks.filter((each) => each !== task);
      task.advance();
      task.unlisted();
      return this.settled();
    }
    const more = this.#advance(task);
    await this.settled();
    if (more && whole && !task.isBlocked() && this.tasks.includes(task)) {
      task.advance();
      await this.settled();
    }
    if (task instanceof Call && task.stage === 'over') this.forget(task);
    // Nothing is done in no time.
    if (whole) await this.passTime(this.clock.now() + CALL_MS);
  }

  #advance(task: Task): boolean {
    if (task instanceof Call && task.stage === 'sent' && this.#isDown(task)) {
      if (task.isGhost) task.abandon();
      else task.refuse(task.options.lost('ECONNREFUSED'));
      return true;
    }
    return task.advance();
  }

  #isDown({ options }: Call): boolean {
    return this.clock.now() < (options.port === 'kube' ? this.apiDownUntil : this.sqsDownUntil);
  }

  forget(task: Task): void {
    this.tasks = this.tasks.filter((each) => each !== task);
  }

  /** Lets time pass up to a moment, timer by timer, so that what a timer causes has happened before the next one. */
  async passTime(until: number): Promise<void> {
    for (;;) {
      const due = this.clock.nextDue();
      if (due === undefined || due > until) break;
      this.clock.advance(due - this.clock.now());
      await this.settled();
    }
    if (until > this.clock.now()) this.clock.advance(until - this.clock.now());
    this.tasks = this.tasks.filter((task) => !(task instanceof Call) || task.stage !== 'over');
  }
}
