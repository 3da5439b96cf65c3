/** Lists of any length, page by page. */

import type { KubeClient, KubeObject, ListOptions, ObjectList, ResourceType } from './client.ts';
import { isKubeError } from './errors.ts';

/** client-go's default page size (`tools/pager`). */
export const PAGE_SIZE = 500;

/**
 * All objects of one live, consistent list: the pages after the first are of the first one's resourceVersion. When the API server
 * compacts that away under a slow reader (410), the list is asked for again in one piece, as client-go's pager does
 * (`FullListIfExpired`). Throws KubeError.
 */
export async function listAll<T extends KubeObject>(
  client: Pick<KubeClient, 'list'>,
  type: ResourceType,
  options: Omit<ListOptions, 'continue'> = {},
): Promise<ObjectList<T>> {
  const limit = options.limit ?? PAGE_SIZE;
  const items: T[] = [];
  let next: string | undefined;
  for (;;) {
    try {
      const page = await client.list<T>(type, { ...options, limit, ...(next === undefined ? {} : { continue: next }) });
      items.push(...page.items);
      next = page.metadata.continue || undefined;
      if (next === undefined) return { items, metadata: { resourceVersion: page.metadata.resourceVersion } };
    } catch (error) {
      if (next === undefined || !isKubeError(error, 'gone')) throw error;
      const { limit: _, ...whole } = options;
      return client.list<T>(type, whole);
    }
  }
}
