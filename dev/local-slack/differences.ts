/**
 * Where this Slack is not the real one, or where it is not known what the real one does. Where it is not known, this
 * one is strict. Limits of Block Kit stand with their pages in `block-kit/limits.ts`, those of sockets and hooks at
 * their constants.
 */
export interface Difference {
  what: string;
  here: string;
  /** What the real one does, as far as known. */
  real: string;
  source?: string;
}

const methods = 'https://docs.slack.dev/reference/methods';
const blockKit = 'https://docs.slack.dev/reference/block-kit';

export const DIFFERENCES: readonly Difference[] = [
  // Web API
  {
    what: 'rates of tiers 2, 3, 4',
    here: 'exactly 20, 50, 100 calls in any 60 s; what is refused does not count',
    real: '"at least" so many, with bursts, counted in a way that is not documented',
    source: 'https://docs.slack.dev/apis/web-api/rate-limits',
  },
  {
    what: 'rate of chat.postMessage and webhooks',
    here: 'one a second for each channel with bursts of three, and 300 a minute for each app',
    real: '"generally one message per second per channel", short bursts, and an unnamed limit for the workspace',
    source: `${methods}/chat.postMessage#rate_limiting`,
  },
  {
    what: 'rate of auth.test',
    here: '300 a minute',
    real: '"hundreds of requests per minute"',
    source: `${methods}/auth.test`,
  },
  {
    what: 'text over 40,000 characters',
    here: '`msg_too_long`',
    real: 'chat.postMessage cuts it off',
    source: `${methods}/chat.postMessage#truncating`,
  },
  {
    what: 'all blocks of a message together',
    here: '`msg_blocks_too_long` over 12,000 characters of JSON; postMessage, update, postEphemeral and webhooks',
    real: 'seen at about 13,200, and once with 11,341 of text alone; no document; a `response_url` took more',
    source: 'https://github.com/slackapi/bolt-js/issues/2867',
  },
  {
    what: 'size of metadata',
    here: '`metadata_too_large` over 4,000 bytes of JSON; values are flat; `event_type` is of a-z, 0-9 and _',
    real: 'a limit without a number; objects and lists of flat objects are allowed',
    source: 'https://docs.slack.dev/messaging/message-metadata',
  },
  {
    what: 'unknown arguments',
    here: '`invalid_arguments`',
    real: 'most methods pass over them',
  },
  { what: 'GET', here: 'HTTP 405', real: 'reading methods take GET with a query' },
  {
    what: 'names of channels, and user ids, as `channel` of chat.postMessage',
    here: '`channel_not_found`',
    real: '`#name` of a public channel works, a user id opens a direct message',
    source: `${methods}/chat.postMessage#channels`,
  },
  {
    what: '`thread_ts` of no message, or of a reply',
    here: '`thread_not_found`, `cannot_reply_to_message`; one that is no timestamp: `invalid_thread_ts`',
    real: 'not documented for these cases',
    source: `${methods}/chat.postMessage`,
  },
  { what: '`reply_broadcast` without `thread_ts`', here: '`invalid_arguments`', real: 'not documented' },
  {
    what: 'chat.update in an archived channel, and when the bot has left',
    here: '`is_inactive`, `not_in_channel`',
    real: 'the first is documented, the second is not',
    source: `${methods}/chat.update`,
  },
  {
    what: 'reactions in a public channel without the bot',
    here: '`not_in_channel`',
    real: 'not documented; perhaps `no_access`',
    source: `${methods}/reactions.add`,
  },
  {
    what: 'emoji',
    here: 'those of `emoji.ts`, too few for `too_many_emoji`',
    real: 'all of Unicode and of the workspace; "the limit" without a number',
  },
  {
    what: 'a disabled user group',
    here: '`no_such_subteam` without `include_disabled`',
    real: 'not documented',
    source: `${methods}/usergroups.users.list`,
  },
  {
    what: 'metadata in conversations.history',
    here: 'only with `include_all_metadata`',
    real: '"Return all metadata"; what comes without it is not documented',
    source: `${methods}/conversations.history`,
  },
  { what: 'bots as users', here: 'users.info shows an app’s bot as it shows a person', real: 'with more fields' },
  // Messages
  {
    what: 'pings',
    here: '`messages.pings` counts mentions in `text` also where blocks hide it, and in edits, marked `update`',
    real: 'an edit notifies nobody, as far as known; the other is not documented',
    source: 'https://docs.slack.dev/messaging/formatting-message-text',
  },
  {
    what: '`@channel` and names in mrkdwn that is not `verbatim`',
    here: 'they become mentions',
    real: '"certain mentions will be automatically parsed"',
    source: `${blockKit}/composition-objects/text-object`,
  },
  {
    what: 'bare host names that become links when typed',
    here: 'com, dev, io, jp, net, org',
    real: 'a longer list, not documented',
  },
  { what: 'attachments of apps', here: 'refused as unknown arguments', real: 'a legacy feature that works' },
  // Block Kit
  {
    what: 'blocks and elements',
    here: 'those of `block-kit/`; others are `unsupported type`',
    real: 'also video, file, markdown, table, context_actions, task_card, plan, alert, carousel, number and e-mail inputs …',
    source: `${blockKit}/blocks`,
  },
  {
    what: 'input blocks in messages',
    here: 'refused',
    real: 'allowed by the pages',
    source: `${blockKit}/blocks/input-block`,
  },
  {
    what: 'value of an option',
    here: '75 characters',
    real: '75 by @slack/types 3.2.0, 150 by the page',
    source: `${blockKit}/composition-objects/option-object`,
  },
  {
    what: 'how characters are counted',
    here: 'UTF-16 units of the text as it is sent, entities included',
    real: 'not documented',
  },
  {
    what: 'text in a context block, in rich_text; title of an image',
    here: '3000, 3000, 2000',
    real: 'the general limit of a text object; none is named for rich_text',
    source: `${blockKit}/composition-objects/text-object`,
  },
  {
    what: 'words of the errors',
    here: 'the problem itself, with its pointer',
    real: 'around it stand further lines such as "failed to match all allowed schemas"; the words for ids used twice are not known',
    source: 'https://github.com/rtCamp/frappe-slack-connector/issues/54',
  },
  // Views
  {
    what: 'a trigger id in a call that fails for its view',
    here: 'used up',
    real: 'not documented',
    source: `${methods}/views.open`,
  },
  {
    what: 'views.open with the trigger of a view',
    here: 'pushes',
    real: 'not documented; views.push is meant for it',
    source: 'https://docs.slack.dev/surfaces/modals',
  },
  {
    what: 'a chosen option that an update no longer offers',
    here: 'the choice is lost',
    real: 'not documented',
  },
  {
    what: 'an answer to view_submission that is not valid',
    here: '"trouble connecting", and a line in `violations`',
    real: 'the same to the person, nothing to the app',
    source: 'https://github.com/slackapi/bolt-python/issues/241',
  },
  // Socket Mode
  {
    what: 'the end of a connection',
    here: 'close frames are answered, TCP is left open until the client ends it, or 30 s',
    real: 'the same by the notes of socket-mode 3.2.0; how long is not known',
    source: 'https://github.com/slackapi/node-slack-sdk/issues/2752',
  },
  {
    what: 'an eleventh socket',
    here: '`disconnect` with `too_many_websockets` instead of `hello`; closing ones count',
    real: 'the reason is known, the rest is not documented',
    source: 'https://docs.slack.dev/apis/events-api/using-socket-mode#connections',
  },
  {
    what: 'what is not acknowledged in 3 s',
    here: 'events again at once, after 1 min, after 5 min; commands and interactions once; each under a new envelope id',
    real: 'documented for events over HTTP; commands were seen repeated; the envelope id is not documented',
    source: 'https://github.com/slackapi/bolt-js/issues/2188',
  },
  {
    what: 'a late acknowledgement',
    here: 'counts for nothing, and is a line in `violations`',
    real: 'not documented',
  },
  {
    what: 'a command or click while no socket is open',
    here: 'fails at once (`dispatch_failed`), is not repeated',
    real: 'as seen by people; not documented',
  },
  {
    what: 'text of a slash command',
    here: '`&<>` are escaped, whatever the settings',
    real: 'the page speaks of names and links only',
    source: 'https://docs.slack.dev/interactivity/implementing-slash-commands#escaping',
  },
  { what: 'a ticket', here: 'opens one socket, within 30 s', real: 'not documented' },
  {
    what: 'a mention where the bot is not a member',
    here: 'no event',
    real: 'documented so for members; not documented otherwise',
    source: 'https://docs.slack.dev/reference/events/app_mention',
  },
  { what: 'the address of a socket', here: 'ws://127.0.0.1', real: 'wss://wss-primary.slack.com' },
  // Hooks
  {
    what: 'errors of a response_url',
    here: 'HTTP 404 `used_url`, `expired_url`, else 400, as JSON; a failed call counts as a use; unknown fields are refused',
    real: '404 for both was seen; the rest is not documented',
    source: 'https://docs.slack.dev/interactivity/handling-user-interaction#message_responses',
  },
  // Not built
  {
    what: 'not built',
    here: 'Enterprise Grid, App Home, user tokens, token rotation, message shortcuts, chat.delete, conversations.replies, files',
    real: 'there',
  },
];
