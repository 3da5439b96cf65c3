import { expect, it } from 'vitest';
import { parseBotConfig } from '../../../src/slack-bot/config.ts';
import { targetsOfCluster, targetsOfFile } from '../../../src/slack-bot/targets.ts';
import { aResource, stamp } from '../../kit/builders.ts';
import { aWeb, CONFIG, FILE_CONFIG } from './fake-bot.ts';

const config = parseBotConfig(CONFIG, 'bot.yaml');
const named = (name: string, namespace = 'deploy', spec: Record<string, unknown> = {}) =>
  aWeb(undefined, { metadata: { name, namespace }, spec });

it('a CapDeployJob is a target, with its environments, what protects them and what asks for them once more', () => {
  const environments = [{ name: 'production' }, { name: 'staging' }, { name: 'canary', requireApproval: true }];
  const resource = named('web', 'deploy', { environments, tasks: ['deploy', 'puma:restart'] });
  expect(targetsOfCluster([resource], config)).toEqual([
    {
      name: 'deploy/web',
      repositories: ['livesense/web'],
      tasks: ['deploy', 'puma:restart'],
      environments: [
        { name: 'production', isProtected: true, needsConfirmation: true },
        { name: 'staging', isProtected: false, needsConfirmation: false },
        { name: 'canary', isProtected: true, needsConfirmation: false },
      ],
      resource,
    },
  ]);
});

it('targets are sorted by name; one without repositories is called by its own', () => {
  const targets = targetsOfCluster([named('web'), named('api'), named('web', 'a')], config);
  expect(targets.map(({ name }) => name)).toEqual(['a/web', 'deploy/api', 'deploy/web']);
  expect(targetsOfCluster([aResource()], config)[0]?.repositories).toEqual(['web']);
});

it('a resource that is being deleted, whose spec is invalid, or of another namespace is none', () => {
  expect(targetsOfCluster([aWeb(undefined, { metadata: { deletionTimestamp: stamp(0) } })], config)).toEqual([]);
  expect(targetsOfCluster([named('web', 'deploy', { environments: [] })], config)).toEqual([]);
  const narrow = parseBotConfig(`${CONFIG}namespaces: [deploy]\n`, 'bot.yaml');
  const resources = [named('web'), named('web', 'attacker')];
  expect(targetsOfCluster(resources, narrow).map(({ name }) => name)).toEqual(['deploy/web']);
  expect(targetsOfCluster(resources, config)).toHaveLength(2);
});

it('an entry of the configuration is a target', () => {
  const fromFile = parseBotConfig(`${FILE_CONFIG}protected: [production]\nconfirm: [staging]\n`, 'bot.yaml');
  expect(targetsOfFile(fromFile)).toEqual([
    {
      name: 'deploy/web',
      repositories: ['livesense/web'],
      tasks: ['deploy'],
      environments: [
        { name: 'staging', isProtected: false, needsConfirmation: true },
        { name: 'production', isProtected: true, needsConfirmation: false },
      ],
      resource: undefined,
    },
  ]);
});
