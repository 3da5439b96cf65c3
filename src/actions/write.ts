import { isKubeError, isOtherUid, type KubeError, type KubeErrorKind } from '../kube/errors.ts';
import { ActionError, type ActionErrorKind } from './action-error.ts';
import { isNotSent } from './not-sent.ts';

/** The other side of a conflict is the operator or the Job controller. Neither writes so often that more are needed. */
const MAX_TRIES = 5;

const KINDS: Record<KubeErrorKind, ActionErrorKind> = {
  conflict: 'unavailable',
  exists: 'refused',
  gone: 'notFound',
  invalid: 'refused',
  forbidden: 'forbidden',
  // A write that may have taken effect. Every write of an action may be made twice, so another try does no harm.
  retryable: 'unclear',
};

/**
 * Runs a read and the write that rests on it, again from the start if another write came between.
 * @param what the action in words and on which resource, for the error
 * @throws ActionError
 */
export async function withRetries<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isKubeError(error)) throw error;
      if (error.kind === 'conflict' && tries < MAX_TRIES) continue;
      throw actionError(what, error, KINDS[error.kind]);
    }
  }
}

/** Reads: if that fails nothing was done, whatever the error. @throws ActionError */
export async function reading<T>(what: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (!isKubeError(error)) throw error;
    throw actionError(what, error, error.kind === 'retryable' ? 'unavailable' : KINDS[error.kind]);
  }
}

function actionError(what: string, error: KubeError, kind: ActionErrorKind): ActionError {
  const wasNotDone = error.status === 429 || isNotSent(error.reason);
  const said = kind === 'unclear' && wasNotDone ? 'unavailable' : isOtherUid(error) ? 'notFound' : kind;
  return new ActionError(said, `${what}: ${inWords(error, said)}`, error);
}

/** What was found, and what to do next. What the API server said is in the log, too: it is the cause. */
function inWords(error: KubeError, said: ActionErrorKind): string {
  const found = error.message.replace(`${error.reason}: `, '');
  if (isOtherUid(error)) return 'another one has that name now: look again at what is there now';
  switch (error.kind) {
    case 'gone':
      return 'it is not there any more: look again at what is there now';
    case 'conflict':
      return `it was changed by others each of ${MAX_TRIES} times: try again`;
    case 'forbidden':
      return whyForbidden(found);
    case 'retryable':
      return said === 'unavailable'
        ? `the API server could not take it (${found}): try again in a while`
        : `the API server gave no clear answer (${found}): look whether it was done before you repeat it`;
    default:
      return `the API server takes it for invalid (${found}): this is a mistake of this program`;
  }
}

/** The policies of deploy/admission say themselves what to do. */
function whyForbidden(found: string): string {
  const [, words] = /ValidatingAdmissionPolicy.* denied request: (.*)$/s.exec(found) ?? [];
  if (words !== undefined) return words;
  // The authorizer's words (apiserver, pkg/endpoints/handlers/responsewriters/errors.go).
  return / cannot [a-z]+ resource /.test(found)
    ? `this program's account has no right to it (${found}): bind the role that gives it, for the chat bot those of deploy/chat`
    : `the API server refuses it (${found}): ask those who run the cluster what forbids this`;
}
