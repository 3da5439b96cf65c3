import { beforeEach, describe, expect, test } from 'vitest';
import { UNKNOWN } from '../../../src/chat/authorise.ts';
import { DEPLOY_BUTTONS } from '../../../src/chat/buttons.ts';
import { VERBS, type Verb } from '../../../src/chat/command-line.ts';
import { DECISION_VIEW } from '../../../src/chat/decision-view.ts';
import { choicesOf, choiceValue, FORM_VIEWS } from '../../../src/chat/form.ts';
import { needsNoRule } from '../../../src/chat/rules.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { Action, Envelope, Listeners, Place, ViewState } from '../../../src/slack/listeners.ts';
import { apologise, listenersOf } from '../../../src/slack-bot/listeners.ts';
import { NOW } from '../../kit/builders.ts';
import { ALICE, aWeb, CONFIG, FakeBot, TEAM } from './fake-bot.ts';
import { BUSY } from './read/a-busy-web.ts';

/**
 * Every way into the bot, walked by everybody who may not: nothing is sent, nothing is written, nothing is told of what
 * there is. A listener without a case here fails.
 */

const GROUPIE = 'U0GROUPIE';
const NOBODY = 'U0NOBODY';

interface Who {
  readonly user: string;
  readonly channel?: string;
  /** In another channel the person has rights, and a shortcut may offer that one. */
  readonly hasRightsElsewhere?: true;
  readonly prepare?: (fake: FakeBot) => void;
}

/** Alice may do everything to web in #prod; each of these differs from her in one thing. */
const REFUSED: Record<string, Who> = {
  'somebody whom no rule names': { user: NOBODY },
  'somebody in a channel that no rule names': { user: ALICE, channel: 'C0OTHER', hasRightsElsewhere: true },
  'a guest': { user: ALICE, prepare: ({ facts }) => void facts.people.set(ALICE, { isGuest: true }) },
  'somebody of another company': {
    user: ALICE,
    prepare: ({ facts }) => void facts.people.set(ALICE, { isStranger: true }),
  },
  'somebody of another team': {
    user: ALICE,
    prepare: ({ facts }) => void facts.people.set(ALICE, { isOfTeam: false }),
  },
  'a deactivated account': { user: ALICE, prepare: ({ facts }) => void facts.people.set(ALICE, { isDeleted: true }) },
  'a bot': { user: ALICE, prepare: ({ facts }) => void facts.people.set(ALICE, { isBot: true }) },
  'somebody in a shared channel': {
    user: ALICE,
    hasRightsElsewhere: true,
    prepare: ({ facts }) => void facts.channels.set('C0PROD', { isShared: true }),
  },
  'somebody in an archived channel': {
    user: ALICE,
    hasRightsElsewhere: true,
    prepare: ({ facts }) => void facts.channels.set('C0PROD', { isArchived: true }),
  },
  'somebody in a channel in which the bot is not': {
    user: ALICE,
    hasRightsElsewhere: true,
    prepare: ({ facts }) => void facts.channels.set('C0PROD', { isUnseen: true }),
  },
  'somebody in a direct message': {
    user: ALICE,
    hasRightsElsewhere: true,
    prepare: ({ facts }) => void facts.channels.set('C0PROD', { isDirect: true }),
  },
  'somebody of whom Slack says nothing': { user: ALICE, prepare: ({ facts }) => void facts.failing.add('person') },
  'somebody in a channel of which Slack says nothing': {
    user: ALICE,
    prepare: ({ facts }) => void facts.failing.add('channel'),
  },
  'a member of a group of which Slack says nothing': {
    user: GROUPIE,
    prepare: ({ facts }) => {
      facts.members.set('S0RELEASE', [GROUPIE]);
      facts.failing.add('groups');
    },
  },
};

/** Of names, those that nobody says in the walk: a target, its repository, environments. */
const HIDDEN = aWeb(undefined, {
  metadata: { name: 'hidden' },
  spec: { repositories: ['acme/unheard'], environments: [{ name: 'canary' }] },
});

/** What nobody may learn who has no right: what runs, what waits, who asked, and the names of what there is. */
const TOLD_TO_NOBODY = /v1\.\d|v0\.9|fixes the basket|somebody who claims|U0BOB|staging|hidden|unheard|canary/;

const LINES: Record<Verb, string> = {
  deploy: 'deploy web production v9.9.9',
  retry: 'retry web production',
  rollback: 'rollback web production',
  abort: 'abort web production',
  approve: 'approve web production',
  freeze: 'freeze web production incident',
  unfreeze: 'unfreeze web production',
  status: 'status',
  queue: 'queue web',
  history: 'history web',
  whoami: 'whoami',
  help: 'help',
};

