import { describe, expect, it } from 'vitest';
import { isFromTrusted, requesterOf, slackUserOf } from '../../../src/chat/requester.ts';

const TRUSTED = ['AROAEXAMPLEID1234567', 'AIDAEXAMPLEID1234567'];

describe('the user of Slack that a request names', () => {
  it.each<[string | undefined, string | undefined]>([
    ['slack:T0TEAM/U0ALICE alice', 'U0ALICE'],
    ['slack:T0TEAM/U0ALICE', 'U0ALICE'],
    ['slack:E0GRID/W0ALICE alice', 'W0ALICE'],
    ['slack:/U0ALICE', 'U0ALICE'],
    // As the policy of the API server reads it, which would refuse U0ALICE.
    ['slack:T0TEAM/U0ALICE(alice)', 'U0ALICE'],
    ['slack:T0TEAM/U0ALICE2 alice', 'U0ALICE2'],
    ['slack:T0TEAM/ U0ALICE', undefined],
    ['slack:T0/TEAM/U0ALICE', 'TEAM'],
    [' slack:T0TEAM/U0ALICE', undefined],
    ['alice', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %j is %j', (requestedBy, user) => {
    expect(slackUserOf(requestedBy)).toBe(user);
  });
});

it('is nobody where the end of the id was cut off with the text', () => {
  const cut = { requestedBy: 'slack:E0123456789A/U012345678…', senderId: TRUSTED[0] };
  expect(requesterOf(cut, TRUSTED)).toEqual({ kind: 'elsewhere', text: cut.requestedBy });
});

describe('a sender', () => {
  it.each<[string | undefined, boolean]>([
    ['AROAEXAMPLEID1234567:slack-bot', true],
    ['AROAEXAMPLEID1234567', true],
    ['AIDAEXAMPLEID1234567', true],
    ['AROAEXAMPLEID12345678:slack-bot', false],
    ['AROAEXAMPLEID123456:7', false],
    ['x:AROAEXAMPLEID1234567', false],
    [':AROAEXAMPLEID1234567', false],
    ['', false],
    [undefined, false],
  ])('%j is trusted: %j', (senderId, isTrusted) => {
    expect(isFromTrusted({ senderId }, TRUSTED)).toBe(isTrusted);
  });

  it('nobody is trusted by an empty list', () => {
    expect(isFromTrusted({ senderId: '' }, [])).toBe(false);
  });
});

describe('who asked', () => {
  const senderId = 'AROAEXAMPLEID1234567:slack-bot';
  it('is a person if a trusted sender says which', () => {
    expect(requesterOf({ requestedBy: 'slack:T0TEAM/U0ALICE alice', senderId }, TRUSTED)).toEqual({
      kind: 'person',
      user: 'U0ALICE',
    });
  });

  it('is somebody elsewhere if a trusted sender names no user of Slack', () => {
    expect(requesterOf({ requestedBy: 'nightly', senderId }, TRUSTED)).toEqual({ kind: 'elsewhere', text: 'nightly' });
  });

  it('is only a claim if another sender says it, whatever its form', () => {
    const requestedBy = 'slack:T0TEAM/U0ALICE alice';
    expect(requesterOf({ requestedBy, senderId: 'AIDAOTHER' }, TRUSTED)).toEqual({ kind: 'claim', text: requestedBy });
  });

  it('is not known if nobody says', () => {
    for (const requestedBy of [undefined, '']) {
      expect(requesterOf({ requestedBy, senderId }, TRUSTED)).toEqual({ kind: 'unknown' });
    }
  });
});
