import type {
  CapDeployJob,
  CapDeployJobSpec,
  CapDeployJobStatus,
  HistoryEntry,
  RejectionEntry,
} from '../../api/capdeployjob.ts';
import { EVENT, type Result } from '../../api/reasons.ts';
import type { Log } from '../../base/log.ts';
import type { KubeObject } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { type Thaw, thawsOf } from '../../lanes/freeze.ts';
import { type Job, type StoredRequest, storedRequest } from '../../lanes/job.ts';
import type { RemovalReason } from '../../lanes/lane.ts';
import type { Observation, Plan } from '../../lanes/plan.ts';

/** What is counted of deploys. */
export interface DeployMetrics {
  started(key: string, environment: string, secondsSinceSent: number): void;
  ended(key: string, environment: string, result: Result): void;
  lanes(key: string, lanes: readonly { environment: string; waiting: number; active: number }[]): void;
  forget(key: string): void;
}

interface AnnouncerDeps {
  readonly events: EventRecorder;
  readonly metrics: DeployMetrics;
  readonly log: Log;
  readonly now: () => number;
}

/** Results that need a person's attention. */
const BAD: readonly Result[] = ['Failed', 'Aborted', 'Missed', 'Refused', 'Unknown'];

/** How many rejections, the newest ones, get an Event after a status write: a flood must not crowd out deploys. */
const MAX_REJECTION_EVENTS = 50;

/**
 * Tells people what became of a deploy once the status says it: by Event, metric and log line. This is best effort; the
 * history is the record. Each turn of a deploy has one Event, by its name, however often it is told.
 */
export class Announcer {
  readonly #deps: AnnouncerDeps;

  constructor(deps: AnnouncerDeps) {
    this.#deps = deps;
  }

  /** The status that holds the plan's records is stored. */
  recorded(key: string, observation: Observation, plan: Plan): void {
    for (const thaw of thawsOf(observation.resource.status, plan.status, observation.spec))
      this.#thawed(key, observation.resource, thaw);
    for (const entry of plan.ended) this.#ended(key, observation.resource, entry);
    for (const rejection of plan.rejected.slice(-MAX_REJECTION_EVENTS)) this.#rejected(observation.resource, rejection);
    for (const job of plan.adopted) this.#adopted(key, observation.resource, job);
  }

  started(key: string, resource: CapDeployJob, job: Job): void {
    const request = storedRequest(job);
    this.#deps.metrics.started(
      key,
      request.environment,
      Math.max(0, (this.#deps.now() - Date.parse(request.sentAt)) / 1000),
    );
    this.#deps.log.info({ resource: key, job: job.metadata.name, ...brief(request) }, 'deploy started');
    this.#deps.events.record({
      regarding: about(resource),
      related: asObject(job),
      type: 'Normal',
      reason: EVENT.started,
      action: 'Deploy',
      note: `${job.metadata.name}: ${describe(request)} started`,
      turn: `${job.metadata.uid}/started`,
    });
  }

  removed(key: string, job: Job, reason: RemovalReason): void {
    this.#deps.log.info({ resource: key, job: job.metadata.name, reason }, 'Job deleted');
  }

  /**
   * The lanes to count: those of the spec, and those in which something waits or runs. If the spec cannot be read, all
   * lanes of the status are counted, though it names a removed environment for days.
   */
  lanes(key: string, { environments = [] }: CapDeployJobStatus, spec?: CapDeployJobSpec): void {
    const named = spec?.environments.map(({ name }) => ({ environment: name, waiting: 0, active: 0 })) ?? [];
    const lanes = new Map(named.map((lane) => [lane.environment, lane]));
    for (const { name, waiting = [], active = [] } of environments) {
      if (spec && !lanes.has(name) && waiting.length + active.length === 0) continue;
      lanes.set(name, { environment: name, waiting: waiting.length, active: active.length });
    }
    this.#deps.metrics.lanes(key, [...lanes.values()]);
  }

  forget(key: string): void {
    this.#deps.metrics.forget(key);
  }

  /** One Event for each thaw: only one write from this resourceVersion can take the freeze out of the status. */
  #thawed(key: string, resource: CapDeployJob, { environment, words }: Thaw): void {
    this.#deps.log.info({ resource: key, environment, frozen: words }, 'environment thawed');
    this.#deps.events.record({
      regarding: about(resource),
      type: 'Normal',
      reason: EVENT.thawed,
      action: 'Thaw',
      note: `${environment} is frozen no more, and what waits there may start; it was frozen: ${words}`,
      turn: `${environment}/${resource.metadata.resourceVersion}/thawed`,
    });
  }

  #ended(key: string, resource: CapDeployJob, entry: HistoryEntry): void {
    this.#deps.metrics.ended(key, entry.environment, entry.result);
    const fields = { resource: key, job: entry.job, result: entry.result, reason: entry.reason, ...brief(entry) };
    this.#deps.log[BAD.includes(entry.result) ? 'warn' : 'info'](fields, 'deploy ended');
    this.#deps.events.record({
      regarding: about(resource),
      type: BAD.includes(entry.result) ? 'Warning' : 'Normal',
      reason: entry.result,
      action: 'Deploy',
      note: [`${entry.job}: ${describe(entry)} ${entry.result}`, entry.reason, entry.message]
        .filter(Boolean)
        .join(': '),
      turn: `${entry.job}/${entry.id}/ended`,
    });
  }

  #rejected(resource: CapDeployJob, rejection: RejectionEntry): void {
    const { messageId, reason, field, message } = rejection;
    this.#deps.events.record({
      regarding: about(resource),
      type: 'Warning',
      reason,
      action: 'Reject',
      // The message begins with its field.
      note: `message ${messageId} rejected: ${message ?? field ?? reason}`,
      turn: `${messageId}/rejected`,
    });
  }

  #adopted(key: string, resource: CapDeployJob, job: Job): void {
    this.#deps.log.warn(
      { resource: key, job: job.metadata.name },
      'a Job runs that this operator has no claim on: it holds the lane now',
    );
    this.#deps.events.record({
      regarding: about(resource),
      related: asObject(job),
      type: 'Warning',
      reason: EVENT.adopted,
      action: 'Deploy',
      note:
        `${job.metadata.name} runs without a claim (resumed by hand, or the status was lost): ` +
        'it holds the lane until it ends',
      turn: `${job.metadata.uid}/adopted`,
    });
  }
}

type Named = Pick<StoredRequest, 'environment' | 'task'> & Partial<Pick<StoredRequest, 'revision' | 'requestedBy'>>;

const describe = ({ environment, task, revision, requestedBy }: Named): string =>
  `${task} of ${revision ?? '(no revision)'} to ${environment}${requestedBy ? ` for ${requestedBy}` : ''}`;

const brief = ({ environment, task, revision, requestedBy }: Named) => ({ environment, task, revision, requestedBy });

const about = (resource: CapDeployJob): KubeObject => resource as unknown as KubeObject;
const asObject = (job: Job): KubeObject => ({ ...job, apiVersion: 'batch/v1', kind: 'Job' });
