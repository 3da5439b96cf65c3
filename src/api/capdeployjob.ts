import { z } from 'zod';
import { DEFAULT_TASK, ENVIRONMENT_PATTERN, REPOSITORY_PATTERN, TASK_PATTERN } from './deploy-request.ts';
import { RESULTS } from './reasons.ts';

/**
 * The CapDeployJob resource (contract, sections 1 and 5) as zod schemas: `crd.ts` makes the CustomResourceDefinition of them, so each
 * description is what `kubectl explain` prints. Every string and list is bounded: unbounded ones make CEL rules too expensive.
 */

const seconds = (min: number, max: number, description: string) => z.int().min(min).max(max).describe(description);

const DAY = 86_400;

const queueSchema = z.object({
  url: z
    .string()
    .max(1024)
    .regex(/^https?:\/\/[^\s?#@]+$/)
    .describe(
      "URL of the SQS queue, standard or .fifo. Its origin must be one of SQS's own unless the operator was started with --allow-queue-origin.",
    ),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+){1,3}-[0-9]{1,2}$/)
    .max(32)
    .optional()
    .describe('AWS region of the queue. Default: the one in the URL, else the AWS_REGION of the operator.'),
  roleArn: z
    .string()
    .max(256)
    .regex(/^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[A-Za-z0-9+=,.@_/-]+$/)
    .optional()
    .describe(
      'IAM role that the operator assumes to read the queue, with external id "<namespace>/<name>" of this resource.',
    ),
  waitTimeSeconds: seconds(0, 20, 'How long one receive waits for messages (long polling).').default(20),
  visibilityTimeoutSeconds: seconds(
    10,
    43_200,
    'How long a received message stays hidden from other readers. The operator extends it for as long as it works on the message.',
  ).default(60),
});

const environmentSchema = z.object({
  name: z
    .string()
    .max(50)
    .regex(ENVIRONMENT_PATTERN)
    .describe('Capistrano stage. Each environment is a lane: one deploy at a time.'),
  revisions: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe(
      'RE2 pattern that the whole revision must match, in addition to the general rule for revisions. Example: v[0-9]+\\.[0-9]+\\.[0-9]+',
    ),
  suspend: z
    .boolean()
    .default(false)
    .describe('Freezes this environment: nothing starts, what runs goes on, requests wait.'),
});

const sshKeySchema = z.object({
  secretName: z.string().min(1).max(253).describe('Secret in the same namespace that holds the SSH key.'),
  key: z
    .string()
    .regex(/^[-._a-zA-Z0-9]+$/)
    .max(253)
    .default('private_key')
    .describe('Key of the Secret that holds the private key. It is mounted as the file "private_key".'),
  knownHostsKey: z
    .string()
    .regex(/^[-._a-zA-Z0-9]+$/)
    .max(253)
    .default('known_hosts')
    .describe(
      'Key of the Secret that holds the known host keys; it may be absent. It is mounted as the file "known_hosts".',
    ),
  mountPath: z
    .string()
    .regex(/^\/[^:]*$/)
    .max(512)
    .default('/etc/capdeployjob/ssh')
    .describe('Directory at which the key is mounted, read-only. Older images expect /root/.ssh.'),
});

