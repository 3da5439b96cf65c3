/**
 * Writes dist/capdeploy.cdx.json, the bill of materials of the bundle (CycloneDX): npm's own, less what the bundler
 * left out, plus the Node that runs it. It names no time and no random number, so that the same commit gives the same
 * file.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Component {
  'bom-ref': string;
  type: string;
  name: string;
  version: string;
  purl: string;
  [field: string]: unknown;
}

export interface Bom {
  serialNumber?: string;
  metadata: { timestamp?: string; component: Component; [field: string]: unknown };
  components: Component[];
  dependencies: { ref: string; dependsOn?: string[] }[];
  [field: string]: unknown;
}

const readJson = (file: string) => JSON.parse(readFileSync(`${root}${file}`, 'utf8')) as Record<string, string>;

/** `name@version` of each package that one of the files belongs to; files are paths from the root of the checkout. */
export function packagesOf(files: readonly string[]): string[] {
  const folders = files.flatMap((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []);
  return [...new Set(folders)].sort().map((folder) => {
    const { name, version } = readJson(`${folder}/package.json`);
    return `${name}@${version}`;
  });
}

/**
 * @param all what `npm sbom --sbom-format cyclonedx` says
 * @param bundled `name@version` of the packages that the bundle holds
 * @throws Error where one of them is not in npm's list: then the installed tree is not that of package-lock.json
 */
export function billOf(all: Bom, bundled: readonly string[], nodeVersion: string): Bom {
  const { name, version } = readJson('package.json') as { name: string; version: string };
  const program = `${name}@${version}`;
  const node: Component = {
    'bom-ref': `node@${nodeVersion}`,
    type: 'platform',
    name: 'node',
    version: nodeVersion,
    purl: `pkg:generic/node@${nodeVersion}`,
    licenses: [{ license: { id: 'MIT' } }],
  };
  const components = all.components.filter((component) => bundled.includes(component['bom-ref']));
  const listed = new Set(components.map((component) => component['bom-ref']));
  const missing = bundled.filter((ref) => !listed.has(ref));
  if (missing.length > 0) {
    throw new Error(`in the bundle, and not in package-lock.json: ${missing.join(', ')}. Run npm ci.`);
  }
  const { serialNumber: _, ...rest } = all;
  const { timestamp: __, ...metadata } = all.metadata;
  return {
    ...rest,
    // npm takes the name from the folder that it runs in.
    metadata: { ...metadata, component: { ...metadata.component, 'bom-ref': program, name, type: 'application' } },
    components: [...components, node],
    dependencies: all.dependencies
      .filter(({ ref }) => ref === program || listed.has(ref))
      .map(({ ref, dependsOn = [] }) => ({
        ref,
        dependsOn: [...dependsOn.filter((on) => listed.has(on)), ...(ref === program ? [node['bom-ref']] : [])],
      })),
  };
}

if (import.meta.main) {
  const { inputs } = await bundle(`${root}dist`);
  const args = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'];
  const npm = execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const bill = billOf(JSON.parse(npm) as Bom, packagesOf(Object.keys(inputs)), process.versions.node);
  writeFileSync(`${root}dist/capdeploy.cdx.json`, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`dist/capdeploy.cdx.json: ${bill.components.length} components`);
}
