import { describe, expect, test } from 'vitest';
import { freezeValue, frozenText, readFrozenText } from '../../../src/api/freeze.ts';

const SPEC = 'spec.suspend is true';
const LANE = 'spec.environments[production].suspend is true';
const NOT = { resource: false, environment: false };

describe('the text of a frozen environment', () => {
  test.each<[boolean, boolean, string | undefined, string | undefined]>([
    [false, false, undefined, undefined],
    [true, false, undefined, SPEC],
    [false, true, undefined, LANE],
    [false, false, 'bob: x', 'bob: x'],
    [true, true, 'bob: x', `${SPEC}; ${LANE}; bob: x`],
  ])('spec %s, environment %s, annotation %j', (resource, environment, annotation, text) => {
    expect(frozenText('production', { resource, environment }, annotation)).toBe(text);
  });
});

describe('what is read of it', () => {
  test('is who froze the environment, and why', () => {
    const value = freezeValue('slack:T0TEAM/U0ALICE', 'incident 42: see https://example.com; twice');
    expect(readFrozenText('production', frozenText('production', NOT, value) ?? '')).toEqual({
      bySpec: [],
      who: 'slack:T0TEAM/U0ALICE',
      why: 'incident 42: see https://example.com; twice',
    });
  });

  test.each<[string, string[], string | undefined, string | undefined]>([
    [SPEC, [SPEC], undefined, undefined],
    [`${SPEC}; ${LANE}`, [SPEC, LANE], undefined, undefined],
    [`${SPEC}; ${LANE}; bob: x`, [SPEC, LANE], 'bob', 'x'],
    [`${LANE}; bob: x`, [LANE], 'bob', 'x'],
    ['incident 42', [], undefined, 'incident 42'],
    [': x', [], undefined, ': x'],
    [`${SPEC}, says bob: x`, [], `${SPEC}, says bob`, 'x'],
  ])('%s', (text, bySpec, who, why) => {
    expect(readFrozenText('production', text)).toEqual({ bySpec, who, why });
  });
});
