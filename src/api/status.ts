import { z } from 'zod';
import { RESULTS, WAITING_REASONS } from './reasons.ts';

/**
 * The status of a CapDeployJob as a zod schema, for the CustomResourceDefinition as `spec.ts`. Every string and list is
 * bounded: a status that grows for ever outgrows etcd.
 */

const name = (description: string) => z.string().max(253).describe(description);
const moment = (description: string) => z.string().max(40).meta({ format: 'date-time' }).describe(description);

/** Of each request in a status: enough to write its history entry after its Job has vanished. */
const requestFields = {
  job: name('Name of the Job.'),
  id: z.string().max(128).describe("Idempotency key of the request: the producer's, or the SQS MessageId."),
  repository: z.string().max(140).describe('Repository, as the message named it.'),
  task: z.string().max(100).describe('Capistrano task.'),
  revision: z.string().max(244).optional().describe('Revision that is deployed.'),
  requestedBy: z.string().max(256).optional().describe('Who asked, as the message claims.'),
  requestReason: z.string().max(256).optional().describe('Why, in the words of who asked: "reason" of the message.'),
  slack: z
    .object({
      channel: z.string().max(32).describe('Id of the channel.'),
      threadTs: z.string().max(33).optional().describe('Time stamp of the message that the thread begins with.'),
    })
    .optional()
    .describe('Slack channel or thread that the result is reported to, as the message claims.'),
  senderId: z.string().max(256).optional().describe('Who sent the message, as SQS authenticated it.'),
  sentAt: moment('When the request was sent.'),
  notBefore: moment('The message asked for the deploy not to start before this.').optional(),
  expiresAt: moment('The message asked for the deploy not to start any more from this on.').optional(),
  approvedBy: z.string().max(256).optional().describe('Who approved the deploy, as the annotation of its Job said.'),
  abortedBy: z.string().max(256).optional().describe('Who aborted it, as its Job said when somebody deleted that.'),
};

/** What the image says it put in place. Only a success has it. https://capistranorb.com/documentation/getting-started/structure/ */
const deployedFields = {
  commit: z.string().max(64).optional().describe('Commit that was put in place, as the image says.'),
  committedAt: moment('When that was committed, as the image says.').optional(),
  release: z
    .string()
    .max(14)
    .optional()
    .describe("Capistrano's name of the release that is in place, as the image says."),
};

const waitingSchema = z.object({
  ...requestFields,
  uid: z.string().max(64).optional().describe('UID of the waiting Job: where it is another one, this one was deleted.'),
  dueAt: moment('The request is not to start before this; the order of the lane.'),
  why: z.string().max(512).describe('What the request waits for.'),
  // Optional: an older operator writes none while its newer replica starts, and an unreadable spec keeps its entries.
  reasons: z
    .array(z.enum(WAITING_REASONS))
    .max(WAITING_REASONS.length)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe('The same for programs: one word for each cause, in the order of "why". Never empty.'),
  until: moment('When that ends by itself, where this is known.').optional(),
  approvalMissing: z.boolean().optional().describe('The environment asks for an approval, and its Job carries none.'),
  approvedAt: moment('When an approval that had been missing was seen, or was no longer asked for.').optional(),
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
  exit: z
    .object({
      code: z.int().describe('Exit code of the first container.'),
      reason: z.string().max(64).describe('What that means, in one word.'),
      finishedAt: moment('When the container exited.'),
      message: z.string().max(1536).optional().describe('In words, with the end of its log where it failed.'),
      ...deployedFields,
    })
    .optional()
    .describe(
      'How the first container exited by itself. Written when the deploy cannot be recorded yet, and never changed: it decides the result.',
    ),
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
  repository: z.string().max(140).describe('Its repository.'),
  revision: z.string().max(244).optional().describe('Its revision.'),
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
  closed: z
    .string()
    .max(512)
    .optional()
    .describe('Why no deploy may start here just now, by the windows of the environment.'),
  closedUntil: moment('When its windows open the environment again, where this is known.').optional(),
  openSince: moment(
    'Since when a deploy could start here: neither frozen nor closed nor busy. Absent while it is any of these.',
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
      ...deployedFields,
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
  ...deployedFields,
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

export type CapDeployJobStatus = z.output<typeof statusSchema>;
export type LaneStatus = z.output<typeof laneStatusSchema>;
export type Claim = z.output<typeof claimSchema>;
/** How a deploy's first container exited by itself. */
export type Exit = NonNullable<Claim['exit']>;
export type WaitingEntry = z.output<typeof waitingSchema>;
/** Where in Slack the result of a request is reported. */
export type SlackThread = NonNullable<WaitingEntry['slack']>;
export type Watermark = z.output<typeof watermarkSchema>;
/** What an image says it put in place: a commit, its time (RFC 3339), the name of the release. */
export type Deployed = Pick<HistoryEntry, 'commit' | 'committedAt' | 'release'>;
export type HistoryEntry = z.output<typeof historyEntrySchema>;
export type RejectionEntry = z.output<typeof rejectionSchema>;
export type Condition = z.output<typeof conditionSchema>;

/** How many ended requests the history keeps, and how many rejections the status shows. */
export const HISTORY_LIMIT = 50;
/** An older entry stays while its Job exists, up to this place: the status must not outgrow etcd. */
export const HISTORY_LIMIT_WITH_JOBS = 200;
export const REJECTIONS_SHOWN = 5;
