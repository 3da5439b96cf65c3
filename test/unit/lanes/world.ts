import { isDeepStrictEqual } from 'node:util';
import type {
  CapDeployJob,
  CapDeployJobSpec,
  CapDeployJobStatus,
  HistoryEntry,
} from '../../../src/api/capdeployjob.ts';
import { type DeployRequest, dueAtOf, isRollback } from '../../../src/api/deploy-request.ts';
import { ANNOTATION, FREEZE_PREFIX } from '../../../src/api/names.ts';
import { buildJob } from '../../../src/lanes/build-job.ts';
import {
  identify,
  isAlive,
  isBeingDeleted,
  isFinished,
  isRunning,
  isSuspended,
  isWaiting,
  type Job,
  jobUidOf,
  type Pod,
  startedAt,
} from '../../../src/lanes/job.ts';
import type { Memory } from '../../../src/lanes/lane.ts';
import { compareTurns } from '../../../src/lanes/order.ts';
import { plan } from '../../../src/lanes/plan.ts';
import { mergePodEnd, type PodEnd, podEnd } from '../../../src/lanes/pod-end.ts';
import { findInStatus } from '../../../src/requests/find-in-status.ts';
import { aPod, aRawSpec, aResource, aSpec, NO_WARNINGS, NOW } from '../../kit/builders.ts';

/** An invariant of the architecture that does not hold. */
export class Violation extends Error {}

/**
 * What may go wrong in a run. Each run draws its own mixture: rare faults meet more often where few others disturb
 * them.
 */
export interface Faults {
  crash: boolean;
  redeliver: boolean;
  deleteByHand: boolean;
  suspendByHand: boolean;
  resumeByHand: boolean;
  freeze: boolean;
  loseStatus: boolean;
  evict: boolean;
  latePods: boolean;
  jump: boolean;
  approve: boolean;
  edit: boolean;
  /** The second operator's clock is slow. */
  skew: boolean;
}

/** What the spec says of the environment; people edit it while the world turns. */
export interface Rules {
  concurrencyPolicy: 'Queue' | 'Supersede' | 'Replace';
  requireApproval: boolean;
  /** Deploys may start in the first half of each ten minutes only. */
  windows: boolean;
}

/** What has really happened to a request, whatever the status says of it. */
interface Ledger {
  readonly request: DeployRequest;
  /** On the queue, and whether this delivery was stored as a Job. */
  message: 'none' | 'there' | 'stored';
  accepted: boolean;
  /** Times that a Job of it was resumed. */
  starts: number;
  /** A person resumed it before its `notBefore`: from then on it counts as asked for when it was sent. */
  early: boolean;
  pods: number;
  succeeded: boolean;
  failed: boolean;
  /** A person deleted or suspended its Job. */
  touched: boolean;
  /** The operator deleted its Job for a newer one. */
  replaced: boolean;
  /** Its history entry was pushed out by newer ones. */
  evicted: boolean;
  /** Nothing but the status knew it when that was lost. */
  forgotten: boolean;
}

/** What one process has seen; it loses it when it crashes. */
class ProcessMemory implements Memory {
  readonly #pods = new Set<string>();
  readonly #containers = new Set<string>();
  readonly #absent = new Map<string, number>();
  readonly #deleted = new Map<string, Job>();
  /** By Job, then by Pod. */
  readonly #ends = new Map<string, Map<string, PodEnd>>();

