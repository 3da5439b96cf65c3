/**
 * The second and third SQS server of `npm run test:real`: MiniStack (Python) and ElasticMQ (Java). fauxqs, the first,
 * runs in process.
 *
 * For the runner: the tests that speak to a queue server are the files under test/ whose names end in `.queue.test.ts`,
 * and no others. Each runs unchanged on any of the three, chosen by `TEST_SQS=fauxqs|ministack|elasticmq` with
 * `TEST_SQS_ENDPOINT=<endpoint below>`; their queues have names of their own, so that one server serves a whole run, in
 * parallel and as often as wanted. Those of this folder, `test/cluster/sqs-servers/*.test.ts`, are about the servers
 * and start their own.
 *
 * Both servers listen on 127.0.0.1 only, keep their files in a temporary directory that `stop` removes, and are
 * installed once, outside the checkout (see install.ts). No credentials are checked, but the SDK wants some: any will
 * do.
 */
export const QUEUE_TESTS = 'test/**/*.queue.test.ts';

export { startElasticMq } from './elasticmq/elasticmq.ts';
export { startMiniStack } from './ministack/ministack.ts';
export type { SqsServerProcess } from './server-process.ts';
