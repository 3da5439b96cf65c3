import { describe, expect, test } from 'vitest';
import { checkMessageBlocks, checkView } from '../../../../dev/local-slack/block-kit/blocks.ts';
import type { Json } from '../../../../dev/local-slack/json.ts';

const x = (length: number): string => 'x'.repeat(length);
const plain = (text: string): Json => ({ type: 'plain_text', text });
const mrkdwn = (text: string): Json => ({ type: 'mrkdwn', text });
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const section = (more: Json = {}): Json => ({ type: 'section', text: mrkdwn('x'), ...more });
const button = (more: Json = {}): Json => ({ type: 'button', text: plain('x'), ...more });
const actions = (...elements: Json[]): Json => ({ type: 'actions', elements });
const option = (value: string, text = 'x', more: Json = {}): Json => ({ text: plain(text), value, ...more });
const menu = (options: Json[], more: Json = {}): Json => actions({ type: 'static_select', options, ...more });
const ask = (title: number, text: number, ok: number): Json =>
  button({ confirm: { title: plain(x(title)), text: plain(x(text)), confirm: plain(x(ok)), deny: plain(x(ok)) } });
const input = (element: Json, more: Json = {}): Json => ({ type: 'input', label: plain('x'), element, ...more });
const typing = (more: Json = {}): Json => ({ type: 'plain_text_input', ...more });
const modal = (more: Json = {}): Json => ({
  type: 'modal',
  title: plain('x'),
  submit: plain('x'),
  blocks: [section()],
  ...more,
});
const ids = { action_id: 'a' };

/** What it is, the greatest that is allowed, and what is made of a number. */
const MESSAGE: [string, number, (n: number) => Json[]][] = [
  ['blocks of a message', 50, (n) => times(n, () => ({ type: 'divider' }))],
  ['block_id', 255, (n) => [section({ block_id: x(n) })]],
  ['action_id', 255, (n) => [actions(button({ action_id: x(n) }))]],
  ['text of a section', 3000, (n) => [{ type: 'section', text: mrkdwn(x(n)) }]],
  ['fields of a section', 10, (n) => [{ type: 'section', fields: times(n, () => mrkdwn('x')) }]],
  ['text of a field', 2000, (n) => [{ type: 'section', fields: [mrkdwn(x(n))] }]],
  ['header', 150, (n) => [{ type: 'header', text: plain(x(n)) }]],
  ['elements of a context', 10, (n) => [{ type: 'context', elements: times(n, () => mrkdwn('x')) }]],
  ['text in a context', 3000, (n) => [{ type: 'context', elements: [mrkdwn(x(n))] }]],
  ['elements of an actions block', 25, (n) => [actions(...times(n, () => button()))]],
  ['text of a button', 75, (n) => [actions(button({ text: plain(x(n)) }))]],
  ['value of a button', 2000, (n) => [actions(button({ value: x(n) }))]],
  ['URL of a button', 3000, (n) => [actions(button({ url: x(n) }))]],
  ['accessibility label', 75, (n) => [actions(button({ accessibility_label: x(n) }))]],
  ['title of a question', 100, (n) => [actions(ask(n, 1, 1))]],
  ['text of a question', 300, (n) => [actions(ask(1, n, 1))]],
  ['answers to a question', 30, (n) => [actions(ask(1, 1, n))]],
  ['options of a menu', 100, (n) => [menu(times(n, (i) => option(String(i))))]],
  ['text of an option', 75, (n) => [menu([option('v', x(n))])]],
  ['value of an option', 75, (n) => [menu([option(x(n))])]],
  ['description of an option', 75, (n) => [menu([option('v', 'x', { description: plain(x(n)) })])]],
  ['placeholder', 150, (n) => [menu([option('v')], { placeholder: plain(x(n)) })]],
  ['radio buttons', 10, (n) => [actions({ type: 'radio_buttons', options: times(n, (i) => option(String(i))) })]],
  ['checkboxes', 10, (n) => [actions({ type: 'checkboxes', options: times(n, (i) => option(String(i))) })]],
  ['options of an overflow menu', 5, (n) => [actions({ type: 'overflow', options: times(n, (i) => option(`${i}`)) })]],
  ['alt text of an image', 2000, (n) => [{ type: 'image', image_url: 'https://e.example/x.png', alt_text: x(n) }]],
  ['URL of an image', 3000, (n) => [{ type: 'image', image_url: x(n), alt_text: 'x' }]],
  [
    'literal text',
    3000,
    (n) => [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: x(n) }] }] }],
  ],
];

