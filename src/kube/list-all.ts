/** Lists of any length, page by page. */

import type { KubeClient, KubeObject, ListOptions, ObjectList, ResourceType } from './client.ts';
import { isKubeError } from './errors.ts';

/** client-go's default page size (`tools/pager`). */
export const PAGE_SIZE = 500;

/**
 * The pages of one live, consistent list: all are of the first page's resourceVersion.
 * @throws KubeError; 410 (kind `gone`) if the API server compacted that version before a slow reader had read all.
 */
export async function* listPages<T extends KubeObject>(
  client: Pick<KubeClient, 'list'>,
  type: ResourceType,
  options: Omit<ListOptions, 'continue'> = {},
): AsyncGenerator<ObjectList<T>> {
  const limit = options.limit ?? PAGE_SIZE;
  let next: string | undefined;
  do {
    const from = next === undefined ? {} : { continue: next };
    const page: ObjectList<T> = await client.list<T>(type, { ...options, limit, ...from });
    next = page.metadata.continue || undefined;
    yield page;
  } while (next !== undefined);
}

/**
 * All objects of such a list. If its version is compacted, the list is read again in one piece, as client-go's pager
 * does (`FullListIfExpired`). @throws KubeError
 */
export async function listAll<T extends KubeObject>(
  client: Pick<KubeClient, 'list'>,
  type: ResourceType,
  options: Omit<ListOptions, 'continue'> = {},
): Promise<ObjectList<T>> {
  const items: T[] = [];
  let last: ObjectList<T> | undefined;
  try {
    for await (const page of listPages<T>(client, type, options)) {
      items.push(...page.items);
      last = page;
    }
  } catch (error) {
    if (last === undefined || !isKubeError(error, 'gone')) throw error;
    const { limit: _, ...whole } = options;
    return client.list<T>(type, whole);
  }
  return { items, metadata: { resourceVersion: last?.metadata.resourceVersion ?? '' } };
}
