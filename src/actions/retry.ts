import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import type { Result } from '../api/reasons.ts';
import { ActionError } from './action-error.ts';
import type { FoundDeploy } from './find-deploy.ts';
import { type Asking, type Repeat, repeat } from './repeat.ts';

/** A deploy that succeeded is there: who wants it once more asks for it anew. */
const MAY_RETRY: Record<Result, boolean> = {
  Succeeded: false,
  Failed: true,
  Aborted: true,
  Superseded: true,
  Refused: true,
  Missed: true,
  Unknown: true,
};

/** Whether `retry` takes a deploy that ended so. */
export const mayRetry = (result: Result): boolean => MAY_RETRY[result];

/**
 * Makes the message that asks for a deploy again: the same repository, environment, task and revision under a new id.
 * Times are not repeated: it may start at once, and does not expire.
 * @throws ActionError `refused` if the deploy has not ended, or has succeeded
 */
export function retry(status: CapDeployJobStatus | undefined, deploy: FoundDeploy, asking: Asking): Repeat {
  const { environment, state, entry } = deploy;
  if (state !== 'ended') {
    const now = state === 'active' ? 'runs' : 'waits';
    throw new ActionError('refused', `${entry.job} still ${now}: only a deploy that has ended can be retried`);
  }
  const { job, repository, task, revision, result } = entry;
  if (!mayRetry(result)) {
    throw new ActionError('refused', `${job} has succeeded: to deploy the same again, ask for it as a new deploy`);
  }
  return repeat(status, 'retry', job, { repository, environment, task, revision }, asking);
}
