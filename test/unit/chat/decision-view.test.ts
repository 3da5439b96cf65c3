import { describe, expect, it } from 'vitest';
import { checkMessageBlocks, checkView } from '../../../dev/local-slack/block-kit/blocks.ts';
import type { Json } from '../../../dev/local-slack/json.ts';
import { renderBlocks, tokensOf } from '../../../dev/local-slack/render.ts';
import { Team } from '../../../dev/local-slack/team.ts';
import { readFrozenText } from '../../../src/api/freeze.ts';
import { DEPLOY_BUTTONS, deployButton, readValue } from '../../../src/chat/buttons.ts';
import { type DecisionMetadata, decisionMetadata, decisionView, noticeView } from '../../../src/chat/decision-view.ts';
import { activeLine, closedLines, staleLines, thereLines } from '../../../src/chat/lane-lines.ts';
import type { LaneState } from '../../../src/chat/lane-state.ts';
import type { Requester } from '../../../src/chat/requester.ts';
import { answer, type Line } from '../../../src/chat/rich-text.ts';
import { decideTexts, type Standing } from '../../../src/chat/texts/decide.ts';
import { decidedTexts } from '../../../src/chat/texts/decided.ts';
import { LANGUAGES, type Language } from '../../../src/chat/texts/language.ts';

const team = new Team();
team.addUser('alice');

const long = (letters: number) => '<!channel> & '.repeat(1000).slice(0, letters);
const DEPLOY = { repository: long(140), environment: long(50), task: long(100), revision: long(244) };
const AT = '2026-03-10 20:59 GMT+9';
const MOMENT = '2026-03-10T11:59:00.000Z';
const REQUESTERS: Requester[] = [
  { kind: 'person', user: 'U0ALICE' },
  { kind: 'elsewhere', text: long(256) },
  { kind: 'claim', text: long(256) },
  { kind: 'unknown' },
];
const STANDINGS: Standing[] = [
  { state: 'active', since: AT },
  { state: 'waiting', why: long(512) },
  { state: 'ended', ending: long(200), at: AT },
];

/** What is there, what runs, and what keeps deploys from starting. */
function laneLines(language: Language): Line[] {
  const reader = { now: Date.parse(MOMENT), timeZone: 'Asia/Tokyo', language, trustedSenders: [] };
  const entry = { ...DEPLOY, job: long(63), id: 'r1', sentAt: MOMENT, requestedBy: long(256), senderId: long(256) };
  const active = { ...entry, uid: 'u', dueAt: MOMENT, since: MOMENT, why: long(512) };
  const unsure = { ...entry, result: 'Unknown' as const, reason: 'JobVanished', finishedAt: MOMENT, environment: 'e' };
  const lane: LaneState = {
    environment: DEPLOY.environment,
    active,
    waiting: [],
    frozen: readFrozenText('production', long(256)),
    closed: { why: long(512), until: MOMENT },
    current: { revision: DEPLOY.revision, finishedAt: MOMENT },
    unsure,
    last: unsure,
    usualMs: 99_999_000,
  };
  return [
    ...thereLines(lane, reader),
    ...thereLines({ ...lane, current: undefined }, reader),
    activeLine(active, lane.usualMs, reader),
    ...closedLines(lane, reader),
    ...staleLines(99_999_000, reader),
  ];
}

/** Every line that a view may show, with the longest of each. */
function shown(language: Language): Line[] {
  const texts = decideTexts[language];
  return [
    texts.subject(DEPLOY),
    ...REQUESTERS.map((by) => texts.askedBy(by, AT)),
    texts.why(long(256)),
    ...STANDINGS.map(texts.standing),
    ...laneLines(language),
    texts.newer(DEPLOY.revision),
    ...Object.values(texts.effects).map((effect): Line => [effect]),
    texts.rollsBackTo(DEPLOY.revision, DEPLOY.revision),
    texts.rollsBackBy(DEPLOY.task),
    ...REQUESTERS.flatMap((by) => STANDINGS.map((standing) => texts.earlier(by, AT, standing))),
    texts.notVouched(),
    texts.notInSlack(),
  ];
}

