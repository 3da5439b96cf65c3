import { ANNOTATION } from '../api/names.ts';
import { JOBS, type KubeClient } from '../kube/client.ts';
import type { Actor, DeployName } from './names.ts';
import { withRetries } from './write.ts';

/**
 * Approves a deploy that waits. The write names the uid, so what was shown is what is approved.
 * @throws ActionError `notFound` if the Job is gone or another one has its name
 */
export async function approve(client: KubeClient, actor: Actor, deploy: DeployName): Promise<void> {
  await write(client, deploy, actor, 'approve');
}

/** Takes an approval back. It has no effect on a deploy that has started. @throws ActionError */
export async function withdrawApproval(client: KubeClient, deploy: DeployName): Promise<void> {
  await write(client, deploy, null, 'withdraw the approval of');
}

async function write(client: KubeClient, deploy: DeployName, value: string | null, verb: string): Promise<void> {
  const { namespace, job, uid } = deploy;
  const patch = { metadata: { annotations: { [ANNOTATION.approvedBy]: value } } };
  await withRetries(`${verb} Job ${namespace}/${job}`, () =>
    client.patch(JOBS, namespace, job, { uid, anyVersion: true }, patch, { metadataOnly: true }),
  );
}
