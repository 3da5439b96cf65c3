import { describe, expect, it } from 'vitest';
import { HoldOff } from '../../src/operator/controller/write-backoff.ts';
import { NOW } from '../lanes/builders.ts';
import { aRefusal, KEY } from './rig.ts';

describe('a resource whose writes are refused', () => {
  it('is left alone for longer each time, and never for longer than ten seconds', () => {
    const holdOff = new HoldOff();
    const held = Array.from({ length: 9 }, () => {
      holdOff.failed(KEY, aRefusal('forbidden'), NOW);
      return (holdOff.until(KEY, NOW) ?? 0) - NOW;
    });
    expect(held).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('is left alone for as long as the API server asks for, within reason', () => {
    const holdOff = new HoldOff();
    holdOff.failed(KEY, aRefusal('retryable', 'too many requests', { status: 429, retryAfterSeconds: 30 }), NOW);
    expect(holdOff.until(KEY, NOW)).toBe(NOW + 30_000);
    holdOff.failed(KEY, aRefusal('retryable', 'too many requests', { status: 429, retryAfterSeconds: 86_400 }), NOW);
    expect(holdOff.until(KEY, NOW)).toBe(NOW + 300_000);
  });

  it('is free again when the time has come', () => {
    const holdOff = new HoldOff();
    holdOff.failed(KEY, new Error('no answer'), NOW);
    expect(holdOff.until(KEY, NOW + 99)).toBe(NOW + 100);
    expect(holdOff.until(KEY, NOW + 100)).toBeUndefined();
  });

  it('begins from the shortest time again once it was well', () => {
    const holdOff = new HoldOff();
    for (let times = 0; times < 5; times += 1) holdOff.failed(KEY, new Error('no answer'), NOW);
    holdOff.forget(KEY);
    expect(holdOff.until(KEY, NOW)).toBeUndefined();
    holdOff.failed(KEY, new Error('no answer'), NOW);
    expect(holdOff.until(KEY, NOW)).toBe(NOW + 100);
  });

  it('harms no other', () => {
    const holdOff = new HoldOff();
    holdOff.failed(KEY, new Error('no answer'), NOW);
    expect(holdOff.until('deploy/other', NOW)).toBeUndefined();
  });
});
