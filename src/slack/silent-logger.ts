import { type Logger, LogLevel } from '@slack/web-api';

/** For Slack's libraries: their lines hold addresses with tickets, and texts of people. We log ourselves. */
export const SILENT: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
};
