import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/**
 * Imports point one way, so that the way of a message can be read from the folders: main → controller, intake → lanes, sqs, kube,
 * observability → api. What a room may import besides packages and itself:
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  api: [],
  // What any program needs, and nothing of ours: clock, waits, log port.
  base: [],
  // Text from outside made fit to be shown: cut, escaped, without secrets.
  text: ['api'],
  lanes: ['api', 'text'],
  observability: ['api', 'text', 'base'],
  kube: ['base', 'text'],
  // How requests to any AWS service leave: credentials, roles, proxy, time-outs.
  aws: ['text'],
  sqs: ['aws', 'base', 'api'],
  // The pull-secret refresher: a program of its own that shares clients with the operator.
  ecr: ['aws', 'kube', 'base', 'text', 'observability', 'api'],
  // The one gate of every producer: what it lets through becomes a deploy.
  requests: ['api', 'text'],
  'operator/intake': ['requests', 'lanes', 'sqs', 'kube', 'base', 'text', 'api'],
  // Of intake, its ports only: see below.
  'operator/controller': ['operator/intake', 'lanes', 'kube', 'base', 'text', 'api'],
  operator: ['operator/intake', 'operator/controller', 'sqs', 'kube', 'base', 'observability'],
  // The command line: flags, processes, one file for each command.
  cli: ['operator', 'ecr', 'sqs', 'aws', 'kube', 'base', 'text', 'observability', 'api'],
  main: ['cli', 'kube', 'text'],
  // The laptop edition, never part of the operator. Its demo reads Jobs and Pods as lanes do.
  local: ['kube', 'api', 'lanes', 'base', 'text'],
};

const src = fileURLToPath(new URL('../../src', import.meta.url));
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

/** A room is a folder at the top of src, and within `operator` a folder of its own; main.ts is the room `main`. */
const roomOf = (file: string): string => {
  const [room = '', inner = ''] = file.split('/');
  if (!file.includes('/')) return 'main';
  return Object.hasOwn(MAY_IMPORT, `${room}/${inner}`) ? `${room}/${inner}` : room;
};

function imports(file: string, typesToo = true): string[] {
  const all = readFileSync(join(src, file), 'utf8');
  const text = typesToo ? all : all.replace(/^import type [\s\S]*?;$/gm, '');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier as string);
}

const between = (typesToo: boolean) =>
  files.flatMap((file) =>
    imports(file, typesToo)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => ({ file, to: relative('.', normalize(join(dirname(file), specifier))) }))
      .filter(({ to }) => !to.startsWith('..')),
  );

test('every room is known, and imports only what its place allows', () => {
  const roomImports = between(true);
  const wrong = roomImports.filter(({ file, to }) => {
    const from = roomOf(file);
    return roomOf(to) !== from && !MAY_IMPORT[from]?.includes(roomOf(to));
  });
  expect(wrong).toEqual([]);
  expect(roomImports.length).toBeGreaterThan(200);
});

test('api and lanes import no module of Node but crypto, and ask neither for the time nor for the process', () => {
  for (const file of files.filter((name) => ['api', 'lanes'].includes(roomOf(name)))) {
    expect(imports(file).filter((specifier) => specifier.startsWith('node:') && specifier !== 'node:crypto')).toEqual(
      [],
    );
    const code = readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code.match(/\bDate\.now\b|\bnew Date\(\)|\bprocess\.|\bMath\.random\b|\bsetTimeout\b/g) ?? [], file).toEqual(
      [],
    );
  }
});

test('no file imports itself in a circle, types apart', () => {
  const graph = Map.groupBy(between(false), ({ file }) => file);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    expect(path, `a circle of imports: ${[...path, file].join(' → ')}`).not.toContain(file);
    if (done.has(file)) return;
    for (const { to } of graph.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});
