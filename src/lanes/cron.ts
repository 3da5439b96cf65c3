import { Cron } from 'croner';
import { SCHEDULE_PATTERN } from '../api/capdeployjob.ts';

/** A cron schedule in its time zone: when it opened last, and when it opens next. All moments are epoch milliseconds. */
export interface Schedule {
  /** The latest opening at or before this moment; undefined where there was none. */
  lastAt(moment: number): number | undefined;
  /** The first opening after this moment; undefined where there will be none. */
  nextAfter(moment: number): number | undefined;
}

/**
 * Reads a schedule of five fields, as CronJob takes them. Days of the month and of the week are alternatives where both are restricted
 * (crontab(5)). Where clocks are put forward, an opening at a time that does not exist that day comes at the end of the gap; where they are
 * put back, a single time opens once, the first time it is shown, and `*` and steps go on through both hours.
 *
 * croner also knows seconds, years, `L`, `W` and `#`, which a CronJob does not, and takes `?` for the day on which it was asked: they are refused,
 * and so are names like `@daily`, so that a schedule means the same in both.
 * @returns the schedule, or what is wrong with which of the two fields.
 */
export function readSchedule(
  schedule: string,
  timeZone: string,
): { schedule: Schedule } | { field: 'schedule' | 'timeZone'; problem: string } {
  if (!SCHEDULE_PATTERN.test(schedule) || /[LW]/i.test(schedule.replace(/jul|wed/gi, ''))) {
    return {
      field: 'schedule',
      problem:
        'five fields are expected (minute, hour, day of the month, month, day of the week), as in a CronJob, for example 0 9 * * MON-FRI',
    };
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    return {
      field: 'timeZone',
      problem: 'the tz database has no such time zone; expected is a name such as Asia/Tokyo or UTC',
    };
  }
  let cron: Cron;
  try {
    // Given no function, it only computes: it starts no timer and asks for no time.
    cron = new Cron(schedule, { timezone: timeZone, mode: '5-part' });
  } catch (error) {
    return {
      field: 'schedule',
      problem: error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error),
    };
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
