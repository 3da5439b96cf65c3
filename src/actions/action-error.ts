/**
 * Why an action was not done, in one word for programs.
 *
 * - `notFound`: the resource, environment or deploy that was named is not there, or has ended.
 * - `ambiguous`: a short name fits several deploys.
 * - `refused`: the request would be rejected, or the action is not for that state; nothing was sent.
 * - `forbidden`: the API server or AWS lacks the right.
 * - `unclear`: it may have been done; the answer was lost.
 * - `unavailable`: the API server or SQS could not be reached, and nothing was done.
 */
export type ActionErrorKind = 'notFound' | 'ambiguous' | 'refused' | 'forbidden' | 'unclear' | 'unavailable';

/** The only error that an action throws. Its message says what was found, what is allowed and what to do next. */
export class ActionError extends Error {
  readonly kind: ActionErrorKind;

  constructor(kind: ActionErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ActionError';
    this.kind = kind;
  }
}
