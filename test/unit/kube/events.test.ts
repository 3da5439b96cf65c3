import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type EventDescription,
  EventRecorder,
  type EventRecorderOptions,
  eventName,
} from '../../../src/kube/events.ts';
import { type Answer, ApiServer, clientFor, json, pod, status } from '../../kit/api-server.ts';
import { VirtualClock } from '../../kit/clocks.ts';
import { until } from '../../kit/eventually.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(answer: Answer, options: Partial<EventRecorderOptions> = {}) {
  const server = await new ApiServer(answer).listen();
  const client = clientFor(server, { requestTimeoutMs: 5000 });
  open.push(server, client);
  const recorder = new EventRecorder({
    client,
    reporter: { controller: 'capdeployjob.dev/controller', instance: 'operator-1' },
    clock: new VirtualClock(),
    ...options,
  });
  return { server, recorder };
}

const created: Answer = (response, request) => json(response, request.body, 201);

function event(more: Partial<EventDescription> = {}): EventDescription {
  return {
    regarding: pod('web', '1'),
    type: 'Normal',
    reason: 'DeployStarted',
    action: 'Start',
    note: 'started v1.0.0',
    turn: 'id-1/started',
    ...more,
  };
}

describe('an Event', () => {
  it('says all that events.k8s.io/v1 asks for, in the namespace of what it is about', async () => {
    const { server, recorder } = await start(created);
    recorder.record(event({ related: pod('other', '2') }));
    await recorder.flush();
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      path: '/apis/events.k8s.io/v1/namespaces/deploy/events',
      method: 'POST',
    });
    expect(server.received[0]?.body).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^web\.[0-9a-f]{20}$/), namespace: 'deploy' },
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'capdeployjob.dev/controller',
      reportingInstance: 'operator-1',
      type: 'Normal',
      reason: 'DeployStarted',
      action: 'Start',
      note: 'started v1.0.0',
      regarding: {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: 'deploy',
        name: 'web',
        uid: 'uid-web',
        resourceVersion: '1',
      },
      related: expect.objectContaining({ name: 'other' }),
    });
  });

  it.each([
    ['ascii', 'x'.repeat(5000), 1024],
    ['three bytes each', '本'.repeat(500), 1023],
    ['four bytes each', '🚀'.repeat(500), 1024],
  ])('has a note of at most 1024 bytes, cut between characters (%s)', async (_, note, bytes) => {
    const { server, recorder } = await start(created);
    recorder.record(event({ note }));
    await recorder.flush();
    const sent = (server.received[0]!.body as { note: string }).note;
    expect(Buffer.byteLength(sent)).toBe(bytes);
    expect(note.startsWith(sent)).toBe(true);
  });

  it('has a note without secrets, taken out before it is cut', async () => {
    const { server, recorder } = await start(created);
    recorder.record(event({ note: `${'x '.repeat(500)}https://bob:sesame-${'y'.repeat(40)}@host` }));
    await recorder.flush();
    expect(JSON.stringify(server.received[0]!.body)).not.toContain('sesame');
  });

  it.each(['web', 'a'.repeat(253), `${'a'.repeat(231)}.${'b'.repeat(21)}`, `${'a'.repeat(229)}-.-${'b'.repeat(21)}`])(
    'of %s has a valid name of at most 253 characters',
    (name) => {
      const result = eventName(pod(name, '1'), 'turn');
      expect(result.length).toBeLessThanOrEqual(253);
      expect(result).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    },
  );

  it('has the same name for the same turn of the same object, and another for any other', () => {
    const name = eventName(pod('web', '1'), 'a');
    expect(eventName(pod('web', '2'), 'a')).toBe(name);
    const others = [eventName(pod('web', '1'), 'b'), eventName(pod('web', '1', { uid: 'u' }), 'a')];
    expect(new Set([name, ...others]).size).toBe(3);
  });
});

describe('the recorder', () => {
  it('sends the same turn once, however often it is told', async () => {
    const { server, recorder } = await start(created);
    for (let n = 0; n < 3; n += 1) {
      recorder.record(event());
      await recorder.flush();
    }
    expect(server.received).toHaveLength(1);
  });

  it('takes an Event that is there already for written', async () => {
    const { recorder } = await start((response) => json(response, status(409, 'AlreadyExists', 'there'), 409));
    recorder.record(event());
    await recorder.flush();
    expect(recorder.lost).toBe(0);
  });

  it('counts and logs what is lost, at debug, and goes on', async () => {
    const answers: Answer[] = [
      (response) => json(response, status(403, 'Forbidden', 'no'), 403),
      (response) => void response.socket?.resetAndDestroy(),
      created,
    ];
    const onLost = vi.fn();
    const debug = vi.fn();
    const warn = vi.fn();
    const log = { debug, warn, info: warn, error: warn };
    const { server, recorder } = await start((...args) => answers.shift()?.(...args), { onLost, log });
    for (const turn of ['a', 'b', 'c']) recorder.record(event({ turn }));
    await recorder.flush();
    expect(server.received).toHaveLength(3);
    expect(recorder.lost).toBe(2);
    expect(onLost.mock.calls[0]).toEqual(['Forbidden']);
    expect(debug).toHaveBeenCalledTimes(2);
    expect(warn).not.toHaveBeenCalled();
  });

  it('drops what its bounded queue cannot hold, without blocking or throwing', async () => {
    const onLost = vi.fn(() => {
      throw new Error('a metric that throws');
    });
    const { server, recorder } = await start(created, { maxWaiting: 2, onLost });
    for (let n = 0; n < 5; n += 1) recorder.record(event({ turn: `turn ${n}` }));
    expect(recorder.lost).toBe(3);
    await recorder.flush();
    expect(server.received).toHaveLength(2);
    recorder.record(event({ turn: 'later' }));
    await recorder.flush();
    expect(server.received).toHaveLength(3);
  });

  it('stop ends within its limit though the API server hangs, and takes nothing more', async () => {
    const clock = new VirtualClock();
    const { server, recorder } = await start(() => {}, { clock });
    recorder.record(event());
    recorder.record(event({ turn: 'second' }));
    await until(() => expect(server.received).toHaveLength(1));
    const stopped = recorder.stop(50);
    await clock.advance(50);
    await stopped;
    expect(recorder.lost).toBe(2);
    recorder.record(event({ turn: 'third' }));
    await recorder.flush();
    expect(server.received).toHaveLength(1);
  });
});
