const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<time>(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d)';
const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';

/** The form that is sent, and the two older ones that a recipient must accept too. */
const FORMS = [
  `${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT`,
  `(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT`,
  `${DAY} ${MONTH} (?<day>[\\d ]\\d) ${TIME} (?<year>\\d{4})`,
].map((form) => new RegExp(`^${form}$`));

const FIFTY_YEARS_MS = 50 * 365.25 * 86_400_000;

/**
 * Reads an HTTP-date (https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7), which is in UTC. Date.parse accepts much
 * else, and reads the oldest of the three forms in this machine's time zone.
 * @param now epoch milliseconds; a year of two digits is at most 50 years after it
 * @returns epoch milliseconds; undefined if the text is no HTTP-date, or names a day that its month does not have
 */
export function readHttpDate(text: string, now: number): number | undefined {
  const found = FORMS.map((form) => form.exec(text)).find(Boolean)?.groups;
  if (found === undefined) return undefined;
  const { day = '', month = '', year = '', time } = found;
  const read = (fullYear: string): number | undefined => {
    const date = `${fullYear}-${`${MONTHS.indexOf(month) + 1}`.padStart(2, '0')}-${day.replace(' ', '0')}`;
    const moment = Date.parse(`${date}T${time}Z`);
    // 30 February would be read as 2 March.
    return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(date) ? moment : undefined;
  };
  if (year.length === 4) return read(year);
  const century = Math.trunc(new Date(now).getUTCFullYear() / 100);
  const moment = read(`${century}${year}`);
  return moment !== undefined && moment > now + FIFTY_YEARS_MS ? read(`${century - 1}${year}`) : moment;
}
