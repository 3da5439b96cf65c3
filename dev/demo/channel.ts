import { setTimeout } from 'node:timers/promises';
import type { LocalSlack } from '../local-slack/local-slack.ts';
import type { Table } from './table.ts';

const LOOK_MS = 50;

/** The channel in the terminal: each message as people see it, once, and for whom if only one person does. */
export class Channel {
  readonly #slack: LocalSlack;
  readonly #name: string;
  readonly #people: readonly string[];
  readonly #table: Table;
  readonly #told = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #lines: string[] = [];
  #watching: Promise<void> = Promise.resolve();

  constructor(slack: LocalSlack, name: string, people: readonly string[], table: Table) {
    this.#slack = slack;
    this.#name = name;
    this.#people = people;
    this.#table = table;
  }

  start(): void {
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
    this.#tell();
  }

  /** Everything that was said so far: `author: text`. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves when the condition holds, looked at again and again. @throws Error that says what was waited for */
  async until(what: string, condition: () => boolean, milliseconds: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + milliseconds;
    while (!condition()) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(`${what}: not within ${milliseconds / 1000} s`);
      await setTimeout(LOOK_MS);
    }
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#tell();
      await setTimeout(LOOK_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  #tell(): void {
    for (const person of this.#people) {
      for (const { ts, author, text, onlyYou } of this.#slack.as(person).reads.channel(this.#name)) {
        const key = onlyYou ? `${person} ${ts}` : ts;
        if (this.#told.has(key)) continue;
        this.#told.add(key);
        this.#lines.push(`${author}: ${text}`);
        const resource = `#${this.#name}`;
        const [first = '', ...more] = text.split('\n');
        const to = onlyYou ? ` (only ${person} sees this)` : '';
        this.#table.row({ resource, what: `${author}${to}: ${first}`, style: 'blue' });
        for (const line of more) this.#table.row({ resource, what: `  ${line}`, style: 'blue' });
      }
    }
  }
}
