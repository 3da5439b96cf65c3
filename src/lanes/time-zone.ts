import tzdata from 'tzdata' with { type: 'json' };

// Intl takes more than these: abbreviations (BST is Dhaka to it), offsets, and any case. Its own list,
// Intl.supportedValuesOf, has fewer: it leaves out links such as US/Eastern.
const NAMES = new Set(Object.keys(tzdata.zones));

/** What may be written instead. */
const EXPECTED = 'expected is one of its names, such as Asia/Tokyo or UTC';

/**
 * Checks the name of a time zone by the rule for CronJobs: it is a zone or a link of the tz database, in its spelling
 * (https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones).
 * @returns what is wrong with it and what is expected; undefined if it can be used.
 */
export function problemOfTimeZone(name: string): string | undefined {
  if (NAMES.has(name)) return problemOfNode(name);
  const spelled = [...NAMES].find((known) => known.toLowerCase() === name.toLowerCase());
  if (spelled !== undefined) return `the tz database spells it ${spelled}`;
  return `the tz database (${tzdata.version}) has no such time zone; ${EXPECTED}`;
}

/** Node has a tz database of its own. It may be an older one, and it leaves out Factory. */
function problemOfNode(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return undefined;
  } catch {
    return `the tz database has it, but the Node.js of this operator does not know it; ${EXPECTED}`;
  }
}

/**
 * A moment as clocks in a time zone show it: `Wed 2026-03-11 10:00 Asia/Tokyo`, with seconds if they are not 0.
 * @param moment epoch milliseconds
 * @throws RangeError if Node does not know the time zone
 */
export function localTime(moment: number, timeZone: string): string {
  const { weekday, year, month, day, hour, minute, second } = Object.fromEntries(
    new Intl.DateTimeFormat('en', {
      ...{ timeZone, weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
    })
      .formatToParts(moment)
      .map(({ type, value }) => [type, value]),
  );
  const seconds = second === '00' ? '' : `:${second}`;
  return `${weekday} ${year}-${month}-${day} ${hour}:${minute}${seconds} ${timeZone}`;
}
