import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readDeployed } from '../../../src/lanes/deployed.ts';
import { Entrypoint, functionsOfEntrypoint } from './script.ts';

/** How what `result.rake` wrote becomes the termination message. The rake file itself is tried in the image. */

const DEPLOYED = {
  commit: 'e67dbc3d97fa81daf1a010e89fe21a2a9642b9d1',
  committedAt: '2026-11-05T10:00:00Z',
  release: '20261105100102',
};

/** @returns what is in the termination message then; undefined if the kubelet made none at this place */
function handedOn(result: string | undefined, isThere = true): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'capdeployjob-result-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'termination-log');
  if (isThere) writeFileSync(log, '');
  if (result !== undefined) writeFileSync(join(folder, 'result'), result);
  const script = `${functionsOfEntrypoint()}\nTERMINATION_LOG=${log} CAPDEPLOYJOB_RESULT=${folder}/result\nhand_on_result`;
  execFileSync('/bin/sh', ['-c', script], { env: { PATH: process.env.PATH } });
  return existsSync(log) ? readFileSync(log, 'utf8') : undefined;
}

test('the operator reads what is handed on', () => {
  const message = handedOn(`${JSON.stringify(DEPLOYED)}\n`);
  expect(message).toMatch(/^capdeployjob-result: \{.*\}\n$/);
  expect(readDeployed(message)).toEqual(DEPLOYED);
});

test.each<[string, string | undefined]>([
  ['no file', undefined],
  ['an empty file', ''],
  ['a line that is too long for the operator', JSON.stringify({ ...DEPLOYED, more: 'x'.repeat(500) })],
])('%s leaves the termination message empty', (_, result) => {
  expect(handedOn(result)).toBe('');
});

test('one line is handed on, without control characters', () => {
  expect(handedOn('{"a":1}\x1b[2J\nanother\n')).toBe('capdeployjob-result: {"a":1}[2J\n');
});

test('the longest line that is handed on is one that the operator reads', () => {
  const padding = (length: number) => JSON.stringify({ ...DEPLOYED, more: 'x'.repeat(length) });
  const line = padding(480 - padding(0).length);
  expect(readDeployed(handedOn(line))).toEqual(DEPLOYED);
});

test('without a termination message of the kubelet at the default place nothing is written', () => {
  expect(handedOn(JSON.stringify(DEPLOYED), false)).toBeUndefined();
});

test('cap gets a file to write to, which is gone with it', async () => {
  const entrypoint = new Entrypoint().program('cap', 'echo "$CAPDEPLOYJOB_RESULT"; echo {} >"$CAPDEPLOYJOB_RESULT"');
  expect(await entrypoint.start(['cap', 'production', 'deploy'])).toEqual({ code: 0, signal: null });
  expect(entrypoint.output).toContain(entrypoint.temporary);
});
