import { describe, expect, it } from 'vitest';
import { quotable, quotablePod } from '../../../../src/operator/controller/quotable.ts';
import { aJob, aPod } from '../../../kit/builders.ts';
import { Rig } from './rig.ts';

const HOSTILE = 'x\u001b[31my\u0000\u202e\u2066z\r\n\tpassword=hunter2';
const QUOTED = 'xyz password=[redacted]';

describe('a text of others', () => {
  it('becomes one line, without control characters, escape sequences, direction marks and secrets', () => {
    expect(quotable(HOSTILE)).toBe(QUOTED);
  });

  it('is redacted before it is cut: the half of a secret looks like nothing', () => {
    const quoted = quotable(`${'x'.repeat(1010)} ghp_${'a1B2'.repeat(10)}`);
    expect(quoted).toHaveLength(1021);
    expect(quoted).toMatch(/x \[redacted]$/);
  });

  it('is cut to 1024 characters, however long it is', () => {
    expect(quotable('€'.repeat(5_000_000))).toHaveLength(1024);
  });
});

describe('a Pod', () => {
  const texts = { reason: HOSTILE, message: HOSTILE };
  const hostile = () => {
    const pod = aPod(aJob({ started: -10 }), { waiting: texts });
    Object.assign(pod.status!, texts);
    pod.status!.conditions = [{ type: 'PodScheduled', status: 'False', ...texts }];
    pod.status!.initContainerStatuses = [{ name: 'migrate', state: { waiting: texts } }];
    return pod;
  };

  it('has quotable texts wherever its status says why it waits, and is the same apart from that', () => {
    const pod = quotablePod(hostile());
    const quoted = { reason: QUOTED, message: QUOTED };
    expect(pod.status).toEqual({
      phase: 'Pending',
      ...quoted,
      conditions: [{ type: 'PodScheduled', status: 'False', ...quoted }],
      containerStatuses: [{ name: 'cap', restartCount: 0, state: { waiting: quoted } }],
      initContainerStatuses: [{ name: 'migrate', state: { waiting: quoted } }],
    });
    expect(JSON.parse(JSON.stringify({ ...pod, status: undefined }))).toEqual({ ...hostile(), status: undefined });
  });

  it('that says nothing stays as it is', () => {
    const { status: _, ...silent } = aPod(aJob());
    for (const pod of [aPod(aJob()), aPod(aJob(), { phase: 'Pending' }), silent]) expect(quotablePod(pod)).toEqual(pod);
  });

  it('is read once, not in each pass', () => {
    const pod = hostile();
    expect(quotablePod(pod)).toBe(quotablePod(pod));
  });

  it('reaches a plan with quotable texts only, from the caches and live', async () => {
    const rig = new Rig();
    rig.pod(rig.job({ started: -10 }), { waiting: texts });
    rig.syncCaches();
    for (const seen of [
      rig.observer.cached('deploy/web', undefined),
      await rig.observer.live('deploy/web', undefined),
    ]) {
      expect(seen?.pods.map(({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.message)).toEqual([QUOTED]);
    }
  });
});
