import { type AwsErrorKind, classifyAwsError } from '../aws/errors.ts';

/** Those of any request to AWS, and `missing-queue`: there is no such queue, or it was deleted. */
export type SqsErrorKind = 'missing-queue' | AwsErrorKind;

/** The only error that a Queue throws. Its message says what to do, without receipt handle, token, secret or body. */
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

const OWN_CODES: readonly [kind: 'missing-queue', codes: RegExp][] = [
  [
    'missing-queue',
    /^(QueueDoesNotExist|NonExistentQueue|QueueDeletedRecently|InvalidAddress|UnsupportedOperation\.Queue.*)$/,
  ],
];

const ADVICE: Record<SqsErrorKind, string> = {
  'missing-queue': 'the queue does not exist: check account, name and region in spec.queue.url, or create it',
  'access-denied':
    "AWS refuses the operator's credentials or its right to use the queue: sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility and sqs:GetQueueAttributes are needed (and kms:Decrypt for an encrypted queue)",
  'expired-credentials':
    'the AWS credentials have expired: renew the session (aws sso login), keys or web identity token that the operator was given',
  'no-region': 'no region is known: set spec.queue.region, or AWS_REGION of the operator',
  'no-credentials':
    'no AWS credentials were found: give the operator static keys, an IAM role for its service account, or EKS Pod Identity',
  throttled: 'SQS asks for fewer requests',
  unreachable: 'SQS cannot be reached: check network, DNS, HTTPS_PROXY and NO_PROXY, and NODE_EXTRA_CA_CERTS',
  aborted: 'the request was ended by the operator',
  other: 'SQS refused the request',
};

/**
 * A program that only sends needs other rights:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
 */
const ADVICE_TO_SENDERS: Record<SqsErrorKind, string> = {
  ...ADVICE,
  'access-denied':
    "AWS refuses this program's credentials or its right to send: sqs:SendMessage is needed (and kms:GenerateDataKey and kms:Decrypt for an encrypted queue)",
  'expired-credentials':
    'the AWS credentials have expired: renew the session (aws sso login), keys or web identity token of this program',
  'no-region': 'no region is known: set spec.queue.region, or AWS_REGION of this program',
  'no-credentials':
    'no AWS credentials were found: give this program static keys, an IAM role for its service account, or EKS Pod Identity',
  aborted: 'the request was ended by this program',
};

/**
 * Turns an error of the SDK into an SqsError.
 * @param program whose request it was: `sender` is one that only sends
 */
export function toSqsError(error: unknown, program: 'operator' | 'sender' = 'operator'): SqsError {
  if (error instanceof SqsError) return error;
  const { kind, code, detail } = classifyAwsError(error, OWN_CODES);
  return new SqsError(kind, code, (program === 'sender' ? ADVICE_TO_SENDERS : ADVICE)[kind] + detail);
}

/** One entry of a batch that SQS refused although it answered 200. */
export function batchEntryError(code: string | undefined): SqsError {
  return toSqsError({ name: code ?? 'Unknown' });
}