const VIEW: [string, number, (n: number) => Json][] = [
  ['blocks of a view', 100, (n) => modal({ blocks: times(n, () => ({ type: 'divider' })) })],
  ['title of a view', 24, (n) => modal({ title: plain(x(n)) })],
  ['submit', 24, (n) => modal({ submit: plain(x(n)) })],
  ['close', 24, (n) => modal({ close: plain(x(n)) })],
  ['private_metadata', 3000, (n) => modal({ private_metadata: x(n) })],
  ['callback_id', 255, (n) => modal({ callback_id: x(n) })],
  ['external_id', 255, (n) => modal({ external_id: x(n) })],
  ['label', 2000, (n) => modal({ blocks: [{ type: 'input', label: plain(x(n)), element: typing() }] })],
  ['hint', 2000, (n) => modal({ blocks: [input(typing(), { hint: plain(x(n)) })] })],
  ['initial_value', 3000, (n) => modal({ blocks: [input(typing({ initial_value: x(n) }))] })],
  ['max_length', 3000, (n) => modal({ blocks: [input(typing({ max_length: n }))] })],
];

describe('the greatest that is allowed passes, one more fails', () => {
  test.each(MESSAGE)('%s: %i', (_, limit, make) => {
    expect(checkMessageBlocks(make(limit), '/blocks')).toEqual([]);
    expect(checkMessageBlocks(make(limit + 1), '/blocks')).not.toEqual([]);
  });

  test.each(VIEW)('%s: %i', (_, limit, make) => {
    expect(checkView(make(limit), '/view')).toEqual([]);
    expect(checkView(make(limit + 1), '/view')).not.toEqual([]);
  });
});

describe('what else blocks may not be', () => {
  const REFUSED: [string, Json[], string][] = [
    ['an unknown block', [{ type: 'table' }], 'unsupported type: table [json-pointer:/blocks/0/type]'],
    ['no type', [{}], 'missing required field: type [json-pointer:/blocks/0]'],
    ['an unknown field', [section({ colour: 'red' })], 'invalid additional property: colour [json-pointer:/blocks/0]'],
    ['an empty text', [{ type: 'section', text: mrkdwn('') }], 'must be more than 0 characters'],
    ['a section of nothing', [{ type: 'section' }], 'missing required field: text'],
    ['a header in mrkdwn', [{ type: 'header', text: mrkdwn('x') }], 'unsupported type: mrkdwn'],
    ['actions without elements', [actions()], 'no fewer than 1 items allowed'],
    ['an input in a message', [input(typing())], 'unsupported type: input'],
    ['a block id twice', [section({ block_id: 'a' }), section({ block_id: 'a' })], 'block_id already exists'],
    ['an action id twice in a block', [actions(button(ids), button(ids))], 'action_id already exists'],
    ['an initial option that is not offered', [menu([option('a')], { initial_option: option('b') })], 'initial_option'],
    ['a menu without options', [actions({ type: 'static_select' })], 'must provide exactly one of'],
    ['a style that does not exist', [actions(button({ style: 'blue' }))], 'must be a valid enum value'],
    ['a text input outside an input block', [actions(typing())], 'unsupported type: plain_text_input'],
    ['a user that is no id', [richText({ type: 'user', user_id: 'alice' })], 'must be a valid user id'],
  ];

  test.each(REFUSED)('%s', (_, blocks, problem) => {
    expect(checkMessageBlocks(blocks, '/blocks').join('\n')).toContain(problem);
  });

  test('the same action id in two blocks is allowed, an empty block id too', () => {
    const empty = section({ block_id: '' });
    expect(checkMessageBlocks([actions(button(ids)), actions(button(ids)), empty, empty], '/blocks')).toEqual([]);
  });

  test('a view with an input has to be submitted; it has one focus; it is a modal with blocks', () => {
    const { submit: _, ...without } = modal({ blocks: [input(typing())] });
    expect(checkView(without, '/view').join()).toContain('missing required field: submit');
    const focused = modal({ blocks: [input(typing({ focus_on_load: true })), input(typing({ focus_on_load: true }))] });
    expect(checkView(focused, '/view').join()).toContain('focus_on_load');
    expect(checkView(modal({ type: 'home' }), '/view').join()).toContain('unsupported type: home');
    expect(checkView(modal({ blocks: [] }), '/view').join()).toContain('no fewer than 1 items');
  });
});

function richText(element: Json): Json {
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [element] }] };
}
