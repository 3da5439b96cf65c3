import { expect, it } from 'vitest';
import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { ClusterTargets } from '../../../src/slack-bot/cluster-targets.ts';
import { parseBotConfig } from '../../../src/slack-bot/config.ts';
import { FileTargets } from '../../../src/slack-bot/file-targets.ts';
import { OpenQueues } from '../../../src/slack-bot/queues.ts';
import type { QueueSettings } from '../../../src/sqs/queue.ts';
import { eventually } from '../../kit/eventually.ts';
import { Rig } from '../operator/controller/rig.ts';
import { CONFIG, FILE_CONFIG } from './fake-bot.ts';

const settings = (target: string, name = target, more: Partial<QueueSettings> = {}): QueueSettings => ({
  url: `https://sqs.ap-northeast-1.amazonaws.com/123456789012/${name}`,
  region: 'ap-northeast-1',
  roleArn: undefined,
  externalId: target,
  ...more,
});

/** Queues that note what is opened and closed. */
function play() {
  const noted: string[] = [];
  let answer = Promise.resolve({ messageId: 'm' });
  const queues = new OpenQueues(({ url }) => {
    const name = url.split('/').at(-1) ?? '';
    noted.push(`open ${name}`);
    return { send: () => answer, close: () => void noted.push(`close ${name}`) };
  });
  const answerWith = (next: typeof answer) => {
    answer = next;
  };
  return { queues, noted, answerWith };
}

it('a queue stays open for the next send', () => {
  const { queues, noted } = play();
  expect(queues.get(settings('a'))).toBe(queues.get(settings('a')));
  expect(noted).toEqual(['open a']);
});

it('two targets have a queue each, even if it is the same one: their roles are told another external id', () => {
  const { queues, noted } = play();
  queues.get(settings('a', 'q'));
  queues.get(settings('b', 'q'));
  expect(noted).toEqual(['open q', 'open q']);
});

it.each<[string, QueueSettings, string]>([
  ['queue', settings('a', 'other'), 'other'],
  ['role', settings('a', 'a', { roleArn: 'arn:aws:iam::123456789012:role/x' }), 'a'],
  ['region', settings('a', 'a', { region: 'us-east-1' }), 'a'],
])('a target that has another %s leaves no queue open', (_, changed, name) => {
  const { queues, noted } = play();
  queues.get(settings('a'));
  queues.get(changed);
  expect(noted).toEqual(['open a', 'close a', `open ${name}`]);
});

it('the queue of a target that is gone is closed, and opened anew if it comes back', () => {
  const { queues, noted } = play();
  queues.get(settings('a'));
  queues.get(settings('b'));
  queues.keep(new Set(['b', 'c']));
  queues.get(settings('a'));
  queues.close();
  expect(noted).toEqual(['open a', 'open b', 'close a', 'open a', 'close b', 'close a']);
});

it('is closed only after what is being sent', async () => {
  const { queues, noted, answerWith } = play();
  const { promise, resolve } = Promise.withResolvers<{ messageId: string }>();
  answerWith(promise);
  const sent = queues.get(settings('a')).send('x');
  queues.keep(new Set());
  expect(noted).toEqual(['open a']);
  resolve({ messageId: 'm-1' });
  expect(await sent).toEqual({ messageId: 'm-1' });
  expect(noted).toEqual(['open a', 'close a']);
});

const RULES = { allowedOrigins: new Set<string>(), allowRules: [], defaultRegion: 'ap-northeast-1' };

it('a target that the configuration names no more leaves no queue open', () => {
  const { queues, noted } = play();
  let text = FILE_CONFIG;
  let config = parseBotConfig(text, 'x');
  const targets = new FileTargets({ config: () => config, rules: RULES, queues });
  const [web] = targets.all();
  targets.destination(web!);
  text = text.replace('name: deploy/web', 'name: deploy/other');
  config = parseBotConfig(text, 'x');
  expect(targets.all()).toHaveLength(1);
  expect(noted).toEqual(['open web-deploy', 'close web-deploy']);
});

it('a CapDeployJob that is deleted leaves no queue open', async () => {
  const { queues, noted } = play();
  const { store, client: kube } = new Rig();
  const config = parseBotConfig(CONFIG, 'x');
  const common = { config: () => config, rules: RULES, queues, clock: systemClock, log: silentLog };
  const targets = new ClusterTargets({ ...common, kube, namespaces: undefined });
  const there = await kube.get<CapDeployJob & KubeObject>(CAPDEPLOYJOBS, 'deploy', 'web');
  await kube.replaceStatus(CAPDEPLOYJOBS, { ...there, status: { observedGeneration: there.metadata.generation } });
  targets.start();
  const [web] = await eventually('it is listed', async () => targets.hasSynced() && targets.all());
  targets.destination(web!);
  expect(noted).toEqual([expect.stringMatching(/^open /)]);
  store.delete(CAPDEPLOYJOBS, 'deploy', 'web');
  await eventually('it is gone', async () => targets.all().length === 0);
  expect(noted).toEqual([expect.stringMatching(/^open /), expect.stringMatching(/^close /)]);
  await targets.stop();
});
