import { describe, expect, it } from 'vitest';
import { WriteBackoff } from '../../../../src/operator/controller/write-backoff.ts';
import { NOW } from '../../../kit/builders.ts';
import { aRefusal } from './rig.ts';

describe('a resource whose writes are refused', () => {
  it('is left alone for longer each time, and never for longer than ten seconds', () => {
    const writeBackoff = new WriteBackoff();
    const held = Array.from({ length: 9 }, () => {
      writeBackoff.failed(aRefusal('forbidden'), NOW);
      return (writeBackoff.until(NOW) ?? 0) - NOW;
    });
    expect(held).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('is left alone for as long as the API server asks for, within reason', () => {
    const writeBackoff = new WriteBackoff();
    writeBackoff.failed(aRefusal('retryable', 'too many requests', { status: 429, retryAfterSeconds: 30 }), NOW);
    expect(writeBackoff.until(NOW)).toBe(NOW + 30_000);
    writeBackoff.failed(aRefusal('retryable', 'too many requests', { status: 429, retryAfterSeconds: 86_400 }), NOW);
    expect(writeBackoff.until(NOW)).toBe(NOW + 300_000);
  });

  it('is free again when the time has come', () => {
    const writeBackoff = new WriteBackoff();
    writeBackoff.failed(new Error('no answer'), NOW);
    expect(writeBackoff.until(NOW + 99)).toBe(NOW + 100);
    expect(writeBackoff.until(NOW + 100)).toBeUndefined();
  });

  it('begins from the shortest time again once it was well', () => {
    const writeBackoff = new WriteBackoff();
    for (let times = 0; times < 5; times += 1) writeBackoff.failed(new Error('no answer'), NOW);
    writeBackoff.reset();
    expect(writeBackoff.until(NOW)).toBeUndefined();
    writeBackoff.failed(new Error('no answer'), NOW);
    expect(writeBackoff.until(NOW)).toBe(NOW + 100);
  });
});
