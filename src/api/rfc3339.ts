/**
 * Reads all times that come from outside. Date.parse is not fit for it: it takes "1" and "May 1", reads a time without
 * an offset in this machine's time zone, and makes 2 March of 30 February.
 */

/** The grammar of RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339#section-5.6). `momentOf` has the whole rule. */
export const RFC3339_PATTERN =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

export const EXPECTED_TIME =
  'an RFC 3339 time with its offset, such as 2026-01-31T09:30:00Z or 2026-01-31T18:30:00+09:00';

const MINUTE_MS = 60_000;

/**
 * A leap second is at the end of a month in UTC (section 5.7). It is read as the second after it, as POSIX clocks
 * count. Fractions of a millisecond are cut off.
 * @returns epoch milliseconds; undefined if the text is no RFC 3339 time, or names a day that its month does not have.
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

/** Why `momentOf` does not read a text; '' if it does not look like a time at all. */
export function problemOfMoment(text: string): string {
  if (RFC3339_PATTERN.test(text)) return 'there is no such day or second';
  return RFC3339_PATTERN.test(`${text}Z`) ? 'it has no offset' : '';
}
