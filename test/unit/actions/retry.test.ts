import { describe, expect, it } from 'vitest';
import type { FoundDeploy } from '../../../src/actions/find-deploy.ts';
import { mayRetry, retry } from '../../../src/actions/retry.ts';
import { send } from '../../../src/actions/send.ts';
import type { CapDeployJobStatus, HistoryEntry } from '../../../src/api/capdeployjob.ts';
import { ID_PATTERN } from '../../../src/api/deploy-request.ts';
import { jobName } from '../../../src/api/job-name.ts';
import { RESULTS } from '../../../src/api/reasons.ts';
import { aCheckedResource } from '../../kit/builders.ts';
import { ASKING, AT, after, aStatus, ended, failed, running, waits } from './a-status.ts';

const JOB = 'web-production-f7ipezwo2becrzhpq';
const found = (entry: HistoryEntry): FoundDeploy => ({ environment: entry.environment, state: 'ended', entry });
const bad = failed(JOB, { revision: 'v1.1.0', notBefore: AT, expiresAt: after(300) });
const retried = (status: CapDeployJobStatus | undefined, entry = bad) => retry(status, found(entry), ASKING);
const idAfter = (status: CapDeployJobStatus | undefined) => retried(status).message.id;
const { id: FIRST } = retried(undefined).message;
const SECOND = FIRST.replace(/0$/, '1');

describe('a retry', () => {
  it('asks for the same under an id of its own, at once and without an end', () => {
    const { idPrefix: _, ...asking } = ASKING;
    expect(retried(aStatus({}, [bad]))).toEqual({
      message: {
        ...asking,
        id: expect.stringMatching(/^slack-T0TEAM-retry-web-production-f7ipezwo2becrzhpq-[0-9a-f]{8}-0$/),
        repository: 'livesense/web',
        environment: 'production',
        task: 'deploy',
        revision: 'v1.1.0',
      },
      earlier: [],
    });
  });

  it('of a task without a revision has none', () => {
    const { revision: _, ...restart } = failed(JOB, { task: 'app:restart' });
    expect(retried(undefined, restart).message).toMatchObject({ task: 'app:restart', revision: undefined });
  });

  it('is a message that the operator takes', async () => {
    const queue = { send: async () => ({ messageId: 'm-1' }) };
    const to = { queue, fifo: false, resource: aCheckedResource() };
    await expect(send(to, retried(undefined).message, Date.parse(ASKING.sentAt))).resolves.toEqual({
      messageId: 'm-1',
    });
  });

  it('is refused of what still runs or waits', () => {
    const active: FoundDeploy = { environment: 'production', state: 'active', entry: running(JOB) };
    const waiting: FoundDeploy = { environment: 'production', state: 'waiting', entry: waits(JOB) };
    expect(() => retry(undefined, active, ASKING)).toThrow(`${JOB} still runs: only a deploy that has ended`);
    expect(() => retry(undefined, waiting, ASKING)).toThrow(`${JOB} still waits: only a deploy that has ended`);
  });

  it.each(RESULTS)('of a deploy that ended as %s is made, unless it succeeded', (result) => {
    expect(mayRetry(result)).toBe(result !== 'Succeeded');
    const retrying = () => retried(undefined, ended(JOB, { result }));
    if (result !== 'Succeeded') expect(retrying().message.revision).toBe('v1.0.0');
    else expect(retrying).toThrow(expect.objectContaining({ kind: 'refused' }));
  });
});

describe('its id', () => {
  it('is the same for everybody, while what it asks for is under way', () => {
    const others = { ...ASKING, requestedBy: 'slack:T0TEAM/U0BOB bob', sentAt: after(900), reason: undefined };
    expect(retry(undefined, found(bad), others).message.id).toBe(FIRST);
    const asked = { id: FIRST, revision: 'v1.1.0', requestedBy: 'slack:T0TEAM/U0BOB bob' };
    for (const lane of [{ active: [running('a', asked)] }, { waiting: [waits('a', asked)] }]) {
      const { message, earlier } = retried(aStatus(lane, [bad]));
      expect(message.id).toBe(FIRST);
      expect(earlier).toMatchObject([{ entry: { requestedBy: 'slack:T0TEAM/U0BOB bob' } }]);
    }
  });

  it('is a new one when that has ended, and what ended is told', () => {
    const first = failed('a', { id: FIRST, revision: 'v1.1.0' });
    const second = failed('b', { id: SECOND, revision: 'v1.1.0', result: 'Refused' });
    expect(idAfter(aStatus({}, [first, bad]))).toBe(SECOND);
    const { message, earlier } = retried(aStatus({}, [second, first, bad]));
    expect(message.id).toBe(FIRST.replace(/0$/, '2'));
    expect(earlier.map(({ entry }) => entry.job)).toEqual(['b', 'a']);
  });

  it('is the one under way, also if the history has forgotten an earlier one', () => {
    expect(idAfter(aStatus({ active: [running('b', { id: SECOND, revision: 'v1.1.0' })] }))).toBe(SECOND);
  });

  it('is free again if the history has forgotten it, and never one that is there', () => {
    expect(idAfter(aStatus({}, [failed('b', { id: SECOND, revision: 'v1.1.0' })]))).toBe(FIRST);
  });

  it('is none that stands as the watermark only: the operator would take it for a second send', () => {
    const mark = { task: 'deploy', id: FIRST, repository: 'livesense/web', revision: 'v1.1.0', dueAt: AT };
    expect(idAfter(aStatus({ lastStarted: [mark] }, [bad]))).toBe(SECOND);
  });

  it("is not that of another sender's request with other content", () => {
    const { message, earlier } = retried(aStatus({ waiting: [waits('forged', { id: FIRST, revision: 'v6.6.6' })] }));
    expect(message.id).toBe(SECOND);
    expect(earlier).toEqual([]);
  });

  it('does not count what has that id in another environment', () => {
    const elsewhere = failed('a', { id: FIRST, revision: 'v1.1.0', environment: 'staging' });
    expect(idAfter(aStatus({}, [elsewhere]))).toBe(FIRST);
  });

  it.each<[string, Partial<HistoryEntry>]>([
    ['revision', { revision: 'v1.2.0' }],
    ['task', { task: 'deploy:check' }],
    ['repository', { repository: 'livesense/api' }],
    ['environment', { environment: 'staging' }],
  ])('differs by %s', (_, change) => {
    expect(retried(undefined, { ...bad, ...change }).message.id.slice(0, -2)).not.toBe(FIRST.slice(0, -2));
  });

  it('has 128 characters at most, with the longest of everything', () => {
    const job = jobName('r'.repeat(63), 'e'.repeat(50), 'x'.repeat(128));
    const asking = { ...ASKING, idPrefix: `slack-${'E'.repeat(35)}` };
    const { id } = retry(undefined, found(failed(job)), asking).message;
    const taken = Array.from({ length: 1200 }, (_, n) => failed(`j${n}`, { id: id.replace(/0$/, String(n)) }));
    const { message } = retry(aStatus({}, taken), found(failed(job)), asking);
    expect(message.id).toMatch(/-1200$/);
    expect(message.id).toMatch(ID_PATTERN);
    expect(job).toHaveLength(63);
  });

  it.each(['', 'two words', 'x'.repeat(42), '<!channel>', '-x'])('has no prefix %j', (idPrefix) => {
    expect(() => retry(undefined, found(bad), { ...ASKING, idPrefix })).toThrow(RangeError);
  });
});
