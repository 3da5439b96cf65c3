/** A request's place in its lane. The ids order requests of one millisecond, so every reader sees one order. */
export interface Turn {
  readonly dueAt: string;
  readonly id: string;
}

/** Negative if `a` comes before `b`, positive if it comes after, 0 for the same request. */
export function compareTurns(a: Turn, b: Turn): number {
  return compareMoments(a.dueAt, b.dueAt) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Texts like `2026-11-05T10:00:00.000Z` sort as their moments. A pass sorts a thousand, so they are not parsed. */
function compareMoments(a: string, b: string): number {
  if (a === b) return 0;
  const isOneForm = a.length === 24 && b.length === 24 && a.endsWith('Z') && b.endsWith('Z');
  return isOneForm ? (a < b ? -1 : 1) : Date.parse(a) - Date.parse(b);
}

export const isBefore = (a: Turn, b: Turn): boolean => compareTurns(a, b) < 0;

/** The earliest of these moments (epoch milliseconds); undefined if there is none. */
export function earliest(...moments: (number | undefined)[]): number | undefined {
  const known = moments.filter((moment) => moment !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}
