import { type AwsErrorKind, classifyAwsError } from '../aws/errors.ts';

/** There is no token from ECR. The message says what to do, without token, secret or body. */
export class EcrError extends Error {
  override readonly name = 'EcrError';
  readonly kind: AwsErrorKind;

  constructor(kind: AwsErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return this.kind === 'throttled' || this.kind === 'unreachable';
  }
}

const ADVICE: Record<AwsErrorKind, string> = {
  'access-denied':
    'AWS refuses the credentials, or their right to ecr:GetAuthorizationToken (or to sts:AssumeRole, where roleArn is set: the trust policy of the role must name this principal, and externalId must be the one that it asks for)',
  'expired-credentials':
    'the AWS credentials have expired: renew the session (aws sso login), keys or web identity token that this program was given',
  'no-region': 'no region is known: set region, or AWS_REGION in the environment',
  'no-credentials':
    'no AWS credentials were found: give the Pod static keys, an IAM role for its service account, or EKS Pod Identity',
  throttled: 'AWS asks for fewer requests',
  unreachable: 'ECR or STS cannot be reached: check network, DNS, HTTPS_PROXY and NO_PROXY, and NODE_EXTRA_CA_CERTS',
  aborted: 'the request was ended by this program',
  other: 'AWS refused the request',
};

/** Turns an error of the SDK into an EcrError. */
export function toEcrError(error: unknown): EcrError {
  if (error instanceof EcrError) return error;
  const { kind, detail } = classifyAwsError(error);
  return new EcrError(kind, ADVICE[kind] + detail);
}
