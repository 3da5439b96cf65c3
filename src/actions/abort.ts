import { ANNOTATION } from '../api/names.ts';
import { JOBS, type KubeClient } from '../kube/client.ts';
import type { Actor, DeployName } from './names.ts';
import { withRetries } from './write.ts';

/**
 * Aborts a deploy that runs, or takes one out of its lane that waits: writes the actor's name on its Job and deletes
 * the Job in that very state, so that the history can say who aborted what. If the Job has moved between the two writes
 * (it has started, which removes the name), both are made again.
 *
 * A crash between the two leaves the name on the Job and does nothing else.
 * @throws ActionError `notFound` if the Job is gone or another one has its name
 */
export async function abort(client: KubeClient, actor: Actor, deploy: DeployName): Promise<void> {
  const { namespace, job, uid } = deploy;
  const name = { metadata: { annotations: { [ANNOTATION.abortedBy]: actor } } };
  await withRetries(`abort ${job}`, async () => {
    const named = await client.patch(JOBS, namespace, job, { uid, resourceVersion: undefined }, name);
    const { resourceVersion } = named.metadata;
    await client.delete(JOBS, namespace, job, { uid, resourceVersion });
  });
}
