import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../docker/operator/bundle.ts';
import { eventually } from './eventually.ts';

/** `test/config/bundles.ts` makes it for all test processes of a run, and removes it. */
const folder = process.env.TEST_BUNDLES ?? '';
const done = join(folder, 'done');

/**
 * The program as the image holds it. The first test process that imports this builds it. It starts with 0.8 s of the
 * processor. From its sources it takes 2.8 s.
 */
export const BUNDLED_PROGRAM = join(folder, 'capdeploy.js');

if (isFirst()) {
  await bundle(folder);
  writeFileSync(done, '');
} else await eventually('another test process has built the program', () => existsSync(done));

function isFirst(): boolean {
  // `mkdir` fails for all processes but one.
  try {
    mkdirSync(join(folder, 'begun'));
    return true;
  } catch {
    return false;
  }
}
