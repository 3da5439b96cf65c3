import { describe, expect, test } from 'vitest';
import { typedText } from '../../../src/slack/typed-text.ts';

const BOT = 'U0BOT';
const AT = `<@${BOT}>`;

const rich = (...elements: object[]) => [{ type: 'rich_text', elements }];
const user = { type: 'user', user_id: BOT };
const section = (...elements: object[]) => ({ type: 'rich_text_section', elements });
const quote = (...elements: object[]) => ({ type: 'rich_text_quote', elements });

describe('what is said to the bot', () => {
  const CASES: [string, string, string | undefined][] = [
    ['a command', `${AT} deploy web`, 'deploy web'],
    ['a mention with a label', `<@${BOT}|capdeploy> deploy`, 'deploy'],
    ['words before it', `hey ${AT} deploy`, 'hey   deploy'],
    ['several mentions', `${AT}${AT} deploy`, 'deploy'],
    ['nothing but the mention', AT, ''],
    ['no mention', 'deploy web', undefined],
    ['somebody else', '<@U0BOTH> deploy', undefined],
    ['a mention in a quote', `&gt; ${AT} deploy`, undefined],
    ['a mention in a long quote', `look\n&gt;&gt;&gt; x\n${AT} deploy`, undefined],
    ['a mention in preformatted text', `look \`\`\`${AT} deploy\`\`\``, undefined],
    ['a quote below the command', `${AT} status\n&gt; ${AT} deploy web`, 'status'],
    ['preformatted text beside it', `${AT} \`\`\`deploy web\`\`\``, '```deploy web```'],
    ['a comparison that is no quote', `${AT} deploy --reason "a &gt; b"`, 'deploy --reason "a &gt; b"'],
  ];
  test.each(CASES)('%s', (_, text, said) => {
    expect(typedText(text, undefined, BOT)).toBe(said);
  });
});

describe('rich text', () => {
  test('decides if it shows the mention in a quote only', () => {
    expect(typedText(`${AT} deploy`, rich(quote(user)), BOT)).toBeUndefined();
    expect(typedText(`${AT} deploy`, rich(quote(user), section({ type: 'text', text: 'x' })), BOT)).toBeUndefined();
  });

  test('shows it in a section or in a list', () => {
    expect(typedText(`${AT} deploy`, rich(section(user)), BOT)).toBe('deploy');
    const list = { type: 'rich_text_list', elements: [section({ type: 'text', text: '1' }, user)] };
    expect(typedText(`${AT} deploy`, rich(list), BOT)).toBe('deploy');
  });

  test('of unknown shape decides nothing', () => {
    expect(typedText(`${AT} deploy`, [null, 7, { type: 'rich_text' }, { type: 'section' }], BOT)).toBe('deploy');
  });
});
