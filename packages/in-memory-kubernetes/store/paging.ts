/**
 * Paged lists. The API server answers every page from one snapshot of etcd; objects here are frozen, so that a snapshot
 * is the rest of the list, kept under its token. Only the newest are kept: an older token gets 410 Expired, as after a
 * compaction of etcd.
 */
import type { KubeObject } from '../objects.ts';
import { badRequest, expired } from './api-error.ts';

const KEPT_SNAPSHOTS = 256;

export interface Page {
  items: KubeObject[];
  version: number;
  continue?: string;
  remaining?: number;
}

interface Snapshot {
  items: KubeObject[];
  start: number;
  version: number;
}

export class Pages {
  readonly #snapshots = new Map<string, Snapshot>();
  #made = 0;

  first(items: KubeObject[], version: number, limit: number | undefined): Page {
    return this.#page({ items, start: 0, version }, limit);
  }

  next(token: string, limit: number | undefined): Page {
    const snapshot = this.#snapshots.get(token);
    if (snapshot !== undefined) return this.#page(snapshot, limit);
    if (!/^\d+\.\d+$/.test(token))
      throw badRequest('invalid continue token: continue key is not valid: illegal base64 data at input byte 0');
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.',
    );
  }

  /** As after a compaction: no token is good any more. */
  forget(): void {
    this.#snapshots.clear();
  }

  #page(snapshot: Snapshot, limit: number | undefined): Page {
    const { items, start, version } = snapshot;
    const end = limit === undefined || limit <= 0 ? items.length : start + limit;
    const page: Page = { items: start === 0 && end >= items.length ? items : items.slice(start, end), version };
    if (end >= items.length) return page;
    this.#made += 1;
    const token = `${version}.${this.#made}`;
    this.#snapshots.set(token, { items, start: end, version });
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > KEPT_SNAPSHOTS && oldest !== undefined) this.#snapshots.delete(oldest);
    return { ...page, continue: token, remaining: items.length - end };
  }
}