/** Else the limit would answer for the rules. */
const UNLIMITED = `${CONFIG}limits: { perUserPerMinute: 600 }\n`;

let fake: FakeBot;
let listeners: Listeners;
let writes: string[];

function begin({ prepare }: Pick<Who, 'prepare'>): void {
  writes = [];
  // Whatever is asked of the API server is a write here: the bot reads from its memory.
  const kube = new Proxy({} as KubeClient, {
    get: (_, verb) => () => {
      writes.push(String(verb));
      return Promise.reject(new KubeError('forbidden', { status: 403, reason: 'Forbidden', message: 'in the test' }));
    },
  });
  fake = new FakeBot({ config: UNLIMITED, resources: [aWeb(BUSY), HIDDEN], kube });
  prepare?.(fake);
  const isMember = async () => (fake.facts.failing.has('channel') ? UNKNOWN : true);
  listeners = listenersOf(fake.bot, { isMember });
}

const envelopeOf = (user: string): Envelope => ({ teamId: TEAM, enterpriseId: undefined, userId: user });

/** A form or question as it stands, filled in with everything. */
function viewOf(callbackId: string, channel: string): ViewState {
  const [choice] = choicesOf(fake.bot.targets.all());
  const repository = choice ? choiceValue(choice) : '';
  const chosen = { repository, environment: 'production', revision: 'v9.9.9' };
  const form = { language: 'en', channel, picksChannel: false, chosen, shown: '' };
  const decision = { kind: 'abort', target: 'deploy/web', environment: 'production', job: jobs().active, channel };
  const metadata = callbackId === DECISION_VIEW ? { ...decision, seen: 'x', language: 'en' } : form;
  const values = {
    repository: { 'form-repository': repository },
    environment: { 'form-environment': 'production' },
    revision: { 'form-revision': 'v9.9.9' },
  };
  return { id: 'V0', hash: '1', callbackId, privateMetadata: JSON.stringify(metadata), values };
}

function jobs() {
  const lane = fake.targets.resources[0]?.status?.environments?.[0];
  const ended = fake.targets.resources[0]?.status?.history?.[0];
  return { active: lane?.active?.[0]?.job ?? '', waiting: lane?.waiting?.[0]?.job ?? '', ended: ended?.job ?? '' };
}

/** Which deploy is meant, where a line does not decide without that. */
const lineOf = (verb: Verb) => (verb === 'abort' ? `${LINES.abort} ${jobs().active}` : LINES[verb]);

const inMessage = (channelId: string): Place => ({
  kind: 'message',
  channelId,
  messageTs: '1.000001',
  threadTs: undefined,
  isEphemeral: false,
});

