/** What a container has said: the last of it, kept in memory by line, with the time of each line. */
import { timestamp } from '../clock.ts';
import type { LogQuery, LogSink } from './log-source.ts';

const LARGEST = 1024 * 1024;
/** What becomes the termination message (kubelet's limits). */
const MESSAGE_BYTES = 2048;
const MESSAGE_LINES = 80;

interface Line {
  at: number;
  text: Buffer;
  complete: boolean;
}

const NEWLINE = 10;

export class ContainerLog {
  readonly #now: () => number;
  readonly #lines: Line[] = [];
  readonly #followers = new Set<{ query: LogQuery; sink: LogSink; left: number; lineBegun: boolean }>();
  #size = 0;
  #ended = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  append(chunk: Buffer): void {
    for (let start = 0; start < chunk.length; ) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline < 0 ? chunk.length : newline + 1;
      this.#add(chunk.subarray(start, end), newline >= 0);
      start = end;
    }
  }

  /** No more lines will come: readers that follow end. */
  end(): void {
    this.#ended = true;
    for (const { sink } of this.#followers) sink.end();
    this.#followers.clear();
  }

  /** The end of the log, as it becomes `state.terminated.message` under FallbackToLogsOnError. */
  tail(): string {
    const lines = this.#lines.slice(-MESSAGE_LINES).map((line) => line.text);
    const bytes = Buffer.concat(lines);
    return bytes.subarray(Math.max(0, bytes.length - MESSAGE_BYTES)).toString();
  }

  read(query: LogQuery, sink: LogSink): () => void {
    let lines = this.#lines;
    if (query.sinceMs !== undefined) lines = lines.filter((line) => line.at >= (query.sinceMs ?? 0));
    if (query.tailLines !== undefined) lines = query.tailLines === 0 ? [] : lines.slice(-query.tailLines);
    const follower = { query, sink, left: query.limitBytes ?? Number.POSITIVE_INFINITY, lineBegun: false };
    for (const line of lines) this.#tell(follower, line.at, line.text, line.complete);
    if (!query.follow || this.#ended || follower.left <= 0) {
      sink.end();
      return () => {};
    }
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  #add(text: Buffer, complete: boolean): void {
    const at = this.#now();
    const last = this.#lines.at(-1);
    if (last !== undefined && !last.complete) {
      last.text = Buffer.concat([last.text, text]);
      last.complete = complete;
    } else this.#lines.push({ at, text: Buffer.from(text), complete });
    this.#size += text.length;
    while (this.#size > LARGEST && this.#lines.length > 1) this.#size -= this.#lines.shift()?.text.length ?? 0;
    for (const follower of [...this.#followers]) {
      this.#tell(follower, at, text, complete);
      if (follower.left > 0) continue;
      this.#followers.delete(follower);
      follower.sink.end();
    }
  }

  #tell(
    follower: { query: LogQuery; sink: LogSink; left: number; lineBegun: boolean },
    at: number,
    text: Buffer,
    complete: boolean,
  ): void {
    if (follower.left <= 0) return;
    const stamped = follower.query.timestamps && !follower.lineBegun;
    const whole = stamped ? Buffer.concat([Buffer.from(`${timestamp(at)} `), text]) : text;
    const part = whole.subarray(0, Math.min(whole.length, follower.left));
    follower.left -= part.length;
    follower.lineBegun = !complete;
    follower.sink.write(part);
  }
}
