/** The string formats that a CRD's schema may name. An unknown format is ignored, as the API server does. */

const PATTERNS: Record<string, RegExp> = {
  date: /^\d{4}-\d{2}-\d{2}$/,
  'date-time': /^\d{4}-\d{2}-\d{2}[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/,
  uuid: /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  byte: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
  email: /^[^@\s]+@[^@\s]+$/,
  ipv4: /^(\d{1,3}\.){3}\d{1,3}$/,
  duration: /^([+-]?\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/,
};

/** True where the value is not of that format. */
export function formatProblem(format: string, value: string): boolean {
  if (format === 'uri') return !URL.canParse(value);
  const pattern = PATTERNS[format];
  if (pattern === undefined) return false;
  return !pattern.test(value) || (format.startsWith('date') && !isDay(value.slice(0, 10)));
}

/** Date.parse alone takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const moment = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(date);
}
