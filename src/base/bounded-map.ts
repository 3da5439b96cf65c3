/** A Map that forgets its oldest entry when it is full. As in any Map, a key that is set again keeps its place. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #limit: number;

  constructor(limit: number, entries: Iterable<readonly [K, V]> = []) {
    // Not handed to Map, which would call `set` before there is a limit.
    super();
    this.#limit = limit;
    for (const [key, value] of entries) this.set(key, value);
  }

  override set(key: K, value: V): this {
    super.set(key, value);
    if (this.size > this.#limit) this.delete(this.keys().next().value as K);
    return this;
  }
}
