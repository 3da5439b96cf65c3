/**
 * What can come of a request to SQS, classified once, here.
 *
 * - `missing-queue`: no such queue (or it was deleted).
 * - `access-denied`: the credentials are refused, or may not do this.
 * - `no-region`, `no-credentials`: nothing was sent, for want of either.
 * - `throttled`: SQS asks for fewer requests.
 * - `unreachable`: a time-out, no connection, a certificate that is not trusted, a server error, or an answer of somebody else on the way: it
 *   may or may not have taken effect.
 * - `aborted`: the caller's signal ended it.
 * - `other`: anything else that SQS refused.
 */
export type SqsErrorKind =
  | 'missing-queue'
  | 'access-denied'
  | 'no-region'
  | 'no-credentials'
  | 'throttled'
  | 'unreachable'
  | 'aborted'
  | 'other';

/** The only error that a Queue throws. Its message says what to do and holds no receipt handle, token, secret or body. */
export class SqsError extends Error {
  readonly kind: SqsErrorKind;
  /** AWS's error code, or the transport's. */
  readonly code: string;

  constructor(kind: SqsErrorKind, code: string, message: string) {
    super(message);
    this.name = 'SqsError';
    this.kind = kind;
    this.code = code;
  }
}

const KINDS: readonly [kind: SqsErrorKind, codes: RegExp][] = [
  [
    'missing-queue',
    /^(QueueDoesNotExist|NonExistentQueue|QueueDeletedRecently|InvalidAddress|UnsupportedOperation\.Queue.*)$/,
  ],
  [
    'access-denied',
    /^(AccessDenied|AccessDeniedException|KmsAccessDenied|KMS\.AccessDeniedException|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature|MissingAuthenticationToken(Exception)?|ExpiredToken(Exception)?|InvalidAccessKeyId|InvalidSecurity|InvalidIdentityToken|IDPCommunicationError|AuthFailure|OptInRequired|NotAuthorized)$/,
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

const ADVICE: Record<SqsErrorKind, string> = {
  'missing-queue': 'the queue does not exist: check account, name and region in spec.queue.url, or create it',
  'access-denied':
    "AWS refuses the operator's credentials or its right to use the queue: sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes are needed (and kms:Decrypt for an encrypted queue)",
  'no-region': 'no region is known: set spec.queue.region, or AWS_REGION of the operator',
  'no-credentials':
    'no AWS credentials were found: give the operator static keys, an IAM role for its service account, or EKS Pod Identity',
  throttled: 'SQS asks for fewer requests',
  unreachable: 'SQS cannot be reached: check network, DNS, HTTPS_PROXY and NO_PROXY, and NODE_EXTRA_CA_CERTS',
  aborted: 'the request was ended by the operator',
  other: 'SQS refused the request',
};

/** Turns whatever the SDK throws into an SqsError. */
export function toSqsError(error: unknown): SqsError {
  if (error instanceof SqsError) return error;
  const raw = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
    Code?: unknown;
    message?: unknown;
    $metadata?: { httpStatusCode?: number };
    $retryable?: { throttling?: boolean };
  };
  const text = typeof raw.message === 'string' ? raw.message : '';
  if (raw.name === 'AbortError') return new SqsError('aborted', 'AbortError', ADVICE.aborted);
  if (/^Region is missing/.test(text)) return new SqsError('no-region', 'NoRegion', ADVICE['no-region']);

  const candidates = [raw.name, raw.code, raw.Code]
    .filter((value): value is string => typeof value === 'string')
    .map(plainCode);
  for (const code of candidates) {
    const kind = KINDS.find(([, codes]) => codes.test(code))?.[0];
    if (kind) return new SqsError(kind, code, messageFor(kind, code, text));
  }
  const code = candidates.find((name) => name !== 'Error') ?? 'Unknown';
  const status = raw.$metadata?.httpStatusCode;
  if (isForeign(code, status)) {
    const words = `; something else answered in its place${status === undefined ? '' : `, with HTTP status ${status}`}`;
    return new SqsError('unreachable', 'ForeignAnswer', `${ADVICE.unreachable}${words}`);
  }
  const kind = kindOfStatus(status, raw.$retryable?.throttling === true);
  return new SqsError(kind, code, messageFor(kind, code, text));
}

/** One entry of a batch that SQS refused although it answered 200. */
export function batchEntryError(code: string | undefined): SqsError {
  return toSqsError({ name: code ?? 'Unknown' });
}

/** `com.amazonaws.sqs#QueueDoesNotExist` and `AWS.SimpleQueueService.NonExistentQueue` without what stands before the code. */
function plainCode(code: string): string {
  return code
    .replace(/^.*#/, '')
    .replace(/^AWS\.SimpleQueueService\./, '')
    .slice(0, 100);
}

/**
 * SQS and STS name every refusal by a code, in a body that can be parsed. A page of HTML, or a bare 403 or 407, is of a proxy or gateway on
 * the way: whoever reads about it should look there, not at the rights of the role.
 */
function isForeign(code: string, status: number | undefined): boolean {
  return code === 'SyntaxError' || (code === 'Unknown' && status !== undefined && status >= 400 && status !== 429);
}

function kindOfStatus(status: number | undefined, throttling: boolean): SqsErrorKind {
  if (throttling || status === 429) return 'throttled';
  if (status === 401 || status === 403) return 'access-denied';
  if (status !== undefined && status >= 500) return 'unreachable';
  return 'other';
}

function messageFor(kind: SqsErrorKind, code: string, text: string): string {
  // AWS's own words name principal, action and resource, which is what one needs then. Of other errors they are not shown: they quote
  // receipt handles, and of signature errors the canonical request with the session token.
  const words = /^AccessDenied/.test(code) ? text.replace(/[A-Za-z0-9+/=_-]{100,}/g, '…').slice(0, 400) : '';
  return words ? `${ADVICE[kind]}; AWS says: ${words}` : `${ADVICE[kind]} (${code})`;
}
