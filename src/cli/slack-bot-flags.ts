import { FlagError, helpOf, kubeconfigFlag, logLevelFlag, nonEmpty, parseFlags, single, type Values } from './flags.ts';
import { addressFlags, queueFlags } from './shared-flags.ts';

/** The flags of `capdeploy slack-bot`. */

const file = (help: string) => single<string | undefined>('FILE', undefined, nonEmpty, help);

export const SLACK_BOT_FLAGS = {
  config: file('YAML file: the team, the targets, and who may do what. Read again when it changes. Needed'),
  'app-token-file': file('file with the app-level token of the Slack app, xapp-…. Read again when it changes. Needed'),
  'bot-token-file': file('file with the bot token of the Slack app, xoxb-…. Read again when it changes. Needed'),
  'slack-api-url': single<string | undefined>(
    'URL',
    undefined,
    slackApiUrl,
    'the Web API of Slack, such as https://slack-gov.com/api/. Default: https://slack.com/api/',
  ),
  ...queueFlags,
  kubeconfig: kubeconfigFlag,
  ...addressFlags,
  'log-level': logLevelFlag,
};

const NEEDED = ['config', 'app-token-file', 'bot-token-file'] as const;

export type SlackBotFlags = Omit<Values<typeof SLACK_BOT_FLAGS>, (typeof NEEDED)[number]> &
  Record<(typeof NEEDED)[number], string>;

/**
 * Reads the flags that stand behind `capdeploy slack-bot`.
 * @throws FlagError for the first flag that is unknown, missing, has no value, or has one that is not allowed.
 */
export function parseSlackBotFlags(args: readonly string[], env: NodeJS.ProcessEnv): SlackBotFlags {
  const { values } = parseFlags(SLACK_BOT_FLAGS, args, env);
  const missing = NEEDED.find((flag) => values[flag] === undefined);
  if (missing !== undefined) throw new FlagError(`--${missing} is needed: ${SLACK_BOT_FLAGS[missing].help}`);
  return values as SlackBotFlags;
}

/** The part of `--help` about these flags. */
export const slackBotHelp = (): string => helpOf(SLACK_BOT_FLAGS);

/** @returns it with a slash at its end: the names of methods follow */
function slackApiUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isUsable = url && ['https:', 'http:'].includes(url.protocol) && url.search === '' && url.hash === '';
  if (!isUsable || url.username !== '' || url.password !== '') {
    throw new Error(`${JSON.stringify(value)} is no address of a Web API: expected one such as https://slack.com/api/`);
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}
