/**
 * Receives once as the operator does and prints what came of it as JSON: a program, because Node reads
 * NODE_EXTRA_CA_CERTS only when it starts.
 */
import { SqsClients } from '../../../src/sqs/clients.ts';
import { SqsError } from '../../../src/sqs/errors.ts';
import type { QueueSettings } from '../../../src/sqs/queue.ts';

const clients = new SqsClients();
const queue = clients.open(JSON.parse(process.argv[2] as string) as QueueSettings);
const outcome = await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60 }).then(
  (messages) => ({ bodies: messages.map(({ body }) => body) }),
  (error: unknown) => {
    if (!(error instanceof SqsError)) throw error;
    return { kind: error.kind, code: error.code, message: error.message };
  },
);
clients.close();
process.stdout.write(JSON.stringify(outcome));
