/**
 * Writes the generated files: `npm run generate`. With --check it writes nothing and fails if a file is not what the
 * sources say.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { customResourceDefinition, messageJsonSchema } from '../src/api/crd.ts';
import { capDeployJobPage, messagePage } from './reference/fields.ts';
import { flagsPage } from './reference/flags.ts';
import { metricsPage } from './reference/metrics.ts';
import { reasonsPage } from './reference/reasons.ts';
import { slackBotPage } from './reference/slack-bot.ts';

const header = '# Generated from src/api by `npm run generate`. Do not edit.\n';
const files = {
  'crds/capdeployjobs.yaml':
    header + stringify(customResourceDefinition(), { lineWidth: 140, aliasDuplicateObjects: false }),
  'crds/message.schema.json': `${JSON.stringify(messageJsonSchema(), null, 2)}\n`,
  'docs/reference/capdeployjob.md': capDeployJobPage(),
  'docs/reference/message.md': messagePage(),
  'docs/reference/flags.md': flagsPage(),
  'docs/reference/metrics.md': metricsPage(),
  'docs/reference/reasons.md': reasonsPage(),
  'docs/reference/slack-bot.md': slackBotPage(),
};

const check = process.argv.includes('--check');
for (const [name, content] of Object.entries(files)) {
  const path = new URL(`../${name}`, import.meta.url);
  if (!check) {
    writeFileSync(path, content);
  } else if (readFileSync(path, 'utf8') !== content) {
    console.error(`${name} is not what the sources say: run "npm run generate" and commit the result`);
    process.exitCode = 1;
  }
}
