/** What people and the spec say of a frozen environment, as annotations and the status have it. */

/** The value of the annotation `freeze.capdeployjob.dev/<environment>`. */
export const freezeValue = (who: string, why: string): string => `${who}: ${why}`;

const SUSPENDED = 'spec.suspend is true';
const environmentSuspended = (environment: string): string => `spec.environments[${environment}].suspend is true`;

/** Everything that freezes an environment: each cause has to be undone. */
export interface Freeze {
  /** What the spec says, in words. */
  readonly bySpec: readonly string[];
  /** Who froze it by the annotation; undefined if nobody did, or if the value does not begin with `<who>: `. */
  readonly who: string | undefined;
  /** The rest of the value; undefined if there is no annotation. */
  readonly why: string | undefined;
}

/**
 * The status's text of a frozen environment. The words of people come last, because the end is cut if it is too long.
 * @param annotation its value, made fit to be shown
 * @returns undefined if nothing freezes it
 */
export function frozenText(
  environment: string,
  suspended: { resource: boolean; environment: boolean },
  annotation: string | undefined,
): string | undefined {
  const causes = [
    ...(suspended.resource ? [SUSPENDED] : []),
    ...(suspended.environment ? [environmentSuspended(environment)] : []),
    ...(annotation === undefined ? [] : [annotation]),
  ];
  return causes.length > 0 ? causes.join('; ') : undefined;
}

/** Reads what `frozenText` wrote. */
export function readFrozenText(environment: string, text: string): Freeze {
  const bySpec: string[] = [];
  let rest: string | undefined = text;
  for (const cause of [SUSPENDED, environmentSuspended(environment)]) {
    if (rest !== cause && !rest?.startsWith(`${cause}; `)) continue;
    bySpec.push(cause);
    rest = rest === cause ? undefined : rest.slice(cause.length + 2);
  }
  const end = rest?.indexOf(': ') ?? -1;
  if (rest === undefined || end < 1) return { bySpec, who: undefined, why: rest };
  return { bySpec, who: rest.slice(0, end), why: rest.slice(end + 2) };
}
