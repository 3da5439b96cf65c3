/** Values of one label that are told apart: more than AWS, the API server and the transport have in practice. */
const MAX_VALUES = 50;

const OTHER = 'other';

/**
 * The values of a label that come from outside (AWS's codes, the reasons of an admission webhook). They stay short and
 * plain, and they stay few.
 */
export class LabelValues implements Iterable<string> {
  readonly #known = new Set<string>();

  of(text: string): string {
    const value = text.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 64) || 'unknown';
    if (!this.#known.has(value) && this.#known.size >= MAX_VALUES) return OTHER;
    this.#known.add(value);
    return value;
  }

  /** Every value that `of` ever returned. */
  *[Symbol.iterator](): Iterator<string> {
    yield* this.#known;
    yield OTHER;
  }
}
