/**
 * Bundles the program with its dependencies: `npm run build` writes dist/capdeploy.js and, beside it, one chunk for
 * each command and for what several of them need. A bundle starts several times faster than the tree of modules and
 * needs no node_modules in the image.
 */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What CommonJS dependencies take for granted and an ES module does not have. */
const COMMONJS = `
import { createRequire as __createRequire } from 'node:module';
import { dirname as __directoryOf } from 'node:path';
import { fileURLToPath as __pathOf } from 'node:url';
const require = __createRequire(import.meta.url);
const __filename = __pathOf(import.meta.url);
const __dirname = __directoryOf(__filename);
`.trim();

/**
 * What Bolt loads for its receivers of HTTP, and the chat bot never calls: it takes envelopes by Socket Mode. Without
 * them the bot takes some 20 MiB less.
 */
const WITHOUT_HTTP_RECEIVERS: Plugin = {
  name: 'without-http-receivers',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(express|raw-body)$/ }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * @param folder gets capdeploy.js and chunks/
 * @returns what went into each file, by path from the root of the checkout
 */
export async function bundle(folder: string): Promise<Metafile> {
  // Their names hold a hash: those of an earlier build would stay.
  rmSync(join(folder, 'chunks'), { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { capdeploy: 'src/main.ts' },
    outdir: folder,
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    bundle: true,
    platform: 'node',
    // The oldest Node that package.json allows.
    target: 'node22.19',
    format: 'esm',
    banner: { js: COMMONJS },
    // Stack traces and error names stay readable; the size hardly matters to a start.
    minify: false,
    legalComments: 'eof',
    plugins: [WITHOUT_HTTP_RECEIVERS],
    metafile: true,
    logLevel: 'warning',
  });
  chmodSync(join(folder, 'capdeploy.js'), 0o755);
  return metafile;
}

if (import.meta.main) {
  const { inputs, outputs } = await bundle(`${root}dist`);
  const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0);
  const size = `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  console.log(`dist: ${size} in ${Object.keys(outputs).length} files from ${Object.keys(inputs).length}`);
}
