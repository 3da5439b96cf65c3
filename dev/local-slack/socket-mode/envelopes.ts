/**
 * Envelopes: sent to one of the app's sockets, acknowledged in 3 s, else sent again.
 *
 * @see https://docs.slack.dev/apis/events-api/using-socket-mode#events
 * @see https://docs.slack.dev/apis/events-api/#retries
 */
import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import { isObject, type Json, parseJson } from '../json.ts';
import type { Timers } from '../timers.ts';
import type { World } from '../world.ts';
import { type Socket, Sockets } from './sockets.ts';

export const ACK_MS = 3000;

export type EnvelopeType = 'events_api' | 'slash_commands' | 'interactive';

/**
 * How long Slack waits after a failed delivery before the next one. Events: "nearly immediately", after 1 min, after 5
 * min. Of the others no document speaks of a repetition, but they were seen repeated once.
 *
 * @see https://docs.slack.dev/apis/events-api/#retries
 * @see https://github.com/slackapi/bolt-js/issues/2188
 */
const PAUSES: Record<EnvelopeType, number[]> = {
  events_api: [0, 60_000, 300_000],
  slash_commands: [0],
  interactive: [0],
};

export type Acknowledgement =
  | { acknowledged: true; payload: Json; attempt: number }
  /** `dispatch_failed`: there was no socket. */
  | { acknowledged: false; why: 'operation_timeout' | 'dispatch_failed' };

interface Pending {
  app: App;
  sent: number;
  acknowledged: number;
  acceptsPayload: boolean;
  done: (payload: Json) => void;
}

/** As it went out, for tests. */
export interface Delivery {
  envelopeId: string;
  type: EnvelopeType;
  attempt: number;
  payload: Json;
  socket: Socket | undefined;
}

export class Envelopes {
  readonly #world: World;
  readonly #timers: Timers;
  readonly #pending = new Map<string, Pending>();
  readonly sockets: Sockets;
  /** Every envelope that was sent, repetitions too. */
  readonly deliveries: Delivery[] = [];

  constructor(world: World, timers: Timers) {
    this.#world = world;
    this.#timers = timers;
    this.sockets = new Sockets(world, timers, (_, data) => this.#receive(data));
  }

  /**
   * @returns how the first delivery that was acknowledged went; for what a person waits for, how the first one went.
   * Repetitions then go on behind the person's back.
   */
  deliver(app: App, type: EnvelopeType, payload: Json): Promise<Acknowledgement> {
    if (type !== 'events_api' && this.sockets.able(app).length === 0) {
      return Promise.resolve({ acknowledged: false, why: 'dispatch_failed' });
    }
    return new Promise((resolve) => this.#attempt(app, type, payload, 0, resolve));
  }

  #attempt(
    app: App,
    type: EnvelopeType,
    payload: Json,
    attempt: number,
    tell: (result: Acknowledgement) => void,
  ): void {
    const envelopeId = randomUUID();
    const envelope = { envelope_id: envelopeId, type, payload, accepts_response_payload: type !== 'events_api' };
    const retry = { retry_attempt: attempt, retry_reason: attempt === 0 ? '' : 'timeout' };
    const cancel = this.#timers.after(ACK_MS, () => {
      this.#pending.delete(envelopeId);
      const pause = PAUSES[type][attempt];
      if (type !== 'events_api' || pause === undefined) tell({ acknowledged: false, why: 'operation_timeout' });
      if (pause === undefined) return;
      this.#timers.after(pause, () => this.#attempt(app, type, payload, attempt + 1, tell));
    });
    this.#pending.set(envelopeId, {
      app,
      sent: 0,
      acknowledged: 0,
      acceptsPayload: type !== 'events_api',
      done: (answer) => {
        cancel();
        tell({ acknowledged: true, payload: answer, attempt });
      },
    });
    this.#send(app, type, { ...envelope, ...(type === 'events_api' ? retry : {}) }, attempt);
  }

  #send(app: App, type: EnvelopeType, envelope: Json, attempt: number): void {
    const fault = this.#world.faults.takeEnvelope(type);
    const first = this.sockets.next(app);
    const second = fault === 'twice' ? first : fault === 'both' ? this.sockets.next(app, first) : undefined;
    const envelopeId = String(envelope.envelope_id);
    for (const socket of fault === 'lost' ? [undefined] : second === undefined ? [first] : [first, second]) {
      const payload = envelope.payload as Json;
      this.deliveries.push({ envelopeId, type, attempt, payload, socket });
      const pending = this.#pending.get(envelopeId);
      if (pending !== undefined) pending.sent += 1;
      socket?.send(envelope);
    }
  }

  #receive(data: string): void {
    const message = parseJson(data);
    if (!isObject(message) || typeof message.envelope_id !== 'string') {
      this.#violation(`not an answer: ${data}`);
      return;
    }
    const pending = this.#pending.get(message.envelope_id);
    if (pending === undefined) {
      this.#violation('acknowledged late, or what was never sent');
      return;
    }
    pending.acknowledged += 1;
    if (pending.acknowledged > pending.sent) {
      this.#violation('acknowledged more than once');
      return;
    }
    const payload = isObject(message.payload) ? message.payload : {};
    if (!pending.acceptsPayload && Object.keys(payload).length > 0) this.#violation('an answer to an event');
    if (pending.acknowledged === 1) pending.done(payload);
  }

  #violation(text: string): void {
    this.#world.violations.push(text);
  }
}
