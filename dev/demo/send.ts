/**
 * Puts one message on the queue of a demo that was started with --serve: `QUEUE_URL=… node dev/demo/send.ts '<body>'`.
 */
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { LOCAL_CREDENTIALS, LOCAL_REGION } from '../local-sqs.ts';

const queueUrl = process.env.QUEUE_URL;
const body = process.argv[2];
if (!queueUrl || !body) {
  console.error("QUEUE_URL is to be set and the message is to be given: QUEUE_URL=… node send.ts '<body>'");
  process.exit(2);
}
const endpoint = new URL(queueUrl).origin;
const sqs = new SQSClient({ endpoint, region: LOCAL_REGION, credentials: LOCAL_CREDENTIALS });
const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
console.log(`sent ${MessageId}`);
