import { z } from 'zod';
import { FORMS, OPTIONS, VERBS, type Verb } from '../../src/chat/command-line.ts';
import { aboutTexts } from '../../src/chat/texts/about.ts';
import { configSchema } from '../../src/slack-bot/config.ts';
import type { Outcome } from '../../src/slack-bot/decision.ts';
import { rowsOf, type Schema } from './fields.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

/** What each command does, in the words of `help`. */
const DOES: Record<Verb, string> = {
  ...aboutTexts.en.does,
  help: 'the commands that you may use here, with names of your own repositories',
};

/** What each outcome means, as the log and `chat_requests_total` have them. */
const OUTCOMES: Record<Outcome, string> = {
  done: 'it was done. A deploy: SQS has the message',
  notUnderstood: 'the line, or a name in it, was not understood',
  limited: 'more than `limits.perUserPerMinute`',
  lookupFailed:
    'Slack could not be asked who it is, or where: [see there](../chat-troubleshooting.md#what-people-read)',
  otherTeam: 'the person is not of `slack.team`',
  deleted: 'the account is deactivated',
  bot: 'a bot or a workflow asked',
  guest: 'a guest asked',
  stranger: 'somebody of another company asked, in a shared channel',
  unseenChannel: 'the bot is no member of the channel, so it could answer nobody there',
  sharedChannel: 'the channel is shared with another company',
  archivedChannel: 'the channel is archived',
  directMessage: 'it was asked for in a direct message',
  noRule: 'no rule allows it',
  outsideCluster: 'a bot with `source: file` sees and changes no deploys',
  switchedOff: 'the bot itself lacks the right, or deploy/admission is not in force',
  ownRequest: 'nobody approves what he asked for',
  unverified: 'nobody vouches for who asked, in a protected environment: `trustedSenders`',
  outdated: 'the deploy has moved on, is not on record any more, or the button is of another version',
  asked: 'the same was asked for before',
  notFound: 'the resource or the deploy is not there',
  ambiguous: 'several deploys have a name that ends so',
  forbidden: 'the API server or AWS refuses it to the bot',
  refused: 'the queue must not be used, or the operator would reject the message',
  unavailable: 'the API server or SQS failed; nothing was done',
  unclear: 'the API server or SQS did not answer clearly; it was perhaps done',
};

/** docs/reference/slack-bot.md: the configuration, the commands and the outcomes of `capdeploy slack-bot`. */
export function slackBotPage(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' }) as Schema;
  return `${GENERATED}# capdeploy slack-bot

[Its flags](flags.md#capdeploy-slack-bot) · [its metrics](metrics.md#chat) · [how rules work](../chat.md#who-may-do-what)

## slack-bot.yaml

\`[]\` stands for each entry of a list. A field with * is required. A field that is not here is an error.
[examples/chat/slack-bot.yaml](../../examples/chat/slack-bot.yaml) is one to copy.

${table(['field', 'type', 'what it is'], rowsOf(schema, ''))}
## Commands

Words in brackets may be left out. Each word may also be given by its option.

${table(
  ['command', 'also', 'then', 'only by option', 'what it does'],
  VERBS.map((verb) => {
    const { otherNames = [], words, takesRest, options = [], required = [] } = formOf(verb);
    const shown = words.map((field) => {
      const word = takesRest && field === words.at(-1) ? `${field}…` : field;
      return verb === 'deploy' || !required.includes(field) ? `[${word}]` : word;
    });
    return [
      code(verb),
      otherNames.map(code).join(', '),
      shown.map(code).join(' '),
      options.map((field) => code(`--${field}`)).join(', '),
      cell(DOES[verb]),
    ];
  }),
)}
${table(
  ['option', 'names', 'as in'],
  [...new Set(Object.values(OPTIONS).map(({ field }) => field))].map((field) => {
    const names = Object.entries(OPTIONS).filter(([, option]) => option.field === field);
    const short = names.flatMap(([, option]) => (option.short === undefined ? [] : [`-${option.short}`]));
    return [field, [...short, ...names.map(([name]) => `--${name}`)].map(code).join(', '), code(EXAMPLES[field])];
  }),
)}
## Outcomes

The log has one line \`decided\` for each request: \`user\`, \`channel\`, \`verb\`, \`target\`, \`environment\`, \`rule\` (its place in
\`rules\`, from 0), \`job\`, \`id\` and \`outcome\`. \`capdeployjob_chat_requests_total\` counts them.

${table(
  ['outcome', 'what happened'],
  Object.entries(OUTCOMES).map(([outcome, meaning]) => [code(outcome), cell(meaning)]),
)}`;
}

const EXAMPLES: Record<(typeof OPTIONS)[string]['field'], string> = {
  repository: '-r web',
  environment: '-e production',
  revision: '-h v1.0.0',
  task: '-t deploy:rollback',
  reason: '--reason "fixes the basket"',
  job: '--job web-production-qk3v7o2gs5xj4n6ta',
  in: '--in 1h30m',
  at: '--at 19:30',
};

interface Form {
  readonly otherNames?: readonly string[];
  readonly words: readonly string[];
  readonly takesRest?: true;
  readonly options?: readonly string[];
  readonly required?: readonly string[];
}

const formOf = (verb: Verb): Form => FORMS[verb];
