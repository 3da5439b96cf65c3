import {
  type CapDeployJob,
  type CapDeployJobStatus,
  type HistoryEntry,
  type LaneStatus,
  REJECTIONS_SHOWN,
  type RejectionEntry,
} from '../api/capdeployjob.ts';
import { ENVIRONMENT_PATTERN } from '../api/deploy-request.ts';
import { LABEL } from '../api/names.ts';
import type { Result } from '../api/reasons.ts';
import { conditionsOf, type Health, queueReadDeadlineMs } from './conditions.ts';
import { freezeProblem, freezesOf } from './freeze.ts';
import { isOwnedBy, type Job, type Pod } from './job.ts';
import type { LanePlan, LaneView } from './lane.ts';
import { earliest } from './order.ts';
import { planLane } from './plan-lane.ts';
import { retain, trimHistory } from './retention.ts';
import { truncateStatus } from './truncate-status.ts';

/** Everything that a plan is made from: one CapDeployJob with its Jobs and Pods at one moment. */
export interface Observation
  extends Omit<Health, 'generation' | 'lanes' | 'windowProblem' | 'freezeProblem'>,
    Pick<LaneView, 'memory' | 'warnings' | 'monotonicNow'> {
  readonly resource: CapDeployJob;
  /** Jobs and Pods with the resource's name as label, of any owner; for a plan to apply, listed after the resource. */
  readonly jobs: readonly Job[];
  readonly pods: readonly Pod[];
  /** Rejections that are to be recorded now, oldest first. */
  readonly rejections: readonly RejectionEntry[];
  /** Epoch milliseconds, from before Jobs and Pods were listed: if time has to pass, lists are younger than its end. */
  readonly now: number;
}

/** The next status, and what is to be done before and after it is stored: that of all lanes, in one. */
export interface Plan extends Omit<LanePlan, 'status' | 'start' | 'windowProblem'> {
  readonly status: CapDeployJobStatus;
  /** To be resumed after the status, which holds their claims, is stored. */
  readonly start: readonly Job[];
  /** Rejections that the status newly counts. */
  readonly rejected: readonly RejectionEntry[];
}

/**
 * Decides what is to be done for a CapDeployJob. Pure: the same observation gives the same plan. If the spec cannot be
 * read, lanes are left alone: nothing is started and nothing dropped for a typing error.
 */
export function plan(observation: Observation): Plan {
  const { resource, now } = observation;
  const before = resource.status;
  const lanes = planLanes(observation);
  const ended = lanes.flatMap((lane) => lane.ended);
  const mine = observation.jobs.filter((job) => isOwnedBy(job, resource));
  const names = new Set(mine.map(({ metadata }) => metadata.name));
  const history = trimHistory([...ended.toReversed(), ...(before?.history ?? [])], (name) => names.has(name));
  const { remove: expired, wakeAt: expiry } = retainAll(observation, mine, history);
  const environments = observation.spec
    ? lanes.flatMap(({ status }) => (status ? [status] : []))
    : (before?.environments ?? []);
  const rejected = observation.rejections.filter(
    ({ messageId }, index, all) =>
      !before?.rejections?.some((known) => known.messageId === messageId) &&
      all.findIndex((other) => other.messageId === messageId) === index,
  );
  const rejections = [...rejected.toReversed(), ...(before?.rejections ?? [])].slice(0, REJECTIONS_SHOWN);
  const deploy = history.find(({ startedAt }) => startedAt !== undefined);
  // Requests that were dropped unstarted can push the last deploy out of the history. The column still names it.
  const last = deploy ? `${deploy.environment} ${deploy.revision ?? deploy.task} ${deploy.result}` : before?.last;
  const status: CapDeployJobStatus = {
    observedGeneration: resource.metadata.generation,
    conditions: conditionsOf(
      {
        ...observation,
        generation: resource.metadata.generation,
        lanes: environments,
        windowProblem: lanes.find(({ windowProblem }) => windowProblem !== undefined)?.windowProblem,
        freezeProblem: observation.spec && freezeProblem(freezesOf(resource.metadata.annotations), observation.spec),
      },
      before?.conditions,
    ),
    waiting: count(environments, 'waiting'),
    active: count(environments, 'active'),
    ...(last ? { last } : {}),
    environments,
    ...(rejections.length > 0 ? { rejections } : {}),
    rejectionsCount: (before?.rejectionsCount ?? 0) + rejected.length,
    ...(history.length > 0 ? { history } : {}),
  };
  return {
    status: truncateStatus(status),
    ended,
    rejected,
    touch: lanes.flatMap(({ touch }) => touch),
    start: lanes.flatMap(({ start }) => (start ? [start] : [])),
    remove: [...lanes.flatMap(({ remove }) => remove), ...expired],
    mark: lanes.flatMap(({ mark }) => mark),
    adopted: lanes.flatMap(({ adopted }) => adopted),
    absent: lanes.flatMap(({ absent }) => absent),
    explain: lanes.flatMap(({ explain }) => explain),
    wakeAt: earliest(
      ...[...lanes.map(({ wakeAt }) => wakeAt), expiry, queueDeadline(observation)].filter((at) => (at ?? 0) > now),
    ),
  };
}

