import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';

/** Codes of Slack's Web API. What stands there in an HTML page of a proxy is none. */
const CODE = /^[a-z0-9_]{1,64}$/;
/** Names of scopes, several with commas. */
const SCOPES = /^[a-z0-9_:.,-]{1,200}$/;

/**
 * A call of Slack's Web API that failed. Holds neither token nor URL.
 *
 * Codes that are not Slack's own: `timeout`, `http_<status>`, `proxy_<status>` (a proxy refused), `not_json` (an answer
 * that is none of Slack's), `unexpected_answer` (a field that is missing or of another type), `no_hello`, and what Node
 * and undici say of a connection (`ECONNREFUSED`, `UND_ERR_SOCKET`), else `unreachable`.
 */
export class SlackError extends Error {
  override readonly name = 'SlackError';
  readonly method: string;
  readonly code: string;
  /** Milliseconds. Only of `ratelimited`, if Slack said so. */
  readonly retryAfterMs: number | undefined;

  constructor(method: string, code: string, options: { retryAfterMs?: number | undefined; detail?: string } = {}) {
    super(`Slack's ${method} failed: ${code}${options.detail === undefined ? '' : ` (${options.detail})`}`);
    this.method = method;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** @param error whatever a method of `@slack/web-api` threw */
export function toSlackError(method: string, error: unknown): SlackError {
  if (error instanceof SlackError) return error;
  if (error instanceof WebAPIRateLimitedError) {
    return new SlackError(method, 'ratelimited', { retryAfterMs: error.retryAfter * 1000 });
  }
  if (error instanceof WebAPIHTTPError) return new SlackError(method, `http_${error.statusCode}`);
  if (error instanceof WebAPIPlatformError) return platformError(method, error.data);
  // The client says so in a plain error if a 429 does not say how long.
  if (error instanceof Error && error.message.startsWith('Retry header')) return new SlackError(method, 'ratelimited');
  return new SlackError(method, networkCode(error instanceof WebAPIRequestError ? error.original : error));
}

function platformError(method: string, data: { error: string; needed?: unknown }): SlackError {
  if (!CODE.test(data.error)) return new SlackError(method, 'not_json');
  const needed = typeof data.needed === 'string' && SCOPES.test(data.needed) ? data.needed : undefined;
  return new SlackError(method, data.error, needed === undefined ? {} : { detail: `needs the scope ${needed}` });
}

/** What undici says if a proxy refuses a tunnel. */
const PROXY_REFUSED = /^Proxy response \((\d{3})\)/;

/** Codes only: messages may hold an address with its ticket. */
function networkCode(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError') return 'timeout';
    const status = PROXY_REFUSED.exec(cause.message)?.[1];
    if (status !== undefined) return `proxy_${status}`;
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
  }
  return 'unreachable';
}
