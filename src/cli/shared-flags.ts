import { parseBindAddress } from '../observability/bind-address.ts';
import { parseAllowedOrigin, parseAllowQueue } from '../sqs/allow-queue.ts';
import { many, single } from './flags.ts';

/** Flags of every program that serves probes and metrics. */
export const addressFlags = {
  'metrics-bind-address': single(
    'ADDRESS',
    ':8080',
    bindAddress,
    'where /metrics is served, [host]:port; 0 turns it off. Default: :8080',
  ),
  'health-probe-bind-address': single(
    'ADDRESS',
    ':8081',
    bindAddress,
    'where /healthz and /readyz are served, [host]:port; 0 turns them off. Default: :8081',
  ),
};

/** Flags of every program that uses the queues which CapDeployJobs name. */
export const queueFlags = {
  'allow-queue-origin': many(
    'ORIGIN',
    parseAllowedOrigin,
    "origin (http[s]://host[:port]) other than SQS's own that queue URLs may have; may be given several times",
  ),
  'allow-queue': many(
    'NAMESPACE=ARN',
    parseAllowQueue,
    'queues that a namespace may use, * in the ARN stands for anything; may be given several times. ' +
      'Default: every queue that the credentials allow',
  ),
};

function bindAddress(value: string, flag: string): string {
  parseBindAddress(flag, value);
  return value;
}
