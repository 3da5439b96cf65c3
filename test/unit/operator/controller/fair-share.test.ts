import { describe, expect, it } from 'vitest';
import { FairShare } from '../../../../src/operator/controller/fair-share.ts';
import { Rig } from './rig.ts';

describe('the time that a resource takes', () => {
  it('does not delay other resources if it is short', () => {
    const share = new FairShare();
    share.spent('a', 20, 1000);
    expect(share.until('a', 1000)).toBeUndefined();
  });

  it('is followed by a rest of four times as long, of that resource alone', () => {
    const share = new FairShare();
    share.spent('a', 50, 1000);
    expect(share.until('a', 1199)).toBe(1200);
    expect(share.until('a', 1200)).toBeUndefined();
    expect(share.until('b', 1000)).toBeUndefined();
  });

  it('is never followed by a rest of more than two seconds', () => {
    const share = new FairShare();
    share.spent('a', 10_000, 0);
    expect(share.until('a', 0)).toBe(2000);
  });

  it('is forgotten with the resource', () => {
    const share = new FairShare();
    share.spent('a', 100, 0);
    share.forget('a');
    expect(share.until('a', 0)).toBeUndefined();
  });

  it('counts only the planning: a resource whose plan took 50 ms has no pass for a while, and is looked at then', async () => {
    const rig = new Rig();
    await rig.settle();
    // A plan reads the memory; this one takes its time.
    const { podWasSeen } = rig.memory;
    rig.memory.podWasSeen = (uid) => {
      rig.clock.advance(50);
      return podWasSeen(uid);
    };
    rig.job();
    await rig.pass();
    rig.memory.podWasSeen = podWasSeen;
    const job = rig.job({ id: 'second', environment: 'staging' });
    rig.forgetCalls();
    const { requeueAfterMs = 0 } = await rig.pass();
    expect(requeueAfterMs).toBeGreaterThan(0);
    expect(requeueAfterMs).toBeLessThanOrEqual(2000);
    expect(rig.calls).toEqual([]);
    rig.clock.advance(requeueAfterMs);
    await rig.settle();
    expect(rig.findJob(job)?.spec.suspend).toBe(false);
  });
});
