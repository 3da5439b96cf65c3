import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for what `test/kit/bundled-program.ts` builds. It is removed after the last test. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'capdeployjob-bundles-'));
  process.env.TEST_BUNDLES = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
