/** What a message may hold, whichever way it comes: Web API, `response_url`, webhook, acknowledgement. */
import { checkMessageBlocks, withIds } from './block-kit/blocks.ts';
import { isObject, type Json, text } from './json.ts';
import { type Content, keptText } from './messages.ts';
import type { Parse } from './mrkdwn.ts';
import { problemsError, SlackError } from './slack-error.ts';
import type { World } from './world.ts';

/**
 * Characters of `text`. `chat.postMessage` cuts off what is longer, the real one; this one refuses it, as
 * `chat.postEphemeral` does. `chat.update` takes 4,000.
 *
 * @see https://docs.slack.dev/reference/methods/chat.postMessage#truncating
 * @see https://docs.slack.dev/reference/methods/chat.update
 */
export const TEXT_LIMIT = 40_000;
export const UPDATE_TEXT_LIMIT = 4000;

/**
 * Characters of all blocks as JSON. The real limit is in no document. It was seen at 13,200 to 13,300, and with 11,341
 * of text alone.
 *
 * @see https://github.com/slackapi/bolt-js/issues/2509
 * @see https://github.com/slackapi/bolt-js/issues/2867
 */
export const BLOCKS_LIMIT = 12_000;

/** Bytes of JSON. The real limit is in no document. */
export const METADATA_LIMIT = 4000;

export interface Rules {
  textLimit: number;
  /** What links and names become if the call says nothing. */
  parse: Parse;
  /** Undefined where nothing limits the blocks together. */
  blocksLimit?: number;
}

export const POST: Rules = { textLimit: TEXT_LIMIT, parse: 'urls', blocksLimit: BLOCKS_LIMIT };
export const UPDATE: Rules = { textLimit: UPDATE_TEXT_LIMIT, parse: 'client', blocksLimit: BLOCKS_LIMIT };
export const RESPONSE: Rules = { textLimit: TEXT_LIMIT, parse: 'urls' };

const OPTIONS = ['parse', 'link_names', 'unfurl_links', 'unfurl_media', 'mrkdwn'];

/** How a text is to be shown, as the caller says it. */
export const optionsOf = (args: Json): Json =>
  Object.fromEntries(OPTIONS.filter((name) => name in args).map((name) => [name, args[name]]));

/** @throws SlackError */
export function checkedContent(world: World, args: Json, rules: Rules): Content {
  const blocks = checkedBlocks(world, args.blocks, rules.blocksLimit);
  if (text(args.text) === '' && blocks.length === 0) throw new SlackError('no_text');
  if (text(args.text).length > rules.textLimit) throw new SlackError('msg_too_long');
  const content: Content = { text: keptText(world.team, text(args.text), args, rules.parse), blocks };
  const metadata = checkedMetadata(args.metadata);
  return metadata === undefined ? content : { ...content, metadata };
}

function checkedBlocks(world: World, blocks: unknown, limit = Number.POSITIVE_INFINITY): Json[] {
  if (blocks === undefined) return [];
  if (!Array.isArray(blocks)) throw new SlackError('invalid_blocks_format');
  const problems = checkMessageBlocks(blocks, '/blocks');
  if (problems.length > 0) throw problemsError('invalid_blocks', problems);
  if (JSON.stringify(blocks).length > limit) throw new SlackError('msg_blocks_too_long');
  return withIds(blocks, () => world.newId());
}

/** @see https://docs.slack.dev/messaging/message-metadata */
function checkedMetadata(metadata: unknown): Json | undefined {
  if (metadata === undefined) return undefined;
  if (!isObject(metadata)) throw new SlackError('invalid_metadata_format');
  if (Object.keys(metadata).length === 0) return undefined;
  const { event_type: type, event_payload: payload, ...others } = metadata;
  if (typeof type !== 'string' || !isObject(payload)) throw new SlackError('invalid_metadata_format');
  const flat = Object.values(payload).every((value) => ['string', 'number', 'boolean'].includes(typeof value));
  if (!/^[a-z0-9_]{1,255}$/.test(type) || !flat || Object.keys(others).length > 0) {
    throw new SlackError('invalid_metadata_schema');
  }
  if (Buffer.byteLength(JSON.stringify(metadata)) > METADATA_LIMIT) throw new SlackError('metadata_too_large');
  return metadata;
}
