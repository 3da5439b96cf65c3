import { isKubeError, type KubeError, type KubeErrorKind } from '../kube/errors.ts';
import { ActionError, type ActionErrorKind } from './action-error.ts';

/**
 * The other side of a conflict is the operator or the Job controller. Neither writes so often that more tries would be
 * needed.
 */
const MOST_TRIES = 5;

const KINDS: Record<KubeErrorKind, ActionErrorKind> = {
  conflict: 'unavailable',
  exists: 'refused',
  gone: 'notFound',
  invalid: 'refused',
  forbidden: 'forbidden',
  // It may have taken effect. Every write of an action may be made twice, so `unclear` is worth another try.
  retryable: 'unclear',
};

/**
 * Another object has the name now. The API server calls a patch of a uid invalid, and the policies' refusals forbidden.
 */
const isOtherUid = (error: KubeError): boolean => error.kind === 'invalid' && error.message.includes('metadata.uid');

/**
 * Runs a read and the write that rests on it, again from the start if another write came between.
 * @param what the action in words, for the error
 * @throws ActionError
 */
export async function withRetries<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isKubeError(error)) throw error;
      if (error.kind === 'conflict' && tries < MOST_TRIES) continue;
      throw new ActionError(isOtherUid(error) ? 'notFound' : KINDS[error.kind], `${what}: ${error.message}`, error);
    }
  }
}
