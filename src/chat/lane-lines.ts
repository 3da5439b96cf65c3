import type { CapDeployJobStatus, Claim, HistoryEntry, WaitingEntry } from '../api/capdeployjob.ts';
import type { Freeze } from '../api/freeze.ts';
import { CONDITION, type OutcomeReason, REASON, type WaitingReason } from '../api/reasons.ts';
import type { LaneState, Reader } from './lane-state.ts';
import { requesterOf } from './requester.ts';
import type { Line } from './rich-text.ts';
import { durationOf } from './texts/duration.ts';
import { outcomeTexts, RESULT_MARKS } from './texts/outcomes.ts';
import { readingTexts } from './texts/reading.ts';
import { shortTimeOf } from './texts/time.ts';

/** What stands in an environment, line by line. Pure. */

/** A status that is older than this is said to be, and no old revision is deployed by it. Milliseconds. */
export const STALE_MS = 60_000;

export const revisionOf = ({ revision, task }: { revision?: string | undefined; task: string }): Line =>
  revision === undefined || task === 'deploy'
    ? [{ code: revision ?? task }]
    : [{ code: revision }, ' (', { code: task }, ')'];

/**
 * Who asked. Only what a trusted sender says becomes a mention: whoever may send to the queue may write any name.
 * @returns nothing if nobody says
 */
export const byLine = (
  origin: { readonly requestedBy?: string | undefined; readonly senderId?: string | undefined },
  { language, trustedSenders }: Reader,
): Line => readingTexts[language].by(requesterOf(origin, trustedSenders));

/** What is on the servers, as far as the history knows. */
export function thereLines({ current, unsure }: LaneState, reader: Reader): Line[] {
  const texts = readingTexts[reader.language];
  return [
    current
      ? [{ code: current.revision }, texts.there(shortTimeOf(current.finishedAt, reader)), ...byLine(current, reader)]
      : [texts.thereUnknown],
    ...(unsure
      ? [texts.unsure(unsure.revision ?? unsure.task, outcomeTexts[reader.language].results[unsure.result])]
      : []),
  ];
}

export function activeLine(active: Claim, usualMs: number | undefined, reader: Reader): Line {
  const { language, now } = reader;
  const texts = readingTexts[language];
  const took = durationOf(now - Date.parse(active.since), language);
  // How long another task takes is not known.
  const usual = usualMs === undefined || active.task !== 'deploy' ? undefined : durationOf(usualMs, language);
  return [
    '🚀 ',
    ...revisionOf(active),
    texts.runs(shortTimeOf(active.since, reader), took, usual),
    ...byLine(active, reader),
    ...(active.why === undefined ? [] : [` · ${active.why}`]),
  ];
}

export const waitingLine = (entry: WaitingEntry, reader: Reader): Line => [
  entry.approvalMissing ? '✋ ' : '⏳ ',
  ...revisionOf(entry),
  readingTexts[reader.language].waits(whyOf(entry, reader)),
  ...byLine(entry, reader),
];

/** Names of the first requests that wait; all of them would fill a form. */
const MOST_NAMED = 3;

/** All that a person who asks for a deploy has to know of the environment. */
export function laneLines(lane: LaneState, reader: Reader): Line[] {
  const { active, waiting, usualMs } = lane;
  const texts = readingTexts[reader.language];
  const [there = [], ...doubts] = thereLines(lane, reader);
  const usual = usualMs === undefined ? [] : [texts.usually(durationOf(usualMs, reader.language))];
  const first = waiting.slice(0, MOST_NAMED).map(revisionOf);
  return [
    [...there, ...usual],
    ...doubts,
    ...(active ? [activeLine(active, undefined, reader)] : []),
    ...(waiting.length > 0
      ? [
          [
            texts.wait(waiting.length),
            ...first.flatMap((name, place): Line => (place === 0 ? name : [', ', ...name])),
            waiting.length > MOST_NAMED ? ' …' : '',
          ],
        ]
      : []),
    ...closedLines(lane, reader),
    texts.zone(reader.timeZone),
  ];
}

