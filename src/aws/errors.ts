import { redactHead } from '../text/redact.ts';

/**
 * Errors of requests to AWS are classified here and nowhere else. The room of a service adds its own kinds.
 *
 * - `access-denied`: the credentials are refused, or may not do this.
 * - `expired-credentials`: they were good once: keys of a session, or the session of SSO or `aws login` behind them.
 * - `no-region`, `no-credentials`: one is missing, so nothing was sent.
 * - `throttled`: AWS asks for fewer requests.
 * - `unreachable`: a time-out, no connection, a certificate that is not trusted, a server error, or a response of a
 *   proxy. The request may have taken effect.
 * - `aborted`: the caller's signal ended it.
 * - `other`: anything else that AWS refused.
 */
export type AwsErrorKind =
  | 'access-denied'
  | 'expired-credentials'
  | 'no-region'
  | 'no-credentials'
  | 'throttled'
  | 'unreachable'
  | 'aborted'
  | 'other';

export interface AwsProblem<Kind extends string = AwsErrorKind> {
  kind: Kind;
  /** AWS's error code, or the transport's. */
  code: string;
  /** For the end of the message: the code, or AWS's own words if they are safe to show. May be ''. */
  detail: string;
}

const KINDS: readonly [kind: AwsErrorKind, codes: RegExp][] = [
  ['expired-credentials', /^ExpiredToken(Exception)?$/],
  [
    'access-denied',
    /^(AccessDenied|AccessDeniedException|KmsAccessDenied|KMS\.AccessDeniedException|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|MissingAuthenticationToken(Exception)?|InvalidAccessKeyId|InvalidSecurity|InvalidIdentityToken|IDPCommunicationError|AuthFailure|OptInRequired|NotAuthorized)$/,
  ],
  [
    'throttled',
    /^(Throttling(Exception)?|ThrottledException|RequestThrottled(Exception)?|RequestLimitExceeded|TooManyRequests(Exception)?|KmsThrottled|OverLimit|SlowDown|PriorRequestNotComplete)$/,
  ],
  [
    'unreachable',
    /^(TimeoutError|RequestTimeout|RequestTimeoutException|ECONN[A-Z]+|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EPROTO|CERT_[A-Z_]+|DEPTH_ZERO_[A-Z_]+|SELF_SIGNED_[A-Z_]+|UNABLE_TO_[A-Z_]+|ERR_TLS_[A-Z_]+|ERR_SSL_[A-Z_]+|ServiceUnavailable|InternalError|InternalFailure)$/,
  ],
  ['no-credentials', /^(CredentialsProviderError|ProviderError|TokenProviderError|CredentialsError)$/],
];

/** A person must sign in again. The providers of the SDK use the same code if they found no credentials. */
const OVER = /expired|`?aws (sso )?login/i;

/** Classifies an error of the SDK. The codes of one service, `own`, come first. */
export function classifyAwsError<Kind extends string = never>(
  error: unknown,
  own: readonly [kind: Kind, codes: RegExp][] = [],
): AwsProblem<Kind | AwsErrorKind> {
  const raw = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
    Code?: unknown;
    message?: unknown;
    $metadata?: { httpStatusCode?: number };
    $retryable?: { throttling?: boolean };
  };
  const text = typeof raw.message === 'string' ? raw.message : '';
  if (raw.name === 'AbortError') return { kind: 'aborted', code: 'AbortError', detail: '' };
  if (/^Region is missing/.test(text)) return { kind: 'no-region', code: 'NoRegion', detail: '' };

  const candidates = [raw.name, raw.code, raw.Code]
    .filter((value): value is string => typeof value === 'string')
    .map(plainCode);
  const table: readonly [Kind | AwsErrorKind, RegExp][] = [...own, ...KINDS];
  for (const code of candidates) {
    const kind = table.find(([, codes]) => codes.test(code))?.[0];
    if (kind === 'no-credentials' && OVER.test(text))
      return { kind: 'expired-credentials', code, detail: detailOf(code, text) };
    if (kind) return { kind, code, detail: detailOf(code, text) };
  }
  const code = candidates.find((name) => name !== 'Error') ?? 'Unknown';
  const status = raw.$metadata?.httpStatusCode;
  if (isForeign(code, status)) {
    const detail = `; something else answered in its place${status === undefined ? '' : `, with HTTP status ${status}`}`;
    return { kind: 'unreachable', code: 'ForeignAnswer', detail };
  }
  const kind = kindOfStatus(status, raw.$retryable?.throttling === true);
  return { kind, code, detail: detailOf(code, text) };
}

/** Without the prefix of `com.amazonaws.sqs#QueueDoesNotExist` and `AWS.SimpleQueueService.NonExistentQueue`. */
function plainCode(code: string): string {
  return code
    .replace(/^.*#/, '')
    .replace(/^AWS\.SimpleQueueService\./, '')
    .slice(0, 100);
}

/**
 * AWS gives every refusal a code, in a body that can be parsed. A page of HTML, or a bare 403 or 407, comes from a
 * proxy or gateway: the error must point there, and not to the rights of the role.
 */
function isForeign(code: string, status: number | undefined): boolean {
  return code === 'SyntaxError' || (code === 'Unknown' && status !== undefined && status >= 400 && status !== 429);
}

function kindOfStatus(status: number | undefined, throttling: boolean): AwsErrorKind {
  if (throttling || status === 429) return 'throttled';
  if (status === 401 || status === 403) return 'access-denied';
  if (status !== undefined && status >= 500) return 'unreachable';
  return 'other';
}

/**
 * When access is denied, AWS's own words name principal, action and resource. Those of other errors are not shown: they
 * quote receipt handles, and in signature errors the canonical request with the session token.
 */
function detailOf(code: string, text: string): string {
  const words = /^AccessDenied/.test(code) ? redactHead(text.replace(/[A-Za-z0-9+/=_-]{100,}/g, '…'), 400) : '';
  return words ? `; AWS says: ${words}` : ` (${code})`;
}
