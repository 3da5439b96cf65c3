import type { CapDeployJobStatus } from '../../api/capdeployjob.ts';

/** After this time one resource writes all fields again: the CustomResourceDefinition may have been replaced. */
const TRY_AGAIN_MS = 10 * 60_000;

/**
 * Fields of the status that the API server drops because its CustomResourceDefinition is older than this operator. The
 * API server answers 200 and stores less than it was sent. Without this class each pass would find these fields missing
 * and write them again, for ever. All resources have one definition, so what one of them found counts for all.
 */
export class PrunedFields {
  #paths: ReadonlySet<string> = new Set();
  #foundAt = 0;

  /**
   * Compares what was sent with what was stored.
   * @param now epoch milliseconds.
   * @returns true if other fields are dropped than before.
   */
  compare(sent: CapDeployJobStatus, stored: CapDeployJobStatus | undefined, now: number): boolean {
    if (stored === undefined) return false;
    const found = { kept: new Set<string>(), dropped: new Set<string>() };
    walk(sent, stored, '', found);
    // A field that this status does not hold stays as it was known.
    const before = [...this.#paths].filter((path) => !found.kept.has(path) || found.dropped.has(path));
    const paths = new Set([...before, ...found.dropped].toSorted());
    const changed = [...paths].join() !== [...this.#paths].join();
    if (found.dropped.size > 0) this.#foundAt = now;
    this.#paths = paths;
    return changed;
  }

  /** In words, for people; undefined if nothing is dropped. */
  get problem(): string | undefined {
    if (this.#paths.size === 0) return undefined;
    const names = [...this.#paths].map((path) => `status.${path}`).join(', ');
    const remedy = 'apply the one that came with the operator';
    return `the CustomResourceDefinition is older than this operator and drops ${names}: ${remedy}`;
  }

  /** The status as the API server would store it: the same object if all fields are kept, or are to be tried again. */
  stored(status: CapDeployJobStatus, now: number): CapDeployJobStatus {
    if (this.tryAgainAt === undefined || now >= this.tryAgainAt) return status;
    return without(status, '', this.#paths) as CapDeployJobStatus;
  }

  /** When all fields are written again (epoch milliseconds); undefined if none is dropped. */
  get tryAgainAt(): number | undefined {
    return this.#paths.size === 0 ? undefined : this.#foundAt + TRY_AGAIN_MS;
  }
}

type Found = { readonly kept: Set<string>; readonly dropped: Set<string> };

/** Lists of different length were changed by another client, not pruned. */
function walk(sent: unknown, stored: unknown, path: string, found: Found): void {
  if (Array.isArray(sent)) {
    if (!Array.isArray(stored) || stored.length !== sent.length) return;
    for (const [index, item] of sent.entries()) walk(item, stored[index], `${path}[]`, found);
  } else if (isObject(sent) && isObject(stored)) {
    for (const [name, value] of Object.entries(sent)) {
      if (value === undefined) continue;
      const field = path === '' ? name : `${path}.${name}`;
      found[Object.hasOwn(stored, name) ? 'kept' : 'dropped'].add(field);
      walk(value, stored[name], field, found);
    }
  }
}

function without(value: unknown, path: string, paths: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, `${path}[]`, paths));
  if (!isObject(value)) return value;
  const fields = Object.entries(value).map(([name, inner]) => ({
    name,
    inner,
    field: path === '' ? name : `${path}.${name}`,
  }));
  return Object.fromEntries(
    fields
      .filter(({ field }) => !paths.has(field))
      .map(({ name, inner, field }) => [name, without(inner, field, paths)]),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
