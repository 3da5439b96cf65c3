import { SqsError } from './errors.ts';
import type { Queue } from './queue.ts';

/**
 * Rejects `receive`, `delete` and `changeVisibility` while this replica is not the leader.
 * @throws SqsError (kind `aborted`, code NotLeader)
 */
export function guardedQueue(queue: Queue, granted: () => boolean): Queue {
  const guarded = async <T>(send: () => Promise<T>): Promise<T> => {
    if (!granted()) {
      throw new SqsError('aborted', 'NotLeader', 'this replica is not the leader (any more): nothing was sent to SQS');
    }
    return send();
  };
  return {
    receive: (options) => guarded(() => queue.receive(options)),
    delete: (receiptHandles, signal) => guarded(() => queue.delete(receiptHandles, signal)),
    changeVisibility: (changes, signal) => guarded(() => queue.changeVisibility(changes, signal)),
    attributes: (signal) => queue.attributes(signal),
    send: (body, options) => queue.send(body, options),
    close: () => queue.close(),
  };
}
