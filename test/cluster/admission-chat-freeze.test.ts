import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { ALLOW_DELETE, annotate, FREEZE, outcome, resource, USERS, type User } from './admission.ts';
import { BOB, BOT, openChatAdmission } from './admission-chat.ts';

/** The policy capdeployjob-freeze on a real API server that knows the chat bot. */
const { world, the } = openChatAdmission();
const { dora, root } = USERS;
const bot = () => world.chatBot;

describe.concurrent('a freeze', () => {
  const key = FREEZE;
  const ofPeople = `the value of ${key} must name the person for whom the chat bot freezes, and why: "slack:<team>/<user>: <why>" or "slack:<team>/<user> (<name>): <why>", by Slack ids`;
  const onlyTheBot = `the value of ${key} may begin with "slack:" only if the chat bot writes it, for a person who asks in Slack`;
  const onlyFreeze = () =>
    `"${bot().name}" may patch CapDeployJobs but not update them, and so may change nothing but the annotations freeze.capdeployjob.dev/<environment>`;
  const ownWords = (user: User) =>
    `the value of ${key} must be your own user name and why: "${user.name}: <why>"; to freeze from git, set suspend: true on the environment`;
  const incident = { [FREEZE]: `${BOB}: incident 42` };

  const cases: [string, User, Record<string, string>, object, string | (() => string)][] = [
    ['by the bot, for a person', BOT, {}, annotate(incident), 'allowed'],
    [
      'by the bot, with the name of the person',
      BOT,
      {},
      annotate({ [FREEZE]: `${BOB} (Bob B. ボブ): why (42)` }),
      'allowed',
    ],
    ['by the bot, of an organization', BOT, {}, annotate({ [FREEZE]: 'slack:E0ORG/W0BOB: x' }), 'allowed'],
    ['that the bot thaws', BOT, incident, annotate({ [FREEZE]: null }), 'allowed'],
    ['of an administrator that the bot thaws', BOT, { [FREEZE]: 'root: x' }, annotate({ [FREEZE]: null }), 'allowed'],
    ['of the bot that a deployer thaws', dora, incident, annotate({ [FREEZE]: null }), 'allowed'],
    ['of the bot that a deployer takes over', dora, incident, annotate({ [FREEZE]: 'dora: x' }), 'allowed'],
    ['of the bot that an administrator keeps', root, incident, { spec: { maxWaiting: 3 } }, 'allowed'],
    ...[
      '',
      'bob: x',
      `${BOB}`,
      `${BOB}:`,
      `${BOB}: `,
      `${BOB}: \u3000`,
      `${BOB}:x`,
      `${BOB} : x`,
      `${BOB} x: x`,
      `${BOB} (): x`,
      `${BOB} (a) (b): x`,
      `${BOB} (a: x`,
      'slack:T0TEAM/u0bob: x',
      ' slack:T0TEAM/U0BOB: x',
      'slack:T0TEAM/U0BOB/U0ALICE: x',
    ].map((value): [string, User, Record<string, string>, object, string] => [
      `by the bot as ${JSON.stringify(value)}`,
      BOT,
      {},
      annotate({ [FREEZE]: value }),
      ofPeople,
    ]),
    ['by a deployer in the name of Slack', dora, {}, annotate(incident), onlyTheBot],
    ['by an administrator in the name of Slack', root, {}, annotate(incident), onlyTheBot],
    ['by a deployer in the name of nobody', dora, {}, annotate({ [FREEZE]: 'slack: x' }), onlyTheBot],
    ['by a deployer in the name of another one', dora, {}, annotate({ [FREEZE]: 'root: x' }), ownWords(dora)],
    ['and a change of the spec, by the bot', BOT, {}, annotate(incident, { spec: { maxWaiting: 3 } }), onlyFreeze],
    ['and a label, by the bot', BOT, {}, { metadata: { annotations: incident, labels: { a: 'b' } } }, onlyFreeze],
    ['and another annotation, by the bot', BOT, {}, annotate({ ...incident, note: 'x' }), onlyFreeze],
    ['and the leave to delete, by the bot', BOT, {}, annotate({ ...incident, [ALLOW_DELETE]: 'true' }), onlyFreeze],
    ['that is none: suspend, by the bot', BOT, {}, { spec: { suspend: true } }, onlyFreeze],
  ];
  test.each(cases)('%s', async (_, user, before, body, expected) => {
    const { metadata } = await resource(world, before);
    const said = outcome(await world.as(the(user)).patch(CAPDEPLOYJOBS, metadata.name, body));
    expect(said).toBe(typeof expected === 'function' ? expected() : expected);
  });

  test('in the name of the bot itself is refused', async () => {
    const { metadata } = await resource(world);
    const body = annotate({ [FREEZE]: `${bot().name}: x` });
    expect(outcome(await world.as(bot()).patch(CAPDEPLOYJOBS, metadata.name, body))).toBe(ofPeople);
  });
});
