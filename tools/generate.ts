/**
 * Writes the generated files of this folder: `npm run generate`. With --check it writes nothing and fails where a file is not what the
 * schemas in src/api say.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { customResourceDefinition, messageJsonSchema } from '../src/api/crd.ts';

const header = '# Generated from src/api by `npm run generate`. Do not edit.\n';
const files = {
  'capdeployjobs.yaml':
    header + stringify(customResourceDefinition(), { lineWidth: 140, aliasDuplicateObjects: false }),
  'message.schema.json': `${JSON.stringify(messageJsonSchema(), null, 2)}\n`,
};

const check = process.argv.includes('--check');
for (const [name, content] of Object.entries(files)) {
  const path = new URL(name, import.meta.url);
  if (!check) {
    writeFileSync(path, content);
  } else if (readFileSync(path, 'utf8') !== content) {
    console.error(`crds/${name} is not what src/api says: run "npm run generate" and commit the result`);
    process.exitCode = 1;
  }
}
