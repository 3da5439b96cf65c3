import { expect, it } from 'vitest';
import { freezeValue, readFrozenText } from '../../../src/api/freeze.ts';
import { freezerOf } from '../../../src/chat/request-id.ts';

/** As deploy/admission/freeze.yaml takes it from the bot. */
const POLICY = /^slack:[TE][A-Z0-9]{1,20}\/[UW][A-Z0-9]{1,20}( \([^()]+\))?: .*[^\s\p{C}\p{Z}]/su;

it.each<[string, string]>([
  ['alice', 'slack:T0TEAM/U0ALICE (alice)'],
  ['アリス 鈴木', 'slack:T0TEAM/U0ALICE (アリス 鈴木)'],
  ['alice (ops): on call', 'slack:T0TEAM/U0ALICE (alice ops on call)'],
  ['a\nb\u202ec', 'slack:T0TEAM/U0ALICE (a b c)'],
  ['): everybody', 'slack:T0TEAM/U0ALICE (everybody)'],
  ['', 'slack:T0TEAM/U0ALICE'],
  ['():', 'slack:T0TEAM/U0ALICE'],
  ['x'.repeat(200), `slack:T0TEAM/U0ALICE (${'x'.repeat(60)})`],
  ['😀'.repeat(40), `slack:T0TEAM/U0ALICE (${'😀'.repeat(30)})`],
])('who freezes by the name %j is %j, as the policy takes it and people read it', (name, expected) => {
  const who = freezerOf('T0TEAM', 'U0ALICE', name);
  expect(who).toBe(expected);
  const value = freezeValue(who, 'incident 42');
  expect(value).toMatch(POLICY);
  expect(readFrozenText('production', value)).toEqual({ bySpec: [], who, why: 'incident 42' });
});
