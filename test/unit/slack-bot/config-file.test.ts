import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Log } from '../../../src/base/log.ts';
import { ConfigFile } from '../../../src/slack-bot/config-file.ts';

const rule = (user: string) =>
  `  - { may: [deploy], targets: ["*"], environments: ["*"], channels: [C0DEPLOYS], users: [${user}] }\n`;
const config = (more: string, ...users: string[]) =>
  `slack: { team: T0TEAM }\n${more}\nrules:\n${users.map(rule).join('')}`;
const CLUSTER = 'source: cluster\nnamespaces: [deploy]';

let path: string;
let said: string[];
let reloads: boolean[];
let file: ConfigFile;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'capdeployjob-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  path = join(folder, 'slack-bot.yaml');
  said = [];
  reloads = [];
  const note = (_: object, message: string) => said.push(message);
  const log: Log = { debug: note, info: note, warn: note, error: note };
  writeFileSync(path, config(CLUSTER, 'U0ALICE', 'U0BOB'));
  file = new ConfigFile(path, log, (isGood) => reloads.push(isGood));
});

const written = (text: string) => {
  writeFileSync(path, text);
  file.reload();
  return file.current.rules.map(({ users }) => users[0]);
};

describe('a file that changes', () => {
  it('is taken', () => {
    expect(written(config(CLUSTER, 'U0ALICE'))).toEqual(['U0ALICE']);
    expect(reloads).toEqual([true]);
  });

  it('with other namespaces is taken but for these: who has lost a right has lost it now', () => {
    expect(written(config('source: cluster\nnamespaces: [other]', 'U0ALICE'))).toEqual(['U0ALICE']);
    expect(file.current.namespaces).toEqual(['deploy']);
    expect(said[0]).toContain('other namespaces count from the next start on');
    expect(reloads).toEqual([true]);
  });

  it('with another source, or a mistake, is not taken', () => {
    expect(written(config('source: file', 'U0ALICE'))).toEqual(['U0ALICE', 'U0BOB']);
    expect(written('rules: 1')).toEqual(['U0ALICE', 'U0BOB']);
    expect(reloads).toEqual([false, false]);
  });
});
