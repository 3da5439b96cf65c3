/**
 * The one reader of times that come from outside. Date.parse is none: it takes "1" and "May 1", reads a time without
 * an offset on this machine's own clocks, and makes 2 March of 30 February.
 */

/** The grammar of RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339#section-5.6); `momentOf` holds the whole rule. */
export const RFC3339_PATTERN =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** What is expected of a time, in words. */
export const TIME_WORDS = 'an RFC 3339 time with its offset, such as 2026-01-31T09:30:00Z or 2026-01-31T18:30:00+09:00';

const MINUTE_MS = 60_000;

/**
 * Reads an RFC 3339 time. A leap second stands at the end of a month in UTC (section 5.7) and is read as the second
 * after it, as POSIX clocks count. What is finer than a millisecond is cut off.
 * @returns epoch milliseconds; undefined where the text is no such time, or names a day that its month does not have.
 */
export function momentOf(text: string): number | undefined {
  const parts = RFC3339_PATTERN.exec(text);
  if (!parts) return undefined;
  const [, date = '', hour, minute, second, fraction = '', sign, offsetHours, offsetMinutes] = parts;
  const isLeapSecond = second === '60';
  const clock = `${hour}:${minute}:${isLeapSecond ? '59' : second}.${fraction.slice(0, 3).padEnd(3, '0')}`;
  const local = Date.parse(`${date}T${clock}Z`);
  if (Number.isNaN(local) || new Date(local).toISOString().slice(0, 10) !== date) return undefined;
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * MINUTE_MS;
  const moment = sign === '-' ? local + offset : local - offset;
  if (!isLeapSecond) return moment;
  const next = new Date(moment + 1000);
  return next.toISOString().slice(8, 19) === '01T00:00:00' ? next.getTime() : undefined;
}

/** Says what a text lacks that `momentOf` does not read; '' where it does not even look like a time. */
export function whyNoMoment(text: string): string {
  if (RFC3339_PATTERN.test(text)) return 'there is no such day or second';
  return RFC3339_PATTERN.test(`${text}Z`) ? 'it has no offset' : '';
}