export const specSchema = z
  .object({
    queue: queueSchema.describe('The SQS queue that deploy requests for this repository arrive on.'),
    repositories: z
      .array(z.string().regex(REPOSITORY_PATTERN).max(140))
      .min(1)
      .max(50)
      .optional()
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe(
        'Names that the repository of a message may have; any other is rejected. Without it every name is accepted.',
      ),
    environments: z
      .array(environmentSchema)
      .min(1)
      .max(50)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
      .describe('Where a message may deploy to. A message for any other environment is rejected.'),
    tasks: z
      .array(z.string().regex(TASK_PATTERN).max(100))
      .min(1)
      .max(20)
      .default([DEFAULT_TASK])
      .meta({ 'x-kubernetes-list-type': 'set' })
      .describe('Capistrano tasks that a message may ask for.'),
    maxWaiting: z
      .int()
      .min(1)
      .max(100)
      .default(20)
      .describe('How many requests may wait in each environment; one more is Refused (LaneFull).'),
    suspend: z.boolean().default(false).describe('The queue is not read and nothing starts; what runs goes on.'),
    startingDeadlineSeconds: seconds(
      1,
      14 * DAY,
      'A request that could have started this long ago and did not, or that is older than this when it is first read, is Missed. Times of Jobs are whole seconds: less than 10 is too fine.',
    ).default(3600),
    waitingDeadlineSeconds: seconds(
      1,
      30 * DAY,
      'A request that still waits this long after it was sent, for whatever reason, is Missed.',
    ).default(DAY),
    podStartDeadlineSeconds: seconds(
      1,
      DAY,
      'A started deploy that has no running container after this time is Failed (PodNotStarted).',
    ).default(300),
    activeDeadlineSeconds: seconds(
      1,
      7 * DAY,
      "The Job's own deadline: a deploy that runs longer is stopped and Failed.",
    ).default(3600),
    successfulJobsHistoryLimit: z
      .int()
      .min(0)
      .max(20)
      .default(3)
      .describe('How many succeeded Jobs are kept for each environment.'),
    failedJobsHistoryLimit: z
      .int()
      .min(0)
      .max(20)
      .default(3)
      .describe('How many failed Jobs are kept for each environment.'),
    ttlSecondsAfterFinished: seconds(
      0,
      365 * DAY,
      'Finished Jobs older than this are deleted, after their outcome is in the history.',
    )
      .nullable()
      .optional(),
    sshKey: sshKeySchema.optional().describe('SSH key for the deploy, mounted into the first container.'),
    template: z
      .looseObject({})
      .meta({ 'x-kubernetes-preserve-unknown-fields': true })
      .describe(
        "PodTemplateSpec of the deploy's Pod; its first container runs Capistrano. Checked by a server-side dry run: see the condition TemplateValid.",
      ),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'size(self.environments) * self.maxWaiting <= 1000',
        message:
          'environments times maxWaiting must not exceed 1000: the status, which lists every waiting request, would outgrow etcd',
        fieldPath: '.maxWaiting',
      },
      {
        rule: 'self.waitingDeadlineSeconds >= self.startingDeadlineSeconds',
        message: 'waitingDeadlineSeconds must not be less than startingDeadlineSeconds: it would always come first',
        fieldPath: '.waitingDeadlineSeconds',
      },
    ],
  });

const name = (description: string) => z.string().max(253).describe(description);
const moment = (description: string) => z.string().max(40).meta({ format: 'date-time' }).describe(description);

/** What a status says of a request wherever it mentions one: enough to write its history entry after its Job has vanished. */
const requestFields = {
  job: name('Name of the Job.'),
  id: z.string().max(128).describe("Idempotency key of the request: the producer's, or the SQS MessageId."),
  repository: z.string().max(140).describe('Repository, as the message named it.'),
  task: z.string().max(100).describe('Capistrano task.'),
  revision: z.string().max(244).optional().describe('Revision that is deployed.'),
  requestedBy: z.string().max(256).optional().describe('Who asked, as the message claims.'),
  senderId: z.string().max(256).optional().describe('Who sent the message, as SQS authenticated it.'),
  sentAt: moment('When the request was sent.'),
};

const waitingSchema = z.object({
  ...requestFields,
  dueAt: moment('The request is not to start before this; the order of the lane.'),
  why: z.string().max(512).describe('What the request waits for.'),
});

const claimSchema = z.object({
  ...requestFields,
  uid: z.string().max(64).describe('UID of the claimed Job: another Job of that name is not this deploy.'),
  dueAt: moment("The request's due time."),
  since: moment("When the claim was made: from then on the lane is this deploy's."),
  why: z
    .string()
    .max(512)
    .optional()
    .describe('Why a started deploy has no running container yet, or what of an ended one still holds the lane.'),
  ending: z
    .object({
      result: z.enum(RESULTS).describe('How the deploy ends.'),
      reason: z.string().max(64).describe('Why.'),
      message: z.string().max(1024).optional().describe('In words.'),
    })
    .optional()
    .describe(
      'Written before the operator deletes the Job of a started deploy, so that the outcome survives a crash in between.',
    ),
});

const watermarkSchema = z.object({
  task: z.string().max(100).describe('Capistrano task.'),
  id: z.string().max(128).describe('Idempotency key of the request that was started last.'),
  dueAt: moment('Its due time: a request of the same task that was due before it never starts.'),
});

const laneStatusSchema = z.object({
  name: z.string().max(50).describe('Environment.'),
  active: z
    .array(claimSchema)
    .max(1)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The deploy that holds the lane, if any.'),
  waiting: z
    .array(waitingSchema)
    .max(2000)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('Requests that wait, the next one first.'),
  frozen: z.string().max(256).optional().describe('Who or what froze the environment.'),
  openSince: moment(
    'Since when a deploy could start here: neither frozen nor busy. Absent while it is either.',
  ).optional(),
  lastStarted: z
    .array(watermarkSchema)
    .max(50)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The watermark: for each task the request that was started last.'),
  lastSuccessful: z
    .object({
      revision: z.string().max(244).optional().describe('Revision.'),
      task: z.string().max(100).describe('Capistrano task.'),
      job: name('Name of the Job.'),
      requestedBy: z.string().max(256).optional().describe('Who asked, as the message claimed.'),
      finishedAt: moment('When the deploy finished.'),
    })
    .optional()
    .describe('The last deploy that succeeded here.'),
  lastResult: z.enum(RESULTS).optional().describe('How the last started deploy ended.'),
  lastEndedAt: moment('When the last started deploy ended.').optional(),
});