/** Reasons of which the operator's own words say more: which Pod, which Job. */
const NEEDS_DETAIL: readonly WaitingReason[] = ['PodStuck', 'ForeignDeploy'];

/** What a request waits for, in the reader's language; by an older operator in its words. */
export function whyOf({ reasons = [], why, notBefore }: WaitingEntry, reader: Reader): string {
  const texts = readingTexts[reader.language];
  if (reasons.length === 0 || reasons.some((reason) => NEEDS_DETAIL.includes(reason))) return why;
  return reasons
    .map((reason) =>
      reason === 'NotDue' && notBefore !== undefined
        ? texts.notBefore(shortTimeOf(notBefore, reader))
        : // A reason of a newer operator is not in the table.
          (texts.reasons[reason] ?? reason),
    )
    .join(texts.between);
}

/**
 * Who acted, as annotations name people. deploy/admission lets only the chat bot write a name that begins with `slack:`.
 * @param actor `slack:<team>/<user>`, and of a freeze the name in brackets; or the name of a user of the cluster
 */
export function whoLine(actor: string): Line {
  const [, user] = /^slack:[^/]*\/([A-Z0-9]+)(?: \([^()]*\))?$/.exec(actor) ?? [];
  return [user === undefined ? actor : { user }];
}

function frozenLine({ bySpec, who, why }: Freeze): Line {
  const byPerson: Line = who === undefined ? [why ?? ''] : [...whoLine(who), `: ${why ?? ''}`];
  return bySpec.length === 0
    ? byPerson
    : why === undefined
      ? [bySpec.join('; ')]
      : [`${bySpec.join('; ')}; `, ...byPerson];
}

/** Freezes and windows. */
export function closedLines({ frozen, closed }: LaneState, reader: Reader): Line[] {
  const texts = readingTexts[reader.language];
  const until = closed?.until === undefined ? '' : texts.until(shortTimeOf(closed.until, reader));
  return [...(frozen ? [texts.frozen(frozenLine(frozen))] : []), ...(closed ? [texts.closed(closed.why, until)] : [])];
}

/** How a request ended. */
export function outcomeLine(entry: HistoryEntry, reader: Reader): Line {
  const result = outcomeTexts[reader.language].results[entry.result];
  return [
    `${RESULT_MARKS[entry.result]} `,
    ...revisionOf(entry),
    readingTexts[reader.language].last(result, shortTimeOf(entry.finishedAt, reader)),
  ];
}

/** @returns why, in words; '' if the result says it all. A reason of a newer operator is its own word */
export const outcomeReason = ({ reason }: HistoryEntry, { language }: Reader): string =>
  outcomeTexts[language].reasons[reason as OutcomeReason] ?? reason;

/** How a request ended and why, in words: `failed (cap ended with an error)`. */
export function endingOf(entry: HistoryEntry, reader: Reader): string {
  const why = outcomeReason(entry, reader);
  const result = outcomeTexts[reader.language].results[entry.result];
  return why === '' ? result : `${result} (${why})`;
}

/** Says how old all of this is, if the API server does not answer. @param staleMs milliseconds */
export const staleLines = (staleMs: number, { language }: Reader): Line[] =>
  staleMs < STALE_MS ? [] : [readingTexts[language].stale(durationOf(staleMs, language))];

/** What keeps a whole resource from its work. */
export function troubleLines(status: CapDeployJobStatus | undefined, { language }: Reader): Line[] {
  const texts = readingTexts[language];
  const of = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const [queue, ready] = [of(CONDITION.queueReachable), of(CONDITION.ready)];
  const isOff = queue?.status === 'False' || queue?.reason === REASON.suspended;
  return [
    ...(status === undefined ? [texts.noStatus()] : []),
    ...(isOff ? [texts.queueNotRead(`${queue.reason}: ${queue.message}`)] : []),
    // The same said twice helps nobody.
    ...(ready?.status === 'False' && (!isOff || ready.reason !== queue.reason)
      ? [texts.notReady(`${ready.reason}: ${ready.message}`)]
      : []),
  ];
}
