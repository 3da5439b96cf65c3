/**
 * Chance that can be had again: the same parts give the same numbers, whatever else was drawn before. Each step of a
 * run draws from a stream of its own (seed, step), so that leaving out one step leaves the others what they were: that
 * is what makes a run shrink.
 */
export class Random {
  #state: number;

  constructor(...parts: readonly (number | string)[]) {
    let hash = 0x811c9dc5;
    for (const part of parts) {
      const text = `${part};`;
      for (let index = 0; index < text.length; index += 1) {
        hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
      }
    }
    this.#state = hash >>> 0;
    // FNV leaves neighbours near each other; the first numbers of mulberry32 would show it.
    this.next();
    this.next();
  }

  /** At least 0, less than 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 up to, and not, `count`. */
  int(count: number): number {
    return Math.floor(this.next() * count);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Milliseconds, or whatever it is, from `min` to `max`, each order of magnitude as likely as the next. */
  magnitude(min: number, max: number): number {
    return Math.floor(min * (max / min) ** this.next());
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  /** One of the names, each as often as its weight says. */
  weighted<T>(entries: readonly (readonly [T, number])[]): T {
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of entries) {
      rest -= weight;
      if (rest < 0) return value;
    }
    return entries[entries.length - 1]![0];
  }

  shuffle<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.map(() => left.splice(this.int(left.length), 1)[0] as T);
  }
}