function planLanes({ resource, spec, jobs, pods, memory, warnings, now, monotonicNow }: Observation): LanePlan[] {
  if (!spec) return [];
  const laneOf = (object: Job | Pod) => object.metadata.labels?.[LABEL.environment] ?? '';
  const known = new Set([
    ...spec.environments.map(({ name }) => name),
    ...(resource.status?.environments ?? []).map(({ name }) => name),
    ...jobs.map(laneOf),
    ...pods.map(laneOf),
  ]);
  const history = resource.status?.history ?? [];
  const freezes = freezesOf(resource.metadata.annotations);
  return [...known]
    .filter((name) => ENVIRONMENT_PATTERN.test(name))
    .map((name) => {
      const inLane = jobs.filter((job) => laneOf(job) === name);
      const recorded = new Set(history.filter(({ environment }) => environment === name).map(({ id }) => id));
      return planLane({
        name,
        environment: spec.environments.find((environment) => environment.name === name),
        spec,
        freeze: freezes.get(name),
        createdAt: Date.parse(resource.metadata.creationTimestamp),
        previous: resource.status?.environments?.find((lane) => lane.name === name),
        jobs: inLane.filter((job) => isOwnedBy(job, resource)),
        foreignJobs: inLane.filter((job) => !isOwnedBy(job, resource)),
        pods: pods.filter((pod) => laneOf(pod) === name),
        recorded: (id) => recorded.has(id),
        memory,
        warnings,
        now,
        monotonicNow,
      });
    });
}

function retainAll({ spec, now }: Observation, mine: readonly Job[], history: readonly HistoryEntry[]) {
  if (!spec) return { remove: [], wakeAt: undefined };
  const records = new Map<string, { place: number; result: Result }>();
  for (const [place, { environment, id, result }] of history.entries()) {
    const key = `${environment} ${id}`;
    if (!records.has(key)) records.set(key, { place, result });
  }
  const lanes = Map.groupBy(mine, (job) => job.metadata.labels?.[LABEL.environment] ?? '');
  const retentions = [...lanes.values()].map((jobs) =>
    retain(jobs, spec, (environment, id) => records.get(`${environment} ${id}`), now),
  );
  return {
    remove: retentions.flatMap(({ remove }) => remove),
    wakeAt: earliest(...retentions.map(({ wakeAt }) => wakeAt)),
  };
}

/** No event tells that a queue is silent. So the moment at which that becomes a condition has to be waited for. */
function queueDeadline({ queue, spec }: Observation): number | undefined {
  if (!queue || queue.kind === 'off' || !spec) return undefined;
  return Math.max(queue.since, queue.lastReadAt) + queueReadDeadlineMs(spec.queue.waitTimeSeconds) + 1;
}

const count = (lanes: readonly LaneStatus[], field: 'waiting' | 'active'): number =>
  lanes.reduce((sum, lane) => sum + (lane[field]?.length ?? 0), 0);
