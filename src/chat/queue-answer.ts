import type { Button } from '@slack/types';
import type { Claim, WaitingEntry } from '../api/capdeployjob.ts';
import { activeLine, closedLines, staleLines, thereLines, troubleLines, waitingLine } from './lane-lines.ts';
import type { LaneState, Reader } from './lane-state.ts';
import { type Answer, answerOf, type Line, type Section } from './rich-text.ts';
import type { TargetState } from './status-answer.ts';
import { readingTexts } from './texts/reading.ts';
import { shortTimeOf } from './texts/time.ts';

/** What can be done from the answer. */
export interface Choices {
  /** What the reader may do with a deploy. */
  readonly buttonsOf: (environment: string, entry: Claim | WaitingEntry) => readonly Button[];
  /** False: an approval needs a command, which the operator's words name. */
  readonly botApproves: boolean;
}

/** One target, each environment, in the order in which its deploys start. @param staleMs the age of the status */
export function queueAnswer(
  { name, repositories, status, lanes }: TargetState,
  staleMs: number,
  can: Choices,
  reader: Reader,
): Answer {
  const texts = readingTexts[reader.language];
  const head: Line[] = [
    [{ bold: name }, ` · ${repositories.join(', ')}`],
    texts.zone(reader.timeZone),
    ...staleLines(staleMs, reader),
    ...troubleLines(status, reader),
  ];
  const sections = lanes.flatMap((lane) => laneSections(lane, can, reader));
  return answerOf([{ lines: head }, ...sections], texts.moreEntries);
}

function laneSections(lane: LaneState, { buttonsOf, botApproves }: Choices, reader: Reader): Section[] {
  const { environment, active, waiting, usualMs } = lane;
  const texts = readingTexts[reader.language];
  const [there = [], ...doubts] = thereLines(lane, reader);
  const isIdle = !active && waiting.length === 0;
  return [
    {
      lines: [
        [{ bold: environment }, ': ', ...there],
        ...doubts,
        ...closedLines(lane, reader),
        ...(isIdle ? [[texts.nothingWaits]] : []),
      ],
    },
    ...(active
      ? [
          {
            lines: [activeLine(active, usualMs, reader), ...askedWhy(active, reader)],
            buttons: buttonsOf(environment, active),
          },
        ]
      : []),
    ...waiting.map((entry, place) => ({
      lines: [
        [`${place + 1}. `, ...waitingLine(entry, reader), texts.sent(shortTimeOf(entry.sentAt, reader))],
        ...askedWhy(entry, reader),
        ...(entry.approvalMissing && !botApproves ? [[entry.why]] : []),
      ],
      buttons: buttonsOf(environment, entry),
    })),
  ];
}

const askedWhy = ({ requestReason }: Claim | WaitingEntry, { language }: Reader): Line[] =>
  requestReason === undefined ? [] : [readingTexts[language].askedWhy(requestReason)];
