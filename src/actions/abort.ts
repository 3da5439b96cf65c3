import { ANNOTATION } from '../api/names.ts';
import { JOBS, type KubeClient, type KubeObject } from '../kube/client.ts';
import { isKubeError } from '../kube/errors.ts';
import { ActionError } from './action-error.ts';
import type { Actor, DeployName } from './names.ts';
import { withRetries } from './write.ts';

/** What the actor has seen, and so decided about: to take a request out of its lane is not to end a deploy. */
export type SeenAs = 'waiting' | 'running';

/** What deploy/admission says of a Job that has ended or is being deleted. A test compares the words. */
export const IS_OVER = 'the deploy has ended, or its Job is being deleted already';

/**
 * Aborts a deploy that runs, or takes one out of its lane that waits: writes the actor's name on its Job and deletes the
 * Job in exactly that state, so that the history can say who aborted what. If the Job has moved between the two writes,
 * both are made again.
 *
 * Only the metadata of the Job comes back, for its template may hold secrets. So that a deploy has ended is known by
 * deploy/admission, which refuses the name then.
 *
 * A crash between the two leaves the name on the Job and does nothing else.
 * @throws ActionError `notFound` if the Job is gone or another one has its name; `refused` if it has ended, is being
 *   deleted already, or was seen to wait and has started since. The name is then taken off again, or a later delete by
 *   somebody else would be put down to the actor.
 */
export async function abort(client: KubeClient, actor: Actor, deploy: DeployName, seenAs: SeenAs): Promise<void> {
  const { namespace, job, uid } = deploy;
  const write = (name: string | null) =>
    client.patch(JOBS, namespace, job, { uid, anyVersion: true }, annotation(name), { metadataOnly: true });
  let isNamed = false;
  try {
    await withRetries(`abort Job ${namespace}/${job}`, async () => {
      const named = await write(actor).catch((error: unknown) => {
        const isOver = isKubeError(error, 'forbidden') && error.message.includes(IS_OVER);
        throw isOver ? refused(deploy, 'has ended already, or is being deleted: there is nothing to abort') : error;
      });
      isNamed = true;
      if (seenAs === 'waiting' && isStarted(named)) {
        throw refused(deploy, 'has started since: look again, and abort the running deploy if that is what you want');
      }
      await client.delete(JOBS, namespace, job, { uid, resourceVersion: named.metadata.resourceVersion ?? '' });
    });
  } catch (error) {
    const isNotDone = error instanceof ActionError && ['refused', 'forbidden', 'unavailable'].includes(error.kind);
    // At best: an API server that does not answer keeps the name.
    if (isNamed && isNotDone) await write(null).catch(() => {});
    throw error;
  }
}

const annotation = (name: string | null) => ({ metadata: { annotations: { [ANNOTATION.abortedBy]: name } } });

const refused = ({ namespace, job }: DeployName, words: string) =>
  new ActionError('refused', `${namespace}/${job} ${words}`);

/** The mark stands in the very write that resumes the Job. */
const isStarted = ({ metadata }: KubeObject): boolean => metadata.annotations?.[ANNOTATION.startedAt] !== undefined;
