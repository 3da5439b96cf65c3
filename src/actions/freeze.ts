import { type CapDeployJob, specOf } from '../api/capdeployjob.ts';
import { freezeValue } from '../api/freeze.ts';
import { CAPDEPLOYJOBS, FREEZE_PREFIX } from '../api/names.ts';
import type { KubeClient } from '../kube/client.ts';
import { plain } from '../text/truncate.ts';
import { ActionError } from './action-error.ts';
import type { Actor, ResourceName } from './names.ts';
import { reading, withRetries } from './write.ts';

/** UTF-16 units of a reason that are kept; a status shows 256 of name and reason together. */
const MAX_REASON = 200;

/**
 * Freezes an environment: nothing starts in it until it is thawed.
 * @param reason what people read; it must say something
 * @returns the value of the annotation, and the freeze that it replaces, if there was one
 * @throws ActionError
 */
export async function freeze(
  client: KubeClient,
  actor: Actor,
  target: ResourceName,
  environment: string,
  reason: string,
): Promise<{ value: string; replaced: string | undefined }> {
  const why = plain(reason, MAX_REASON);
  if (why === '')
    throw new ActionError('refused', 'a freeze needs a reason, for those who find the environment frozen');
  const value = freezeValue(actor, why);
  const replaced = await annotate(client, 'freeze', target, environment, (resource) => {
    checkEnvironment(resource, target, environment);
    return value;
  });
  return { value, replaced };
}

/**
 * Thaws an environment that an annotation has frozen, whoever wrote it: also one that the spec does not name any more.
 * @returns who had frozen it and why, as the annotation said
 * @throws ActionError if no annotation freezes it; the message says so if it is frozen from git
 */
export async function unfreeze(client: KubeClient, target: ResourceName, environment: string): Promise<string> {
  const replaced = await annotate(client, 'thaw', target, environment, (resource, found) => {
    if (found === undefined) throw new ActionError('refused', whyNotFrozen(resource, target, environment));
    return null;
  });
  return replaced ?? '';
}

/** @returns the value that the annotation had */
function annotate(
  client: KubeClient,
  verb: 'freeze' | 'thaw',
  target: ResourceName,
  environment: string,
  valueFor: (resource: CapDeployJob, found: string | undefined) => string | null,
): Promise<string | undefined> {
  const { namespace, name } = target;
  const annotation = FREEZE_PREFIX + environment;
  const what = `${verb} "${environment}" of CapDeployJob ${namespace}/${name}`;
  return withRetries(what, async () => {
    const resource = await reading(what, client.get<CapDeployJob>(CAPDEPLOYJOBS, namespace, name));
    const { uid, resourceVersion, annotations } = resource.metadata;
    const found = annotations?.[annotation];
    const patch = { metadata: { annotations: { [annotation]: valueFor(resource, found) } } };
    await client.patch(CAPDEPLOYJOBS, namespace, name, { uid, resourceVersion }, patch, { metadataOnly: true });
    return found;
  });
}

/** A freeze of an environment that does not exist freezes nothing, and whoever wrote it would believe that it does. */
function checkEnvironment(resource: CapDeployJob, target: ResourceName, environment: string): void {
  const parsed = specOf(resource);
  if (!('spec' in parsed)) return;
  const names = parsed.spec.environments.map(({ name }) => name);
  if (names.includes(environment)) return;
  throw new ActionError(
    'notFound',
    `${target.namespace}/${target.name} has no environment "${environment}"; there are ${names.join(', ')}`,
  );
}

function whyNotFrozen(resource: CapDeployJob, { namespace, name }: ResourceName, environment: string): string {
  const parsed = specOf(resource);
  const spec = 'spec' in parsed ? parsed.spec : undefined;
  const fromGit = spec?.suspend
    ? 'spec.suspend'
    : spec?.environments.find((each) => each.name === environment)?.suspend && `suspend of this environment`;
  const lane = `"${environment}" of ${namespace}/${name}`;
  return fromGit
    ? `${lane} is frozen by ${fromGit} in its spec: change that where the spec is kept, in git for example`
    : `${lane} is not frozen`;
}
