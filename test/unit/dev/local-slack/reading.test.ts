import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../../../dev/local-slack/json.ts';
import { LocalSlack } from '../../../../dev/local-slack/local-slack.ts';
import { webClient } from './bolt-app.ts';
import { example } from './example.ts';

let slack: LocalSlack;
beforeEach(async () => {
  slack = await LocalSlack.start(example());
});
afterEach(() => slack[Symbol.asyncDispose]());

const plain = (text: string): Json => ({ type: 'plain_text', text });
const post = async (args: Json): Promise<string> => {
  const answer = await webClient(slack).apiCall('chat.postMessage', { channel: 'C0DEPLOYS', ...args });
  return String((answer as unknown as Json).ts);
};
const update = (ts: string, args: Json): Promise<unknown> =>
  webClient(slack).apiCall('chat.update', { channel: 'C0DEPLOYS', ts, ...args });
const lines = (): string[] => slack.as('alice').reads.lines('deploys');
const whom = (): string[] => slack.world.messages.pings.map((ping) => ping.whom);

describe('markup', () => {
  test('entities and links stand in ⟦⟧; escaped and literal ones do not', async () => {
    await post({
      text: '<@U0BOB> <!channel> <!subteam^S0RELEASE> <#C0PROD> <https://e.example|here> &lt;!here&gt; @bob',
    });
    expect(lines()).toEqual(['capdeploy: ⟦@bob⟧ ⟦@channel⟧ ⟦@release⟧ ⟦#prod⟧ ⟦here|https://e.example⟧ <!here> @bob']);
    expect(whom()).toEqual(['@bob', '@channel', '@release']);
  });

  test('chat.postMessage links addresses, chat.update names too, both nothing with `parse: none`', async () => {
    const text = 'see https://e.example @channel @bob';
    const ts = await post({ text });
    expect(lines()).toEqual(['capdeploy: see ⟦https://e.example⟧ @channel @bob']);
    expect(whom()).toEqual([]);
    await update(ts, { text });
    expect(lines()).toEqual(['capdeploy: see ⟦https://e.example⟧ ⟦@channel⟧ ⟦@bob⟧ (edited)']);
    expect(slack.world.messages.pings).toMatchObject([
      { by: 'update', whom: '@channel', ts },
      { by: 'update', whom: '@bob', ts },
    ]);
    await update(ts, { text, parse: 'none' });
    expect(lines()).toEqual(['capdeploy: see https://e.example @channel @bob (edited)']);
    await post({ text: '@bob', link_names: true });
    expect(lines()[1]).toBe('capdeploy: ⟦@bob⟧');
  });

  test('mrkdwn in a block makes links and pings of names, unless verbatim; rich_text and plain_text do not', async () => {
    const section = (text: Json): Json[] => [{ type: 'section', text }];
    await post({ text: 'x', blocks: section({ type: 'mrkdwn', text: '@here' }) });
    expect(whom()).toEqual(['@here']);
    await post({ text: 'x', blocks: section({ type: 'mrkdwn', text: '@here', verbatim: true }) });
    await post({ text: 'x', blocks: section(plain('<!here> @here')) });
    const literal = { type: 'rich_text_section', elements: [{ type: 'text', text: '<!here> @here <https://x|y>' }] };
    await post({ channel: 'C0PROD', text: 'x', blocks: [{ type: 'rich_text', elements: [literal] }] });
    expect(whom()).toEqual(['@here']);
    expect(slack.as('alice').reads.lines('prod')).toEqual(['capdeploy: <!here> @here <https://x|y>']);
  });

  test('a ping in the fallback text counts, though blocks hide it; an ephemeral message pings nobody', async () => {
    await post({ text: '<@U0BOB>', blocks: [{ type: 'divider' }] });
    expect(whom()).toEqual(['@bob']);
    await webClient(slack).chat.postEphemeral({ channel: 'C0DEPLOYS', user: 'U0ALICE', text: '<!channel>' });
    expect(whom()).toEqual(['@bob']);
  });
});

test('every block, as a reader sees it', async () => {
  const rich = (type: string, elements: Json[], more: Json = {}): Json => ({ type, elements, ...more });
  const one = (text: string): Json => rich('rich_text_section', [{ type: 'text', text }]);
  await post({
    text: 'fallback',
    blocks: [
      { type: 'header', text: plain('Deploy :rocket:') },
      { type: 'section', text: { type: 'mrkdwn', text: '*web*' }, accessory: { type: 'button', text: plain('More') } },
      { type: 'section', fields: [plain('one'), plain('two')] },
      { type: 'divider' },
      { type: 'context', elements: [plain('by'), { type: 'image', image_url: 'https://e.example', alt_text: 'face' }] },
      { type: 'image', image_url: 'https://e.example', alt_text: 'graph' },
      {
        type: 'actions',
        elements: [
          { type: 'button', text: plain('Abort') },
          { type: 'static_select', placeholder: plain('Which'), options: [{ text: plain('a'), value: 'a' }] },
          { type: 'overflow', options: [{ text: plain('a'), value: 'a' }] },
          { type: 'checkboxes', options: [{ text: plain('sure'), value: 'a' }] },
        ],
      },
      rich('rich_text', [
        rich('rich_text_section', [
          { type: 'user', user_id: 'U0BOB' },
          { type: 'emoji', name: 'x' },
          { type: 'link', url: 'https://e.example', text: 'log' },
          { type: 'broadcast', range: 'here' },
          { type: 'usergroup', usergroup_id: 'S0RELEASE' },
          { type: 'channel', channel_id: 'C0PROD' },
          { type: 'date', timestamp: 1, format: '{time}', fallback: '19:00' },
        ]),
        rich('rich_text_list', [one('first'), one('second')], { style: 'ordered' }),
        rich('rich_text_quote', [{ type: 'text', text: 'quoted' }]),
        rich('rich_text_preformatted', [{ type: 'text', text: 'a\nb' }]),
      ]),
    ],
  });
  expect(lines()[0]!.split('\n')).toEqual([
    'capdeploy: Deploy 🚀',
    '*web* [More]',
    'one',
    'two',
    '────',
    'by (image: face)',
    '(image: graph)',
    '[Abort] [Which ▾] […] ( ) sure',
    '⟦@bob⟧❌⟦log|https://e.example⟧⟦@here⟧⟦@release⟧⟦#prod⟧19:00',
    '1. first',
    '2. second',
    '> quoted',
    '```',
    'a',
    'b',
    '```',
  ]);
});

test('who can read what', () => {
  expect(() => slack.as('alice').reads.channel('secret')).toThrow('alice cannot open #secret');
  expect(slack.as('alice').reads.channel('elsewhere')).toEqual([]);
  expect(() => slack.as('sam').reads.channel('elsewhere')).toThrow('sam cannot open');
  expect(() => slack.as('eve').reads.channel('deploys')).toThrow('eve cannot open');
  expect(() => slack.as('nobody')).toThrow('a user that was not seeded');
});
