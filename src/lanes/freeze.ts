import type { CapDeployJobSpec, CapDeployJobStatus } from '../api/capdeployjob.ts';
import { FREEZE_PREFIX } from '../api/names.ts';
import { redactSecrets } from '../text/redact.ts';
import { bounded, plain } from '../text/truncate.ts';

/** UTF-16 units of a freeze's text that a status shows, and that are read for it: half a secret is not recognised. */
const MAX_SHOWN = 256;
const MAX_READ = 16 * MAX_SHOWN;

/**
 * Environments that people have frozen by an annotation of the CapDeployJob: `freeze.capdeployjob.dev/<environment>:
 * "<who>: <why>"`. Argo CD's self-heal does not touch an annotation that git does not name.
 * @returns who froze it and why, by environment.
 */
export function freezesOf(annotations: Readonly<Record<string, string>> | undefined): Map<string, string> {
  const freezes = new Map<string, string>();
  for (const [name, words] of Object.entries(annotations ?? {})) {
    if (!name.startsWith(FREEZE_PREFIX)) continue;
    // The annotation freezes, whatever its value is.
    const shown = bounded(redactSecrets(plain(words.slice(0, MAX_READ), MAX_READ)), MAX_SHOWN);
    freezes.set(name.slice(FREEZE_PREFIX.length), shown || `by the annotation ${name}, which names nobody`);
  }
  return freezes;
}

/**
 * A freeze of an environment that the spec does not name freezes nothing, though its author believes that it does. So
 * it is reported.
 * @returns what is wrong, in words, or undefined.
 */
export function freezeProblem(freezes: ReadonlyMap<string, string>, spec: CapDeployJobSpec): string | undefined {
  const names = spec.environments.map(({ name }) => name);
  const unknown = [...freezes.keys()].filter((environment) => !names.includes(environment)).sort();
  if (unknown.length === 0) return undefined;
  const found = unknown.map((environment) => `${FREEZE_PREFIX}${environment}`).join(', ');
  return bounded(
    `metadata.annotations: ${found} freezes nothing, for spec.environments names no such environment (case counts): ` +
      `correct it or take it away; there are ${names.join(', ')}`,
    1024,
  );
}

/** An environment that is no longer frozen, and what had frozen it. */
export interface Thaw {
  readonly environment: string;
  readonly words: string;
}

/**
 * What one write of the status thaws, whatever the cause: an annotation that was removed or dropped by a replace, or
 * `suspend` in git. An environment that the spec no longer names is not thawed. A status that was lost tells of no
 * freeze.
 * @param spec undefined if it cannot be read: then nothing is known to have been thawed.
 */
export function thawsOf(
  before: CapDeployJobStatus | undefined,
  after: CapDeployJobStatus,
  spec: CapDeployJobSpec | undefined,
): Thaw[] {
  const frozen = new Set(after.environments?.filter((lane) => lane.frozen !== undefined).map(({ name }) => name));
  const named = new Set(spec?.environments.map(({ name }) => name));
  return (before?.environments ?? []).flatMap(({ name, frozen: words }) =>
    words !== undefined && named.has(name) && !frozen.has(name) ? [{ environment: name, words }] : [],
  );
}
