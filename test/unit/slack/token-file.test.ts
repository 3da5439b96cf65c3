import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TravelClock } from '../../../dev/local-slack/clock.ts';
import { UsageError } from '../../../src/base/usage-error.ts';
import { TokenFile } from '../../../src/slack/token-file.ts';

let folder: string;
let clock: TravelClock;
let lines: [object, string][];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-'));
  clock = new TravelClock();
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (fields: object, message: string): void => void lines.push([fields, message]);
const log = { debug: line, info: line, warn: line, error: line };
const path = () => join(folder, 'token');
const open = (kind: 'app' | 'bot' = 'bot') => new TokenFile({ path: path(), kind, clock, log });
const [ONE, TWO, APP] = ['xoxb-1-2-aaaaaaaaaa', 'xoxb-1-2-bbbbbbbbbb', 'xapp-1-A0X-3-cccccccccc'];

test('the token is what the file holds, without blanks around it', () => {
  writeFileSync(path(), `${ONE}\n`);
  expect(open().current()).toBe(ONE);
  writeFileSync(path(), APP);
  expect(open('app').current()).toBe(APP);
});

const WRONG: [string, 'app' | 'bot', string][] = [
  ['', 'bot', 'it is empty'],
  [APP, 'bot', 'it holds an app-level token'],
  [ONE, 'app', 'it holds a bot token'],
  ['xoxp-1-2-aaaaaaaaaa', 'bot', 'it holds something else'],
  [`${ONE} ${TWO}`, 'bot', 'it holds something else'],
  ['xoxb-', 'bot', 'it holds something else'],
];
test.each(WRONG)('refuses %j as the %s token, and does not repeat it', (content, kind, found) => {
  writeFileSync(path(), content);
  const must = kind === 'app' ? 'an app-level token (xapp-…)' : 'a bot token (xoxb-…)';
  expect(() => open(kind)).toThrow(new UsageError(`--${kind}-token-file "${path()}" must hold ${must}: ${found}`));
});

test('refuses a file that is missing', () => {
  expect(() => open()).toThrow(`--bot-token-file "${path()}" cannot be read: ENOENT`);
});

/** As kubelet writes a Secret: `token` → `..data/token`, and `..data` is swapped. */
function mounted(version: string, token: string): void {
  mkdirSync(join(folder, version));
  writeFileSync(join(folder, version, 'token'), token);
  symlinkSync(version, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
}

test('a new token of a Secret counts after 10 s, or at once if asked for', () => {
  mounted('v1', ONE);
  symlinkSync('..data/token', path());
  const token = open();
  mounted('v2', TWO);
  clock.advance(9_000);
  expect(token.current()).toBe(ONE);
  clock.advance(1_000);
  expect(token.current()).toBe(TWO);
  mounted('v3', ONE);
  expect(token.reload()).toBe(true);
  expect(token.reload()).toBe(false);
  expect(token.current()).toBe(ONE);
  expect(lines.map(([, message]) => message)).toEqual([
    '--bot-token-file holds a new token',
    '--bot-token-file holds a new token',
  ]);
  expect(JSON.stringify(lines)).not.toContain('xoxb');
});

test('if the file goes or is spoilt, the token from before stays, and that is said once', () => {
  writeFileSync(path(), ONE);
  const token = open();
  rmSync(path());
  for (let count = 0; count < 3; count += 1) {
    clock.advance(10_000);
    expect(token.current()).toBe(ONE);
  }
  writeFileSync(path(), 'oops');
  expect(token.reload()).toBe(false);
  expect(token.current()).toBe(ONE);
  expect(lines.map(([, message]) => message)).toEqual([
    `--bot-token-file "${path()}" cannot be read: ENOENT; the token from before is used`,
    expect.stringContaining('it holds something else; the token from before is used'),
  ]);
});
