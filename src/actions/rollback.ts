import type { CapDeployJob, HistoryEntry } from '../api/capdeployjob.ts';
import { DEFAULT_TASK, isRollback } from '../api/deploy-request.ts';
import { readSpec } from '../requests/read-spec.ts';
import { ActionError } from './action-error.ts';
import { type FoundDeploy, findRollback } from './find-deploy.ts';
import { type Asking, type Repeat, repeat } from './repeat.ts';

export interface RollbackChoice {
  /** The deploy to go back from. By default the one that was started last. */
  readonly from?: FoundDeploy | undefined;
  /** A task such as `deploy:rollback`, to which the choice of the revision is left. By default `deploy`. */
  readonly task?: string | undefined;
}

export interface Rollback extends Repeat {
  readonly from: HistoryEntry;
  /** The deploy whose revision comes back; undefined if a task chooses. */
  readonly to: HistoryEntry | undefined;
}

/**
 * Makes the message that asks for a rollback: a deploy of the revision that was there before (see `findRollback`), or a
 * task of the application's own.
 * @throws ActionError `notFound` if the history does not say what to go back to; `refused` if what to go back from has
 *   not ended or is no deploy, or if the resource does not allow the task. The message says what to do instead.
 */
export function rollback(
  resource: CapDeployJob,
  environment: string,
  { from, task }: RollbackChoice,
  asking: Asking,
): Rollback {
  const { namespace, name } = resource.metadata;
  const lane = `"${environment}" of ${namespace}/${name}`;
  if (task !== undefined) checkTask(resource, task);
  if (!from) checkNothingRuns(resource, environment);
  const found = findRollback(resource.status, environment, from && deployOf(from));
  const ask = (goingBackFrom: HistoryEntry, content: Pick<HistoryEntry, 'repository' | 'task' | 'revision'>) =>
    repeat(resource.status, 'rollback', goingBackFrom.job, { revision: undefined, ...content, environment }, asking);
  if (task !== undefined && found.from) {
    const { repository } = found.from;
    return { ...ask(found.from, { repository, task }), from: found.from, to: undefined };
  }
  if (!found.to) {
    throw new ActionError('notFound', `cannot roll back ${lane}: ${found.why}; deploy the revision that you want`);
  }
  const { repository, revision } = found.to;
  return { ...ask(found.from, { repository, task: DEFAULT_TASK, revision }), from: found.from, to: found.to };
}

function checkTask(resource: CapDeployJob, task: string): void {
  const { namespace, name } = resource.metadata;
  const read = readSpec(resource);
  if ('problem' in read) throw new ActionError('refused', `${namespace}/${name} has an invalid spec: ${read.problem}`);
  const rollbacks = read.spec.tasks.filter(isRollback);
  if (rollbacks.includes(task)) return;
  const allowed = rollbacks.length > 0 ? `there are ${rollbacks.join(', ')}` : 'there is none';
  throw new ActionError(
    'refused',
    `"${task}" is no rollback that spec.tasks of ${namespace}/${name} names; ${allowed}: roll back without a task, or add it to spec.tasks`,
  );
}

function deployOf({ state, entry }: FoundDeploy): HistoryEntry {
  const refuse = (words: string) => new ActionError('refused', `${entry.job} ${words}`);
  if (state === 'active') throw refuse('still runs: abort it first, or wait until it has ended');
  if (state === 'waiting') {
    throw refuse('has not started: there is nothing to go back from; abort it if it is not to start');
  }
  if (entry.task !== DEFAULT_TASK) {
    throw refuse(`(${entry.task}) was no deploy of a revision: name the deploy that you want to go back from`);
  }
  return entry;
}

/** The history names a deploy when it has ended. To go back from the one before it would undo too much. */
function checkNothingRuns({ status }: CapDeployJob, environment: string): void {
  const active = status?.environments?.find(({ name }) => name === environment)?.active ?? [];
  const running = active.find(({ task }) => task === DEFAULT_TASK || isRollback(task));
  if (!running) return;
  throw new ActionError(
    'refused',
    `${running.job} (${running.revision ?? running.task}) still runs: abort it first, or wait until it has ended`,
  );
}
