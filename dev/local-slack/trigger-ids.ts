/**
 * Trigger ids: what lets an app open a view for a person. Valid for 3 s, used once.
 *
 * @see https://docs.slack.dev/interactivity/handling-user-interaction#triggers
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../src/base/clock.ts';
import { SlackError } from './slack-error.ts';

export const TRIGGER_LIFE_MS = 3000;

interface Trigger {
  app: string;
  user: string;
  /** The view from which it came: a further one is pushed on it. */
  view?: string;
  issuedAt: number;
  exchanged: boolean;
}

export class TriggerIds {
  readonly #clock: Clock;
  readonly #issued = new Map<string, Trigger>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  issue(app: string, user: string, view?: string): string {
    const id = `${this.#issued.size + 1}.${this.#clock.now()}.${randomBytes(16).toString('hex')}`;
    const trigger: Trigger = { app, user, issuedAt: this.#clock.now(), exchanged: false };
    this.#issued.set(id, view === undefined ? trigger : { ...trigger, view });
    return id;
  }

  /** Uses it up, even if the call then fails for another reason. */
  exchange(app: string, id: string): { user: string; view?: string } {
    const trigger = this.#issued.get(id);
    if (trigger === undefined || trigger.app !== app) throw new SlackError('invalid_trigger_id');
    if (trigger.exchanged) throw new SlackError('exchanged_trigger_id');
    if (this.#clock.now() - trigger.issuedAt > TRIGGER_LIFE_MS) throw new SlackError('expired_trigger_id');
    trigger.exchanged = true;
    return trigger;
  }
}
