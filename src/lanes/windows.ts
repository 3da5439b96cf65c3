import type { DeployWindow } from '../api/capdeployjob.ts';
import { BoundedMap } from '../base/bounded-map.ts';
import { readSchedule, type Schedule } from './cron.ts';
import { localTime } from './time-zone.ts';

/** What the windows of an environment say of one moment. All moments are epoch milliseconds. */
export interface WindowState {
  readonly open: boolean;
  /** Since when it has been so; undefined if that is for ever, or too long ago to be searched for. */
  readonly since: number | undefined;
  /** When it changes; undefined if that is never, or too far away to be searched for. */
  readonly until: number | undefined;
  /** When to search again at the latest, if the search has ended without a change. */
  readonly searchAgainAt: number | undefined;
  /** Why it is closed, and when it opens, in words for a person. */
  readonly closed: string | undefined;
  /** A window that cannot be read, with its place and field (`schedule` or `timeZone`): it must not open the lane. */
  readonly problem: string | undefined;
}

const ALWAYS_OPEN: WindowState = {
  open: true,
  since: undefined,
  until: undefined,
  searchAgainAt: undefined,
  closed: undefined,
  problem: undefined,
};

/** Lookups of one search (20 ms at the worst): a pattern that never opens or closes would be searched for ever. */
const LOOKUPS = 150;
/** How many of these are for openings of one window that run into each other, in each direction. */
const LINKS = 15;
/** How many changes of single windows are followed to find one that changes the whole. */
const CHANGES = 50;
/** How many answers are kept: each pass of each resource asks. */
const MAX_ANSWERS = 2000;

/**
 * Says whether deploys may start: while a window of kind Allow is open, or if there is none, unless one of kind Deny is
 * open. Pure. An answer is kept for as long as it holds.
 * @param path names the list in messages about a window that cannot be read.
 */
export function windowState(windows: readonly DeployWindow[] | undefined, now: number, path: string): WindowState {
  if (!windows || windows.length === 0) return ALWAYS_OPEN;
  const key = JSON.stringify([path, windows]);
  const kept = states.get(key);
  if (kept && kept.from <= now && now < kept.to) return kept.state;
  const found = compute(windows, now, path);
  states.set(key, found);
  return found.state;
}

/** An answer, and the moments between which it is the same one. */
interface Found {
  readonly state: WindowState;
  readonly from: number;
  readonly to: number;
}

