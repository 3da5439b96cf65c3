import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS, SECRETS } from '../../src/kube/client.ts';
import {
  ABORTED_BY,
  APPROVED_BY,
  annotate,
  type Expected,
  FREEZE,
  outcome,
  SAYS,
  startedJob,
  USERS,
  type User,
  waitingJob,
  wordsOf,
} from './admission.ts';
import { ALICE, BOB, BOT, openChatAdmission } from './admission-chat.ts';
import { readYaml } from './manifests.ts';
import { CHAT_BOT_ROLES } from './rights.ts';

interface Role {
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

/**
 * What the chat bot's ServiceAccount may do to Jobs on a real API server, and what nobody else may do in its stead.
 * Freezes are in admission-chat-freeze.test.ts; what the bot does by its own program in admission-chat-actions.test.ts.
 */
const { world, web, the } = openChatAdmission();
const { dora, alan, amy, root } = USERS;

const approve = (name: string | null, more: object = {}) => annotate({ [APPROVED_BY]: name }, more);
const abort = (name: string | null, more: object = {}) => annotate({ [ABORTED_BY]: name }, more);
const patch = async (user: User, { metadata }: KubeObject, body: unknown) =>
  outcome(await world.as(the(user)).patch(JOBS, metadata.name, body));
const remove = async (user: User, { metadata }: KubeObject) =>
  outcome(await world.as(the(user)).delete(JOBS, metadata.name));
const bot = () => world.chatBot;

/** What is no Slack user, though it looks like one. */
const NO_SLACK_USERS = [
  '',
  'bob',
  'slack:',
  'slack:U0BOB',
  'slack:T0TEAM',
  'slack:T0TEAM/',
  'slack:/U0BOB',
  'slack:T0TEAM/u0bob',
  'slack:T0TEAM/C0BOB',
  'slack:U0TEAM/U0BOB',
  'slack:T0TEAM/U0BOB ',
  ' slack:T0TEAM/U0BOB',
  'slack:T0TEAM/U0BOB (bob)',
  'slack:T0TEAM/U0BOB/U0ALICE',
  'Slack:T0TEAM/U0BOB',
  `slack:T0TEAM/U${'0'.repeat(21)}`,
  'github:T0TEAM/U0BOB',
];

describe.concurrent('on a deploy that waits', () => {
  const cases: [string, User, object, Expected][] = [
    ['the bot approves for a person', BOT, approve(BOB), 'allowed'],
    ['the bot approves for a person of an Enterprise organization', BOT, approve('slack:E0ORG/W0BOB'), 'allowed'],
    ...NO_SLACK_USERS.map((name): [string, User, object, Expected] => [
      `the bot approves as ${JSON.stringify(name)}`,
      BOT,
      approve(name),
      SAYS.botForPeople(name),
    ]),
    ['the bot starts it in the same request', BOT, approve(BOB, { spec: { suspend: false } }), SAYS.nothingElse],
    [
      'the bot writes who aborts in the same request',
      BOT,
      annotate({ [APPROVED_BY]: BOB, [ABORTED_BY]: BOB }),
      SAYS.nothingElse,
    ],
    ['the bot starts it', BOT, { spec: { suspend: false } }, SAYS.suspend],
    ['the bot changes its deadline', BOT, { spec: { activeDeadlineSeconds: 1 } }, SAYS.spec],
    ['the bot writes a note', BOT, annotate({ note: 'seen' }), () => SAYS.patchOnly(bot())],
    ['the bot sets a label', BOT, { metadata: { labels: { team: 'a' } } }, () => SAYS.patchOnly(bot())],
    ['the bot sets a finalizer', BOT, { metadata: { finalizers: ['example.test/x'] } }, () => SAYS.patchOnly(bot())],
    [
      'the bot says that somebody else asked',
      BOT,
      annotate({ 'capdeployjob.dev/requested-by': ALICE }),
      SAYS.ours('capdeployjob.dev/requested-by'),
    ],
    [
      'the bot says that somebody else asked, and approves',
      BOT,
      annotate({ 'capdeployjob.dev/requested-by': ALICE, [APPROVED_BY]: BOB }),
      SAYS.nothingElse,
    ],
    ['the bot writes who aborts', BOT, abort(BOB), 'allowed'],
    ...NO_SLACK_USERS.map((name): [string, User, object, Expected] => [
      `the bot aborts as ${JSON.stringify(name)}`,
      BOT,
      abort(name),
      SAYS.botAbortsForPeople(name),
    ]),
    ['an approver writes the name of a Slack user', amy, approve(BOB), SAYS.onlyTheBot(amy, BOB)],
    ['an administrator approves as a Slack user', root, approve(BOB), SAYS.onlyTheBot(root, BOB)],
    ['a deployer aborts as a Slack user', dora, abort(BOB), SAYS.onlyTheBot(dora, BOB, ABORTED_BY)],
    ['an administrator aborts as a Slack user', root, abort(BOB), SAYS.onlyTheBot(root, BOB, ABORTED_BY)],
  ];
  test.each(cases)('%s', async (_, user, body, expected) => {
    const job = await waitingJob(world, web());
    expect(await patch(user, job, body)).toBe(wordsOf(expected, job, world.operator));
  });

  test('the bot does neither under its own name', async () => {
    const job = await waitingJob(world, web());
    const { name } = bot();
    expect(await patch(BOT, job, approve(name))).toBe(SAYS.botForPeople(name));
    expect(await patch(BOT, job, abort(name))).toBe(SAYS.botAbortsForPeople(name));
  });

  test('a name with a line break is no Slack user: a regular expression would overlook it at the end', async () => {
    const job = await waitingJob(world, web());
    // A message with a line break is not shown: only that it is refused can be seen.
    expect(await patch(BOT, job, approve(`${BOB}\n`))).not.toBe('allowed');
    expect(await patch(BOT, job, approve(`x\n${BOB}`))).not.toBe('allowed');
    expect(await patch(BOT, job, abort(`${BOB}\n`))).not.toBe('allowed');
  });

  test('an approval is withdrawn by the bot, or by a person', async () => {
    for (const user of [BOT, amy]) {
      const job = await waitingJob(world, web());
      expect(await patch(BOT, job, approve(BOB))).toBe('allowed');
      expect(await patch(user, job, approve(null))).toBe('allowed');
    }
  });

  test('the bot approves deploys of the one CapDeployJob alone', async () => {
    const job = await waitingJob(world);
    expect(await patch(BOT, job, approve(BOB))).toBe(SAYS.noRight(bot(), job));
  });
});

describe.concurrent('four eyes', () => {
  const refused = (asked: string, by: string) => SAYS.fourEyes(asked, by);
  /** Who asked, and who approves. */
  const cases: [string, string, string, 'allowed' | 'refused'][] = [
    ['the one who asked', ALICE, ALICE, 'refused'],
    ['whose name stands behind the id', `${ALICE} (alice)`, ALICE, 'refused'],
    ['in another team, as in an Enterprise organization', ALICE, 'slack:T0OTHER/U0ALICE', 'refused'],
    ['in the organization', `${ALICE} (alice)`, 'slack:E0ORG/U0ALICE', 'refused'],
    ['who asked in the organization', 'slack:E0ORG/U0ALICE', ALICE, 'refused'],
    ['another one', ALICE, BOB, 'allowed'],
    ['whose id begins as that of the one who asked', ALICE, 'slack:T0TEAM/U0ALICE2', 'allowed'],
    ['with whose id that of the one who asked begins', 'slack:T0TEAM/U0ALICE2', ALICE, 'allowed'],
    ['whose id is the name that the one who asked goes by', 'slack:T0TEAM/U0BOB (x/U0ALICE)', ALICE, 'allowed'],
    ['if nobody of Slack asked', 'alice', ALICE, 'allowed'],
  ];
  test.each(cases)('%s', async (_, requestedBy, by, expected) => {
    const job = await waitingJob(world, web(), { requestedBy });
    const said = await patch(BOT, job, approve(by));
    expect(said).toBe(expected === 'allowed' ? 'allowed' : refused(requestedBy, by));
  });

  test('do not hinder anybody from aborting what he has asked for', async () => {
    const job = await waitingJob(world, web(), { requestedBy: ALICE });
    expect(await patch(BOT, job, abort(ALICE))).toBe('allowed');
    expect(await remove(BOT, job)).toBe('allowed');
  });

  test('cannot be got round by a second request to the same Job', async () => {
    const job = await waitingJob(world, web(), { requestedBy: ALICE });
    expect(await patch(BOT, job, approve(BOB))).toBe('allowed');
    expect(await patch(BOT, job, approve(ALICE))).toBe(refused(ALICE, ALICE));
  });
});

describe.concurrent('the delete of an abort', () => {
  test('the bot deletes no Job without the name of a person', async () => {
    const job = await startedJob(world, web());
    expect(await remove(BOT, job)).toBe(SAYS.botNamesFirst);
    expect(await patch(BOT, job, abort(BOB))).toBe('allowed');
    expect(await remove(BOT, job)).toBe('allowed');
  });

  test('the bot deletes no Job with the name of somebody else on it', async () => {
    const job = await startedJob(world, web());
    expect(await patch(dora, job, abort('dora'))).toBe('allowed');
    expect(await remove(BOT, job)).toBe(SAYS.anothersAbort(bot(), 'dora', job));
  });

  test('nobody else deletes a Job on which the bot has written, not even if he is called so', async () => {
    const job = await startedJob(world, web());
    expect(await patch(BOT, job, abort(BOB))).toBe('allowed');
    for (const user of [dora, root, { ...root, name: BOB }]) {
      expect(await remove(user, job)).toBe(SAYS.anothersAbort(user, BOB, job));
    }
  });

  test('the bot does not delete all of them', async () => {
    expect(outcome(await world.as(bot()).deleteAll(JOBS))).toBe('refused by RBAC');
  });
});

test('the bot may do nothing of this in another namespace, and read neither Jobs, Pods nor Secrets', async () => {
  const elsewhere = world.as(bot(), 'default');
  const job = await waitingJob(world, web());
  const answers = [
    elsewhere.list(CAPDEPLOYJOBS),
    elsewhere.patch(CAPDEPLOYJOBS, 'web', annotate({ [FREEZE]: `${BOB}: x` })),
    elsewhere.patch(JOBS, 'web', approve(BOB)),
    elsewhere.delete(JOBS, 'web'),
    world.as(bot()).get(JOBS, job.metadata.name),
    world.as(bot()).list(JOBS),
    world.as(bot()).list(PODS),
    world.as(bot()).list(SECRETS),
    world.as(bot()).replace(CAPDEPLOYJOBS, web() as unknown as KubeObject),
    world.as(bot()).patchStatus(CAPDEPLOYJOBS, web().metadata.name, { status: {} }),
    world.as(bot()).create(JOBS, job),
  ];
  for (const answer of answers) expect(outcome(await answer)).toBe('refused by RBAC');
  expect((await world.as(bot()).list(CAPDEPLOYJOBS)).status).toBe(200);
});

describe('a user who is called as a Slack user is', () => {
  const namesake: User = { ...root, name: BOB };

  test('approves, aborts and freezes nothing: he would pass for one whom the bot vouches for', async () => {
    const job = await waitingJob(world, web());
    expect(await patch(namesake, job, approve(BOB))).toBe(SAYS.onlyTheBot(namesake, BOB));
    expect(await patch(namesake, job, abort(BOB))).toBe(SAYS.onlyTheBot(namesake, BOB, ABORTED_BY));
    const answer = await world
      .as(namesake)
      .patch(CAPDEPLOYJOBS, web().metadata.name, annotate({ [FREEZE]: `${BOB}: x` }));
    expect(outcome(answer)).toContain('only if the chat bot writes it');
  });
});

test('people still approve under their own names', async () => {
  const job = await waitingJob(world, web());
  expect(await patch(alan, job, approve('alan'))).toBe('allowed');
});

test('the bot has the rights of the files, and of all else no more than everybody', async () => {
  const list = `kubectl auth can-i --list --no-headers -n ${world.namespace}`;
  const shown = (await world.shell(world.chatBot, list))
    .split('\n')
    // resource.group  []  [resourceNames]  [verbs]; a path has no resource before its brackets.
    .map((line) => /^(\S+) +\[\] +\[(.*)\] +\[(.*)\]$/.exec(line))
    .flatMap((match) => match?.[3]?.split(' ').map((verb) => `${verb} ${match[1]} ${match[2]}`.trim()) ?? [])
    .filter((right) => !/ self\w+\.auth(entication|orization)\.k8s\.io$/.test(right));
  const name = web().metadata.name;
  const ofAll = CHAT_BOT_ROLES.filter((file) => !file.includes('approve'));
  const expected = ofAll.flatMap((file) =>
    readYaml<Role>(file).rules.flatMap(({ apiGroups, resources, verbs }) =>
      verbs.map((verb) => `${verb} ${resources[0]}.${apiGroups[0]}`),
    ),
  );
  // What openChatAdmission gives it in place of the third role.
  expect(shown.sort()).toEqual([...expected, `approve capdeployjobs.capdeployjob.dev ${name}`].sort());
});
