import { Cron } from 'croner';
import { MOST_DAYS_AHEAD } from '../api/deploy-request.ts';
import { momentOf } from '../api/rfc3339.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Why a time is not taken: it is not written as one, it is over, it is further ahead than a message may name, or the
 * asker's time zone is not known here.
 */
export type TimeProblem = 'format' | 'past' | 'far' | 'timeZone';

/** When a line was said, and by which clock its author reads the time. */
export interface Said {
  /** Epoch milliseconds of the line itself, not of its arrival: an event that Slack sends again must mean the same. */
  readonly at: number;
  /** A name of the tz database, from the asker's profile. */
  readonly timeZone: string;
}

/** @param text `30m`, `2h`, `1d`, `1h30m` @returns epoch milliseconds */
export function readIn(text: string, said: Said): number | TimeProblem {
  const match = /^(?=\d)(?:(\d{1,2})d)?(?:(\d{1,3})h)?(?:(\d{1,5})m)?$/i.exec(text);
  if (!match) return 'format';
  const [days, hours, minutes] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
  return ahead(said.at + ((days * 24 + hours) * 60 + minutes) * MINUTE_MS, said);
}

/**
 * @param text `19:30`, today by the asker's clock; `2026-12-01T19:30`, by the asker's clock; or RFC 3339 with an offset
 * @returns epoch milliseconds
 */
export function readAt(text: string, said: Said): number | TimeProblem {
  const exact = momentOf(text);
  if (exact !== undefined) return ahead(exact, said);
  const match = /^(?:(\d{4}-\d{2}-\d{2})[T ])?(\d{1,2}):(\d{2})$/i.exec(text);
  if (!match) return 'format';
  if (!isKnown(said.timeZone)) return 'timeZone';
  const [, day = dayOf(said), hour = '', minute = ''] = match;
  if (Number(hour) > 23 || Number(minute) > 59) return 'format';
  const local = `${day}T${hour.padStart(2, '0')}:${minute}:00`;
  // A day that does not exist, such as 30 February, would count as one in March.
  if (momentOf(`${local}Z`) === undefined) return 'format';
  const moment = new Cron(local, { timezone: said.timeZone, paused: true }).getOnce();
  return moment ? ahead(moment.getTime(), said) : 'format';
}

const ahead = (moment: number, said: Said): number | TimeProblem => {
  if (moment <= said.at) return 'past';
  return moment > said.at + MOST_DAYS_AHEAD * DAY_MS ? 'far' : moment;
};

/** Slack's list of time zones is not Node's. */
function isKnown(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }) !== undefined;
  } catch {
    return false;
  }
}

/** Sweden writes dates as ISO 8601 does. */
const dayOf = ({ at, timeZone }: Said): string => new Intl.DateTimeFormat('sv-SE', { timeZone }).format(at);
