import type { Button } from '@slack/types';
import type { HistoryEntry } from '../api/capdeployjob.ts';
import { byLine, outcomeLine, outcomeReason, staleLines, whoLine } from './lane-lines.ts';
import type { Reader } from './lane-state.ts';
import { type Answer, answerOf, type Line } from './rich-text.ts';
import { durationOf } from './texts/duration.ts';
import { readingTexts } from './texts/reading.ts';

/** What ended last in the environments that the reader may see, the newest first. */
export interface History {
  readonly name: string;
  readonly entries: readonly HistoryEntry[];
  /** Whose entries are shown, if not those of all environments. */
  readonly environment: string | undefined;
}

/** @param buttonsOf what the reader may do now about a deploy that has ended @param staleMs the age of the status */
export function historyAnswer(
  { name, entries, environment }: History,
  staleMs: number,
  buttonsOf: (entry: HistoryEntry) => readonly Button[],
  reader: Reader,
): Answer {
  const texts = readingTexts[reader.language];
  const head: Line[] = [
    [{ bold: environment === undefined ? name : `${name} → ${environment}` }],
    texts.zone(reader.timeZone),
    ...staleLines(staleMs, reader),
    ...(entries.length === 0 ? [texts.noHistory()] : []),
  ];
  const sections = entries.map((entry) => ({
    lines: [entryLine(entry, environment === undefined, reader)],
    buttons: buttonsOf(entry),
  }));
  return answerOf([{ lines: head }, ...sections], texts.moreEntries);
}

function entryLine(entry: HistoryEntry, namesEnvironment: boolean, reader: Reader): Line {
  const { startedAt, finishedAt, environment, abortedBy } = entry;
  const texts = readingTexts[reader.language];
  const why = outcomeReason(entry, reader);
  const took = startedAt === undefined ? undefined : Date.parse(finishedAt) - Date.parse(startedAt);
  return [
    ...outcomeLine(entry, reader),
    ...(namesEnvironment ? [` · ${environment}`] : []),
    ...(took === undefined ? [] : [texts.took(durationOf(took, reader.language))]),
    ...byLine(entry, reader),
    ...(why === '' ? [] : [` · ${why}`]),
    ...(abortedBy === undefined ? [] : [' (', ...whoLine(abortedBy), ')']),
  ];
}
