import { dueAtOf } from '../../../api/deploy-request.ts';
import type { ParsedItem } from '../batch-item.ts';

/**
 * The order in which the requests of a batch are created: by due time, then by id, so that two operators agree. Within
 * a FIFO group the order of the queue comes first: a request counts as due no earlier than those before it in its
 * group, whatever its sent-at claims. Pure.
 */
export function inCreationOrder<T extends Pick<ParsedItem, 'request' | 'group' | 'index'>>(items: readonly T[]): T[] {
  const dueOfGroup = new Map<string, number>();
  const due = new Map<T, number>();
  for (const item of items.toSorted((a, b) => a.index - b.index)) {
    let at = Date.parse(dueAtOf(item.request));
    if (item.group !== undefined) {
      at = Math.max(at, dueOfGroup.get(item.group) ?? 0);
      dueOfGroup.set(item.group, at);
    }
    due.set(item, at);
  }
  return items.toSorted((a, b) => {
    const byDue = (due.get(a) ?? 0) - (due.get(b) ?? 0);
    if (byDue !== 0) return byDue;
    if (a.group !== undefined && b.group !== undefined) return a.index - b.index;
    return a.request.id < b.request.id ? -1 : a.request.id > b.request.id ? 1 : a.index - b.index;
  });
}
