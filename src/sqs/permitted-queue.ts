import { SqsError } from './errors.ts';
import type { Queue } from './queue.ts';

/** The queue, of which nothing is taken and nothing changed while `granted` says no: only the leader's hands touch a message. */
export function permittedQueue(queue: Queue, granted: () => boolean): Queue {
  const permitted = async <T>(send: () => Promise<T>): Promise<T> => {
    if (!granted()) {
      throw new SqsError('aborted', 'NotLeader', 'this replica is not the leader (any more): nothing was sent to SQS');
    }
    return send();
  };
  return {
    receive: (options) => permitted(() => queue.receive(options)),
    delete: (receiptHandles, signal) => permitted(() => queue.delete(receiptHandles, signal)),
    changeVisibility: (changes, signal) => permitted(() => queue.changeVisibility(changes, signal)),
    attributes: (signal) => queue.attributes(signal),
    send: (body, options) => queue.send(body, options),
    close: () => queue.close(),
  };
}
