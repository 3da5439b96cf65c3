import type { CapDeployJobStatus, Claim, HistoryEntry, WaitingEntry } from '../api/capdeployjob.ts';
import { DEFAULT_TASK, isRollback } from '../api/deploy-request.ts';
import { ActionError } from './action-error.ts';

/** A deploy that a status names, and where it stands. */
export type FoundDeploy = { environment: string } & (
  | { state: 'active'; entry: Claim }
  | { state: 'waiting'; entry: WaitingEntry }
  | { state: 'ended'; entry: HistoryEntry }
);

/** The hash at the end of a Job's name tells deploys apart. Shorter ends than this are hit by chance. */
const MIN_END = 4;

/** Every deploy of a status: what runs, what waits, and what has ended, the newest first. */
export function deploysOf(status: CapDeployJobStatus | undefined): FoundDeploy[] {
  const lanes = status?.environments ?? [];
  return [
    ...lanes.flatMap(({ name, active = [] }) =>
      active.map((entry): FoundDeploy => ({ environment: name, state: 'active', entry })),
    ),
    ...lanes.flatMap(({ name, waiting = [] }) =>
      waiting.map((entry): FoundDeploy => ({ environment: name, state: 'waiting', entry })),
    ),
    ...(status?.history ?? []).map((entry): FoundDeploy => ({ environment: entry.environment, state: 'ended', entry })),
  ];
}

/**
 * Finds a deploy by its Job's name, by an end of that name of at least 4 characters, or by its request's id. Only the
 * whole name of a Job stands above the rest: ids are chosen by senders, and one that looks like the end of another Job's
 * name must not pass for it.
 * @param among the deploys that count, such as those of one environment
 * @throws ActionError `notFound`, or `ambiguous` with the names that fit
 */
export function findDeploy(among: readonly FoundDeploy[], name: string): FoundDeploy {
  const whole = among.filter(({ entry }) => entry.job === name);
  const found =
    whole.length > 0
      ? whole
      : among.filter(({ entry }) => entry.id === name || (name.length >= MIN_END && entry.job.endsWith(name)));
  const jobs = [...new Set(found.map(({ entry }) => entry.job))];
  if (jobs.length > 1) throw new ActionError('ambiguous', `"${name}" fits ${jobs.join(', ')}: give the whole name`);
  const [deploy] = found;
  if (deploy) return deploy;
  throw new ActionError(
    'notFound',
    `no deploy is called "${name}"; a name is that of a Job, its last ${MIN_END} characters or more, or a request's id`,
  );
}

/**
 * Finds a request by its id, to say who asked for it and what became of it.
 * @param environment the same id in two environments is two deploys
 */
export const findRequest = (
  status: CapDeployJobStatus | undefined,
  environment: string,
  id: string,
): FoundDeploy | undefined =>
  deploysOf(status).find((deploy) => deploy.environment === environment && deploy.entry.id === id);

/** What to go back from and to, or why that is not known. */
export type RollbackFound =
  | { readonly from: HistoryEntry; readonly to: HistoryEntry }
  | { readonly from: HistoryEntry | undefined; readonly to: undefined; readonly why: string };

/**
 * What to go back to: the last deploy of an environment that succeeded before another one was started, with another
 * revision than that. Only the task `deploy` counts: other tasks say nothing about which revision is there.
 * @param from the deploy to go back from; by default the one that was started last
 * @returns no target if the history knows none, or if a rollback by a task has succeeded since: nobody knows to which
 *   revision that went
 */
export function findRollback(
  status: CapDeployJobStatus | undefined,
  environment: string,
  from?: HistoryEntry,
): RollbackFound {
  const started = (status?.history ?? []).filter(
    (entry) => entry.environment === environment && entry.startedAt !== undefined,
  );
  const isDeploy = ({ task, revision }: HistoryEntry) => task === DEFAULT_TASK && revision !== undefined;
  const place = from ? started.findIndex(({ job }) => job === from.job) : started.findIndex(isDeploy);
  const current = started[place];
  if (!current) {
    const why = from
      ? `${from.job} was never started, or the history does not name it any more`
      : `the history names no deploy of "${environment}" that was started`;
    return { from: undefined, to: undefined, why };
  }
  const byTask = started.slice(0, place).find(({ task, result }) => isRollback(task) && result === 'Succeeded');
  if (byTask) {
    const why = `${byTask.job} (${byTask.task}) succeeded since, and the history does not know to which revision it went`;
    return { from: current, to: undefined, why };
  }
  const to = started
    .slice(place + 1)
    .find((entry) => isDeploy(entry) && entry.result === 'Succeeded' && entry.revision !== current.revision);
  if (to) return { from: current, to };
  const why = `the history names no deploy of another revision to "${environment}" that succeeded before ${current.job}`;
  return { from: current, to: undefined, why };
}

/** The target of `findRollback`, for a button that names it. */
export const rollbackTarget = (
  status: CapDeployJobStatus | undefined,
  environment: string,
  from?: HistoryEntry,
): HistoryEntry | undefined => findRollback(status, environment, from).to;
