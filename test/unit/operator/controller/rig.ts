import { VirtualClock } from 'in-memory-kubernetes/clock.ts';
import { mergePatch } from 'in-memory-kubernetes/store/patch.ts';
import { Store } from 'in-memory-kubernetes/store/store.ts';
import { createLocalClient } from '../../../../dev/in-process-client.ts';
import type { CapDeployJob, CapDeployJobStatus, RejectionEntry } from '../../../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../../../src/api/names.ts';
import {
  CORE_EVENTS,
  JOBS,
  type KubeClient,
  type KubeObject,
  NAMESPACES,
  PODS,
  type ResourceType,
} from '../../../../src/kube/client.ts';
import { KubeError } from '../../../../src/kube/errors.ts';
import type { EventDescription, EventRecorder } from '../../../../src/kube/events.ts';
import { Indexer } from '../../../../src/kube/informer/indexer.ts';
import type { WorkResult } from '../../../../src/kube/work-queue.ts';
import type { Job, Pod } from '../../../../src/lanes/job.ts';
import type { Observation, Plan } from '../../../../src/lanes/plan.ts';
import { Announcer } from '../../../../src/operator/controller/announce.ts';
import { ApplyPlan } from '../../../../src/operator/controller/apply-plan.ts';
import { BY_RESOURCE, type Caches, keysOf } from '../../../../src/operator/controller/caches.ts';
import { IntakeReports } from '../../../../src/operator/controller/intake-reports.ts';
import { Observer } from '../../../../src/operator/controller/observe.ts';
import { WarningEvents } from '../../../../src/operator/controller/pod-warnings.ts';
import { ProcessMemory } from '../../../../src/operator/controller/process-memory.ts';
import { Reconciler } from '../../../../src/operator/controller/reconcile.ts';
import {
  aJob,
  anObservation,
  aPod,
  aRawSpec,
  aResource,
  type JobChanges,
  NOW,
  type PodChanges,
} from '../../../kit/builders.ts';
import { type Call, interceptClient } from '../../../kit/intercept-client.ts';
import { DEFINITION, DEFINITIONS } from '../../../kit/store.ts';

export type { Call };

export const KEY = 'deploy/web';

/**
 * The controller on a Kubernetes API of their own, with a clock that stands still. The caches know what they were last
 * told (`syncCaches`) and freeze it, so that nothing is ever late by chance and nobody changes what is shared.
 */
export class Rig {
  readonly clock = new VirtualClock(NOW - 3_600_000);
  readonly store = new Store({ clock: this.clock });
  readonly calls: Call[] = [];
  /** What happened, in order: writes, recorded rejections, Events and log lines. */
  readonly diary: string[] = [];
  readonly events: EventDescription[] = [];
  readonly counted: unknown[][] = [];
  /** Wake-ups that reports asked for: in how many milliseconds. */
  readonly wakes: number[] = [];
  /** Each call before it takes effect; throw to refuse it. */
  before: ((call: Call) => void) | undefined;
  /** Each call after it took effect, and before the controller hears of it. */
  after: ((call: Call) => void) | undefined;
  /** By how much somebody has set the time of day since (milliseconds). */
  setMs = 0;
  readonly now = () => this.clock.now() + this.setMs;
  readonly monotonicNow = () => this.clock.now();
  readonly client: KubeClient = recording(createLocalClient(this.store), this);
  readonly memory = new ProcessMemory(() => NOW);
  /** CapDeployJobs that were to have a pass because of new Events. */
  readonly woken: string[] = [];
  readonly warnings = this.#warnings();
  readonly reports: IntakeReports = new NotedReports(this.now, (_, inMs) => this.wakes.push(inMs), this.diary);
  readonly announcer = new Announcer({
    events: {
      record: (event: EventDescription) => {
        this.events.push(event);
        this.diary.push(`Event ${event.reason}`);
      },
    } as unknown as EventRecorder,
    metrics: {
      started: (...args) => this.counted.push(['started', ...args]),
      ended: (...args) => this.counted.push(['ended', ...args]),
      lanes: (...args) => this.counted.push(['lanes', ...args]),
      forget: (...args) => this.counted.push(['forget', ...args]),
    },
    log: this.#log(),
    now: this.now,
  });
  readonly applyPlan = new ApplyPlan(this);
  readonly #hidden = new Set<ResourceType>();
  readonly #resources = new Indexer({ freeze: true });
  readonly #jobs = new Indexer({ freeze: true, indexes: { [BY_RESOURCE]: keysOf } });
  readonly #pods = new Indexer({ freeze: true, indexes: { [BY_RESOURCE]: keysOf } });
  readonly caches = { resources: this.#resources, jobs: this.#jobs, pods: this.#pods } as unknown as Caches;
  readonly observer = new Observer({
    client: this.client,
    caches: this.caches,
    memory: this.memory,
    warnings: this.warnings,
    reports: this.reports,
    now: this.now,
    monotonicNow: this.monotonicNow,
  });
  readonly reconciler = new Reconciler({ ...this.#deps(), log: this.#log() });

  /** A CapDeployJob "web" that is an hour old, with its namespace and its type. */
  constructor(spec: Record<string, unknown> = {}, definition: object = DEFINITION) {
    this.store.create(DEFINITIONS, definition);
    this.store.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'deploy' } });
    this.createResource(spec);
    this.clock.advance(3_600_000);
  }

