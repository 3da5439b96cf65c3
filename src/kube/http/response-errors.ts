/**
 * What came back, or did not, as KubeError: the one place that reads metav1.Status and the transport's errors.
 */

import { redactHead } from '../../text/redact.ts';
import { classify, KubeError } from '../errors.ts';
import { readHttpDate } from './http-date.ts';

/** Of a metav1.Status, what is used here. */
interface Status {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
}

/** The API server quotes whole fields in the message of a 422, and webhooks what they like; more than this helps nobody. Bytes. */
const MAX_WORDS = 4096;

/**
 * The error for an answer whose HTTP status is not 2xx. `body` may be anything: a Status, a proxy's HTML page, cut off, empty. Only a
 * Status is quoted.
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
      ? `${reason}: ${redactHead(parsed.message, MAX_WORDS)}`
      : `${reason}: HTTP ${status} for ${request}`,
    retryAfterSeconds: retryAfterSeconds(retryAfter) ?? parsed?.details?.retryAfterSeconds,
  });
}

/** The error for the object of an ERROR event in a watch: HTTP was 200 long ago, the Status carries its own code. */
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
    message: `${request}: ${redactHead(String(message || reason), MAX_WORDS)}`,
    cause: error,
  });
}

export function errorOfTimeout(request: string, ms: number): KubeError {
  const message = `${request}: no complete answer within ${ms / 1000} s`;
  return new KubeError('retryable', { status: 0, reason: 'Timeout', message });
}

/** A 2xx whose body is not the JSON that it should be: cut off on its way, or not from an API server. The parser's words would quote the body. */
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
