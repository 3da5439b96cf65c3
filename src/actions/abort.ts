import { isFinished } from '../api/finished-job.ts';
import { ANNOTATION } from '../api/names.ts';
import { JOBS, type KubeClient, type KubeObject } from '../kube/client.ts';
import { ActionError } from './action-error.ts';
import type { Actor, DeployName } from './names.ts';
import { withRetries } from './write.ts';

/** What the actor has seen, and so decided about: to take a request out of its lane is not to end a deploy. */
export type SeenAs = 'waiting' | 'running';

/** A Job as far as an abort looks at it. */
interface Job extends KubeObject {
  spec: { suspend?: boolean };
  status?: { conditions?: { type: string; status: string }[] };
}

/**
 * Aborts a deploy that runs, or takes one out of its lane that waits: writes the actor's name on its Job and deletes the
 * Job in exactly that state, so that the history can say who aborted what. If the Job has moved between the two writes,
 * both are made again.
 *
 * A crash between the two leaves the name on the Job and does nothing else.
 * @throws ActionError `notFound` if the Job is gone or another one has its name; `refused` if it has ended, is being
 *   deleted already, or was seen to wait and has started since. The name is then taken off again, or a later delete by
 *   somebody else would be put down to the actor.
 */
export async function abort(client: KubeClient, actor: Actor, deploy: DeployName, seenAs: SeenAs): Promise<void> {
  const { namespace, job, uid } = deploy;
  const write = (name: string | null) =>
    client.patch<Job>(JOBS, namespace, job, { uid, anyVersion: true }, annotation(name));
  let isNamed = false;
  try {
    await withRetries(`abort ${job}`, async () => {
      const named = await write(actor);
      isNamed = true;
      const reason = whyNot(named, seenAs);
      if (reason) throw new ActionError('refused', `${job} ${reason}`);
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

function whyNot(job: Job, seenAs: SeenAs): string | undefined {
  const { metadata, spec } = job;
  if (metadata.deletionTimestamp !== undefined) return 'is being deleted already';
  if (isFinished(job)) return 'has ended already';
  return seenAs === 'waiting' && spec.suspend !== true
    ? 'has started since: look again, and abort the running deploy if that is what you want'
    : undefined;
}
