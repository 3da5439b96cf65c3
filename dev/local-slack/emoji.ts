/**
 * The emoji that this Slack knows, by their short names. Any other name is `invalid_name`, as a mistyped one is in the
 * real one.
 */
export const EMOJI: Readonly<Record<string, string>> = {
  '+1': '👍',
  arrow_heading_down: '⤵️',
  eyes: '👀',
  hand: '✋',
  hourglass: '⌛',
  hourglass_flowing_sand: '⏳',
  lock: '🔒',
  no_entry_sign: '🚫',
  octagonal_sign: '🛑',
  question: '❓',
  rocket: '🚀',
  snowflake: '❄️',
  tada: '🎉',
  thumbsup: '👍',
  warning: '⚠️',
  white_check_mark: '✅',
  wrench: '🔧',
  x: '❌',
};
