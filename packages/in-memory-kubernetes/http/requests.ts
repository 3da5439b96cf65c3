/** What was asked of the API server, counted: tests say "at rest it writes nothing but its Lease". */

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

export interface LoggedRequest {
  verb: Verb;
  group: string;
  plural: string;
  subresource?: string | undefined;
  namespace?: string | undefined;
  name?: string | undefined;
  userAgent?: string | undefined;
}

export type RequestFilter = Partial<LoggedRequest>;

const READS = new Set<Verb>(['get', 'list', 'watch']);
const KEPT = 10_000;

export class RequestLog {
  #entries: LoggedRequest[] = [];
  readonly #counts = new Map<string, number>();

  add(request: LoggedRequest): void {
    this.#entries.push(request);
    if (this.#entries.length > KEPT * 2) this.#entries = this.#entries.slice(-KEPT);
    const key = `${request.verb} ${request.plural}${request.subresource === undefined ? '' : `/${request.subresource}`}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** The latest requests (at least 10,000) that match all that is given. */
  find(filter: RequestFilter = {}): LoggedRequest[] {
    const wanted = Object.entries(filter) as [keyof LoggedRequest, unknown][];
    return this.#entries.filter((entry) => wanted.every(([name, value]) => entry[name] === value));
  }

  count(filter: RequestFilter = {}): number {
    return this.find(filter).length;
  }

  /** Everything that could have changed something. */
  writes(): LoggedRequest[] {
    return this.#entries.filter((entry) => !READS.has(entry.verb));
  }

  /** All requests since the start or the last `clear`, as `create jobs` or `update capdeployjobs/status`. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  clear(): void {
    this.#entries = [];
    this.#counts.clear();
  }
}
