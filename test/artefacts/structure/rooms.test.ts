import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sourceFiles } from './source-files.ts';

/**
 * What a room of `src` may import besides packages and itself; imports of types count. Imports point one way, so that
 * the way of a message can be read from the folders.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  // The contract: CRD, message, status, names, reasons.
  api: [],
  // What any program needs: clock, waits, log port.
  base: [],
  // Text from outside made fit to be shown: cut, escaped, without secrets.
  text: ['api'],
  observability: ['base', 'text', 'api'],
  kube: ['base', 'text'],
  // How requests to any AWS service leave: credentials, roles, proxy, time-outs.
  aws: ['text'],
  sqs: ['aws', 'base', 'api'],
  // The one gate of every producer: what it lets through becomes a deploy.
  requests: ['text', 'api'],
  // Decides what starts when.
  lanes: ['requests', 'base', 'text', 'api'],
  'operator/intake': ['requests', 'lanes', 'sqs', 'kube', 'base', 'text', 'api'],
  'operator/controller': ['operator/intake', 'lanes', 'kube', 'base', 'text', 'api'],
  operator: ['operator/intake', 'operator/controller', 'sqs', 'kube', 'observability', 'base'],
  // What a person may do, with an explicit actor: the one way of every face.
  actions: ['requests', 'sqs', 'kube', 'base', 'text', 'api'],
  // Deploys asked for in chat. Of Slack it knows no more than how its texts are written and shown.
  chat: ['text', 'api'],
  // Everything about talking to Slack: the socket, the Web API, tokens, envelopes.
  slack: ['base', 'text'],
  // The program that ties chat, actions, Slack and cluster together.
  'slack-bot': ['slack', 'chat', 'actions', 'requests', 'sqs', 'kube', 'observability', 'base', 'api'],
  // What becomes of each deploy, told outside: the ledger of what was told, and how it is delivered.
  notify: ['kube', 'base'],
  // The pull-secret refresher: a program of its own that shares clients with the operator.
  ecr: ['aws', 'kube', 'base', 'text', 'api'],
  // The command line: flags, processes, one file for each command.
  cli: ['operator', 'slack-bot', 'slack', 'chat', 'ecr', 'sqs', 'aws', 'kube', 'observability', 'base'],
  main: ['cli', 'base', 'text'],
};

/** Of some rooms another may import only these files. */
const ONLY: Record<string, readonly string[]> = {
  // What intake offers to others.
  'operator/controller → operator/intake': ['src/operator/intake/ports.ts', 'src/operator/intake/metrics.ts'],
  // What has neither clock nor timer.
  'lanes → base': ['src/base/bounded-map.ts'],
};

/** Rooms that decide: no clock, process, timer or I/O. */
const PURE = ['api', 'text', 'requests', 'lanes'];

const root = fileURLToPath(new URL('../../..', import.meta.url));
const files = sourceFiles(['src', 'packages']);
const ours = (file: string): boolean => file.startsWith('src/');

/** A room is a folder at the top of src, and within `operator` a folder of its own; main.ts is the room `main`. */
function roomOf(file: string): string {
  const [, room = '', inner = '', ...deeper] = file.split('/');
  if (inner === '') return 'main';
  return deeper.length > 0 && Object.hasOwn(MAY_IMPORT, `${room}/${inner}`) ? `${room}/${inner}` : room;
}

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

const specifiersOf = (file: string): string[] =>
  [...textOf(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier as string);

const imports = files.flatMap((file) =>
  specifiersOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => ({ file, to: normalize(join(dirname(file), specifier)) })),
);

test('every room imports only what its place allows, types included, and uses all that is allowed', () => {
  const between = imports.filter(({ file, to }) => ours(file) && ours(to) && roomOf(file) !== roomOf(to));
  const wrong = between.filter(({ file, to }) => !MAY_IMPORT[roomOf(file)]?.includes(roomOf(to)));
  expect(wrong).toEqual([]);
  const used = new Set(between.map(({ file, to }) => `${roomOf(file)} → ${roomOf(to)}`));
  const allowed = Object.entries(MAY_IMPORT).flatMap(([room, others]) => others.map((other) => `${room} → ${other}`));
  expect(
    allowed.filter((pair) => !used.has(pair)),
    'allowed, and not used',
  ).toEqual([]);
});

test.each(Object.entries(ONLY))('%s: only %j', (rooms, allowed) => {
  const known = imports.filter(({ file, to }) => `${roomOf(file)} → ${roomOf(to)}` === rooms);
  expect([...new Set(known.map(({ to }) => to))].sort()).toEqual([...allowed].sort());
});

test('nothing in src imports what does not ship, and the package imports nothing of ours', () => {
  const outside = imports.filter(({ file, to }) => ours(file) && !ours(to) && to !== 'package.json');
  expect(outside).toEqual([]);
  const inMemory = imports.filter(({ file, to }) => file.startsWith('packages/') && !to.startsWith('packages/'));
  expect(inMemory.filter(({ file }) => !file.includes('/test/'))).toEqual([]);
  expect(files.filter(ours).flatMap(specifiersOf)).not.toContainEqual(expect.stringContaining('in-memory-kubernetes'));
});

test('what runs without tests, the demo and its servers, imports none of their files', () => {
  const fromTests = sourceFiles(['dev'])
    .flatMap((file) => specifiersOf(file).map((specifier) => normalize(join(dirname(file), specifier))))
    .filter((to) => to.startsWith('test/'));
  expect(fromTests).toEqual([]);
});

test('the rooms that decide import no module of Node but crypto, and ask neither for the time nor for the process', () => {
  for (const file of files.filter((name) => ours(name) && PURE.includes(roomOf(name)))) {
    const node = specifiersOf(file).filter((specifier) => specifier.startsWith('node:'));
    expect(
      node.filter((specifier) => specifier !== 'node:crypto'),
      file,
    ).toEqual([]);
    const code = textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code.match(/\bDate\.now\b|\bnew Date\(\)|\bprocess\.|\bMath\.random\b|\bsetTimeout\b/g) ?? [], file).toEqual(
      [],
    );
  }
});

test('kube knows no CapDeployJob', () => {
  for (const file of files.filter((name) => name.startsWith('src/kube/'))) {
    expect(textOf(file).match(/capdeployjob/gi) ?? [], file).toEqual([]);
  }
});

test('no file imports itself in a circle, not of types either', () => {
  const graph = Map.groupBy(imports, ({ file }) => file);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    expect(path, `a circle of imports: ${[...path, file].join(' → ')}`).not.toContain(file);
    if (done.has(file)) return;
    for (const { to } of graph.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});
