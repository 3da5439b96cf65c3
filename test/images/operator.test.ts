import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { letGo, scratchFolder } from '../cluster/processes.ts';
import { buildImages, defaultCache, OPERATOR, prepareBases } from './build.ts';
import { Buildah } from './buildah.ts';
import { UnpackedImage } from './container.ts';

let image: UnpackedImage;

beforeAll(async () => {
  image = await UnpackedImage.of((await buildImages()).operator);
});
afterAll(async () => {
  await image?.remove();
  await letGo();
});

const files = () => readdirSync(image.root, { recursive: true, encoding: 'utf8' });
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

test('it says who it is, is no root, and runs the controller unless told otherwise', () => {
  expect(image.config).toMatchObject({
    User: '65532:65532',
    Entrypoint: ['node', '/app/dist/capdeploy.js'],
    Cmd: ['controller'],
    Labels: { 'org.opencontainers.image.title': 'capdeployjob', 'org.opencontainers.image.licenses': 'Apache-2.0' },
  });
});

test('the program runs in it: read-only, without a right, as a user that is in no list', async () => {
  expect(await image.run({ args: ['--version'] })).toEqual({ code: 0, output: `${version}\n` });
  expect((await image.run({ args: ['controller', '--no-such-flag'], runAsUser: 12345 })).code).toBe(2);
});

test('Node resolves names and knows the time zones in it', async () => {
  const script = `
    const dns = require('node:dns');
    dns.lookup('localhost', (error, address) => console.log(error?.code ?? address));
    console.log(new Date(0).toLocaleString('en-GB', { timeZone: 'Asia/Tokyo' }), require('node:tls').rootCertificates.length > 50);`;
  const { output } = await image.run({ command: ['node', '-e', script], mounts: { '/etc/hosts': '/etc/hosts' } });
  expect(output).toMatch(/^01\/01\/1970, 09:00:00 true\n(127\.0\.0\.1|::1)\n$/);
});

test('there is no shell, no package manager, no other program than node, and none that makes root of others', () => {
  const programs = files().filter((name) => {
    const found = statSync(join(image.root, name));
    // An empty one is where runc mounted a file for another test.
    const isProgram = found.isFile() && found.size > 0 && (found.mode & 0o111) !== 0;
    return isProgram && !/\.so(\.|$)/.test(name);
  });
  expect(programs.filter((name) => !name.startsWith('app/'))).toEqual(['usr/local/bin/node']);
  expect(files().filter((name) => (statSync(join(image.root, name)).mode & 0o6000) !== 0)).toEqual([]);
  expect(existsSync(join(image.root, 'bin/sh'))).toBe(false);
});

test('the in-memory Kubernetes is not in it, nor are the sources', () => {
  expect(files().filter((name) => /node_modules|\.ts$/.test(name))).toEqual([]);
  const programs = files().filter((name) => /^\/?app\/dist\/.*\.js$/.test(name));
  const bundle = programs.map((name) => readFileSync(join(image.root, name), 'utf8')).join('\n');
  expect(bundle).not.toMatch(/^\/\/ (packages|dev)\//m);
  expect(bundle).toMatch(/^\/\/ src\/main\.ts$/m);
  expect(bundle).toMatch(/^\/\/ src\/cli\/controller\.ts$/m);
});

test('it lists what it is made of: packages of the bundle, Node, Debian packages', () => {
  const bill = JSON.parse(readFileSync(join(image.root, 'usr/share/sbom/capdeploy.cdx.json'), 'utf8'));
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'capdeployjob', version } } });
  const names = bill.components.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(['zod', 'pino', 'undici', '@aws-sdk/client-sqs', 'node']));
  expect(names).not.toContain('vitest');
  const packages = readdirSync(join(image.root, 'var/lib/dpkg/status.d'));
  expect(packages).toEqual(expect.arrayContaining(['libc6', 'libstdc++6']));
  for (const name of packages) {
    expect(readFileSync(join(image.root, 'var/lib/dpkg/status.d', name), 'utf8')).toMatch(
      new RegExp(`^Package: ${name.replaceAll('+', '\\+')}\n[^]*^Version: `, 'm'),
    );
  }
});

test('it is small: less than 200 MiB, nearly all of it Node', async () => {
  const { archive } = (await buildImages()).operator;
  expect(statSync(archive).size).toBeLessThan(200 * 1024 * 1024);
});

test('built once more, from nothing, it has the same layers', { timeout: 600_000 }, async () => {
  const { path, remove } = scratchFolder('rebuild');
  const builder = new Buildah(path);
  try {
    await prepareBases(builder, defaultCache(), true);
    await builder.build(OPERATOR.context, OPERATOR.file, 'localhost/again:1');
    expect(await builder.layers('localhost/again:1')).toEqual(image.layers);
  } finally {
    await builder.remove();
    remove();
  }
});
