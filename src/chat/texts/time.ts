/** Times as a person reads them, with the zone: `2026-12-01 19:30 GMT+9`. */
export function timeOf(moment: string | number, { timeZone }: { timeZone: string }): string {
  const date = new Date(moment);
  try {
    return format(date, timeZone);
  } catch {
    // Slack's list of zones is not Node's.
    return format(date, 'UTC');
  }
}

/** For answers that name their zone once: `19:30` if that is today, else `2026-12-01 19:30`. @param now epoch milliseconds */
export function shortTimeOf(moment: string | number, { timeZone, now }: { timeZone: string; now: number }): string {
  const [day, time] = timeOf(moment, { timeZone }).split(' ');
  return day === timeOf(now, { timeZone }).split(' ')[0] ? `${time}` : `${day} ${time}`;
}

/** Sweden writes dates as ISO 8601 does. */
const format = (date: Date, timeZone: string): string =>
  new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(date);
