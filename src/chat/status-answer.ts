import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import {
  activeLine,
  closedLines,
  outcomeLine,
  outcomeReason,
  staleLines,
  thereLines,
  troubleLines,
  waitingLine,
} from './lane-lines.ts';
import type { LaneState, Reader } from './lane-state.ts';
import { type Answer, answerOf, type Line } from './rich-text.ts';
import { readingTexts } from './texts/reading.ts';

/** One target as `status` shows it, with the environments that the reader may see. */
export interface TargetState {
  readonly name: string;
  readonly repositories: readonly string[];
  readonly status: CapDeployJobStatus | undefined;
  readonly lanes: readonly LaneState[];
}

/** Requests that are named of those that wait; of many targets only their number is. */
const MOST_WAITING = 3;

/** Up to so many targets are shown in full. */
const FEW = 3;

/** @param areAll false: Slack could not say whether the reader may see more @param staleMs the age of all of this */
export function statusAnswer(
  targets: readonly TargetState[],
  { areAll, staleMs }: { areAll: boolean; staleMs: number },
  reader: Reader,
): Answer {
  const texts = readingTexts[reader.language];
  const isBrief = targets.length > FEW;
  const head: Line[] = [
    ...(targets.length > 0 ? [texts.zone(reader.timeZone)] : []),
    ...(targets.length === 0 && areAll ? [texts.noTargets()] : []),
    ...staleLines(staleMs, reader),
    ...(areAll ? [] : [texts.notAll()]),
  ];
  const sections = targets.map((target) => ({ lines: targetLines(target, isBrief, reader) }));
  return answerOf([{ lines: head }, ...sections], texts.moreTargets);
}

function targetLines({ name, repositories, status, lanes }: TargetState, isBrief: boolean, reader: Reader): Line[] {
  return [
    [{ bold: name }, ` · ${repositories.join(', ')}`],
    ...troubleLines(status, reader),
    ...lanes.flatMap((lane) => (isBrief ? briefLines(lane, reader) : laneLines(lane, reader))),
  ];
}

function laneLines(lane: LaneState, reader: Reader): Line[] {
  const [there = [], ...doubts] = thereLines(lane, reader);
  const { last, active, waiting, usualMs, current } = lane;
  const more = waiting.length - MOST_WAITING;
  const isNews = last !== undefined && last.finishedAt !== current?.finishedAt;
  const why = last ? outcomeReason(last, reader) : '';
  return [
    [{ bold: lane.environment }, ': ', ...there],
    ...doubts,
    ...(active ? [activeLine(active, usualMs, reader)] : []),
    ...waiting.slice(0, MOST_WAITING).map((entry) => waitingLine(entry, reader)),
    ...(more > 0 ? [readingTexts[reader.language].moreWait(more)] : []),
    ...closedLines(lane, reader),
    ...(isNews ? [[...outcomeLine(last, reader), ...(why === '' ? [] : [` · ${why}`])]] : []),
  ];
}

/** One line, and one more for each thing that keeps deploys from starting. */
function briefLines(lane: LaneState, reader: Reader): Line[] {
  const { active, waiting, unsure } = lane;
  const [there = []] = thereLines(lane, reader);
  const marks = [...(unsure ? [' ⚠'] : []), ...(waiting.length > 0 ? [` ⏳ ${waiting.length}`] : [])];
  return [
    [{ bold: lane.environment }, ': ', ...there, ...marks],
    ...(active ? [activeLine(active, undefined, reader)] : []),
    ...closedLines(lane, reader),
  ];
}
