import type { HttpServer } from 'in-memory-kubernetes/http/http-server.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startChatBotApi } from '../../../dev/chat-bot-api.ts';
import { abort } from '../../../src/actions/abort.ts';
import { approve, withdrawApproval } from '../../../src/actions/approve.ts';
import { freeze, unfreeze } from '../../../src/actions/freeze.ts';
import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { ANNOTATION, CAPDEPLOYJOBS, FREEZE_PREFIX } from '../../../src/api/names.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { JOBS, type KubeClient, PODS, type ResourceType } from '../../../src/kube/client.ts';
import { HttpKubeClient } from '../../../src/kube/http/http-client.ts';
import { SelfCheck } from '../../../src/slack-bot/self-check.ts';
import { anonymous } from '../../kit/api-server.ts';
import { Rig } from '../operator/controller/rig.ts';

const ALICE = 'slack:T0TEAM/U0ALICE';
const BOB = 'slack:T0TEAM/U0BOB';
const WEB = { namespace: 'deploy', name: 'web' };

let rig: Rig;
let server: HttpServer;
let bot: HttpKubeClient;
beforeEach(async () => {
  rig = new Rig();
  server = await startChatBotApi(rig.store);
  bot = new HttpKubeClient({ config: anonymous(server.url) });
});
afterEach(async () => {
  await bot.close();
  await server.stop();
});

/** A Job that waits, asked for by ALICE. */
function waiting() {
  const { metadata } = rig.job({ annotations: { [ANNOTATION.requestedBy]: `${ALICE} (alice)` } });
  return { namespace: 'deploy', job: metadata.name, uid: metadata.uid };
}
const annotations = (job: string) => rig.store.find(JOBS, 'deploy', job)?.metadata.annotations ?? {};
const patch = (client: KubeClient, type: ResourceType, name: string, uid: string, body: Record<string, unknown>) =>
  client.patch(type, 'deploy', name, { uid, anyVersion: true }, body);

describe('the chat bot, on the in-memory Kubernetes', () => {
  it('freezes, thaws, approves and aborts for people', async () => {
    await freeze(bot, `${BOB} (bob)`, WEB, 'production', 'incident 42');
    expect(await unfreeze(bot, WEB, 'production')).toBe(`${BOB} (bob): incident 42`);
    const deploy = waiting();
    await approve(bot, BOB, deploy);
    expect(annotations(deploy.job)[ANNOTATION.approvedBy]).toBe(BOB);
    await withdrawApproval(bot, deploy);
    await abort(bot, ALICE, deploy, 'waiting');
    expect(rig.store.find(JOBS, 'deploy', deploy.job)).toBeUndefined();
  });

  it.each<[string, string, RegExp]>([
    ['by the one who asked', ALICE, /whoever asked/],
    ['by him in another team', 'slack:T0OTHER/U0ALICE', /whoever asked/],
    ['in no name of Slack', 'bob', /approves for people only/],
  ])('is refused an approval %s', async (_, by, words) => {
    const deploy = waiting();
    await expect(approve(bot, by, deploy)).rejects.toThrow(words);
    expect(annotations(deploy.job)).not.toHaveProperty([ANNOTATION.approvedBy]);
  });

  it.each<[string, ResourceType, object]>([
    ['the spec of a CapDeployJob', CAPDEPLOYJOBS, { spec: { suspend: true } }],
    ['a label of it', CAPDEPLOYJOBS, { metadata: { labels: { a: 'b' } } }],
    [
      'a freeze in its own name',
      CAPDEPLOYJOBS,
      { metadata: { annotations: { [`${FREEZE_PREFIX}production`]: 'x: y' } } },
    ],
    ['the start of a Job', JOBS, { spec: { suspend: false } }],
    ['its request', JOBS, { metadata: { annotations: { [ANNOTATION.requestedBy]: BOB } } }],
    [
      'two names at once',
      JOBS,
      { metadata: { annotations: { [ANNOTATION.abortedBy]: BOB, [ANNOTATION.approvedBy]: BOB } } },
    ],
  ])('is refused a change of %s', async (_, type, body) => {
    const { job, uid } = waiting();
    const [name, ofUid] = type === JOBS ? [job, uid] : ['web', rig.resource.metadata.uid ?? ''];
    await expect(patch(bot, type, name, ofUid ?? '', body as Record<string, unknown>)).rejects.toMatchObject({
      kind: 'forbidden',
    });
  });

  it('aborts nothing that has ended', async () => {
    const { metadata } = rig.job({ started: -30, finished: 'Complete', finishedAt: -5 });
    const deploy = { namespace: 'deploy', job: metadata.name, uid: metadata.uid ?? '' };
    await expect(abort(bot, BOB, deploy, 'running')).rejects.toThrow('has ended already');
    expect(annotations(deploy.job)).not.toHaveProperty([ANNOTATION.abortedBy]);
  });

  it('is refused the delete of a Job without a name, or with that of somebody else', async () => {
    const { job, uid } = waiting();
    const remove = async () => {
      const resourceVersion = rig.store.find(JOBS, 'deploy', job)?.metadata.resourceVersion ?? '';
      await bot.delete(JOBS, 'deploy', job, { uid: uid ?? '', resourceVersion });
    };
    await expect(remove()).rejects.toThrow('before it deletes a Job');
    await patch(rig.client, JOBS, job, uid ?? '', { metadata: { annotations: { [ANNOTATION.abortedBy]: 'dora' } } });
    await expect(remove()).rejects.toThrow('"dora" is on this Job');
  });

  it('reads CapDeployJobs, and nothing else', async () => {
    expect((await bot.list(CAPDEPLOYJOBS)).items).toHaveLength(1);
    for (const type of [JOBS, PODS]) await expect(bot.list(type)).rejects.toMatchObject({ kind: 'forbidden' });
  });

  it('finds all its powers on', async () => {
    const deploy = waiting();
    const waits = { name: 'production', waiting: [deploy] };
    const resource = { ...rig.resource, status: { environments: [waits] } } as unknown as CapDeployJob;
    const resources = () => [resource];
    const check = new SelfCheck({ client: bot, resources, clock: systemClock, log: silentLog });
    await check.checkAll();
    expect(check.powers(resource)).toEqual({ freeze: true, abort: true, approve: true });
    expect(Object.keys(annotations(deploy.job))).not.toContain(ANNOTATION.approvedBy);
  });
});
