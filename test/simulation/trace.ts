/** What happened in a run: a hash of all of it, counts by kind, and, where somebody wants to read it, the lines. */
export class Trace {
  /** FNV-1a over everything that was noted: two runs of one seed that differ in anything differ here. */
  hash = 0x811c9dc5;
  readonly lines: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #keepsLines: boolean;
  readonly #now: () => number;
  readonly #start: number;

  constructor(keepsLines: boolean, now: () => number) {
    this.#keepsLines = keepsLines;
    this.#now = now;
    this.#start = now();
  }

  get keepsLines(): boolean {
    return this.#keepsLines;
  }

  /** Something that belongs to the run; `words` is asked only where lines are kept. */
  note(what: string, words?: () => string): void {
    let hash = this.hash;
    for (let index = 0; index < what.length; index += 1) hash = Math.imul(hash ^ what.charCodeAt(index), 0x01000193);
    this.hash = Math.imul(hash ^ (this.#now() & 0x7fffffff), 0x01000193) >>> 0;
    if (this.#keepsLines) this.say(words === undefined ? what : words());
  }

  /** A line for readers that is no part of the hash. */
  say(line: string): void {
    if (this.#keepsLines) this.lines.push(`${((this.#now() - this.#start) / 1000).toFixed(3).padStart(9)} s  ${line}`);
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
