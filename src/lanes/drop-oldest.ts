/** Drops the oldest entries of a Map or Set that holds more than `most`. */
export function dropOldest<K>(entries: Map<K, unknown> | Set<K>, most: number): void {
  for (const key of entries.keys()) {
    if (entries.size <= most) return;
    entries.delete(key);
  }
}
