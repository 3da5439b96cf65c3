/**
 * Reads: lists by namespace, labels and fields, in pages, and objects in the form of the type by which they are asked
 * for.
 */
import type { KubeObject } from '../objects.ts';
import type { ServedType } from '../types/served-types.ts';
import { ApiError, badRequest } from './api-error.ts';
import type { Collection } from './collection.ts';
import { freeze } from './json.ts';
import { Pages } from './paging.ts';
import { matchesFields, parseFieldSelector, parseLabelSelector } from './selectors.ts';

export interface ListQuery {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  /** Any version up to the present one is answered with the present; one from the future is refused with 504. */
  resourceVersion?: string | undefined;
}

export interface StoredList {
  /** Frozen. */
  items: KubeObject[];
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
}

export class Reading {
  readonly #pages = new Pages();
  readonly #shown = new WeakMap<KubeObject, Map<ServedType, KubeObject>>();

  /** The object as that type shows it; always the same one, so that its JSON is made once. */
  shown(type: ServedType, object: KubeObject): KubeObject {
    if (type.view === undefined) return object;
    let faces = this.#shown.get(object);
    if (faces === undefined) {
      faces = new Map();
      this.#shown.set(object, faces);
    }
    let face = faces.get(type);
    if (face === undefined) {
      face = freeze(type.view.fromStored(object));
      faces.set(type, face);
    }
    return face;
  }

  list(type: ServedType, collection: Collection, query: ListQuery, version: number): StoredList {
    if (query.continue !== undefined && query.continue !== '') {
      if ((query.resourceVersion ?? '0') !== '0' && query.resourceVersion !== '') {
        throw badRequest('specifying resource version is not allowed when using continue');
      }
      return listOf(this.#pages.next(query.continue, query.limit), query);
    }
    checkVersion(query.resourceVersion, version);
    const requirements = parseLabelSelector(query.labelSelector ?? '');
    const fields = parseFieldSelector(query.fieldSelector ?? '', type);
    const namespace = type.namespaced ? query.namespace : undefined;
    let items = collection.select(namespace, requirements);
    if (fields.length > 0) items = items.filter((object) => matchesFields(fields, type.selectable, object));
    if (type.view !== undefined) items = items.map((object) => this.shown(type, object));
    return listOf(this.#pages.first(items, version, query.limit), query);
  }

  forgetPages(): void {
    this.#pages.forget();
  }
}

function listOf(page: ReturnType<Pages['first']>, query: ListQuery): StoredList {
  const whole = (query.labelSelector ?? '') === '' && (query.fieldSelector ?? '') === '';
  return {
    items: page.items,
    metadata: {
      resourceVersion: String(page.version),
      ...(page.continue === undefined ? {} : { continue: page.continue }),
      ...(page.remaining === undefined || !whole ? {} : { remainingItemCount: page.remaining }),
    },
  };
}

/** A number, or nothing; 504 where the client has seen more than there is (it talked to another server before). */
export function checkVersion(wanted: string | undefined, version: number): number {
  if (wanted === undefined || wanted === '') return 0;
  if (!/^\d+$/.test(wanted)) throw badRequest(`invalid resource version: ${unparsableVersion(wanted)}`);
  if (Number(wanted) > version) {
    throw new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${version}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
  }
  return Number(wanted);
}

/** The API server's words for a resourceVersion that is no number. */
export function unparsableVersion(version: string): string {
  const shown = JSON.stringify(version);
  return `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`;
}
