import { describe, expect, it } from 'vitest';
import { checkMessageBlocks } from '../../../dev/local-slack/block-kit/blocks.ts';
import type { Json } from '../../../dev/local-slack/json.ts';
import { escaped, tokens } from '../../../dev/local-slack/mrkdwn.ts';
import { renderBlocks, tokensOf } from '../../../dev/local-slack/render.ts';
import { Team } from '../../../dev/local-slack/team.ts';
import { deployButton, formButton } from '../../../src/chat/buttons.ts';
import { type Answer, answer, answerOf, type Part } from '../../../src/chat/rich-text.ts';

const team = new Team();
team.addUser('alice');
team.addChannel('prod', { members: ['alice'] });

const problems = ({ blocks }: Answer) => checkMessageBlocks(blocks, '/blocks');
const shown = ({ blocks }: Answer) => renderBlocks(team, blocks as unknown as Json[]);

it('lines, styles, mentions and buttons are shown as such', () => {
  const value = { target: 'deploy/web', environment: 'production', job: 'web-1' };
  const said = answer(
    [
      ['by ', { user: 'U0ALICE' }, ' in ', { channel: 'C0PROD' }],
      [{ bold: 'web' }, ' ', { code: 'v1' }],
    ],
    [deployButton('abort', 'Abort', value), deployButton('abort', 'Abort', value, '1'), formButton('Form', {})],
  );
  expect(problems(said)).toEqual([]);
  expect(shown(said)).toBe('by ⟦@alice⟧ in ⟦#prod⟧\nweb v1\n[Abort] [Abort] [Form]');
  expect(said.text).toBe('by U0ALICE in C0PROD\nweb v1');
});

describe('text from people is text', () => {
  const HOSTILE = '<!channel> <@U0ALICE> <!subteam^S1> @here <https://evil.example|log in> :fire: &amp;';
  it.each<[string, (text: string) => Part]>([
    ['plain', (text) => text],
    ['bold', (bold) => ({ bold })],
    ['code', (code) => ({ code })],
  ])('as %s', (_, part) => {
    const said = answer([[part(HOSTILE)]], [formButton(HOSTILE, { reason: HOSTILE })]);
    expect(problems(said)).toEqual([]);
    expect(tokensOf(team, said.blocks).filter(({ kind }) => kind !== 'text')).toEqual([]);
    expect(shown(said)).toContain(HOSTILE);
    // Whoever sends the fallback escapes it.
    expect(tokens(escaped(said.text)).filter(({ kind }) => kind !== 'text')).toEqual([]);
  });
});

describe("Slack's limits hold", () => {
  const LONG = '漢'.repeat(10_000);
  const value = { target: 'x'.repeat(320), environment: 'x'.repeat(50), job: 'x'.repeat(63) };

  it.each<[string, Answer]>([
    ['nothing at all', answer([])],
    ['an empty line', answer([['', { bold: '' }, { code: '' }]])],
    ['one endless text', answer([[LONG, { bold: LONG }, { code: LONG }]])],
    ['a thousand lines', answer(Array.from({ length: 1000 }, () => [LONG]))],
    ['a hundred sections', answerOf(Array.from({ length: 100 }, (_, place) => ({ lines: [[`line ${place}`]] })))],
    [
      'sections of the longest lines and buttons',
      answerOf(
        Array.from({ length: 100 }, (_, place) => ({
          lines: [[LONG], [LONG]],
          buttons: [deployButton('abort', LONG, value, `${place}`), deployButton('retry', LONG, value, `${place}`)],
        })),
      ),
    ],
    [
      'the longest form',
      answer(
        [['x']],
        [
          formButton(LONG, {
            ...{ repository: 'x'.repeat(140), environment: 'x'.repeat(50), revision: 'x'.repeat(244) },
            ...{ task: 'x'.repeat(100), reason: '"\\'.repeat(128) },
          }),
        ],
      ),
    ],
    ['a text cut within a letter of two units', answer([['😀'.repeat(400)]], [formButton(`x${'😀'.repeat(50)}`, {})])],
  ])('for %s', (_, said) => {
    expect(problems(said)).toEqual([]);
    expect(JSON.stringify(said.blocks).length).toBeLessThan(12_000);
    expect(said.text.length).toBeLessThanOrEqual(3_000);
    expect(JSON.stringify(said).isWellFormed() && !/\\ud[89a-f]/i.test(JSON.stringify(said))).toBe(true);
  });

  it('what does not fit ends in a mark, and what comes first stays', () => {
    const many = Array.from({ length: 1000 }, (_, place) => [`line ${place} ${'x'.repeat(80)}`]);
    const lines = shown(answer(many)).split('\n');
    expect(lines[0]).toMatch(/^line 0 /);
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.at(-1)).toBe('…');
    const sections = answerOf(
      many.map((line) => ({ lines: [line] })),
      (left) => [`${left} more`],
    );
    const shownSections = shown(sections).split('\n');
    expect(shownSections[0]).toMatch(/^line 0 /);
    expect(shownSections.at(-1)).toBe(`${1000 - (shownSections.length - 1)} more`);
  });

  it('a few short lines are not cut', () => {
    expect(shown(answer([['a'], ['b'], ['c']]))).toBe('a\nb\nc');
    expect(shown(answerOf([{ lines: [['a']] }, { lines: [['b']] }]))).toBe('a\nb');
  });
});
