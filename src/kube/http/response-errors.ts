/** Makes a KubeError of a metav1.Status, and of an error of the transport. No other file reads them. */

import { redactHead } from '../../text/redact.ts';
import { classify, KubeError } from '../errors.ts';
import { readHttpDate } from './http-date.ts';

/** The used part of a metav1.Status. */
interface Status {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
}

/** Bytes of a message. In a 422 the API server quotes whole fields, and webhooks anything. */
const MAX_MESSAGE = 4096;

/**
 * The error for an answer whose HTTP status is not 2xx. `body` may be anything: a Status, a proxy's HTML page, cut off,
 * empty. Only a Status is quoted.
 */
export function errorOfAnswer(
  request: string,
  status: number,
  body: string,
  retryAfter?: string | undefined,
): KubeError {
  const parsed = parseStatus(body);
  const reason = parsed?.reason || DEFAULT_REASONS[status] || `HTTP${status}`;
  return new KubeError(classify(status, reason), {
    status,
    reason,
    message: parsed?.message
      ? `${reason}: ${redactHead(parsed.message, MAX_MESSAGE)}`
      : `${reason}: HTTP ${status} for ${request}`,
    retryAfterSeconds: retryAfterSeconds(retryAfter) ?? parsed?.details?.retryAfterSeconds,
  });
}

/** The error for the object of an ERROR event in a watch: its Status has a code of its own, because HTTP was 200. */
export function errorOfWatchEvent(request: string, object: unknown): KubeError {
  const status = (object ?? {}) as Status;
  const code = typeof status.code === 'number' ? status.code : 500;
  return errorOfAnswer(request, code, JSON.stringify({ ...status, kind: 'Status' }));
}

/** The error for a request that got no complete answer. It may or may not have taken effect. */
export function errorOfTransport(request: string, error: unknown): KubeError {
  const { code, name, message } = (error ?? {}) as { code?: unknown; name?: unknown; message?: unknown };
  const reason = typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error';
  return new KubeError('retryable', {
    status: 0,
    reason,
    message: `${request}: ${redactHead(String(message || reason), MAX_MESSAGE)}`,
    cause: error,
  });
}

export function errorOfTimeout(request: string, ms: number): KubeError {
  const message = `${request}: no complete answer within ${ms / 1000} s`;
  return new KubeError('retryable', { status: 0, reason: 'Timeout', message });
}

/** For a 2xx without valid JSON: cut off, or not from an API server. The parser's message would quote the body. */
export function errorOfBody(request: string): KubeError {
  return new KubeError('retryable', {
    status: 0,
    reason: 'InvalidAnswer',
    message: `${request}: the answer is not valid JSON`,
  });
}

/** What proxies and the API server's outer layers answer without a Status. */
const DEFAULT_REASONS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const status = JSON.parse(body) as Status;
    return status.kind === 'Status' ? status : undefined;
  } catch {
    return undefined;
  }
}

/** Retry-After holds seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterSeconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,6}$/.test(header)) return Number(header);
  const now = Date.now();
  const at = readHttpDate(header, now);
  return at === undefined ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