function compute(windows: readonly DeployWindow[], now: number, path: string): Found {
  const calendars: { kind: DeployWindow['kind']; calendar: Calendar }[] = [];
  for (const [index, window] of windows.entries()) {
    const calendar = calendarOf(window);
    if ('problem' in calendar) {
      const { field, problem } = calendar;
      const words = `${path}[${index}].${field}: found ${JSON.stringify(window[field])}; ${problem}`;
      const state = { ...ALWAYS_OPEN, open: false, closed: `a window cannot be read: ${words}`, problem: words };
      return { state, from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    }
    calendars.push({ kind: window.kind, calendar });
  }
  const needsAllow = calendars.some(({ kind }) => kind === 'Allow');
  const budget = { lookups: LOOKUPS };
  const stateAt = (at: number, known: readonly Span[] = []) => {
    const spans = calendars.map(({ calendar }, index) => {
      const span = known[index];
      return span && span.from <= at && at < span.to ? span : spanAt(calendar, at, budget);
    });
    const covers = (wanted: string) => calendars.some(({ kind }, index) => kind === wanted && spans[index]?.open);
    const denied = covers('Deny');
    return { spans, denied, open: (!needsAllow || covers('Allow')) && !denied };
  };
  const here = stateAt(now);
  const back = search(here, now, 'from');
  const ahead = search(here, now, 'to');
  const until = ahead.changesAt;
  const end = until === undefined ? '' : `; it opens at ${new Date(until).toISOString()}${onClocks(until)}`;
  const why = here.denied ? `a window of kind Deny is open` : `no window of kind Allow is open`;
  const isNever = !here.open && until === undefined && ahead.reached === Number.POSITIVE_INFINITY;
  const state: WindowState = {
    open: here.open,
    since: back.changesAt,
    until,
    searchAgainAt: until === undefined && Number.isFinite(ahead.reached) ? ahead.reached : undefined,
    closed: here.open ? undefined : `${why} (${path})${isNever ? ', and none ever opens' : end}`,
    problem: undefined,
  };
  // Which kind keeps it closed can change before it opens: the text holds as long as no window changes.
  const to = here.open ? (until ?? ahead.reached) : Math.min(...here.spans.map(({ to: end }) => end));
  return { state, from: now, to };

  /** Goes from change to change of single windows, in one direction, until the whole changes. */
  function search(start: ReturnType<typeof stateAt>, from: number, side: 'from' | 'to') {
    let { spans } = start;
    let reached = from;
    for (let step = 0; step < CHANGES && (step === 0 || budget.lookups > 0); step += 1) {
      const edges = spans.map((span) => span[side]);
      reached = side === 'to' ? Math.min(...edges) : Math.max(...edges);
      if (!Number.isFinite(reached)) break;
      const next = stateAt(side === 'to' ? reached : reached - 1, spans);
      if (next.open !== start.open) return { changesAt: reached, reached, before: spans, after: next.spans };
      spans = next.spans;
    }
    return { changesAt: undefined, reached };
  }

  /**
   * When it opens, by the clocks of the window that opens it: the first in the list of the Allow windows that open at
   * that moment and the Deny windows that close. If that is in UTC, it has been said already.
   */
  function onClocks(opening: number): string {
    const opener = windows.find(({ kind }, index) => {
      const isOpen = ahead.after?.[index]?.open;
      return isOpen === (kind === 'Allow') && isOpen !== ahead.before?.[index]?.open;
    });
    return !opener || opener.timeZone === 'UTC' ? '' : ` (${localTime(opening, opener.timeZone)})`;
  }
}

/** A stretch of time, without `to`, in which a window is open or closed; part of a longer one if the search was cut. */
interface Span {
  readonly open: boolean;
  readonly from: number;
  readonly to: number;
}

interface Calendar {
  readonly schedule: Schedule;
  readonly durationMs: number;
}

function spanAt({ schedule, durationMs }: Calendar, at: number, budget: { lookups: number }): Span {
  budget.lookups -= 2;
  const opened = schedule.lastAt(at);
  if (opened === undefined || opened + durationMs <= at) {
    return {
      open: false,
      from: opened === undefined ? Number.NEGATIVE_INFINITY : opened + durationMs,
      to: schedule.nextAfter(at) ?? Number.POSITIVE_INFINITY,
    };
  }
  let from = opened;
  for (let link = 0; link < LINKS && budget.lookups > 0; link += 1) {
    budget.lookups -= 1;
    // The earliest opening that still lasts into this one.
    const earlier = schedule.nextAfter(from - durationMs - 1);
    if (earlier === undefined || earlier >= from) break;
    from = earlier;
  }
  let last = opened;
  for (let link = 0; link < LINKS && budget.lookups > 0; link += 1) {
    budget.lookups -= 1;
    const later = schedule.lastAt(last + durationMs);
    if (later === undefined || later <= last) break;
    last = later;
  }
  return { open: true, from, to: last + durationMs };
}

const states = new BoundedMap<string, Found>(MAX_ANSWERS);
const calendars = new BoundedMap<string, Calendar | { field: 'schedule' | 'timeZone'; problem: string }>(MAX_ANSWERS);

function calendarOf({ schedule, timeZone, durationSeconds }: DeployWindow) {
  const key = JSON.stringify([schedule, timeZone, durationSeconds]);
  const kept = calendars.get(key);
  if (kept) return kept;
  const read = readSchedule(schedule, timeZone);
  const calendar = 'schedule' in read ? { schedule: read.schedule, durationMs: durationSeconds * 1000 } : read;
  calendars.set(key, calendar);
  return calendar;
}
