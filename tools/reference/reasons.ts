import { CONDITION, OUTCOME, REASON, REJECTION, RESULTS, TRACES } from '../../src/api/reasons.ts';
import { code, GENERATED, table } from './markdown.ts';

/** docs/reference/reasons.md: the closed lists of words that a status, an Event or a metric uses. */
export function reasonsPage(): string {
  const list = (words: readonly string[]): string => words.map(code).join(', ');
  return `${GENERATED}# Results and reasons

Alert on these words: they stay. [At three in the morning](../operations.md) says what to do about each.

Result of a request: ${list(RESULTS)}.

${table(
  ['reason of an end', 'what the servers are like'],
  Object.values(OUTCOME).map((reason) => [code(reason), TRACES[reason]]),
)}
Reasons for which a message is rejected: ${list(Object.values(REJECTION))}.

Conditions: ${list(Object.values(CONDITION))}. Their reasons: ${list([...new Set(Object.values(REASON))])}.
`;
}
