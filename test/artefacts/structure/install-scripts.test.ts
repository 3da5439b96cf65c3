import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'));

// By name: without the address of a registry in the lock file npm cannot tell a version (npm help approve-scripts).
test('package.json allows the install scripts of exactly the packages that have one (npm 12 runs no other)', () => {
  const packages = Object.entries<{ hasInstallScript?: boolean }>(read('package-lock.json').packages);
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  expect(read('package.json').allowScripts).toEqual(
    Object.fromEntries(scripted.map((path) => [path.replace(/^.*node_modules\//, ''), true])),
  );
  expect(scripted).not.toEqual([]);
});
