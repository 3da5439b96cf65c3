import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { sourceFiles } from './source-files.ts';

/** ARCHITECTURE.md and CONTRIBUTING.md are true: what they name exists, and what the code cites is in them. */

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (file: string): string => readFileSync(root + file, 'utf8');

const guides = ['ARCHITECTURE.md', 'CONTRIBUTING.md'];

test.each(guides)('every folder and file that %s names exists', (guide) => {
  const text = read(guide);
  const named = [
    ...text.matchAll(/`((?:src|packages|dev|tools|crds|deploy|docker|docs|test|bench|examples)\/[^`*…\s]*)`/g),
  ];
  const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)];
  const paths = [...named, ...linked].map(([, path]) => path as string);
  expect(paths.filter((path) => !existsSync(root + path))).toEqual([]);
  expect(paths.length).toBeGreaterThan(5);
});

test('every file in the table of the way of one deploy is in the room beside it', () => {
  const rows = [...read('ARCHITECTURE.md').matchAll(/\| `(src\/[^`]+)` \| `([a-z-]+\.ts)` \|$/gm)];
  expect(rows.filter(([, room, file]) => !existsSync(`${root}${room}/${file}`)).map(([row]) => row)).toEqual([]);
  expect(rows.length).toBeGreaterThan(7);
});

test('every npm script that CONTRIBUTING.md names exists', () => {
  const scripts = [...read('CONTRIBUTING.md').matchAll(/npm run ([a-z0-9:]+)/g)].map(([, name]) => name as string);
  expect(scripts.filter((name) => !Object.hasOwn(packageJson.scripts, name))).toEqual([]);
  expect(scripts).not.toEqual([]);
});

test('every folder of src has a row in the table of rooms, and no other has', () => {
  const rooms = [...read('ARCHITECTURE.md').matchAll(/^\| `src\/([a-z/-]+)` \| (?!`)/gm)].map(([, room]) => room);
  const folders = new Set(sourceFiles(['src']).flatMap((file) => file.split('/').slice(1, -1).slice(0, 1)));
  const top = new Set(rooms.map((room) => room?.split('/')[0]));
  expect([...top].sort()).toEqual([...folders].sort());
});

test('every invariant that is cited is listed, and every one that is listed is cited', () => {
  const listed = [...read('ARCHITECTURE.md').matchAll(/^(\d)\. /gm)].map(([, number]) => Number(number));
  expect(listed).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const files = sourceFiles(['src', 'test', 'dev', 'packages']);
  const cited = files.flatMap((file) =>
    [...read(file).matchAll(/\binvariants? (\d+)(?:, (\d+))?(?: and (\d+))?/gi)].flatMap(([, ...numbers]) =>
      numbers.filter((number) => number !== undefined).map(Number),
    ),
  );
  expect([...new Set(cited)].sort()).toEqual(listed);
});
