import { describe, expect, it } from 'vitest';
import {
  ARRIVAL_MS,
  type Arrival,
  arrivalOf,
  awaitRequest,
  type SentRequest,
  type StatusPort,
} from '../../../src/actions/await-request.ts';
import type { DeployMessage } from '../../../src/actions/send.ts';
import type { CapDeployJobStatus } from '../../../src/api/capdeployjob.ts';
import { settle, VirtualClock } from '../../kit/clocks.ts';
import { AT, aStatus, ended, running, waits } from './a-status.ts';

const MESSAGE: DeployMessage = {
  id: 'slack-1',
  repository: 'livesense/web',
  environment: 'production',
  revision: 'v1.0.0',
  sentAt: AT,
  requestedBy: 'alice',
  source: 'slack',
};
const SENT: SentRequest = { message: MESSAGE, messageId: 'm-1' };
const ASKED = { id: 'slack-1' };
const rejected = (messageId: string) => ({
  messageId,
  reason: 'UnknownEnvironment',
  field: 'environment',
  message: 'no',
});
const withRejections = (...ids: string[]): CapDeployJobStatus => ({
  rejections: ids.map((id) => ({ ...rejected(id), body: '{}', at: AT })),
});

/** A status that a test changes. */
class PlayedStatus implements StatusPort {
  status: CapDeployJobStatus | undefined = aStatus();
  reads = 0;
  onRead: (() => void) | undefined;
  readonly listeners = new Set<() => void>();

  read(): CapDeployJobStatus | undefined {
    this.reads += 1;
    this.onRead?.();
    return this.status;
  }

  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.listeners.delete(done);
        resolve();
      };
      this.listeners.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  change(status: CapDeployJobStatus | undefined): void {
    this.status = status;
    for (const listener of [...this.listeners]) listener();
  }
}

/** A wait that has begun. */
async function begin(port: PlayedStatus, sent = SENT, signal: AbortSignal = new AbortController().signal) {
  const clock = new VirtualClock();
  let arrival: Arrival | undefined;
  const waiting = awaitRequest(port, sent, clock, signal).then((result) => {
    arrival = result;
  });
  await settle();
  return { clock, waiting, now: () => arrival?.kind };
}

describe('a message that was sent', () => {
  it('is found at once if the status names it already', async () => {
    const port = new PlayedStatus();
    port.status = aStatus({ active: [running('web-1', ASKED)] });
    const { now, clock } = await begin(port);
    expect(now()).toBe('found');
    expect([port.reads, port.listeners.size, clock.pending]).toEqual([1, 0, 0]);
  });

  it('is found when the status names it, and looked for at changes only', async () => {
    const port = new PlayedStatus();
    const { now, clock, waiting } = await begin(port);
    await clock.advance(4_000);
    expect([now(), port.reads]).toEqual([undefined, 1]);
    port.change(aStatus({ waiting: [waits('web-2', { id: 'another' })] }));
    await settle();
    expect([now(), port.reads]).toEqual([undefined, 2]);
    port.change(aStatus({ waiting: [waits('web-1', ASKED)] }));
    await waiting;
    expect([now(), port.reads]).toEqual(['found', 3]);
    expect([port.listeners.size, clock.pending]).toEqual([0, 0]);
  });

  it('is found if the status changes while it is looked at', async () => {
    const port = new PlayedStatus();
    port.onRead = () => {
      port.onRead = undefined;
      const before = port.status;
      port.change(aStatus({ waiting: [waits('web-1', ASKED)] }));
      // What this look still sees.
      const seen = port.status;
      port.status = before;
      queueMicrotask(() => {
        port.status = seen;
      });
    };
    const { now } = await begin(port);
    expect(now()).toBe('found');
  });

  it('is rejected with the words of the operator', async () => {
    const port = new PlayedStatus();
    const { waiting, now } = await begin(port);
    port.change(withRejections('m-0', 'm-1'));
    await waiting;
    expect(now()).toBe('rejected');
    const { messageId: _, ...words } = rejected('m-1');
    expect(arrivalOf(port.status, SENT)).toEqual({ kind: 'rejected', ...words });
  });

  it('is not seen after ten seconds, however often the status changes', async () => {
    const port = new PlayedStatus();
    const { now, clock } = await begin(port);
    for (let second = 1; second < ARRIVAL_MS / 1000; second += 1) {
      await clock.advance(1000);
      port.change(aStatus());
      await settle();
    }
    await clock.advance(999);
    expect(now()).toBeUndefined();
    await clock.advance(1);
    expect(now()).toBe('notSeen');
    expect([port.listeners.size, clock.pending]).toEqual([0, 0]);
  });

  it('is looked for once more when the time is over', async () => {
    const port = new PlayedStatus();
    const { now, clock } = await begin(port);
    port.status = aStatus({ waiting: [waits('web-1', ASKED)] });
    await clock.advance(ARRIVAL_MS);
    expect(now()).toBe('found');
  });

  it('is not waited for any longer if the program ends, or if the resource is gone', async () => {
    const port = new PlayedStatus();
    const stopping = new AbortController();
    const { now, waiting, clock } = await begin(port, SENT, stopping.signal);
    port.change(undefined);
    await settle();
    expect(now()).toBeUndefined();
    stopping.abort();
    await waiting;
    expect([now(), clock.pending]).toEqual(['notSeen', 0]);
  });
});

describe('what a status says of a message', () => {
  it('is nothing if it names neither the id nor the rejection', () => {
    expect(arrivalOf(undefined, SENT)).toBeUndefined();
    expect(arrivalOf(withRejections('m-0'), SENT)).toBeUndefined();
    const elsewhere = ended('web-1', { ...ASKED, environment: 'staging' });
    expect(arrivalOf(aStatus({}, [elsewhere]), SENT)).toBeUndefined();
  });

  it('is where it stands, whatever others have sent since', () => {
    const entry = ended('web-1', ASKED);
    expect(arrivalOf(aStatus({}, [entry]), SENT)).toEqual({
      kind: 'found',
      deploy: { environment: 'production', state: 'ended', entry },
    });
  });

  it.each<[string, Partial<DeployMessage>]>([
    ['another revision', { revision: 'v6.6.6' }],
    ['another task', { task: 'deploy:check' }],
    ['another repository', { repository: 'livesense/api' }],
    ['another time to begin', { notBefore: '2026-11-30T10:00:00Z' }],
    ['another time to expire', { expiresAt: '2026-11-30T10:00:00Z' }],
  ])('is a conflict if the id is there with %s', (_, change) => {
    const sent = { message: { ...MESSAGE, ...change }, messageId: undefined };
    expect(arrivalOf(aStatus({}, [ended('web-1', ASKED)]), sent)).toEqual({
      kind: 'rejected',
      reason: 'IdConflict',
      field: 'id',
      message: 'id: "slack-1" is that of web-1 (v1.0.0), which asks for something else',
    });
  });

  it('compares times, not how they are written', () => {
    const stored = { ...ASKED, notBefore: '2026-11-30T10:00:00.000Z', expiresAt: '2026-11-30T11:00:00.000Z' };
    const message = { ...MESSAGE, notBefore: '2026-11-30T19:00:00+09:00', expiresAt: '2026-11-30T11:00:00Z' };
    const status = aStatus({ waiting: [waits('web-1', stored)] });
    expect(arrivalOf(status, { message, messageId: 'm-1' })?.kind).toBe('found');
  });
});
