/**
 * How a request to the Kubernetes API can fail. Errors are classified here and nowhere else.
 *
 * - `conflict`: another client wrote first (409 on resourceVersion or uid): read again.
 * - `exists`: a create found the name taken (409 AlreadyExists).
 * - `gone`: the object or the watch position does not exist (404, 410).
 * - `invalid`: the API server refuses the request (400, 405, 406, 413, 415, 422), and will refuse it again.
 * - `forbidden`: 401 or 403: rights, quota, an admission policy, a namespace that is being deleted. This can change
 *   without us.
 * - `retryable`: 429, 5xx, a time-out, no connection: the request may or may not have taken effect.
 */
export const KUBE_ERROR_KINDS = ['conflict', 'exists', 'gone', 'invalid', 'forbidden', 'retryable'] as const;
export type KubeErrorKind = (typeof KUBE_ERROR_KINDS)[number];

/** The only error of a KubeClient. Its message holds the server's reason and message, never a header or a body. */
export class KubeError extends Error {
  readonly kind: KubeErrorKind;
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  /** metav1.Status.reason, or the transport's error code. */
  readonly reason: string;
  /** From Retry-After, if the server sent it. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: KubeErrorKind,
    details: {
      status: number;
      reason: string;
      message: string;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KubeError';
    this.kind = kind;
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/**
 * The kind of an HTTP status and metav1.Status reason (apimachinery `pkg/api/errors`). 404 on a create means that the
 * namespace or the type does not exist: also `gone`.
 */
export function classify(status: number, reason: string): KubeErrorKind {
  if (status === 409) return reason === 'AlreadyExists' ? 'exists' : 'conflict';
  if (status === 404 || status === 410) return 'gone';
  if ([400, 405, 406, 413, 415, 422].includes(status)) return 'invalid';
  if (status === 401 || status === 403) return 'forbidden';
  return 'retryable';
}

/** True for a KubeError of that kind. */
export function isKubeError(error: unknown, kind?: KubeErrorKind): error is KubeError {
  return error instanceof KubeError && (kind === undefined || error.kind === kind);
}

/**
 * A precondition names the uid of an object that another one has replaced. The API server calls that invalid. It
 * calls the refusals of policies forbidden.
 */
export const isOtherUid = (error: KubeError): boolean =>
  error.kind === 'invalid' && error.message.includes('metadata.uid');

/** What a `get` finds; undefined if the API server does not have it. @throws KubeError */
export async function undefinedIfGone<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isKubeError(error, 'gone')) return undefined;
    throw error;
  }
}