/** Walks through all listeners as one person. @returns everything that came back, by where it was */
async function walk({ user, channel = 'C0PROD' }: Who): Promise<Map<string, string>> {
  const { voice } = fake;
  const heard = new Map<string, string>();
  const hear = async (where: string, work: () => Promise<unknown>) => {
    const before = [voice.whispers.length, voice.says.length, voice.opened.length, voice.updated.length] as const;
    const answer = await work();
    const all = [
      voice.whispers.slice(before[0]).map((each) => each.answer),
      voice.says.slice(before[1]),
      voice.opened.slice(before[2]),
      voice.updated.slice(before[3]),
      answer,
    ];
    heard.set(where, JSON.stringify(all));
  };
  const envelope = envelopeOf(user);
  let count = 0;
  const ts = () => `${NOW / 1000}.${String(100_000 + count++)}`;
  for (const verb of VERBS) {
    await hear(`mention ${verb}`, () =>
      listeners.mention({
        ...envelope,
        channelId: channel,
        ts: ts(),
        threadTs: undefined,
        text: lineOf(verb),
        isAddressed: true,
      }),
    );
    const command = {
      channelId: channel,
      command: '/deploy',
      text: lineOf(verb),
      responseUrl: 'https://hooks.slack.com/x',
    };
    await hear(`command ${verb}`, () => listeners.command({ ...envelope, ...command, triggerId: ts() }));
  }
  const empty = { channelId: channel, command: '/deploy', text: '', responseUrl: 'https://hooks.slack.com/x' };
  await hear('command alone', () => listeners.command({ ...envelope, ...empty, triggerId: ts() }));
  await hear('shortcut', () => listeners.shortcut({ ...envelope, callbackId: 'deploy', triggerId: ts() }));
  const act = (actionId: string, place: Place, value?: string) => {
    const action: Action = {
      ...envelope,
      actionId,
      blockId: 'b',
      value,
      triggerId: ts(),
      responseUrl: undefined,
      place,
    };
    const listener = Object.hasOwn(listeners.actions, actionId) ? listeners.actions[actionId] : undefined;
    return (listener ?? listeners.unknownAction)(action);
  };
  for (const button of DEPLOY_BUTTONS) {
    for (const job of Object.values(jobs())) {
      const value = JSON.stringify({ target: 'deploy/web', environment: 'production', job });
      await hear(`button ${button} ${job}`, () => act(button, inMessage(channel), value));
    }
  }
  for (const actionId of Object.keys(listeners.actions)) {
    const value = JSON.stringify({ repository: 'web', environment: 'production' });
    await hear(`action ${actionId} in a message`, () => act(actionId, inMessage(channel), value));
    for (const callbackId of Object.values(FORM_VIEWS)) {
      const place: Place = { kind: 'view', view: viewOf(callbackId, channel) };
      await hear(`action ${actionId} in ${callbackId}`, () => act(actionId, place, 'production'));
    }
  }
  for (const [actionId, { suggest }] of Object.entries(listeners.options)) {
    const place: Place = { kind: 'view', view: viewOf(FORM_VIEWS.form, channel) };
    await hear(`options ${actionId}`, () => suggest({ ...envelope, actionId, blockId: 'b', value: '', place }));
  }
  for (const [callbackId, { submit }] of Object.entries(listeners.views)) {
    await hear(`view ${callbackId}`, () => submit({ ...envelope, triggerId: ts(), view: viewOf(callbackId, channel) }));
  }
  return heard;
}

describe.each(Object.entries(REFUSED))('%s', (_, who) => {
  beforeEach(() => begin(who));

  test('sends nothing, writes nothing, and learns nothing, whatever he does', async () => {
    const heard = await walk(who);
    expect(fake.queues.tries).toBe(0);
    expect(writes).toEqual([]);
    expect(fake.voice.says).toEqual([]);
    for (const [where, told] of heard) {
      // A shortcut asks for the channel in the form; it offers those in which the person may deploy.
      if (where === 'shortcut' && who.hasRightsElsewhere) expect(told).not.toContain(who.channel ?? 'C0PROD');
      else expect(told, where).not.toMatch(TOLD_TO_NOBODY);
    }
    const done = fake.decisions.filter(({ outcome }) => outcome === 'done').map(({ verb }) => verb);
    expect(done.filter((verb) => !needsNoRule(verb))).toEqual([]);
  });

  test('is answered in words at each of them', async () => {
    for (const [where, told] of await walk(who)) {
      // A list of options has no words, and a change within a view is answered by the view.
      if (where.startsWith('options ') || (where.startsWith('action ') && !where.includes('message'))) continue;
      // Only a view has these.
      if (/^action form-.* in a message$/.test(where)) continue;
      expect(told, where).toMatch(/"text":|"errors":\{"/);
    }
  });
});

test('the walk does what it says: the same steps by Alice send and write', async () => {
  begin({});
  const heard = await walk({ user: ALICE });
  expect(fake.queues.tries).toBeGreaterThan(3);
  expect(new Set(writes)).toEqual(new Set(['get', 'patch']));
  expect([...heard.values()].filter((told) => TOLD_TO_NOBODY.test(told)).length).toBeGreaterThan(5);
});

test('every listener is walked through', () => {
  begin({});
  expect(Object.keys(listeners).sort()).toEqual(
    ['actions', 'command', 'mention', 'options', 'shortcut', 'unknownAction', 'views'].sort(),
  );
  // Another view needs metadata of its own in `viewOf`.
  expect(Object.keys(listeners.views).sort()).toEqual([...Object.values(FORM_VIEWS), DECISION_VIEW].sort());
});

test('who clicks and meets a mistake of ours is told so', async () => {
  begin({});
  const data: Action = {
    ...envelopeOf(ALICE),
    actionId: 'abort',
    blockId: 'b',
    value: 'x',
    triggerId: 't',
    responseUrl: 'https://hooks.slack.com/x',
    place: inMessage('C0PROD'),
  };
  await apologise(fake.bot, { kind: 'action', data });
  expect(fake.voice.whispers.map(({ answer }) => answer.text)).toEqual([
    expect.stringMatching(/^Something went wrong in the bot/),
  ]);
});
