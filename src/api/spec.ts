import { z } from 'zod';
import { MAX_REGION_LENGTH, MAX_ROLE_ARN_LENGTH, REGION_PATTERN, ROLE_ARN_PATTERN } from './aws-names.ts';
import { DEFAULT_TASK, ENVIRONMENT_PATTERN, REPOSITORY_PATTERN, TASK_PATTERN } from './deploy-request.ts';
import { DNS_SUBDOMAIN_PATTERN } from './names.ts';

/**
 * The spec of a CapDeployJob as a zod schema. `crd.ts` makes the CustomResourceDefinition of it, so each description is
 * what `kubectl explain` prints. Every string and list is bounded: unbounded ones make CEL rules too expensive.
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
    .regex(REGION_PATTERN)
    .max(MAX_REGION_LENGTH)
    .optional()
    .describe('AWS region of the queue. Default: the one in the URL, else the AWS_REGION of the operator.'),
  roleArn: z
    .string()
    .max(MAX_ROLE_ARN_LENGTH)
    .regex(ROLE_ARN_PATTERN)
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

/** CronJob's five fields. `src/lanes/cron.ts` reads what is in them. */
export const SCHEDULE_PATTERN = /^[0-9A-Za-z*,/-]+( +[0-9A-Za-z*,/-]+){4}$/;

const windowSchema = z.object({
  kind: z
    .enum(['Allow', 'Deny'])
    .describe(
      'Allow: deploys may start only while such a window is open. Deny: none may start while it is open, whatever is allowed.',
    ),
  schedule: z
    .string()
    .max(100)
    .regex(SCHEDULE_PATTERN)
    .describe('When the window opens: a cron schedule of five fields, as in a CronJob. Example: 0 9 * * MON-FRI'),
  durationSeconds: seconds(
    60,
    366 * DAY,
    'How long it stays open, in elapsed seconds, also where clocks are changed meanwhile.',
  ),
  // Names are checked in src/lanes/time-zone.ts: there a wrong one closes its environment, here it would stop all.
  timeZone: z
    .string()
    .max(64)
    .regex(/^[A-Za-z0-9_+/-]+$/)
    .default('UTC')
    .describe('Time zone of the schedule: a name of the tz database, in its spelling. Example: Asia/Tokyo'),
});

const concurrencyPolicySchema = z.enum(['Queue', 'Supersede', 'Replace']);

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
  concurrencyPolicy: concurrencyPolicySchema
    .optional()
    .describe('Overrides spec.concurrencyPolicy for this environment.'),
  requireApproval: z
    .boolean()
    .default(false)
    .describe('A deploy starts only once its Job carries the annotation capdeployjob.dev/approved-by.'),
  windows: z
    .array(windowSchema)
    .max(20)
    .optional()
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .describe(
      'When deploys may start; what runs goes on. Without a window of kind Allow they may start at any time that none of kind Deny covers.',
    ),
});

/** Not `.`, and not beginning with `..` (https://kubernetes.io/docs/concepts/configuration/secret/). */
const SECRET_KEY_PATTERN = /^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$/;

const sshKeySchema = z.object({
  secretName: z
    .string()
    .min(1)
    .max(253)
    .regex(DNS_SUBDOMAIN_PATTERN)
    .describe('Secret in the same namespace that holds the SSH key.'),
  key: z
    .string()
    .regex(SECRET_KEY_PATTERN)
    .max(253)
    .default('private_key')
    .describe('Key of the Secret that holds the private key. It is mounted as the file "private_key".'),
  knownHostsKey: z
    .string()
    .regex(SECRET_KEY_PATTERN)
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
    concurrencyPolicy: concurrencyPolicySchema
      .default('Queue')
      .describe(
        'Queue: one deploy after the other. Supersede: a newer request that could start drops the waiting ones of its task. Replace: it also aborts the running one.',
      ),
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
      'A request that could have started this long ago and did not, or that is older than this when it is first read, is Missed. Use 10 or more: Jobs tell times in whole seconds.',
    ).default(3600),
    waitingDeadlineSeconds: seconds(
      1,
      30 * DAY,
      'A request that still waits this long after its due time, for whatever reason, is Missed.',
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
    sshKey: sshKeySchema
      .optional()
      .describe(
        'SSH key for the deploy, mounted into the first container with mode 0400; 0440 where the template names another user than root and an fsGroup, 0444 where it names such a user and no fsGroup.',
      ),
    template: z
      .looseObject({})
      .meta({ 'x-kubernetes-preserve-unknown-fields': true })
      .describe(
        "PodTemplateSpec of the deploy's Pod; its first container runs Capistrano. Unless it says otherwise the Pod gets automountServiceAccountToken: false, terminationMessagePolicy: FallbackToLogsOnError, and annotations that keep Cluster Autoscaler and Karpenter from ending it (safe-to-evict, do-not-disrupt). Checked by a server-side dry run: see the condition TemplateValid.",
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
        rule: 'self.environments.map(e, has(e.windows) ? size(e.windows) : 0).sum() <= 100',
        message: 'there must not be more than 100 windows in all environments together',
        fieldPath: '.environments',
      },
      {
        rule: 'self.waitingDeadlineSeconds >= self.startingDeadlineSeconds',
        message: 'waitingDeadlineSeconds must not be less than startingDeadlineSeconds: it would always come first',
        fieldPath: '.waitingDeadlineSeconds',
      },
    ],
  });

export type CapDeployJobSpec = z.output<typeof specSchema>;
export type Environment = CapDeployJobSpec['environments'][number];
export type DeployWindow = NonNullable<Environment['windows']>[number];
export type ConcurrencyPolicy = CapDeployJobSpec['concurrencyPolicy'];

/**
 * Reads a spec, and fills in the defaults of fields that an older CRD lacks.
 * @returns the spec, or the first problem with the name of its field.
 */
export function parseSpec(spec: unknown): { spec: CapDeployJobSpec } | { problem: string } {
  const parsed = specSchema.safeParse(spec);
  if (parsed.success) return { spec: parsed.data };
  const [issue] = parsed.error.issues;
  return {
    problem: `spec${(issue?.path ?? []).map((p) => (typeof p === 'number' ? `[${p}]` : `.${String(p)}`)).join('')}: ${issue?.message}`,
  };
}
