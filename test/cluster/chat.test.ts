import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import type { KubeClient } from '../../src/kube/client.ts';
import { readOwnRights } from '../../src/slack-bot/own-rights.ts';
import {
  abortByClick,
  approveByClick,
  freezeHolds,
  lineBecomesDeploy,
  retryByClick,
  rollBackByClick,
} from '../behaviour/chat-scenes.ts';
import { type Chat, startChat, WEB } from '../behaviour/chat-world.ts';
import { clusterIn } from '../behaviour/real-world.ts';
import { inhabit, served, specIsSeen, type World } from '../behaviour/world.ts';
import { AdminClient } from '../kit/admin-client.ts';
import { eventually } from '../kit/eventually.ts';
import { type AdmissionWorld, admissionWorldWithPeople, USERS } from './admission.ts';
import { fromRoot, IS_OURS } from './cluster.ts';

/**
 * Chat on a real API server. The bot has a token of its ServiceAccount, the roles of deploy/chat as examples/chat binds
 * them, and is held by the policies of deploy/admission. The operator has its own rights there; its kubelet is played.
 * What the bot asked for is compared with its roles when all tests have ended (run.ts).
 */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let admission: AdmissionWorld;
let world: World;
let chat: Chat;
const ends = new AsyncDisposableStack();

beforeAll(async () => {
  admission = await admissionWorldWithPeople({ chat: true, asInExamples: IS_OURS });
  ends.defer(() => admission.stop());
  const { namespace, operator } = admission;
  const asOperator = { kube: admission.client(operator), close: async () => {} };
  world = await inhabit(await clusterIn(new AdminClient(namespace), namespace, () => asOperator));
  ends.defer(() => world.stop());
  await bindAsInExamples();
  const kube = await admission.clientWithToken(admission.chatBot);
  await rolesCount(kube);
  const { queue } = await served(world, WEB);
  await specIsSeen(world);
  chat = ends.use(await startChat({ kube, namespace, queueOrigin: new URL(queue).origin }));
});
afterAll(async () => {
  await ends.disposeAsync();
});

/** examples/chat/role-bindings.yaml, for the names of this world. */
async function bindAsInExamples(): Promise<void> {
  const [, , namespace, name] = admission.chatBot.name.split(':');
  const bindings = parseAllDocuments(readFileSync(fromRoot('examples/chat/role-bindings.yaml'), 'utf8'))
    .map((document) => document.toJS())
    .map(({ metadata, roleRef, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, namespace: admission.namespace },
      roleRef: { ...roleRef, name: admission.nameOf('ClusterRole', roleRef.name) },
      subjects: [{ kind: 'ServiceAccount', namespace, name }],
    }));
  const all = bindings.map((binding) => stringify(binding)).join('---\n');
  await admission.shell(USERS.root, 'echo "$BINDINGS" | kubectl apply -f -', { BINDINGS: all });
}

/** The API server takes a moment to hear of a new binding, and the bot asks for its rights at its start. */
async function rolesCount(kube: KubeClient): Promise<void> {
  const last = [
    { verb: 'list', group: 'capdeployjob.dev', resource: 'capdeployjobs' },
    { verb: 'delete', group: 'batch', resource: 'jobs' },
    { verb: 'approve', group: 'capdeployjob.dev', resource: 'capdeployjobs' },
  ];
  await eventually('the roles count', async () => {
    const rights = await readOwnRights(kube, admission.namespace);
    return last.every((ask) => rights.may(ask) === 'yes');
  });
}

test.each([
  ['a line with pasted no-break spaces becomes the deploy that its author sees', lineBecomesDeploy],
  ['a freeze holds a deploy, which says so in the queue, until it is thawed', freezeHolds],
  ['a deploy that runs is aborted by a click in the queue', abortByClick],
  ['a deploy that failed is retried by a click', retryByClick],
  ['a deploy is rolled back by a click', rollBackByClick],
  ['a deploy is approved by a click of another person than the one who asked', approveByClick],
])('%s', async (_, scene) => {
  await scene(world, chat);
  expect(chat.slack.world.violations).toEqual([]);
});
