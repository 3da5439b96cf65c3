import type { CapDeployJobStatus, Claim, HistoryEntry, WaitingEntry } from '../api/capdeployjob.ts';
import { ActionError } from './action-error.ts';

/** A deploy that a status names, and where it stands. */
export type FoundDeploy = { environment: string } & (
  | { state: 'active'; entry: Claim }
  | { state: 'waiting'; entry: WaitingEntry }
  | { state: 'ended'; entry: HistoryEntry }
);

/** So much of the end of a Job's name is needed: its hash tells deploys apart, and shorter ends are hit by chance. */
const LEAST_END = 4;

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
 * Finds a deploy by its Job's name, by an end of that name of at least 4 characters, or by its request's id.
 * @param among the deploys that count, such as those of one environment
 * @throws ActionError `notFound`, or `ambiguous` with the names that fit
 */
export function findDeploy(among: readonly FoundDeploy[], name: string): FoundDeploy {
  const exact = among.filter(({ entry }) => entry.job === name || entry.id === name);
  const found =
    exact.length > 0 || name.length < LEAST_END ? exact : among.filter(({ entry }) => entry.job.endsWith(name));
  const jobs = [...new Set(found.map(({ entry }) => entry.job))];
  if (jobs.length > 1) throw new ActionError('ambiguous', `"${name}" fits ${jobs.join(', ')}: give more of the name`);
  const [deploy] = found;
  if (deploy) return deploy;
  throw new ActionError(
    'notFound',
    `no deploy is called "${name}"; a name is that of a Job, its last ${LEAST_END} characters or more, or a request's id`,
  );
}

/**
 * What to go back to: the last deploy of an environment that succeeded with another revision than what is there now.
 * @returns undefined if the history knows none
 */
export function previousSuccess(status: CapDeployJobStatus | undefined, environment: string): HistoryEntry | undefined {
  const lane = status?.environments?.find(({ name }) => name === environment);
  const now = lane?.lastSuccessful?.revision;
  return status?.history?.find(
    (entry) =>
      entry.environment === environment &&
      entry.result === 'Succeeded' &&
      entry.revision !== undefined &&
      entry.revision !== now,
  );
}
