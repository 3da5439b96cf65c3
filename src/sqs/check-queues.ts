import type { CapDeployJob, CapDeployJobSpec } from '../api/capdeployjob.ts';
import { REASON } from '../api/reasons.ts';
import { keyOf, type ObjectKey } from '../base/object-key.ts';
import { type AllowQueueRule, isOriginAllowed, isQueueAllowed } from './allow-queue.ts';
import type { QueueSettings } from './queue.ts';
import { canonicalQueue, parseQueueUrl, type QueueUrl, queueArn } from './queue-url.ts';

/** Which resource may use which queue, for the operator that reads and for producers that send. Pure. */

/** What the flags of a program say about queues. */
export interface QueueRules {
  /** Origins from --allow-queue-origin. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** Rules from --allow-queue. */
  readonly allowRules: readonly AllowQueueRule[];
  /** AWS_REGION of the program. */
  readonly defaultRegion: string | undefined;
}

/** A resource with what was read of its spec. */
export interface QueueUser {
  readonly resource: Pick<CapDeployJob, 'metadata'>;
  readonly read: { readonly spec: Pick<CapDeployJobSpec, 'queue'> } | { readonly problem: string };
}

/** Why a queue cannot be used: a reason of conditions, and words. */
export interface QueueProblem {
  readonly reason: string;
  readonly message: string;
}

export type QueueCheck =
  /** It may have no such queue. If two have the same queue, it does not count. */
  | { readonly kind: 'refused'; readonly problem: QueueProblem }
  /** It may have the queue, and the queue cannot be used for it as things are. */
  | { readonly kind: 'unusable'; readonly problem: QueueProblem }
  | { readonly kind: 'usable'; readonly settings: QueueSettings; readonly fifo: boolean };

/** A resource that may have its queue. */
interface Candidate {
  readonly key: ObjectKey;
  readonly metadata: CapDeployJob['metadata'];
  readonly url: QueueUrl;
  readonly region: string | undefined;
  readonly roleArn: string | undefined;
}

/**
 * Checks the queue of each resource: its origin, the rules of its namespace, and whether an older resource has the same
 * queue. A queue belongs to its oldest resource, also while that is suspended: its messages are for no other.
 * @param users all that may share a queue; an older one that is not among them is not found
 */
export function checkQueues(users: readonly QueueUser[], rules: QueueRules): Map<ObjectKey, QueueCheck> {
  const judged = users.map((user) => [keyOf(user.resource), judge(user, rules)] as const);
  const owners = ownersOfQueues(judged.flatMap(([, candidate]) => ('problem' in candidate ? [] : [candidate])));
  return new Map(
    judged.map(([key, candidate]): [ObjectKey, QueueCheck] => [
      key,
      'problem' in candidate
        ? { kind: 'refused', problem: candidate.problem }
        : decide(candidate, owners.get(canonicalQueue(candidate.url)) ?? key),
    ]),
  );
}

const refused = (reason: string, message: string) => ({ problem: { reason, message } });

/** Whether a resource may have its queue at all. */
function judge({ resource: { metadata }, read }: QueueUser, rules: QueueRules): Candidate | { problem: QueueProblem } {
  if (metadata.deletionTimestamp !== undefined) return refused(REASON.beingDeleted, 'the resource is being deleted');
  if ('problem' in read) return refused(REASON.invalidSpec, read.problem);
  const { queue } = read.spec;
  const url = parseQueueUrl(queue.url);
  if ('problem' in url) {
    return refused(REASON.invalidSpec, `spec.queue.url: ${JSON.stringify(queue.url)} ${url.problem}`);
  }
  if (!isOriginAllowed(url, rules.allowedOrigins)) {
    return refused(
      REASON.queueOriginNotAllowed,
      `${url.origin} is not an origin of SQS, and signed requests would go there: the operator needs --allow-queue-origin=${url.origin} to read this queue`,
    );
  }
  const region = queue.region ?? url.region ?? rules.defaultRegion;
  const arn = queueArn(url, region);
  if (!isQueueAllowed(metadata.namespace, arn, rules.allowRules)) {
    return refused(
      REASON.queueNotAllowed,
      `no --allow-queue of the operator lets namespace "${metadata.namespace}" read ${arn ?? `${queue.url}, whose ARN is not known`}`,
    );
  }
  return { key: keyOf({ metadata }), metadata, url, region, roleArn: queue.roleArn };
}

function ownersOfQueues(candidates: readonly Candidate[]): Map<string, ObjectKey> {
  const age = ({ metadata }: Candidate) => `${metadata.creationTimestamp} ${metadata.uid}`;
  const owners = new Map<string, ObjectKey>();
  for (const candidate of candidates.toSorted((a, b) => (age(a) < age(b) ? -1 : 1))) {
    const queue = canonicalQueue(candidate.url);
    if (!owners.has(queue)) owners.set(queue, candidate.key);
  }
  return owners;
}

function decide({ key, url, region, roleArn }: Candidate, owner: ObjectKey): QueueCheck {
  const unusable = (reason: string, message: string): QueueCheck => ({
    kind: 'unusable',
    problem: { reason, message },
  });
  if (region === undefined) {
    return unusable(
      REASON.noRegion,
      "the region of the queue is not known: set spec.queue.region, or the operator's AWS_REGION",
    );
  }
  if (owner !== key) {
    return unusable(
      REASON.queueShared,
      `the queue is that of CapDeployJob ${owner}, which is older: a message would reach either at random`,
    );
  }
  // The author of a resource cannot choose its key: otherwise the role of another resource would be assumed for him.
  return { kind: 'usable', settings: { url: url.href, region, roleArn, externalId: key }, fifo: url.fifo };
}
