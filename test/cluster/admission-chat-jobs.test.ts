import { describe, expect, test } from 'vitest';
import { JOBS, type KubeObject } from '../../src/kube/client.ts';
import { ABORTED_BY, APPROVED_BY, annotate, foreignJob, outcome, SAYS, USERS, type User } from './admission.ts';
import { BOB, BOT, openChatAdmission } from './admission-chat.ts';

/** The policy capdeployjob-chat-bot on a real API server: other people's Jobs in a namespace of deploys. */
const { world, web, the } = openChatAdmission();
const { dora, root } = USERS;

const approve = (name: string) => annotate({ [APPROVED_BY]: name });
const abort = (name: string) => annotate({ [ABORTED_BY]: name });
const patch = async (user: User, { metadata }: KubeObject, body: unknown) =>
  outcome(await world.as(the(user)).patch(JOBS, metadata.name, body));
const remove = async (user: User, { metadata }: KubeObject) =>
  outcome(await world.as(the(user)).delete(JOBS, metadata.name));

describe.concurrent('Jobs that are no deploys', () => {
  const OURS = { 'app.kubernetes.io/managed-by': 'capdeployjob' };
  const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap' };
  const ownedBy = ({ apiVersion, kind, metadata: { name, uid } }: KubeObject, over: object = {}) => [
    { apiVersion, kind, name, uid, controller: true, ...over },
  ];
  /** With the label only the operator makes one; without it, anybody. */
  async function made(labels: Record<string, string>, ownerReferences: object[]): Promise<KubeObject> {
    const { metadata, ...rest } = foreignJob(world, labels);
    const answer = await world.as(world.operator).create(JOBS, { ...rest, metadata: { ...metadata, ownerReferences } });
    expect(outcome(answer)).toBe('allowed');
    return answer.body;
  }
  /** One that is there: the garbage collector deletes what belongs to nothing. */
  async function anotherOwner(): Promise<KubeObject> {
    const metadata = { name: `owner-${crypto.randomUUID().slice(0, 8)}` };
    const answer = await world.as(root).create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    return { ...answer.body, apiVersion: 'v1', kind: 'ConfigMap' };
  }
  const ours = () => web() as unknown as KubeObject;

  test.each<[string, Record<string, string>, () => object[] | Promise<object[]>]>([
    ['neither label nor owner', {}, () => []],
    ['a label of somebody else', { 'app.kubernetes.io/managed-by': 'helm' }, () => ownedBy(ours())],
    ['the label only', OURS, () => []],
    ['a CapDeployJob as an owner that is no controller', OURS, () => ownedBy(ours(), { controller: false })],
    ['a controller of another kind', OURS, async () => ownedBy(await anotherOwner())],
    ['a controller of another group', OURS, () => ownedBy(ours(), { apiVersion: 'evil.example/v1' })],
  ])('are neither changed nor deleted by the bot: %s', async (_, labels, ownerReferences) => {
    const job = await made(labels, await ownerReferences());
    expect(await patch(BOT, job, abort(BOB))).toBe(SAYS.notADeploy(job));
    for (const body of [approve(BOB), { spec: { suspend: false } }, { metadata: { labels: { ...OURS, a: 'b' } } }]) {
      expect(await patch(BOT, job, body)).toMatch(
        /^(the chat bot changes|only the operator|"[^"]*" may (not approve|patch Jobs))/,
      );
    }
    // With the label capdeployjob-aborts refuses it, too, and either may speak.
    expect(await remove(BOT, job)).toMatch(labels === OURS ? /^the chat bot/ : /^the chat bot changes/);
    const { uid, deletionTimestamp, annotations } = (await world.as(root).get(JOBS, job.metadata.name)).body.metadata;
    expect({ uid, deletionTimestamp }).toEqual({ uid: job.metadata.uid, deletionTimestamp: undefined });
    expect(Object.keys(annotations ?? {})).not.toContain(ABORTED_BY);
  });

  test('are changed and deleted by others as before', async () => {
    const job = await made({}, []);
    expect(await patch(root, job, { metadata: { labels: { team: 'a' } } })).toBe('allowed');
    expect(await patch(dora, job, annotate({ note: 'seen' }))).toBe('allowed');
    expect(await remove(dora, job)).toBe('allowed');
  });
});
