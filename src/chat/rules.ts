import { z } from 'zod';
import { ENVIRONMENT_PATTERN } from '../api/deploy-request.ts';
import { VERBS, type Verb } from './command-line.ts';

/** Commands that change nothing. They may be given to everybody in a channel. */
const READING: readonly Verb[] = ['status', 'queue', 'history'];
export const isReading = (verb: Verb): boolean => READING.includes(verb);

/** `whoami` and `help` tell a person about that person alone, so they need no rule. */
const NEEDS_NO_RULE = ['whoami', 'help'] as const satisfies Verb[];
export const needsNoRule = (verb: Verb): boolean => (NEEDS_NO_RULE as readonly Verb[]).includes(verb);
/** `unfreeze` comes with `freeze`. */
const GIVEN_VERBS = VERBS.filter((verb) => !needsNoRule(verb) && verb !== 'unfreeze');

const ANY = '*';

/** Slack's ids (https://docs.slack.dev/reference/objects): C or G of a channel, U or W of a user, S of a user group. */
const channelId = z.string().regex(/^[CG][A-Z0-9]{1,20}$/, 'expected the id of a channel, such as C0123ABCD');
const userId = z.string().regex(/^[UW][A-Z0-9]{1,20}$/, 'expected the id of a user, such as U0123ABCD');
const groupId = z.string().regex(/^S[A-Z0-9]{1,20}$/, 'expected the id of a user group, such as S0123ABCD');

/** A CapDeployJob as `<namespace>/<name>` (RFC 1123). */
export const TARGET_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

/** `*`: all that the bot serves. */
const target = z.string().refine((name) => name === ANY || TARGET_PATTERN.test(name), {
  error: 'expected <namespace>/<name>, or "*"',
});
const environment = z.string().refine((name) => name === ANY || ENVIRONMENT_PATTERN.test(name), {
  error: 'expected the name of an environment, or "*"',
});

export const ruleSchema = z
  .strictObject({
    may: z.array(z.enum(GIVEN_VERBS)).min(1).describe('Commands. `freeze` includes `unfreeze`.'),
    targets: z.array(target).min(1).describe('CapDeployJobs, such as `deploy/web`, or `*` for all.'),
    environments: z.array(environment).min(1).describe('Environments, or `*` for all that are not protected.'),
    channels: z.array(channelId).min(1).describe('Ids of channels in which it is allowed.'),
    users: z.array(userId).max(500).default([]).describe('Ids of people.'),
    groups: z.array(groupId).max(50).default([]).describe('Ids of user groups. Their members may.'),
    everyone: z
      .literal(true)
      .optional()
      .describe('Everybody in the channel may, for rules that give `status`, `queue` and `history` only.'),
  })
  .refine(({ users, groups, everyone }) => everyone || users.length + groups.length > 0, {
    error: 'names nobody; expected users, groups, or everyone: true',
  })
  .refine(({ everyone, may }) => !everyone || may.every(isReading), {
    error: `everyone: true is for ${READING.join(', ')} only`,
    path: ['may'],
  });

/** What some people may do in some channels. All conditions of a rule must hold. */
export type Rule = z.output<typeof ruleSchema>;

export const covers = (names: readonly string[], name: string): boolean => names.includes(ANY) || names.includes(name);
