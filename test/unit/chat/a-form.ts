import { expect } from 'vitest';
import { checkView } from '../../../dev/local-slack/block-kit/blocks.ts';
import { isObject, type Json } from '../../../dev/local-slack/json.ts';
import { renderBlocks } from '../../../dev/local-slack/render.ts';
import { Team } from '../../../dev/local-slack/team.ts';
import { readFrozenText } from '../../../src/api/freeze.ts';
import { type Choice, choicesOf, type FormMetadata } from '../../../src/chat/form.ts';
import { confirmView } from '../../../src/chat/form-confirm-view.ts';
import { type FormContent, formView } from '../../../src/chat/form-view.ts';
import type { LaneState } from '../../../src/chat/lane-state.ts';
import type { Target } from '../../../src/chat/target.ts';
import { LANGUAGES, type Language } from '../../../src/chat/texts/language.ts';

export const NOW = Date.parse('2026-11-30T10:00:00Z');
const SENDER = 'AROAEXAMPLEID1234567';
const team = new Team();
team.addUser('alice');
team.addUser('bob');
team.addChannel('prod', { members: ['alice'] });
team.addChannel('deploys', { members: ['alice'] });

export const environment = (name: string, over: object = {}) => ({
  name,
  isProtected: false,
  needsConfirmation: false,
  ...over,
});
export const target = (over: Partial<Target> = {}): Target => ({
  name: 'deploy/web',
  repositories: ['livesense/web'],
  tasks: ['deploy'],
  environments: [environment('staging'), environment('production', { isProtected: true, needsConfirmation: true })],
  resource: undefined,
  ...over,
});

const SENT = '2026-11-30T09:58:00Z';
export const asked = (over: object = {}) => ({
  job: 'web-production-abcd',
  id: 'r1',
  repository: 'livesense/web',
  task: 'deploy',
  sentAt: SENT,
  dueAt: SENT,
  ...over,
});

export const LANE: LaneState = {
  environment: 'production',
  current: {
    revision: 'v1.0.0',
    requestedBy: 'slack:T0TEAM/U0BOB bob',
    senderId: SENDER,
    finishedAt: '2026-11-30T08:00:00Z',
  },
  unsure: {
    ...asked({ revision: 'v1.0.1' }),
    environment: 'production',
    result: 'Failed',
    reason: 'BackoffLimitExceeded',
    finishedAt: SENT,
  },
  active: {
    ...asked({ revision: 'v1.0.2', requestedBy: 'slack:T0TEAM/U0ALICE alice' }),
    uid: 'uid',
    since: SENT,
    why: 'ImagePullBackOff',
  },
  waiting: ['v1.0.3', 'v1.0.4', 'v1.0.5', 'v1.0.6'].map((revision) => ({ ...asked({ revision }), why: 'next' })),
  frozen: readFrozenText('production', 'alice: incident 42'),
  closed: { why: 'no window of kind Allow is open', until: '2026-12-01T00:00:00Z' },
  last: undefined,
  usualMs: 125_000,
};

interface Changes extends Partial<Omit<FormContent, 'metadata' | 'place'>> {
  metadata?: Partial<FormMetadata>;
  environment?: string;
  lane?: LaneState | undefined;
  target?: Target;
}

export function content(language: Language, changes: Changes = {}): FormContent {
  const { metadata, environment: name, lane, target: chosen = target(), ...over } = changes;
  const choices = choicesOf([chosen]);
  const choice = choices[0] as Choice;
  return {
    metadata: { language, channel: 'C0PROD', picksChannel: false, chosen: {}, ...metadata },
    problems: [],
    channels: [],
    choices,
    place: {
      channel: 'C0PROD',
      choice,
      environments: chosen.environments,
      environment: chosen.environments.find((each) => each.name === name),
      lane,
    },
    fields: {},
    staleMs: undefined,
    reader: { now: NOW, timeZone: 'Asia/Tokyo', language, trustedSenders: [SENDER] },
    ...over,
  };
}

export const view = (changes: Changes = {}, language: Language = 'en') => formView(content(language, changes));
export const shown = ({ blocks }: { blocks: unknown }): string => renderBlocks(team, blocks as Json[]);
export const problemsOf = (made: unknown): string[] => checkView(made, '/view');

/** The element with an action id. */
export const element = (made: { blocks: unknown }, actionId: string): Json | undefined =>
  (made.blocks as Json[]).map((block) => block.element).find((each) => isObject(each) && each.action_id === actionId) as
    | Json
    | undefined;

/** A view in all languages, after Block Kit has taken it. */
export function inBoth(make: (language: Language) => { blocks: unknown }): string {
  const views = LANGUAGES.map(make);
  expect(views.flatMap(problemsOf)).toEqual([]);
  return views.map(shown).join('\n————\n');
}

export const question = (language: Language, over: Partial<Parameters<typeof confirmView>[0]> = {}) =>
  confirmView({
    metadata: { language, channel: 'C0PROD', picksChannel: false, chosen: {} },
    wanted: {
      repository: 'livesense/web',
      environment: 'production',
      task: 'deploy',
      revision: 'v1.1.0',
      notBefore: '2026-11-30T11:00:00.000Z',
    },
    reason: 'fixes the basket',
    lane: LANE,
    problems: [],
    staleMs: undefined,
    reader: { now: NOW, timeZone: 'Asia/Tokyo', language, trustedSenders: [SENDER] },
    ...over,
  });
