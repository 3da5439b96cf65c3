import type { CapDeployJob } from '../../api/capdeployjob.ts';
import { CONDITION, REASON } from '../../api/reasons.ts';
import { keyOf, type ObjectKey } from '../../base/object-key.ts';
import { readSpec } from '../../requests/read-spec.ts';
import { type AllowQueueRule, isOriginAllowed, isQueueAllowed } from '../../sqs/allow-queue.ts';
import type { QueueSettings } from '../../sqs/queue.ts';
import { canonicalQueue, parseQueueUrl, type QueueUrl, queueArn } from '../../sqs/queue-url.ts';

/** Which queues are read, and why others are not. Pure: resources and flags in, a decision for each resource out. */

export interface QueueSelectionOptions {
  /** Origins from --allow-queue-origin. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** Rules from --allow-queue. */
  readonly allowRules: readonly AllowQueueRule[];
  /** AWS_REGION of the operator. */
  readonly defaultRegion: string | undefined;
}

export type QueueSelection = { kind: 'read'; uid: string; settings: QueueSettings } | Off;
type Off = { kind: 'off'; reason: string; message: string };

interface Candidate {
  readonly resource: CapDeployJob;
  readonly key: ObjectKey;
  readonly url: QueueUrl;
  readonly region: string | undefined;
  readonly roleArn: string | undefined;
  readonly suspended: boolean;
  /** An older resource with the same queue. */
  readonly older: ObjectKey | undefined;
}

const off = (reason: string, message: string): Off => ({ kind: 'off', reason, message });

export function selectQueues(
  resources: readonly CapDeployJob[],
  options: QueueSelectionOptions,
): Map<ObjectKey, QueueSelection> {
  const judged = resources.map((resource): [CapDeployJob, Candidate | Off] => [resource, judge(resource, options)]);
  const owners = ownersOfQueues(judged.flatMap(([, candidate]) => ('kind' in candidate ? [] : [candidate])));
  return new Map(
    judged.map(([resource, candidate]): [ObjectKey, QueueSelection] => {
      if ('kind' in candidate) return [keyOf(resource), candidate];
      const owner = owners.get(canonicalQueue(candidate.url));
      const older = owner === candidate.key ? undefined : owner;
      return [candidate.key, decide({ ...candidate, older })];
    }),
  );
}

/** Whether a resource may have its queue at all. If two have the same queue, only such resources count. */
function judge(resource: CapDeployJob, options: QueueSelectionOptions): Candidate | Off {
  const { namespace, deletionTimestamp } = resource.metadata;
  if (deletionTimestamp !== undefined) return off(REASON.beingDeleted, 'the resource is being deleted');
  const read = readSpec(resource);
  if ('problem' in read) return off(REASON.invalidSpec, read.problem);
  const { queue, suspend } = read.spec;
  const url = parseQueueUrl(queue.url);
  if ('problem' in url) return off(REASON.invalidSpec, `spec.queue.url: ${JSON.stringify(queue.url)} ${url.problem}`);
  if (!isOriginAllowed(url, options.allowedOrigins)) {
    return off(
      REASON.queueOriginNotAllowed,
      `${url.origin} is not an origin of SQS, and signed requests would go there: the operator needs --allow-queue-origin=${url.origin} to read this queue`,
    );
  }
  const region = queue.region ?? url.region ?? options.defaultRegion;
  const arn = queueArn(url, region);
  if (!isQueueAllowed(namespace, arn, options.allowRules)) {
    return off(
      REASON.queueNotAllowed,
      `no --allow-queue of the operator lets namespace "${namespace}" read ${arn ?? `${queue.url}, whose ARN is not known`}`,
    );
  }
  return {
    resource,
    key: keyOf(resource),
    url,
    region,
    roleArn: queue.roleArn,
    suspended: suspend,
    older: undefined,
  };
}

/** A queue belongs to its oldest resource, also while that is suspended: its messages are for no other. */
function ownersOfQueues(candidates: readonly Candidate[]): Map<string, ObjectKey> {
  const age = ({ resource: { metadata } }: Candidate) => `${metadata.creationTimestamp} ${metadata.uid}`;
  const owners = new Map<string, ObjectKey>();
  for (const candidate of candidates.toSorted((a, b) => (age(a) < age(b) ? -1 : 1))) {
    const queue = canonicalQueue(candidate.url);
    if (!owners.has(queue)) owners.set(queue, candidate.key);
  }
  return owners;
}

/** Each is `candidate → why it is not read`; the first one counts. */
const CHECKS: readonly ((candidate: Candidate) => Off | undefined)[] = [
  function isNotSuspended({ suspended }) {
    return suspended ? off(REASON.suspended, 'spec.suspend is true: the queue is not read') : undefined;
  },
  function hasRegion({ region }) {
    return region === undefined
      ? off(
          REASON.noRegion,
          "the region of the queue is not known: set spec.queue.region, or the operator's AWS_REGION",
        )
      : undefined;
  },
  function hasItsQueueAlone({ older }) {
    return older === undefined
      ? undefined
      : off(
          REASON.queueShared,
          `the queue is that of CapDeployJob ${older}, which is older: a message would reach either at random`,
        );
  },
  function templateIsValid({ resource }) {
    const condition = resource.status?.conditions?.find(({ type }) => type === CONDITION.templateValid);
    // Unknown with another reason comes from a webhook without dry run: its queue is read.
    if (condition === undefined || condition.reason === REASON.notChecked) {
      return off(REASON.notChecked, 'the template has not been tried on the API server yet');
    }
    // After an edit the old finding counts until the new one: otherwise every edit would interrupt the reading.
    return condition.status === 'False' ? off(condition.reason, condition.message) : undefined;
  },
];

function decide(candidate: Candidate): QueueSelection {
  for (const check of CHECKS) {
    const problem = check(candidate);
    if (problem) return problem;
  }
  return {
    kind: 'read',
    uid: candidate.resource.metadata.uid,
    settings: {
      url: candidate.url.href,
      region: candidate.region as string,
      roleArn: candidate.roleArn,
      // Its author cannot choose it: otherwise the operator would assume the role of another resource for him.
      externalId: candidate.key,
    },
  };
}