  see(jobs: Iterable<Job>, pods: Iterable<Pod>): void {
    for (const pod of pods) {
      const uid = jobUidOf(pod) ?? '';
      this.#pods.add(uid);
      if (pod.status?.phase !== 'Pending') this.#containers.add(uid);
      const ends = this.#ends.get(uid) ?? new Map<string, PodEnd>();
      this.#ends.set(uid, ends);
      ends.set(pod.metadata.uid, mergePodEnd(ends.get(pod.metadata.uid), podEnd(pod)));
    }
    for (const job of jobs) if (isRunning(job)) this.#absent.delete(job.metadata.uid);
  }
  seeDeleted(job: Job): void {
    this.#deleted.set(job.metadata.uid, job);
  }
  noteAbsent(uids: readonly string[], now: number): void {
    for (const uid of uids) if (!this.#absent.has(uid)) this.#absent.set(uid, now);
  }
  podWasSeen = (uid: string): boolean => this.#pods.has(uid);
  containerWasSeen = (uid: string): boolean => this.#containers.has(uid);
  absentSince = (uid: string): number | undefined => this.#absent.get(uid);
  lastSeen = (uid: string): Job | undefined => this.#deleted.get(uid);
  abortedBy = (): undefined => undefined;
  podEnds = (uid: string): PodEnd[] => [...(this.#ends.get(uid)?.values() ?? [])];
  exitedSince = (): undefined => undefined;
}

interface Operator {
  readonly name: string;
  /** By how many milliseconds its clock is ahead of the cluster's. */
  readonly skew: number;
  memory: ProcessMemory;
  pass: Generator<void> | undefined;
  /** Deletions that its watch will tell it of. */
  toldLater: Job[];
}

/** A Pod that the Job controller's cache still asks for. */
interface Pending {
  readonly job: Job;
  /** When its Job was deleted or suspended: from then on it can only be late, and not later than 30 s. */
  since: number | undefined;
}

/** What people, queue and cluster do, one thing after the other. */
export interface Happening {
  what: 'arrives' | 'is approved' | 'is deleted' | 'the freeze turns' | 'the deploy ends';
  id?: string;
}

interface Action {
  label: string;
  run: () => void;
}

const LATEST_POD_MS = 30_000;
const SKEW_MS = 7_000;
const ENVIRONMENT = 'production';

/**
 * One lane of a CapDeployJob in a cluster that is as unkind as the protocol allows: two operators whose passes
 * interleave at every step, a Job controller that lags, people, and a queue that delivers again. The plan is the real
 * one; invariants are checked after each step.
 */
export class World {
  now = NOW;
  resource: CapDeployJob;
  readonly jobs = new Map<string, Job>();
  pods: Pod[] = [];
  pending: Pending[] = [];
  readonly ledgers: Map<string, Ledger>;
  readonly operators: readonly Operator[];
  readonly log: string[] = [];
  readonly #faults: Faults;
  readonly #budget = { redeliver: 3, byHand: 3, freeze: 4, loss: 1, evict: 2, jump: 5, approve: 6, edit: 3 };
  #resourceVersion = 100;
  #uids = 0;
  readonly #spec = aSpec(specOf(PLAIN_RULES, false));

  constructor(requests: readonly DeployRequest[], faults: Faults, rules: Rules = PLAIN_RULES) {
    this.#faults = faults;
    this.resource = aResource({ spec: aRawSpec(specOf(rules, false)) });
    this.ledgers = new Map(
      requests.map((request) => [
        request.id,
        {
          request,
          message: 'there',
          accepted: false,
          starts: 0,
          early: false,
          pods: 0,
          succeeded: false,
          failed: false,
          touched: false,
          replaced: false,
          evicted: false,
          forgotten: false,
        },
      ]),
    );
    this.operators = ['A', 'B'].map((name, index) => ({
      name,
      skew: faults.skew && index === 1 ? -SKEW_MS : 0,
      memory: new ProcessMemory(),
      pass: undefined,
      toldLater: [],
    }));
  }

  /** Takes one of the steps that are possible now. */
  step(choice: number): void {
    const actions = this.#actions();
    const action = actions[choice % actions.length]!;
    this.log.push(action.label);
    action.run();
    this.#check();
  }

  /** No more faults: everything that was begun must come to its end. */
  drain(): void {
    if (this.#isFrozen) this.#setFrozen(false);
    if (this.#isFrozenByAnnotation) this.#setAnnotation(undefined);
    for (let round = 0; round < 80; round += 1) {
      for (const ledger of this.ledgers.values()) {
        if (ledger.message !== 'none') this.#store(ledger);
      }
      for (const job of this.jobs.values()) if (isWaiting(job) && !isApproved(job)) this.#approve(job, 'bob');
      for (const operator of this.operators) {
        while (operator.pass) this.#continue(operator);
        this.#watch(operator);
        this.#begin(operator);
        while (operator.pass) this.#continue(operator);
        this.#check();
      }
      for (const ledger of this.ledgers.values()) if (ledger.message === 'stored') this.#settle(ledger);
      for (const action of this.#cluster(false)) {
        this.log.push(action.label);
        action.run();
        this.#check();
      }
      if (this.#isQuiet) break;
      this.#advance(31_000);
    }
    this.log.push('all faults have stopped');
    if (!this.#isQuiet) throw new Violation(`liveness: the lane does not come to rest: ${this.describe()}`);
    this.#checkRest();
  }

  /** Something that happens to the lane from outside, in a world without faults. */
  happen(event: Happening): void {
    this.log.push(JSON.stringify(event));
    const ledger = this.ledgers.get(event.id ?? '');
    const job = ledger && this.#jobOf(ledger.request);
    if (event.what === 'arrives' && ledger) this.#store(ledger);
    else if (event.what === 'is approved' && job) this.#approve(job, 'bob');
    else if (event.what === 'is deleted' && job && this.#isHeld(job)) {
      ledger.touched = true;
      this.#removeJob(job);
    } else if (event.what === 'the freeze turns') {
      this.#setAnnotation(this.#isFrozenByAnnotation ? undefined : 'alice');
    } else if (event.what === 'the deploy ends') {
      for (const action of this.#cluster(false)) if (action.label.endsWith(' succeeds')) action.run();
    }
  }

  /**
   * A while in which both operators look as often as they like, in any order, and the cluster follows; what runs runs
   * on.
   */
  settle(choose: () => number): void {
    for (let round = 0; round < 15; round += 1) {
      const passes = choose() % 4;
      for (const operator of this.operators.slice(0, 1 + (passes % 2))) {
        this.#watch(operator);
        this.#begin(operator);
      }
      while (this.operators.some(({ pass }) => pass)) {
        const underWay = this.operators.filter(({ pass }) => pass);
        this.#continue(underWay[choose() % underWay.length]!);
        this.#check();
      }
      for (const action of this.#cluster(false)) {
        if (!action.label.endsWith(' succeeds')) action.run();
      }
      for (const ledger of this.ledgers.values()) if (ledger.message === 'stored') this.#settle(ledger);
      this.#check();
      // Long enough in all for an absence of 30 s to be waited out.
      this.#advance(3_000);
    }
  }

  /** How each request ended, or that it has not, and what was started. */
  outcome(): Record<string, string> {
    const { status } = this.resource;
    return Object.fromEntries(
      [...this.ledgers.values()].map(({ request: { id }, starts }) => {
        const entry = status?.history?.find((each) => each.id === id);
        return [id, `${entry ? `${entry.result} ${entry.reason}` : 'has not ended'}, started: ${starts}`];
      }),
    );
  }

  describe(): string {
    const { status } = this.resource;
    const lane = status?.environments?.[0];
    const jobs = [...this.jobs.values()].map(
      (job) =>
        `${job.metadata.annotations?.[ANNOTATION.id]}:${job.metadata.uid}${isSuspended(job) ? ' suspended' : ''}${startedAt(job) ? ' started' : ''}${isFinished(job) ? ' finished' : ''}${isBeingDeleted(job) ? ' leaving' : ''}`,
    );
    const history = (status?.history ?? []).map(({ id, result, reason }) => `${id} ${result} ${reason}`);
    return JSON.stringify({
      jobs,
      pods: this.pods.map((pod) => `${jobUidOf(pod)} ${pod.status?.phase}`),
      claim: lane?.active?.[0],
      waiting: lane?.waiting?.map(({ id }) => id),
      lastStarted: lane?.lastStarted,
      history,
    });
  }

  // ---- The steps
  // ------------------------------------------------------------------------------------------------------------------

  #actions(): Action[] {
    const actions = [...this.#intake(), ...this.#cluster(true), ...this.#people()];
    for (const operator of this.operators) {
      const { name } = operator;
      if (operator.pass) {
        const go = { label: `${name} goes on with its pass`, run: () => this.#continue(operator) };
        actions.push(go, go, go);
        if (this.#faults.crash) actions.push({ label: `${name} crashes`, run: () => this.#crash(operator) });
        actions.push({ label: `${name} gives up its pass`, run: () => this.#end(operator) });
      } else {
        actions.push(
          { label: `${name} begins a pass`, run: () => this.#begin(operator) },
          { label: `${name} begins a pass`, run: () => this.#begin(operator) },
          { label: `${name} makes a whole pass`, run: () => this.#wholePass(operator) },
          // As far as between claim and resume, or between un-claim and status: where a stop is the worst.
          ...[5, 6].map((steps) => ({
            label: `${name} begins a pass and stops after ${steps} steps`,
            run: () => this.#begin(operator, steps),
          })),
        );
      }
      if (operator.toldLater.length + this.pods.length > 0) {
        actions.push({ label: `${name}'s watch catches up`, run: () => this.#watch(operator) });
      }
    }
    actions.push({ label: '1 s passes', run: () => this.#advance(1_000) });
    if (this.#faults.jump && this.#budget.jump > 0) {
      for (const seconds of [16, 31, 301, 3601]) {
        actions.push({
          label: `${seconds} s pass`,
          run: () => {
            this.#budget.jump -= 1;
            this.#advance(seconds * 1000);
          },
        });
      }
    }
    return actions;
  }

  #intake(): Action[] {
    const actions: Action[] = [];
    for (const ledger of this.ledgers.values()) {
      const { id } = ledger.request;
      if (ledger.message !== 'none') {
        const store = { label: `intake stores ${id}`, run: () => this.#store(ledger) };
        if (!this.#jobOf(ledger.request)) actions.push(store, store);
        else if (ledger.message === 'there') actions.push(store);
      }
      if (ledger.message === 'stored' && findInStatus(this.resource.status, ledger.request) === 'same') {
        actions.push({ label: `intake settles ${id}`, run: () => this.#settle(ledger) });
      }
      if (ledger.message === 'none' && this.#faults.redeliver && this.#budget.redeliver > 0) {
        actions.push({
          label: `the message of ${id} is delivered again`,
          run: () => {
            this.#budget.redeliver -= 1;
            ledger.message = 'there';
          },
        });
      }
    }
    return actions;
  }

  /** The Job controller, the garbage collector and the kubelet. */
  #cluster(withFaults: boolean): Action[] {
    const actions: Action[] = [];
    for (const pending of this.pending) {
      const { uid, name } = pending.job.metadata;
      const job = this.#byUid(uid);
      const isLate = !job || !isRunning(job);
      if (!isLate || (withFaults && this.#faults.latePods)) {
        actions.push({
          label: `the Job controller creates the Pod of ${name}${isLate ? ', late' : ''}`,
          run: () => this.#createPod(pending),
        });
      }
      if (isLate) {
        actions.push({
          label: `the Job controller notices that ${name} is gone or suspended`,
          run: () => this.#forgetPending(pending),
        });
      } else if (withFaults && !this.#podOf(uid)) {
        actions.push({
          label: `${name} gets no Pod before its deadline`,
          run: () => {
            this.#forgetPending(pending);
            this.#finish(job, 'Failed');
          },
        });
      }
    }
    for (const pod of this.pods) {
      const uid = jobUidOf(pod) ?? '';
      const job = this.#byUid(uid);
      const { name } = pod.metadata;
      const set = (status: NonNullable<Pod['status']>, ledger: Partial<Ledger> = {}) => {
        if (!this.pods.includes(pod)) return;
        this.#replacePod(pod, { ...pod, status });
        Object.assign(this.#ledgerOf(pod), ledger);
      };
      if (isAlive(pod) && !isBeingDeleted(pod)) {
        if (pod.status?.phase === 'Pending') {
          actions.push({
            label: `${name} runs`,
            run: () => set({ phase: 'Running', containerStatuses: [{ name: 'cap', state: { running: {} } }] }),
          });
        } else {
          const exited = (exitCode: number) => {
            const finishedAt = new Date(this.now).toISOString();
            return [{ name: 'cap', state: { terminated: { exitCode, finishedAt } } }];
          };
          const succeeded = { phase: 'Succeeded', containerStatuses: exited(0) };
          const failed = { phase: 'Failed', containerStatuses: exited(1) };
          actions.push({ label: `${name} succeeds`, run: () => set(succeeded, { succeeded: true }) });
          if (withFaults) actions.push({ label: `${name} fails`, run: () => set(failed, { failed: true }) });
        }
        if (!job || isBeingDeleted(job) || isSuspended(job)) {
          actions.push({
            label: `${name} is told to end`,
            run: () =>
              this.#replacePod(pod, {
                ...pod,
                metadata: { ...pod.metadata, deletionTimestamp: new Date(this.now).toISOString() },
              }),
          });
        }
      } else if (isBeingDeleted(pod) && isAlive(pod)) {
        actions.push({ label: `${name} has ended`, run: () => this.#removePod(pod) });
      } else if (!job) {
        actions.push({ label: `${name} is collected`, run: () => this.#removePod(pod) });
      } else if (!isFinished(job)) {
        const type = pod.status?.phase === 'Succeeded' ? 'Complete' : 'Failed';
        actions.push({
          label: `the Job controller sees ${name} finished: ${type}`,
          run: () => this.#finish(this.#byUid(uid), type),
        });
      }
    }
    for (const job of this.jobs.values()) {
      if (isBeingDeleted(job) && !this.pods.some((pod) => jobUidOf(pod) === job.metadata.uid && isAlive(pod))) {
        actions.push({ label: `${job.metadata.name} is collected`, run: () => this.#removeJob(job) });
      }
    }
    return actions;
  }

  #people(): Action[] {
    const actions: Action[] = [];
    const { deleteByHand, suspendByHand, resumeByHand, freeze, loseStatus, evict, approve, edit } = this.#faults;
    const byHand = (label: string, job: Job, run: () => void) =>
      actions.push({
        label,
        run: () => {
          this.#budget.byHand -= 1;
          this.#ledgerOf(job).touched = true;
          run();
        },
      });
    if (this.#budget.byHand > 0) {
      for (const job of this.jobs.values()) {
        const { name } = job.metadata;
        if (!this.#isHeld(job)) continue;
        if (deleteByHand && !isBeingDeleted(job)) {
          byHand(`somebody deletes ${name}`, job, () => this.#removeJob(job));
          byHand(`somebody deletes ${name} in the foreground`, job, () =>
            this.#write(job, { metadata: { deletionTimestamp: new Date(this.now).toISOString() } }),
          );
        }
        if (suspendByHand && isRunning(job)) {
          byHand(`somebody suspends ${name}`, job, () => this.#write(job, { spec: { suspend: true } }));
        }
        if (resumeByHand && this.#mayBeResumedByHand(job)) {
          byHand(`somebody resumes ${name}`, job, () => this.#start(job, {}));
        }
      }
    }
    if (freeze && this.#budget.freeze > 0) {
      actions.push({
        label: this.#isFrozen ? 'the resource is thawed' : 'the resource is frozen',
        run: () => {
          this.#budget.freeze -= 1;
          this.#setFrozen(!this.#isFrozen);
        },
      });
      actions.push({
        label: this.#isFrozenByAnnotation ? 'the environment is thawed' : 'the environment is frozen by an annotation',
        run: () => {
          this.#budget.freeze -= 1;
          this.#setAnnotation(this.#isFrozenByAnnotation ? undefined : 'alice: incident 42');
        },
      });
    }
    if ((approve || this.#rules.requireApproval) && this.#budget.approve > 0) {
      for (const job of this.jobs.values()) {
        const verb = isApproved(job) ? 'takes back the approval of' : 'approves';
        actions.push({
          label: `somebody ${verb} ${job.metadata.name}`,
          run: () => {
            this.#budget.approve -= 1;
            this.#approve(job, isApproved(job) ? '' : 'bob');
          },
        });
      }
    }
    if (edit && this.#budget.edit > 0) {
      const { concurrencyPolicy, requireApproval, windows } = this.#rules;
      const edits: Partial<Rules>[] = [
        ...(['Queue', 'Supersede', 'Replace'] as const)
          .filter((policy) => policy !== concurrencyPolicy)
          .map((policy) => ({ concurrencyPolicy: policy })),
        { requireApproval: !requireApproval },
        { windows: !windows },
      ];
      for (const change of edits) {
        actions.push({
          label: `the spec is edited: ${JSON.stringify(change)}`,
          run: () => {
            this.#budget.edit -= 1;
            this.#setSpec({ ...this.#rules, ...change }, this.#isFrozen);
          },
        });
      }
    }
    if (loseStatus && this.#budget.loss > 0 && this.resource.status && this.#mayLoseStatus()) {
      actions.push({ label: 'the status is lost', run: () => this.#loseStatus() });
    }
    if (evict && this.#budget.evict > 0) {
      for (const entry of this.resource.status?.history ?? []) {
        if (this.jobs.has(entry.job) || this.#claim?.id === entry.id) continue;
        actions.push({ label: `newer entries push ${entry.id} out of the history`, run: () => this.#evict(entry) });
      }
    }
    return actions;
  }

  // ---- The shell: what src/operator/controller does with a plan
  // ------------------------------------------------------------------------------

  *#pass(operator: Operator): Generator<void> {
    const { resource } = this;
    // Before the lists: of what is timed, the lists must be younger than the end of the time.
    const now = this.now + operator.skew;
    yield;
    const jobs = [...this.jobs.values()];
    yield;
    const pods = [...this.pods];
    operator.memory.see(jobs, pods);
    yield;
    const next = plan({
      resource,
      spec: parsed(resource),
      specProblem: undefined,
      jobs,
      pods,
      memory: operator.memory,
      warnings: NO_WARNINGS,
      template: undefined,
      queue: undefined,
      createFailure: undefined,
      rejections: [],
      now,
      monotonicNow: now,
    });
    operator.memory.noteAbsent(next.absent, this.now + operator.skew);
    const seen: Seen = { resource, jobs, now };
    for (const job of next.start) this.#checkStart(job, seen);
    const { ending } = next.status.environments?.[0]?.active?.[0] ?? {};
    const isReplacing = ending?.reason === 'Replaced';
    if (isReplacing && next.remove.some(({ reason }) => reason === 'abort')) this.#checkReplacing(next.status, seen);
    yield;
    for (const job of next.mark) {
      const startedAt = new Date(this.now).toISOString();
      if (!this.#patch(job, { metadata: { annotations: { [ANNOTATION.startedAt]: startedAt } } })) return;
      yield;
    }
    for (const job of next.touch) {
      if (!this.#patch(job, { metadata: { annotations: { [ANNOTATION.unclaimedAt]: `${this.now}` } } })) return;
      yield;
    }
    if (!isDeepStrictEqual(resource.status, next.status)) {
      if (resource.metadata.resourceVersion !== this.resource.metadata.resourceVersion) return;
      this.#putStatus(next.status);
      yield;
    }
    for (const job of next.start) {
      if (this.#isCurrent(job)) {
        if (this.#claim?.uid !== job.metadata.uid) {
          throw new Violation(`the claim is the lock: ${job.metadata.name} is resumed without one`);
        }
        this.#start(this.jobs.get(job.metadata.name)!, { [ANNOTATION.startedAt]: new Date(this.now).toISOString() });
      }
      yield;
    }
    for (const { job, reason } of next.remove) {
      if (this.#isCurrent(job)) {
        this.#checkRemoval(job, reason);
        if (reason === 'abort' && isReplacing) this.#ledgerOf(job).replaced = true;
        this.#removeJob(this.jobs.get(job.metadata.name)!);
      }
      yield;
    }
  }

  #begin(operator: Operator, steps = 1): void {
    operator.pass = this.#pass(operator);
    for (let step = 0; step < steps; step += 1) this.#continue(operator);
  }

  #continue(operator: Operator): void {
    if (operator.pass?.next().done) this.#end(operator);
  }

  #wholePass(operator: Operator): void {
    this.#begin(operator);
    while (operator.pass) this.#continue(operator);
  }

  #end(operator: Operator): void {
    operator.pass = undefined;
  }

  #crash(operator: Operator): void {
    this.#end(operator);
    operator.memory = new ProcessMemory();
    operator.toldLater = [];
  }

  #watch(operator: Operator): void {
    operator.memory.see(this.jobs.values(), this.pods);
    for (const job of operator.toldLater) operator.memory.seeDeleted(job);
    operator.toldLater = [];
  }

  // ---- The API server
  // ---------------------------------------------------------------------------------------------------------------

  #putStatus(status: CapDeployJobStatus): void {
    this.#checkRecord(this.resource.status?.history ?? [], status);
    this.resource = { ...this.resource, status, metadata: { ...this.resource.metadata, resourceVersion: this.#rv() } };
  }

  #isCurrent(seen: Job): boolean {
    const { name, uid, resourceVersion } = seen.metadata;
    const current = this.jobs.get(name);
    return current?.metadata.uid === uid && current.metadata.resourceVersion === resourceVersion;
  }

  #patch(seen: Job, change: JobPatch): boolean {
    if (!this.#isCurrent(seen)) return false;
    this.#write(seen, change);
    return true;
  }

  #write(seen: Job, change: JobPatch): void {
    const job = this.jobs.get(seen.metadata.name)!;
    const written = {
      ...job,
      metadata: {
        ...job.metadata,
        ...change.metadata,
        annotations: { ...job.metadata.annotations, ...change.metadata?.annotations },
        resourceVersion: this.#rv(),
      },
      spec: { ...job.spec, ...change.spec },
      ...(change.status ? { status: change.status } : {}),
    };
    this.jobs.set(job.metadata.name, written);
    for (const pending of this.pending) {
      if (pending.job.metadata.uid === job.metadata.uid && isSuspended(written)) pending.since ??= this.now;
    }
  }

  #removeJob(job: Job): void {
    this.jobs.delete(job.metadata.name);
    for (const operator of this.operators) operator.toldLater.push(job);
    for (const pending of this.pending) {
      if (pending.job.metadata.uid === job.metadata.uid) pending.since ??= this.now;
    }
  }

  #store(ledger: Ledger): void {
    const { request } = ledger;
    const found = this.#jobOf(request);
    if (found) {
      if (identify(found, this.resource, request) === 'same') ledger.message = 'stored';
      return;
    }
    const job = buildJob(this.resource, this.#spec, request) as unknown as Job;
    this.#uids += 1;
    Object.assign(job.metadata, {
      uid: `uid-${this.#uids}`,
      resourceVersion: this.#rv(),
      creationTimestamp: new Date(this.now).toISOString(),
    });
    this.jobs.set(job.metadata.name, job);
    ledger.message = 'stored';
    ledger.forgotten = false;
  }

  /** The message goes only when the status names the request (invariant 2). */
  #settle(ledger: Ledger): void {
    if (findInStatus(this.resource.status, ledger.request) !== 'same') return;
    ledger.message = 'none';
    ledger.accepted = true;
  }

  // ---- The Job controller
  // -----------------------------------------------------------------------------------------------------------

  /** Resumes a Job: from here on its Pod may come at any time. */
  #start(job: Job, annotations: Record<string, string>): void {
    const ledger = this.#ledgerOf(job);
    ledger.starts += 1;
    if (ledger.starts > 1) throw new Violation(`Invariant 1: ${ledger.request.id} is started a second time`);
    for (const other of this.ledgers.values()) {
      const placed = other.early ? { ...other.request, notBefore: undefined } : other.request;
      if (other.starts > 0 && rules(other.request, ledger.request) && isLater(placed, ledger.request)) {
        throw new Violation(`Invariant 4: ${ledger.request.id} starts after ${other.request.id}, which was due later`);
      }
    }
    const { notBefore } = ledger.request;
    ledger.early = notBefore !== undefined && this.now < Date.parse(notBefore) + SKEW_MS;
    this.#write(job, { spec: { suspend: false }, metadata: { annotations } });
    this.pending.push({ job, since: undefined });
  }

  #createPod(pending: Pending): void {
    this.#forgetPending(pending);
    const ledger = this.#ledgerOf(pending.job);
    ledger.pods += 1;
    if (ledger.pods > 1) throw new Violation(`Invariant 1: ${ledger.request.id} gets a second Pod`);
    this.pods = [...this.pods, aPod(pending.job, { phase: 'Pending' })];
  }

  #forgetPending(pending: Pending): void {
    this.pending = this.pending.filter((other) => other !== pending);
  }

  #finish(job: Job | undefined, type: 'Complete' | 'Failed'): void {
    if (!job) return;
    if (type === 'Failed') this.#ledgerOf(job).failed = true;
    const time = new Date(this.now).toISOString();
    this.#write(job, { status: { conditions: [{ type, status: 'True', lastTransitionTime: time }] } });
  }

  #removePod(pod: Pod): void {
    this.pods = this.pods.filter((other) => other !== pod);
    const job = this.#byUid(jobUidOf(pod) ?? '');
    if (job && isRunning(job)) this.#finish(job, 'Failed');
  }

  #replacePod(pod: Pod, next: Pod): void {
    this.pods = this.pods.map((other) => (other === pod ? next : other));
  }

  #advance(ms: number): void {
    this.now += ms;
    this.pending = this.pending.filter(({ since }) => since === undefined || this.now - since < LATEST_POD_MS);
  }

  // ---- People
  // -----------------------------------------------------------------------------------------------------------------------

  get #isFrozen(): boolean {
    return (this.resource.spec as { suspend?: boolean }).suspend === true;
  }

  #setFrozen(suspend: boolean): void {
    this.#setSpec(this.#rules, suspend);
  }

  #setSpec(rules: Rules, suspend: boolean): void {
    this.resource = {
      ...this.resource,
      spec: aRawSpec(specOf(rules, suspend)),
      metadata: { ...this.resource.metadata, resourceVersion: this.#rv() },
    };
  }

  get #rules(): Rules {
    return rulesOf(this.resource);
  }

  get #isFrozenByAnnotation(): boolean {
    return this.resource.metadata.annotations?.[FREEZE] !== undefined;
  }

  #setAnnotation(words: string | undefined): void {
    const { annotations: _, ...metadata } = this.resource.metadata;
    this.resource = {
      ...this.resource,
      metadata: {
        ...metadata,
        resourceVersion: this.#rv(),
        ...(words === undefined ? {} : { annotations: { [FREEZE]: words } }),
      },
    };
  }

  #approve(job: Job, who: string): void {
    this.#write(job, { metadata: { annotations: { [ANNOTATION.approvedBy]: who } } });
  }

  /** Only into an idle lane, between passes, and in its turn: the rest are races that nothing closes. */
  #mayBeResumedByHand(job: Job): boolean {
    const { request } = this.#ledgerOf(job);
    return (
      isWaiting(job) &&
      this.#ledgerOf(job).starts === 0 &&
      !this.#claim &&
      findInStatus(this.resource.status, request) === 'same' &&
      !this.resource.status?.history?.some(({ id }) => id === request.id) &&
      this.pending.length === 0 &&
      this.operators.every(({ pass }) => !pass) &&
      !this.pods.some(isAlive) &&
      ![...this.jobs.values()].some(
        (other) => isRunning(other) || (startedAt(other) !== undefined && !isFinished(other)),
      ) &&
      ![...this.ledgers.values()].some((other) => other.starts > 0 && isLater(other.request, request))
    );
  }

  /**
   * What was started and is neither claimed nor recorded was resumed by hand, or its status was lost; then what waited
   * is not listed any more either. To delete or suspend such a Job before anybody has looked again is a race that
   * nothing closes: documented.
   */
  #isHeld(job: Job): boolean {
    const { starts, accepted, request } = this.#ledgerOf(job);
    const stands = findInStatus(this.resource.status, request) === 'same';
    const isRecorded = this.resource.status?.history?.some(({ id }) => id === request.id) === true;
    return starts === 0 ? stands || !accepted : isRecorded || this.#claim?.uid === job.metadata.uid;
  }

  /**
   * A status that is emptied takes the lock away, and the record that a delete under way rests on. That is survived
   * where no pass is under way, and where Jobs and Pods still show whatever was started: of a Pod that comes after its
   * Job is gone, then nobody knows.
   */
  #mayLoseStatus(): boolean {
    return (
      this.operators.every(({ pass }) => !pass) &&
      this.pending.every(({ job }) => this.#byUid(job.metadata.uid)) &&
      ![...this.jobs.values()].some(isBeingDeleted)
    );
  }

  /** Its history is gone for good: a request whose Job is gone as well is as new, should its message come again. */
  #loseStatus(): void {
    this.#budget.loss -= 1;
    const { status: _, ...rest } = this.resource;
    this.resource = { ...rest, metadata: { ...rest.metadata, resourceVersion: this.#rv() } };
    for (const ledger of this.ledgers.values()) {
      const job = this.#jobOf(ledger.request);
      // A Job that waits under the name of one that was started and is gone shows nothing of that.
      if (job && (ledger.starts === 0 || !isWaiting(job))) continue;
      const accepted = job !== undefined && ledger.accepted;
      Object.assign(ledger, { forgotten: !job, starts: 0, early: false, pods: 0, accepted, evicted: false });
    }
  }

  #evict(entry: HistoryEntry): void {
    this.#budget.evict -= 1;
    const { status } = this.resource;
    this.#ledgerById(entry.id).evicted = true;
    this.resource = {
      ...this.resource,
      status: { ...status, history: (status?.history ?? []).filter((other) => other !== entry) },
      metadata: { ...this.resource.metadata, resourceVersion: this.#rv() },
    };
  }

  // ---- The rules of starting, in other words than the plan's
  // -------------------------------------------------------------------------

  /** What is started could be started, by what the pass has seen; and nobody who could be started was passed by. */
  #checkStart(job: Job, seen: Seen): void {
    const { id } = this.#ledgerOf(job).request;
    const why = whyNot(job, this.#ledgerOf(job).request, seen);
    if (why) throw new Violation(`${id} is to be started, but ${why}`);
    // Its turn was given to it by an earlier pass: what has become possible since then comes too late, as it would have
    // without the crash.
    if (seen.resource.status?.environments?.[0]?.active?.[0]?.uid === job.metadata.uid) return;
    for (const other of seen.jobs) {
      const { request, starts } = this.#ledgerOf(other);
      const couldHave = isWaiting(other) && starts === 0 && !whyNot(other, request, seen);
      const isOlder = isLater(this.#ledgerOf(job).request, request);
      const stands = seen.resource.status?.environments?.[0]?.waiting?.some(
        (entry) => entry.id === request.id && entry.uid === other.metadata.uid,
      );
      if (couldHave && isOlder && stands && rulesOf(seen.resource).concurrencyPolicy === 'Queue') {
        const overtaken = this.#mayBeDropped(request, seen);
        if (!overtaken) throw new Violation(`${id} is to be started, but ${request.id} was due before it`);
      }
    }
  }

  /** It is overtaken by what was started, too late, or a rollback was asked for after it. */
  #mayBeDropped(request: DeployRequest, { resource, jobs, now }: Seen): boolean {
    const lane = resource.status?.environments?.[0];
    const isOvertaken = [...(lane?.lastStarted ?? []), ...(lane?.active ?? [])].some((mark) => {
      const other = this.ledgers.get(mark.id)?.request;
      return other !== undefined && rules(other, request) && isLater(other, request);
    });
    const isRolledBack = jobs.some((other) => {
      const { request: later } = this.#ledgerOf(other);
      return isRollback(later.task) && isLater(later, request);
    });
    const isLate = now - Date.parse(dueAtOf(request)) > 3_600_000;
    return (
      isOvertaken || isRolledBack || isLate || resource.status?.history?.some(({ id }) => id === request.id) === true
    );
  }

  /** A deploy is ended for another one only where that one is newer and could start. */
  #checkReplacing(status: CapDeployJobStatus, seen: Seen): void {
    const claim = status.environments?.[0]?.active?.[0];
    const running = this.#ledgerById(claim?.id ?? '').request;
    if (rulesOf(seen.resource).concurrencyPolicy !== 'Replace')
      throw new Violation(`${running.id} is ended, but not by the policy`);
    const newer = seen.jobs.some((job) => {
      const { request } = this.#ledgerOf(job);
      return isWaiting(job) && rules(request, running) && isLater(request, running) && !whyNot(job, request, seen);
    });
    if (!newer) throw new Violation(`${running.id} is ended for a newer one, but none could start`);
  }

  // ---- The invariants
  // ---------------------------------------------------------------------------------------------------------------

  #check(): void {
    const alive = new Set<string | undefined>();
    for (const job of this.jobs.values()) if (isRunning(job)) alive.add(job.metadata.uid);
    for (const pod of this.pods) if (isAlive(pod)) alive.add(jobUidOf(pod));
    if (alive.size > 1) throw new Violation(`Invariant 3: ${[...alive].join(' and ')} are alive in one lane`);
    const { status } = this.resource;
    for (const ledger of this.ledgers.values()) {
      const { accepted, evicted, forgotten, request } = ledger;
      if (!accepted || evicted || forgotten || this.#jobOf(request)) continue;
      const lane = status?.environments?.[0];
      const known = [...(lane?.active ?? []), ...(lane?.waiting ?? []), ...(status?.history ?? [])];
      if (!known.some(({ id }) => id === request.id)) throw new Violation(`Invariant 1: ${request.id} is lost`);
    }
  }

  #checkRecord(before: readonly HistoryEntry[], status: CapDeployJobStatus): void {
    const ids = new Set<string>();
    for (const entry of status.history ?? []) {
      if (ids.has(entry.id)) throw new Violation(`Invariant 1: ${entry.id} has a second history entry`);
      ids.add(entry.id);
    }
    const recorded = new Set(before.map(({ id }) => id));
    for (const { id } of before) if (!ids.has(id)) throw new Violation(`Invariant 1: the entry of ${id} was dropped`);
    for (const entry of status.history ?? []) if (!recorded.has(entry.id)) this.#checkTruth(entry, status);
  }

  #checkTruth({ id, result, reason }: HistoryEntry, status: CapDeployJobStatus): void {
    const ledger = this.#ledgerById(id);
    const isTrue = () => {
      switch (result) {
        case 'Succeeded':
          return ledger.succeeded;
        case 'Failed':
          return ledger.failed || reason === 'PodNotStarted';
        case 'Aborted':
        case 'Unknown':
          return ledger.touched || (reason === 'Replaced' && ledger.replaced);
        case 'Superseded':
          return (
            ledger.starts === 0 &&
            (reason === 'NewerRequest' ? this.#hasNewer(ledger, status) : this.#wasOvertaken(ledger, status))
          );
        case 'Missed':
          return (
            ledger.starts === 0 &&
            (reason !== 'Expired' ||
              this.now + SKEW_MS >= Date.parse(ledger.request.expiresAt ?? '9999-01-01T00:00:00Z'))
          );
        default:
          return ledger.starts === 0 || ledger.evicted;
      }
    };
    if (!ledger.evicted && !isTrue()) throw new Violation(`Invariant 7: ${id} is recorded ${result} (${reason})`);
  }

  /** A newer request stands where it can still have its turn, or has had it. */
  #hasNewer({ request }: Ledger, status: CapDeployJobStatus): boolean {
    const lane = status.environments?.[0];
    const standing = [...(lane?.waiting ?? []), ...(lane?.active ?? []), ...(status.history ?? [])];
    return [...this.ledgers.values()].some(
      ({ request: other, evicted }) =>
        isLater(other, request) &&
        (isRollback(other.task) || (other.task === request.task && this.#rules.concurrencyPolicy !== 'Queue')) &&
        (evicted || standing.some(({ id }) => id === other.id)),
    );
  }

  /** A later request was started, or was claimed and then vanished, which counts as started. */
  #wasOvertaken({ request }: Ledger, status: CapDeployJobStatus): boolean {
    const claim = status.environments?.[0]?.active?.[0];
    return [...this.ledgers.values()].some((other) => {
      if (!rules(other.request, request) || !isLater(other.request, request)) return false;
      const { id } = other.request;
      const isRecordedAsStarted = status.history?.some((entry) => entry.id === id && entry.startedAt !== undefined);
      const claimed = claim?.id === id ? (this.#byUid(claim.uid) ?? 'gone') : undefined;
      const isClaimGoing = claimed === 'gone' || (claimed !== undefined && isBeingDeleted(claimed));
      return other.starts > 0 || other.evicted || isRecordedAsStarted || isClaimGoing;
    });
  }

  #checkRemoval(job: Job, reason: string): void {
    const { status } = this.resource;
    const { id } = this.#ledgerOf(job).request;
    const lane = status?.environments?.[0];
    const isRecorded =
      status?.history?.some((entry) => entry.id === id) ||
      lane?.lastStarted?.some((mark) => mark.id === id) ||
      this.#ledgerById(id).evicted;
    if (reason !== 'abort' && !isRecorded)
      throw new Violation(`Invariant 6: ${id} is deleted (${reason}) before it is recorded`);
  }

  get #isQuiet(): boolean {
    const { status } = this.resource;
    const lane = status?.environments?.find(({ name }) => name === ENVIRONMENT);
    const isEnded = ({ request, message, evicted, forgotten }: Ledger) =>
      message === 'none' &&
      (forgotten || evicted || status?.history?.filter(({ id }) => id === request.id).length === 1);
    return (
      !lane?.active &&
      !lane?.waiting &&
      this.pending.length === 0 &&
      !this.pods.some(isAlive) &&
      [...this.jobs.values()].every(isFinished) &&
      [...this.ledgers.values()].every(isEnded)
    );
  }

  /** Invariant 8: at rest a pass changes nothing. */
  #checkRest(): void {
    const [operator] = this.operators;
    const before = this.#resourceVersion;
    for (let pass = 0; pass < 3; pass += 1) this.#wholePass(operator!);
    const settled = this.#resourceVersion;
    this.#wholePass(operator!);
    if (this.#resourceVersion !== settled)
      throw new Violation(`Invariant 8: at rest it writes (${before}, ${settled})`);
  }

  // ---- Small things
  // -----------------------------------------------------------------------------------------------------------------

  get #claim() {
    return this.resource.status?.environments?.[0]?.active?.[0];
  }
  #rv(): string {
    this.#resourceVersion += 1;
    return `${this.#resourceVersion}`;
  }
  #jobOf(request: DeployRequest): Job | undefined {
    for (const job of this.jobs.values()) if (job.metadata.annotations?.[ANNOTATION.id] === request.id) return job;
    return undefined;
  }
  #byUid(uid: string): Job | undefined {
    for (const job of this.jobs.values()) if (job.metadata.uid === uid) return job;
    return undefined;
  }
  #podOf(uid: string): Pod | undefined {
    return this.pods.find((pod) => jobUidOf(pod) === uid);
  }
  /** Names are made of ids, and the Pods' of their Jobs'. */
  #ledgerOf(object: Job | Pod): Ledger {
    const id = (object as Job).metadata.annotations?.[ANNOTATION.id];
    if (id !== undefined) return this.#ledgerById(id);
    const job = object.metadata.ownerReferences?.[0]?.name ?? '';
    for (const ledger of this.ledgers.values()) if (this.#nameOf(ledger.request) === job) return ledger;
    throw new Error(`nobody asked for ${object.metadata.name}`);
  }
  #ledgerById(id: string): Ledger {
    const ledger = this.ledgers.get(id);
    if (!ledger) throw new Error(`nobody asked for ${id}`);
    return ledger;
  }
  readonly #names = new Map<string, string>();
  #nameOf(request: DeployRequest): string {
    let name = this.#names.get(request.id);
    if (name === undefined) {
      name = (buildJob(this.resource, this.#spec, request) as unknown as Job).metadata.name;
      this.#names.set(request.id, name);
    }
    return name;
  }
}

interface JobPatch {
  metadata?: { annotations?: Record<string, string>; deletionTimestamp?: string };
  spec?: { suspend: boolean };
  status?: NonNullable<Job['status']>;
}

const FREEZE = `${FREEZE_PREFIX}${ENVIRONMENT}`;
export const PLAIN_RULES: Rules = { concurrencyPolicy: 'Queue', requireApproval: false, windows: false };

/** Finished Jobs go early, so that requests come again after their clean-up. */
const specOf = ({ windows, ...rules }: Rules, suspend: boolean) => ({
  environments: [
    {
      name: ENVIRONMENT,
      ...rules,
      ...(windows ? { windows: [{ kind: 'Allow', schedule: '*/10 * * * *', durationSeconds: 300 }] } : {}),
    },
  ],
  suspend,
  tasks: ['deploy', 'deploy:restart', 'deploy:rollback'],
  maxWaiting: 2,
  successfulJobsHistoryLimit: 0,
  failedJobsHistoryLimit: 1,
});

const rulesOf = (resource: CapDeployJob): Rules => {
  const [{ name: _, windows, ...rules }] = (resource.spec as { environments: [Rules & { name: string }] }).environments;
  return { ...rules, windows: windows !== undefined };
};

/** Few specs come up, and many times. */
const specs = new Map<string, CapDeployJobSpec>();
function parsed({ spec }: CapDeployJob): CapDeployJobSpec {
  const key = JSON.stringify(spec);
  const found = specs.get(key) ?? aSpec(spec as Record<string, unknown>);
  specs.set(key, found);
  return found;
}

/** What a pass has seen. */
interface Seen {
  readonly resource: CapDeployJob;
  readonly jobs: readonly Job[];
  readonly now: number;
}

const isApproved = (job: Job): boolean => Boolean(job.metadata.annotations?.[ANNOTATION.approvedBy]);

/** What keeps a request from starting, be the lane free or not. */
function whyNot(job: Job, request: DeployRequest, { resource, now }: Seen): string | undefined {
  const { requireApproval, windows } = rulesOf(resource);
  if ((resource.spec as { suspend: boolean }).suspend) return 'the resource is frozen';
  if (resource.metadata.annotations?.[FREEZE] !== undefined) return 'the environment is frozen';
  if (windows && new Date(now).getUTCMinutes() % 10 >= 5) return 'no window is open';
  if (requireApproval && !isApproved(job)) return 'nobody has approved it';
  if (request.notBefore !== undefined && now < Date.parse(request.notBefore)) return 'its time has not come';
  if (request.expiresAt !== undefined && now >= Date.parse(request.expiresAt)) return 'it has expired';
  return undefined;
}

/** The start of the one says that the other must not start after it, if that was due before. */
const rules = (started: DeployRequest, other: DeployRequest): boolean =>
  started.task === other.task || isRollback(started.task) || (isRollback(other.task) && started.task === 'deploy');

const isLater = (a: DeployRequest, b: DeployRequest): boolean =>
  compareTurns({ dueAt: dueAtOf(a), id: a.id }, { dueAt: dueAtOf(b), id: b.id }) > 0;