const historyEntrySchema = z.object({
  ...requestFields,
  environment: z.string().max(50).describe('Environment.'),
  result: z.enum(RESULTS).describe('How the request ended.'),
  reason: z.string().max(64).describe('Why, in one word.'),
  message: z
    .string()
    .max(2048)
    .optional()
    .describe('Why, in words; for a failed deploy it ends with the end of its log.'),
  startedAt: moment('When the deploy was started, if it was.').optional(),
  finishedAt: moment('When the request ended.'),
});

const rejectionSchema = z.object({
  messageId: z.string().max(128).describe('SQS MessageId.'),
  reason: z.string().max(64).describe('Why it was rejected, in one word.'),
  field: z.string().max(64).optional().describe('Field of the message that is wrong.'),
  message: z.string().max(512).optional().describe('What was found and what is allowed.'),
  body: z.string().max(600).describe('The beginning of the message, escaped.'),
  at: moment('When it was rejected.'),
});

const conditionSchema = z.object({
  type: z.string().max(316).describe('Type of the condition.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Status of the condition.'),
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec that this was said of.'),
  lastTransitionTime: moment('When the status last changed.'),
  reason: z.string().min(1).max(1024).describe('Why, in one word.'),
  message: z.string().max(32_768).describe('Why, in words.'),
});

export const statusSchema = z.object({
  observedGeneration: z.int().min(0).optional().describe('Generation of the spec that this status was made from.'),
  conditions: z
    .array(conditionSchema)
    .max(16)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe('Ready, QueueReachable, TemplateValid and LastDeploySucceeded.'),
  waiting: z.int().min(0).optional().describe('How many requests wait, in all environments.'),
  active: z.int().min(0).optional().describe('How many deploys are under way.'),
  last: z.string().max(512).optional().describe('The last deploy that ended: environment, revision, result.'),
  environments: z
    .array(laneStatusSchema)
    .max(200)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .describe('The lanes.'),
  rejections: z
    .array(rejectionSchema)
    .max(5)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The newest 5 messages that were not accepted, newest first.'),
  rejectionsCount: z
    .int()
    .min(0)
    .optional()
    .describe('How many messages were not accepted since the resource was created.'),
  history: z
    .array(historyEntrySchema)
    .max(2000)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The newest 50 requests that ended, newest first: the record. An older one stays while its Job exists.'),
});

export type CapDeployJobSpec = z.output<typeof specSchema>;
export type CapDeployJobStatus = z.output<typeof statusSchema>;
export type Environment = CapDeployJobSpec['environments'][number];
export type LaneStatus = z.output<typeof laneStatusSchema>;
export type Claim = z.output<typeof claimSchema>;
export type WaitingEntry = z.output<typeof waitingSchema>;
export type Watermark = z.output<typeof watermarkSchema>;
export type HistoryEntry = z.output<typeof historyEntrySchema>;
export type RejectionEntry = z.output<typeof rejectionSchema>;
export type Condition = z.output<typeof conditionSchema>;

/** How many ended requests the history keeps, and how many rejections the status shows (contract, section 5). */
export const HISTORY_LIMIT = 50;
/** An older entry stays as long as its Job is kept, up to this place: the status must not outgrow etcd. */
export const HISTORY_LIMIT_WITH_JOBS = 200;
export const REJECTIONS_SHOWN = 5;

/** The resource as it comes from the API server: spec and status are raw until `parseSpec` has looked at them. */
export interface CapDeployJob {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    deletionTimestamp?: string;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  spec: unknown;
  status?: CapDeployJobStatus;
  [field: string]: unknown;
}

/**
 * Reads a spec and fills in the defaults of fields that an older CRD did not know.
 * @returns the spec, or the first problem in words that name the field.
 */
export function parseSpec(spec: unknown): { spec: CapDeployJobSpec } | { problem: string } {
  const parsed = specSchema.safeParse(spec);
  if (parsed.success) return { spec: parsed.data };
  const [issue] = parsed.error.issues;
  return {
    problem: `spec${(issue?.path ?? []).map((p) => (typeof p === 'number' ? `[${p}]` : `.${String(p)}`)).join('')}: ${issue?.message}`,
  };
}
