import type { CapDeployJob } from '../api/capdeployjob.ts';
import { keyOf } from '../base/object-key.ts';
import type { Target, TargetEnvironment } from '../chat/target.ts';
import { readSpec } from '../requests/read-spec.ts';
import type { BotConfig, FileTarget } from './config.ts';

/** What people may deploy to, from the CapDeployJobs of a cluster or from the configuration. Pure. */

/**
 * @returns the targets by name, of the namespaces that the configuration names; a resource whose spec is invalid is none:
 * the operator does not read its queue
 */
export function targetsOfCluster(resources: readonly CapDeployJob[], config: BotConfig): Target[] {
  return resources.flatMap((resource) => targetOf(resource, config)).sort(byName);
}

export const targetsOfFile = (config: BotConfig): Target[] =>
  config.targets.map((target) => fileTargetOf(target, config)).sort(byName);

function targetOf(resource: CapDeployJob, config: BotConfig): Target[] {
  const { namespace, deletionTimestamp } = resource.metadata;
  if (deletionTimestamp !== undefined || config.namespaces?.includes(namespace) === false) return [];
  const read = readSpec(resource);
  if ('problem' in read) return [];
  const { repositories, tasks, environments } = read.spec;
  // Without a list the operator takes any name.
  const [first = resource.metadata.name, ...rest] = repositories ?? [];
  return [
    {
      name: keyOf(resource),
      repositories: [first, ...rest],
      tasks,
      environments: environments.map(({ name, requireApproval }) => environmentOf(name, requireApproval, config)),
      resource,
    },
  ];
}

function fileTargetOf({ name, repositories, tasks, environments }: FileTarget, config: BotConfig): Target {
  return {
    name,
    repositories,
    tasks,
    environments: environments.map((environment) => environmentOf(environment, false, config)),
    resource: undefined,
  };
}

const environmentOf = (name: string, requireApproval: boolean, config: BotConfig): TargetEnvironment => ({
  name,
  isProtected: requireApproval || config.protected.includes(name),
  needsConfirmation: config.confirm.includes(name),
});

const byName = (a: Target, b: Target): number => (a.name < b.name ? -1 : 1);
