/** A request's place in its lane. Two of one millisecond are put in order by their ids, so that everybody sees the same order. */
export interface Turn {
  readonly dueAt: string;
  readonly id: string;
}

/** Negative where `a` comes before `b`, positive where it comes after, 0 for the same request. */
export function compareTurns(a: Turn, b: Turn): number {
  return Date.parse(a.dueAt) - Date.parse(b.dueAt) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

export const isBefore = (a: Turn, b: Turn): boolean => compareTurns(a, b) < 0;
