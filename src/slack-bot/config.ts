import { z } from 'zod';
import { MAX_REGION_LENGTH, MAX_ROLE_ARN_LENGTH, REGION_PATTERN, ROLE_ARN_PATTERN } from '../api/aws-names.ts';
import { ENVIRONMENT_PATTERN, REPOSITORY_PATTERN, TASK_PATTERN } from '../api/deploy-request.ts';
import { parseStrictYaml } from '../base/strict-yaml.ts';
import { ruleSchema, TARGET_PATTERN } from '../chat/rules.ts';
import { LANGUAGES } from '../chat/texts/language.ts';
import { parseQueueUrl } from '../sqs/queue-url.ts';

/**
 * The configuration of `capdeploy slack-bot`: which team, which targets, who may do what. docs/reference/slack-bot.md
 * lists the fields.
 */

/** Slack shows a view or an answer within 3 s, or not at all. */
export const MAX_LOOKUP_TIMEOUT_MS = 2_000;

const environment = z.string().regex(ENVIRONMENT_PATTERN, 'expected the name of an environment');
const namespace = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected the name of a namespace');

/**
 * SNS passes on what anybody published, under ids of its own: to trust them would be to trust everybody. Seen in messages
 * that SNS delivered.
 */
const SENDERS_OF_SNS = ['AIDAIENQZJOLO23YVJ4VO', 'AIDAISMY7JYY5F7RTT6AO', 'AIDAISDDSWNBEXIA6J64K'];

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const senderId = z
  .string()
  .regex(/^A(ROA|IDA)[A-Z0-9]{12,17}$/, 'expected the unique id of an IAM role or user, such as AROAEXAMPLEID1234567')
  .refine((id) => !SENDERS_OF_SNS.includes(id), 'is an id of SNS, which passes on what anybody published');

const fileTarget = z.strictObject({
  name: z
    .string()
    .regex(TARGET_PATTERN, 'expected <namespace>/<name> of the CapDeployJob that reads the queue')
    .describe('Namespace and name of the CapDeployJob that reads the queue, such as `deploy/web`.'),
  repositories: z
    .tuple(
      [z.string().regex(REPOSITORY_PATTERN, 'expected a repository, such as owner/name')],
      z.string().regex(REPOSITORY_PATTERN, 'expected a repository, such as owner/name'),
    )
    .describe('As messages name them. The first one is sent if a person names the target otherwise. At least one.'),
  environments: z
    .array(environment)
    .min(1, 'expected at least one environment')
    .describe('Environments that the CapDeployJob has. At least one.'),
  tasks: z
    .array(z.string().max(100).regex(TASK_PATTERN, 'expected a Capistrano task'))
    .min(1)
    .default(['deploy'])
    .describe('Tasks that people may name.'),
  queueUrl: z
    .string()
    .superRefine((value, context) => {
      const url = parseQueueUrl(value);
      if ('problem' in url) context.addIssue({ code: 'custom', message: url.problem });
    })
    .describe('URL of the queue. An origin other than those of SQS takes `--allow-queue-origin`.'),
  region: z
    .string()
    .max(MAX_REGION_LENGTH)
    .regex(REGION_PATTERN, 'expected an AWS region such as ap-northeast-1')
    .optional()
    .describe('Region of the queue. Without it: that of the URL, else `AWS_REGION`.'),
  roleArn: z
    .string()
    .max(MAX_ROLE_ARN_LENGTH)
    .regex(ROLE_ARN_PATTERN, 'expected the ARN of an IAM role: arn:aws:iam::<account id>:role/<name>')
    .optional()
    .describe('IAM role to assume for the queue. The external id is the name of the target.'),
});

export const configSchema = z
  .strictObject({
    slack: z
      .strictObject({
        team: z
          .string()
          .regex(/^T[A-Z0-9]{1,20}$/, 'expected the id of a workspace, such as T0123ABCD')
          .describe('Id of the workspace, also on Enterprise Grid. People of other workspaces are refused.'),
        locale: z
          .enum(['auto', ...LANGUAGES])
          .default('auto')
          .describe('Language of the answers. `auto`: that of each person, English if the bot does not speak it.'),
      })
      .describe('The workspace.'),
    source: z
      .enum(['cluster', 'file'])
      .describe('What the targets are: the CapDeployJobs of the cluster, or `targets` of this file. Counts at start.'),
    namespaces: z
      .array(namespace)
      .min(1, 'expected at least one namespace; without the key: all of them')
      .max(100)
      .optional()
      .describe('With `cluster`: the namespaces whose CapDeployJobs are targets. Default: all. Counts at start.'),
    targets: z.array(fileTarget).max(500).default([]).describe('With `file`, and only then: the targets.'),
    trustedSenders: z
      .array(senderId)
      .max(50)
      .default([])
      .describe(
        "Unique ids of the IAM roles and users whose messages say truly who asked (SQS's SenderId, up to the first " +
          'colon): that of the bot, at least. Of others it is only a claim.',
      ),
    approveUnverified: z
      .boolean()
      .default(false)
      .describe('Requests of other senders may be approved in protected environments, though nobody knows who asked.'),
    protected: z
      .array(environment)
      .max(50)
      .default([])
      .describe('A rule has to name these environments: `*` does not cover them. So are all with `requireApproval`.'),
    confirm: z
      .array(environment)
      .max(50)
      .default([])
      .describe('The form asks once more before it sends a deploy to these environments.'),
    rollback: z
      .enum(['revision', 'task'])
      .default('revision')
      .describe(
        'How `rollback` goes back: by a deploy of the revision that was there before, or by the task ' +
          '`deploy:rollback` of Capistrano where `spec.tasks` has it.',
      ),
    rules: z.array(ruleSchema).max(500).describe('What is allowed. Nothing else is.'),
    limits: z
      .strictObject({
        perUserPerMinute: z
          .int()
          .min(1)
          .max(600)
          .default(10)
          .describe('How many commands, forms and clicks that change something one person may send in a minute.'),
        lookupTimeoutMs: z
          .int()
          .min(100)
          .max(MAX_LOOKUP_TIMEOUT_MS)
          .default(1500)
          .describe('How long Slack is waited for when it is asked who somebody is. After that nothing is allowed.'),
      })
      .prefault({})
      .describe('Limits.'),
  })
  .superRefine(({ source, targets, namespaces, rules }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (source === 'file' && targets.length === 0) issue('targets', 'with source: file expected at least one target');
    if (source === 'file' && namespaces) issue('namespaces', 'is for source: cluster only');
    if (source === 'cluster' && targets.length > 0) {
      issue('targets', 'is for source: file only; with source: cluster the CapDeployJobs are the targets');
    }
    const names = targets.map(({ name }) => name);
    const twice = names.findIndex((name, place) => names.indexOf(name) < place);
    if (twice >= 0) context.addIssue({ code: 'custom', path: ['targets', twice, 'name'], message: 'is there twice' });
    if (!namespaces) return;
    const isOutside = (name: string) => name !== '*' && !namespaces.includes(name.split('/')[0] ?? '');
    for (const [place, rule] of rules.entries()) {
      const outside = rule.targets.findIndex(isOutside);
      const path = ['rules', place, 'targets', outside];
      if (outside >= 0) context.addIssue({ code: 'custom', path, message: 'is in none of the "namespaces"' });
    }
  });

export type BotConfig = z.output<typeof configSchema>;
export type FileTarget = z.output<typeof fileTarget>;

/** @param file its name, for errors @throws UsageError for the first problem, with its line */
export const parseBotConfig = (text: string, file: string): BotConfig => parseStrictYaml(text, file, configSchema);
