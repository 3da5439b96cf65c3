import { Cron } from 'croner';
import { SCHEDULE_PATTERN } from '../api/capdeployjob.ts';
import { problemOfTimeZone } from './time-zone.ts';

/** A cron schedule in its time zone: when it opened last, and opens next. All moments are epoch milliseconds. */
export interface Schedule {
  /** The latest opening at or before this moment; undefined if there was none. */
  lastAt(moment: number): number | undefined;
  /** The first opening after this moment; undefined if there will be none. */
  nextAfter(moment: number): number | undefined;
}

/**
 * Reads a schedule of five fields, as CronJob takes them. If both days of the month and days of the week are
 * restricted, either of them matches (crontab(5)). When clocks are put forward, an opening at a time that does not
 * exist that day comes at the end of the gap. When they are put back, a single time opens once, the first time it is
 * shown, and `*` and steps go on through both hours.
 *
 * croner also knows seconds, years, `L`, `W` and `#`, which a CronJob does not, and takes `?` for the day on which it
 * was asked. These are refused, and so are names like `@daily`. Apart from changes of clocks, what both take means the
 * same in both. 7 is Sunday, too: crontab(5) has it so, though a CronJob refuses it.
 * @returns the schedule, or what is wrong with which of the two fields.
 */
export function readSchedule(
  schedule: string,
  timeZone: string,
): { schedule: Schedule } | { field: 'schedule' | 'timeZone'; problem: string } {
  if (!SCHEDULE_PATTERN.test(schedule)) {
    return {
      field: 'schedule',
      problem:
        'five fields are expected (minute, hour, day of the month, month, day of the week), as in a CronJob, ' +
        'for example 0 9 * * MON-FRI',
    };
  }
  const unknown = problemOfTimeZone(timeZone);
  if (unknown !== undefined) return { field: 'timeZone', problem: unknown };
  let cron: Cron;
  try {
    cron = asCronJobReadsIt(schedule, timeZone);
  } catch {
    return { field: 'schedule', problem: problemOfFields(schedule, timeZone) };
  }
  // To find out that 30 February never comes takes 10 ms each time: once is enough.
  const never = cron.nextRun(new Date(0)) === null;
  return {
    schedule: {
      lastAt: (moment) => (never ? undefined : cron.previousRuns(1, new Date(moment + 1))[0]?.getTime()),
      nextAfter: (moment) => (never ? undefined : cron.nextRun(new Date(moment))?.getTime()),
    },
  };
}

/** The fields of a schedule, and which single values each of them takes. */
const FIELDS = [
  ['minute', '0 to 59'],
  ['hour', '0 to 23'],
  ['day of the month', '1 to 31'],
  ['month', '1 to 12 or JAN to DEC'],
  ['day of the week', '0 to 7 or SUN to SAT'],
] as const;

/** Says which field cannot be read, as it was written: croner's own message is about the rewritten schedule. */
function problemOfFields(schedule: string, timeZone: string): string {
  for (const [index, written] of schedule.split(/ +/).entries()) {
    const alone = FIELDS.map((_, other) => (other === index ? written : '*')).join(' ');
    const [name, times] = FIELDS[index] as (typeof FIELDS)[number];
    try {
      asCronJobReadsIt(alone, timeZone);
    } catch {
      const syntax = '* for all, lists (1,3), ranges from low to high (1-5) and steps (*/2)';
      return `the ${name}, ${JSON.stringify(written)}, cannot be read; expected are ${times}, ${syntax}`;
    }
  }
  return 'cannot be read';
}

/**
 * Rewrites what croner reads differently from the parser of CronJobs (https://pkg.go.dev/github.com/robfig/cron/v3):
 * - SUN at the end of a range is 0, not 7. So SUN-SUN is Sunday, not the whole week, and FRI-SUN is refused.
 * - A day field that lists `*`, or a step of 1, restricts nothing. So the other day field decides alone.
 * @throws an Error if it cannot be read
 */
function asCronJobReadsIt(schedule: string, timeZone: string): Cron {
  if (/[LW]/i.test(schedule.replace(/jul|wed/gi, ''))) throw new Error('L and W are croner’s');
  // Given no function, it only computes: it starts no timer and asks for no time.
  const read = (fields: string[]) => new Cron(fields.join(' '), { timezone: timeZone, mode: '5-part' });
  const fields = schedule.split(/ +/).map((field, index) => (index === 4 ? field.replace(/-sun/gi, '-0') : field));
  // First without the steps of ranges, then as it stands: 9-24/2 must not pass because it gets to 23 only, nor `*,99`
  // because of its `*`.
  read(fields.map((field) => field.replace(/(-\w+)\/\w+/g, '$1')));
  read(fields);
  return read(fields.map((field) => (/(^|,)\*(\/0*1)?(,|$)/.test(field) ? '*' : field)));
}
