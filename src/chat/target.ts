import { closest, distance } from 'fastest-levenshtein';
import type { CapDeployJob } from '../api/capdeployjob.ts';

/** What a person may deploy to: a CapDeployJob, or an entry of the configuration that stands for one. */
export interface Target {
  /** `<namespace>/<name>` of the CapDeployJob. */
  readonly name: string;
  /** As its messages name it; the first one is sent if a person names the target otherwise. */
  readonly repositories: readonly [string, ...string[]];
  readonly tasks: readonly string[];
  readonly environments: readonly TargetEnvironment[];
  /** Undefined for a bot outside the cluster (`source: file`). */
  readonly resource: CapDeployJob | undefined;
}

export interface TargetEnvironment {
  readonly name: string;
  /** It asks for approvals, or the configuration protects it: a rule must name it. */
  readonly isProtected: boolean;
  /** A form asks once more. */
  readonly needsConfirmation: boolean;
}

/** Why a name is no one target. `nearest` is worth asking about; it is not what was meant for certain. */
export type NoTarget =
  | { kind: 'unknown'; found: string; nearest: string | undefined }
  | { kind: 'ambiguous'; found: string; targets: readonly string[] };

/**
 * Finds what a person calls `<namespace>/<name>`; or by a repository (`livesense/web`), by its last part (`web`), or by the
 * name of a CapDeployJob. Only the first is nobody else's to choose: whoever makes a CapDeployJob `web` elsewhere must not
 * get what is meant for another one.
 * @returns the target, and the repository as a message to it names it
 */
export function findTarget(
  targets: readonly Target[],
  found: string,
): { target: Target; repository: string } | { problem: NoTarget } {
  const named = targets.find(({ name }) => name === found);
  const hits = named ? [named] : targets.filter((target) => isCalled(target, found));
  const [target] = hits;
  if (target && hits.length === 1) return { target, repository: repositoryOf(target, found) };
  if (hits.length > 1) return { problem: { kind: 'ambiguous', found, targets: hits.map(({ name }) => name) } };
  return { problem: { kind: 'unknown', found, nearest: nearestOf(found, targets.flatMap(namesOf)) } };
}

const isCalled = (target: Target, found: string): boolean =>
  target.repositories.includes(found) || namesOf(target).map(lastPart).includes(found);

const namesOf = ({ name, repositories }: Target): string[] => [...repositories, name];

const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

function repositoryOf({ repositories }: Target, found: string): string {
  return (
    repositories.find((repository) => repository === found) ??
    repositories.find((repository) => lastPart(repository) === found) ??
    repositories[0]
  );
}

/** More wrong letters than this, of so many, and it is another word. */
const MOST_WRONG = 0.4;

/** @returns the name that was probably meant, by the fewest letters to change; undefined if none is near */
export function nearestOf(found: string, names: readonly string[]): string | undefined {
  const candidates = [...new Set(names.flatMap((name) => [name, lastPart(name)]))];
  if (candidates.length === 0) return undefined;
  const nearest = closest(found.toLowerCase(), candidates);
  return distance(found.toLowerCase(), nearest) <= Math.max(1, found.length * MOST_WRONG) ? nearest : undefined;
}

export const environmentOf = (target: Target, name: string): TargetEnvironment | undefined =>
  target.environments.find((environment) => environment.name === name);
