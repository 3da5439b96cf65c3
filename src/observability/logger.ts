/**
 * The program's log: one JSON object a line on stdout, or readable text if stdout is a terminal. It never holds a
 * secret: fields are judged by name, texts redacted, errors reduced to fields that are known to be harmless.
 */

import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import pretty from 'pino-pretty';
import { isLogLevel, LOG_LEVELS } from '../base/log.ts';
import { clean, redactHead, redactSecrets } from '../text/redact.ts';
import { isSecretName } from '../text/secret-names.ts';

/** Not its `child`: pino does not format the bindings of a child, so they would be written as they are. */
type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

export interface LoggerOptions {
  /** `--log-level`; default info. */
  level?: string | undefined;
  /** Default: whether stdout is a terminal. */
  pretty?: boolean;
  /** Default stdout. */
  destination?: NodeJS.WritableStream | DestinationStream;
}

/**
 * Writes are synchronous, so that the process cannot end before its last line is out.
 * @throws Error for an unknown level, in words for the command line.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const level = options.level ?? 'info';
  if (!isLogLevel(level)) throw new Error(`--log-level: "${level}" is none of ${LOG_LEVELS.join(', ')}`);
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // `formatters.log` has handled errors already.
      serializers: { err: (value) => value },
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => safeFields(fields as Record<string, unknown>),
      },
      hooks: {
        logMethod(args, method) {
          // pino would use the error's own message, unredacted, as that of the line.
          const [first, message] = args as unknown[];
          if (first instanceof Error) {
            const { message: words } = errorFields(first);
            return method.apply(this, [
              { err: first },
              message === undefined ? String(words) : safeText(String(message)),
            ]);
          }
          return method.apply(this, args.map((arg) => (typeof arg === 'string' ? safeText(arg) : arg)) as typeof args);
        },
      },
    },
    stream(options),
  );
}

function stream(options: LoggerOptions): DestinationStream {
  const { destination } = options;
  if (!(options.pretty ?? process.stdout.isTTY ?? false)) {
    return (destination as DestinationStream | undefined) ?? pino.destination({ dest: 1, sync: true });
  }
  // As a stream in this thread: a worker needs a file of its own, which a bundle does not have.
  return pretty({
    ...(destination === undefined ? { destination: 1 } : { destination: destination as NodeJS.WritableStream }),
    sync: true,
    colorize: destination === undefined,
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
}

/** Objects are cut below this depth. */
const DEEPEST = 6;

/** A copy whose secrets are marked and whose errors are reduced. */
function safeFields(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    safe[name] = isSecretName(name) && value !== undefined ? '[redacted]' : safeValue(value, depth);
  }
  return safe;
}

function safeValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return safeText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return errorFields(value);
  if (depth >= DEEPEST) return '[…]';
  if (Array.isArray(value)) return value.map((each) => safeValue(each, depth + 1));
  // Dates, URLs and others with a JSON form of their own.
  if ('toJSON' in value && typeof value.toJSON === 'function') return safeValue(value.toJSON(), depth + 1);
  return safeFields(value as Record<string, unknown>, depth + 1);
}

/**
 * The name, message, stack and class (`kind`, `status`, `reason`, `code`) of an error, and of its causes. Everything
 * else stays out: clients put whole requests, with their headers, on errors.
 */
export function errorFields(error: Error, depth = 0): Record<string, unknown> {
  const fields: Record<string, unknown> = { name: error.name, message: words(error.message) };
  for (const key of ['kind', 'status', 'reason', 'code'] as const) {
    const value = (error as unknown as Record<string, unknown>)[key];
    if (typeof value === 'string') fields[key] = words(value);
    else if (typeof value === 'number') fields[key] = value;
  }
  if (error.stack) fields.stack = words(error.stack);
  if (error.cause instanceof Error && depth < 3) fields.cause = errorFields(error.cause, depth + 1);
  return fields;
}

/** Bytes of a message or stack. */
const LONGEST = 8192;

const words = (text: string): string => redactHead(text, LONGEST);

/** For a line or a field: they also quote the API server, AWS and messages. */
const safeText = (text: string): string => redactSecrets(clean(text));