  #deps() {
    const { client, observer, memory, warnings, reports, announcer, now, monotonicNow } = this;
    return { client, observer, memory, warnings, reports, announcer, now, monotonicNow };
  }

  #warnings(): WarningEvents {
    const wake = (key: string) => void this.woken.push(key);
    return new WarningEvents({ client: this.client, now: this.now, wake, log: this.#log() });
  }

  #log() {
    const note = (_: object, message: string) => void this.diary.push(message);
    return { debug: note, info: note, warn: note, error: note };
  }

  createResource(spec: Record<string, unknown> = {}): CapDeployJob {
    const { uid: _, resourceVersion: __, generation: ___, ...metadata } = aResource().metadata;
    const object = { ...aResource({ spec: aRawSpec(spec) }), metadata };
    return this.store.create(CAPDEPLOYJOBS, object) as unknown as CapDeployJob;
  }

  /** The CapDeployJob as it is stored. */
  get resource(): CapDeployJob {
    return structuredClone(this.store.get(CAPDEPLOYJOBS, 'deploy', 'web')) as unknown as CapDeployJob;
  }

  lane(name = 'production') {
    return this.resource.status?.environments?.find((lane) => lane.name === name);
  }

  setStatus(status: CapDeployJobStatus): void {
    this.store.update(CAPDEPLOYJOBS, { ...this.resource, status } as unknown as KubeObject, { subresource: 'status' });
  }

  /** A merge patch by somebody else. */
  change(type: ResourceType, name: string, patch: Record<string, unknown>): void {
    this.store.patch(type, 'deploy', name, (current) => mergePatch(current, patch), { trusted: true });
  }

  /** Stores the Job of a request, in the state that the changes say, and gives it back as it is stored. */
  job(changes: JobChanges = {}): Job {
    const built = aJob({ owner: this.resource.metadata.uid, ...changes });
    const {
      uid: _,
      resourceVersion: __,
      creationTimestamp: ___,
      deletionTimestamp: ____,
      ...metadata
    } = built.metadata;
    const stored = this.store.create(JOBS, { ...built, status: undefined, metadata });
    if (!built.status) return structuredClone(stored) as unknown as Job;
    const withStatus = { ...stored, status: built.status };
    return structuredClone(this.store.update(JOBS, withStatus, { subresource: 'status' })) as unknown as Job;
  }

  findJob({ metadata: { name } }: Job): Job | undefined {
    return structuredClone(this.store.find(JOBS, 'deploy', name)) as unknown as Job | undefined;
  }

  pod(job: Job, changes: PodChanges = {}): Pod {
    const { metadata, spec, status } = aPod(job, changes);
    const { name, namespace, labels, ownerReferences } = metadata;
    const stored = this.store.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace,
        labels,
        ownerReferences: ownerReferences?.map((owner) => ({ apiVersion: 'batch/v1', ...owner })),
      },
      spec: { ...spec, restartPolicy: 'Never', containers: [{ name: 'cap', image: 'example.test/cap:1' }] },
    });
    return this.store.update(PODS, { ...stored, status }, { subresource: 'status' }) as unknown as Pod;
  }

  /** From now on the watch of a type tells nothing, as if its list had come before all that is there. */
  hide(type: ResourceType): void {
    this.#hidden.add(type);
  }

  /** Another operator on the same caches, which has said and seen nothing yet. */
  secondReconciler(): Reconciler {
    const warnings = this.#warnings();
    return new Reconciler({
      ...this.#deps(),
      warnings,
      observer: new Observer({ ...this, warnings }),
      log: this.#log(),
    });
  }

  /** The watches have caught up. */
  syncCaches(): void {
    const types: [Indexer<KubeObject>, ResourceType][] = [
      [this.#resources, CAPDEPLOYJOBS],
      [this.#jobs, JOBS],
      [this.#pods, PODS],
    ];
    for (const [cache, type] of types) {
      cache.replace(this.#hidden.has(type) ? [] : structuredClone(this.store.list(type).items));
    }
  }

  /** One pass, as the work queue would make it once the watches have caught up. */
  async pass(): Promise<WorkResult> {
    this.syncCaches();
    return this.reconciler.reconcile(KEY);
  }

  /** Passes until one leaves everything as it is. */
  async settle(): Promise<WorkResult> {
    for (let passes = 0; passes < 20; passes += 1) {
      const before = this.store.version;
      const result = await this.pass();
      if (this.store.version === before) return result;
    }
    throw new Error('it does not come to rest');
  }

  /** What was written since the diary was last emptied, as `verb name`. */
  get writes(): string[] {
    return this.calls
      .filter(({ verb, dryRun }) => verb !== 'get' && verb !== 'list' && !dryRun)
      .map(({ verb, plural, name }) => `${verb} ${plural} ${name}`);
  }

  forgetCalls(): void {
    this.calls.length = this.diary.length = this.events.length = this.counted.length = this.wakes.length = 0;
  }

  /** What a plan looks at: the resource as it is stored. */
  observation(changes: Partial<Observation> = {}): Observation {
    return anObservation({ resource: this.resource, now: this.now(), ...changes });
  }
}

/** A plan that asks for nothing, and what a test asks for. */
export function aPlan(changes: Partial<Plan> = {}): Plan {
  return {
    status: { waiting: 0, active: 0 },
    ended: [],
    rejected: [],
    mark: [],
    touch: [],
    start: [],
    remove: [],
    adopted: [],
    absent: [],
    explain: [],
    wakeAt: undefined,
    ...changes,
  };
}

export function aRejection(messageId: string, changes: Partial<RejectionEntry> = {}): RejectionEntry {
  return {
    messageId,
    reason: 'NotJSON',
    message: 'the body is not JSON',
    body: 'deploy!',
    at: new Date(NOW).toISOString(),
    ...changes,
  };
}

const KINDS = {
  conflict: [409, 'Conflict'],
  gone: [404, 'NotFound'],
  invalid: [422, 'Invalid'],
  forbidden: [403, 'Forbidden'],
  retryable: [500, 'InternalError'],
} as const;

/** What the API server answers where it refuses something of that kind. */
export function aRefusal(
  kind: keyof typeof KINDS,
  message: string = kind,
  details: { status?: number; retryAfterSeconds?: number } = {},
): KubeError {
  const [status, reason] = KINDS[kind];
  return new KubeError(kind, { status, reason, message, ...details });
}

/** Refuses the calls that match. */
export const refusing =
  (matches: (call: Call) => boolean, error: () => Error = () => aRefusal('retryable')) =>
  (call: Call): void => {
    if (matches(call)) throw error();
  };

class NotedReports extends IntakeReports {
  readonly #diary: string[];

  constructor(now: () => number, wake: (key: string, inMs: number) => void, diary: string[]) {
    super(now, wake);
    this.#diary = diary;
  }

  override recorded(key: string, rejections: readonly RejectionEntry[]): void {
    if (rejections.length > 0) this.#diary.push(`recorded ${rejections.map(({ messageId }) => messageId).join(', ')}`);
    super.recorded(key, rejections);
  }
}

export { DEFINITION as CRD, DEFINITIONS } from '../../../kit/store.ts';
export { CAPDEPLOYJOBS, CORE_EVENTS, JOBS, NAMESPACES, PODS };

/** The client, with each call noted and open to faults. */
const recording = (client: KubeClient, rig: Rig): KubeClient =>
  interceptClient(client, async (call, send) => {
    rig.calls.push(call);
    rig.before?.(call);
    const result = await send();
    if (call.verb !== 'get' && call.verb !== 'list') rig.diary.push(`${call.verb} ${call.plural}`);
    rig.after?.(call);
    return result;
  });