/** Every answer, and everything that all read. */
function answered(language: Language): Line[] {
  const texts = decidedTexts[language];
  return [
    ...DEPLOY_BUTTONS.map(texts.outsideCluster),
    texts.switchedOff(long(1000)),
    texts.notOnRecord(),
    texts.oldButton(),
    texts.notOpened(),
    texts.hasEnded(DEPLOY, long(200), AT),
    texts.hasStarted(DEPLOY),
    texts.notEnded(DEPLOY),
    texts.hasSucceeded(DEPLOY),
    texts.needsNoApproval(DEPLOY),
    texts.approvedAlready(DEPLOY, [long(256)]),
    texts.ownRequest(),
    texts.unverified(),
    texts.noUid(),
    texts.changed(),
    texts.notDone(long(3000)),
    texts.perhapsDone(long(3000)),
    texts.working(),
    texts.done(),
    texts.several(),
    texts.more(1999),
    ...Object.values(texts.none).map((none) => none(DEPLOY)),
    ...Object.values(texts.said).map((said) => said('U0ALICE', DEPLOY)),
    texts.rollsBack('U0ALICE', DEPLOY, DEPLOY.revision, DEPLOY),
    texts.freezes('U0ALICE', DEPLOY, long(256)),
    texts.replacesFreeze(long(512)),
    texts.thaws('U0ALICE', DEPLOY, long(512)),
  ];
}

const METADATA: DecisionMetadata = {
  kind: 'rollback',
  target: 't'.repeat(320),
  environment: 'e'.repeat(50),
  job: 'j'.repeat(63),
  channel: 'C'.repeat(32),
  threadTs: '1'.repeat(33),
  seen: 's'.repeat(400),
  language: 'en',
};

/** People whom these blocks ping, and everything else that is no plain text. */
const pinged = (blocks: unknown) => tokensOf(team, blocks).filter(({ kind }) => kind !== 'text');

describe.each(LANGUAGES)('in %s', (language) => {
  it.each(DEPLOY_BUTTONS)('the view to %s is within the limits of Slack, with the longest of everything', (kind) => {
    const texts = decideTexts[language];
    for (const submit of [texts.buttons[kind], texts.askAgain]) {
      expect(checkView(decisionView(shown(language), submit, { ...METADATA, kind, language }), '/view')).toEqual([]);
    }
    expect(checkView(noticeView(answer(answered(language)), kind, language), '/view')).toEqual([]);
  });

  it('a view keeps what its submission needs', () => {
    const view = decisionView([['x']], 'x', { ...METADATA, language });
    expect(readValue(decisionMetadata, view.private_metadata ?? '')).toEqual({ ...METADATA, language });
  });

  it('every line is within the limits of Slack, and pings only whom it names by id', () => {
    for (const line of [...shown(language), ...answered(language)]) {
      const { blocks } = answer([line]);
      expect(checkMessageBlocks(blocks, '/blocks')).toEqual([]);
      const named = line.flatMap((part) => (typeof part === 'object' && 'user' in part ? [part.user] : []));
      expect(pinged(blocks)).toEqual(named.map((id) => ({ kind: 'user', id })));
    }
  });

  it('every line says something', () => {
    for (const line of [...shown(language), ...answered(language)]) {
      expect(renderBlocks(team, answer([line]).blocks as unknown as Json[])).not.toMatch(/^…?$|undefined|\[object/);
    }
  });

  it('labels fit their buttons', () => {
    const { buttons, askAgain } = decideTexts[language];
    for (const kind of DEPLOY_BUTTONS) {
      const value = { target: METADATA.target, environment: METADATA.environment, job: METADATA.job };
      for (const label of [buttons[kind], askAgain]) {
        const { blocks } = answer([['x']], [deployButton(kind, label, value)]);
        expect(checkMessageBlocks(blocks, '/blocks')).toEqual([]);
      }
    }
  });
});

it('the languages differ', () => {
  const lines = [shown, answered].map((all) => LANGUAGES.map(all));
  for (const [en = [], ja = []] of lines) {
    en.forEach((line, place) => {
      // What a deploy is called is the same in all languages.
      if (place > 0) expect(JSON.stringify(ja[place])).not.toBe(JSON.stringify(line));
    });
  }
});
