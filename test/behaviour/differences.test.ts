import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FACILITIES, LOCAL_ONLY, MEANS, whyNotOnReal } from './differences.ts';

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');
const tests = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.test.ts'));

test('each test that is listed as local only is there, under its name, once in all files', () => {
  for (const { file, test: name } of LOCAL_ONLY) {
    const found = tests.filter((each) => read(each).includes(`'${name}'`));
    expect(found, `"${name}": take it off the list, or give it its new name there`).toEqual([file]);
    expect(read(file).split(`'${name}'`), name).toHaveLength(2);
  }
});

test('each difference says why', () => {
  for (const { reason } of [...LOCAL_ONLY, ...FACILITIES, ...MEANS]) expect(reason).toMatch(/^\S.{20,}/);
  expect(LOCAL_ONLY.map(({ test: name }) => whyNotOnReal(name))).toEqual(LOCAL_ONLY.map(({ reason }) => reason));
  expect(whyNotOnReal('a test of some other name')).toBeUndefined();
});

test('each option that is listed is one of a world, and is used', () => {
  const options = read('world.ts').match(/export interface WorldOptions \{[\s\S]*?\n\}/)?.[0] ?? '';
  for (const { option } of FACILITIES) {
    const name = option.replace('WorldOptions.', '');
    expect(options).toContain(`\n  ${name}?: `);
    expect(
      tests.filter((file) => read(file).includes(`{ ${name}: `)),
      option,
    ).not.toEqual([]);
  }
});

test('each means that is listed is one of a world', () => {
  const world = read('world.ts').match(/export interface World [\s\S]*?\n\}/)?.[0] ?? '';
  for (const { what } of MEANS) expect(world).toContain(`\n  ${what}(`);
});

test('no test but those listed reaches for the local store, skips itself, or asks which world it is in', () => {
  const listed = LOCAL_ONLY.map(({ file }) => file);
  const reaching = tests.filter((file) => /\bworld\.store\b/.test(read(file)) && !listed.includes(file));
  expect(reaching).toEqual([]);
  const choosing = tests.filter(
    (file) => file !== 'differences.test.ts' && /TEST_WORLD|isReal|\.skip\b|skipIf|runIf/.test(read(file)),
  );
  expect(choosing).toEqual([]);
});
