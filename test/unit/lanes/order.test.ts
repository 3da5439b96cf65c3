import { describe, expect, test } from 'vitest';
import { compareTurns, isBefore } from '../../../src/lanes/order.ts';
import { at } from '../../kit/builders.ts';

describe('the order of a lane', () => {
  test.each([
    ['what was due earlier comes first', { dueAt: at(0), id: 'b' }, { dueAt: at(1), id: 'a' }, -1],
    ['a millisecond counts', { dueAt: at(0.001), id: 'a' }, { dueAt: at(0), id: 'b' }, 1],
    ['of two of one moment the smaller id comes first', { dueAt: at(0), id: 'a' }, { dueAt: at(0), id: 'b' }, -1],
    ['a moment is one in any time zone', { dueAt: '2026-03-10T21:00:00+09:00', id: 'a' }, { dueAt: at(0), id: 'a' }, 0],
    ['a request comes neither before nor after itself', { dueAt: at(0), id: 'a' }, { dueAt: at(0), id: 'a' }, 0],
  ])('%s', (_, a, b, expected) => {
    expect(Math.sign(compareTurns(a, b))).toBe(expected);
    expect(Math.sign(compareTurns(b, a))).toBe(expected === 0 ? 0 : -expected);
    expect(isBefore(a, b)).toBe(expected < 0);
  });
});
