/**
 * Writes Events (events.k8s.io/v1), which `kubectl describe` and `kubectl events` show. Best effort by design: a lost
 * Event is counted, never retried and never an error. The history in status is the record.
 *
 * An Event's name is made of its subject, so that two operators, or one after a restart, write one Event and not two.
 */

import { createHash } from 'node:crypto';
import { BoundedMap } from '../base/bounded-map.ts';
import { type Clock, microTime, systemClock } from '../base/clock.ts';
import { type Log, silentLog } from '../base/log.ts';
import { keyOf } from '../base/object-key.ts';
import { cutToBytes } from '../text/printable.ts';
import { redactSecrets } from '../text/redact.ts';
import { EVENTS, type KubeClient, type KubeObject } from './client.ts';
import { isKubeError } from './errors.ts';

/** The API server's limits (`pkg/apis/core/validation/events.go`): bytes of the note, characters of other fields. */
const MAX_NOTE_BYTES = 1024;
const MAX_WORD = 128;
/** A DNS-1123 subdomain. */
const MAX_NAME = 253;

export interface EventDescription {
  /** The object that the Event is about, and in whose namespace it is written. */
  regarding: KubeObject;
  related?: KubeObject;
  type: 'Normal' | 'Warning';
  /** UpperCamelCase, for machines: why. */
  reason: string;
  /** UpperCamelCase: what the controller did or tried. */
  action: string;
  /** For people; cut at 1024 bytes. */
  note: string;
  /**
   * Something that happens once to the object, such as `<request id>/started`. For each turn of an object at most one
   * Event is written, until the API server forgets it (usually after an hour) and this process was restarted.
   */
  turn: string;
}

export interface Reporter {
  /** A qualified name, as `example.com/controller`. */
  readonly controller: string;
  /** The Pod's name. */
  readonly instance: string;
}

export interface EventRecorderOptions {
  client: Pick<KubeClient, 'create'>;
  reporter: Reporter;
  clock?: Clock;
  log?: Log;
  /** How many Events may wait to be written; more are dropped. Default 1000. */
  maxWaiting?: number;
  /** Told of each Event that was dropped, or refused by the API server, for metrics. */
  onLost?: (reason: string) => void;
}

/** So many names are remembered, that a reconcile which says the same again causes no request. */
const REMEMBERED = 5000;

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting: KubeObject[] = [];
  readonly #remembered = new BoundedMap<string, true>(REMEMBERED);
  readonly #stopped = new AbortController();
  #writing: Promise<void> | undefined;
  #lost = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
  }

  /** Returns at once and never throws. */
  record(description: EventDescription): void {
    if (this.#stopped.signal.aborted) return;
    const event = buildEvent(description, this.#options.reporter, this.#clock.now());
    const key = keyOf(event);
    if (this.#remembered.has(key)) return;
    if (this.#waiting.length >= (this.#options.maxWaiting ?? 1000)) {
      this.#lose('QueueFull', description.reason);
      return;
    }
    this.#remembered.set(key, true);
    this.#waiting.push(event);
    this.#writing ??= this.#write();
  }

  /** How many Events were lost since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Resolves when all Events recorded before are written or lost. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Flushes for at most `withinMs`, then drops the rest. */
  async stop(withinMs = 2000): Promise<void> {
    const limit = this.#clock.setTimeout(() => this.#stopped.abort(), withinMs);
    await this.flush();
    this.#clock.clearTimeout(limit);
    this.#stopped.abort();
  }

  /** One by one: Events must not crowd out the requests that deploys wait for. */
  async #write(): Promise<void> {
    // So that `#writing` is set before it is cleared.
    await null;
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        if (this.#stopped.signal.aborted) throw new Error('stopped');
        await this.#options.client.create(EVENTS, event, { signal: this.#stopped.signal });
      } catch (err) {
        if (!isKubeError(err, 'exists'))
          this.#lose(isKubeError(err) ? err.reason : 'Stopped', String(event.reason), err);
      }
    }
    this.#writing = undefined;
  }

  #lose(why: string, reason: string, err?: unknown): void {
    this.#lost += 1;
    try {
      this.#log.debug({ err, why, reason }, 'an Event was lost');
      this.#options.onLost?.(why);
    } catch {
      // Nothing about Events may harm a deploy.
    }
  }
}

/** The Event as it is sent. Pure. */
export function buildEvent(description: EventDescription, reporter: Reporter, now: number): KubeObject {
  const { regarding, related, type, reason, action, note, turn } = description;
  const event: KubeObject = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: eventName(regarding, turn), namespace: regarding.metadata.namespace ?? 'default' },
    eventTime: microTime(now),
    reportingController: reporter.controller,
    reportingInstance: reporter.instance.slice(0, MAX_WORD) || 'unknown',
    type,
    reason: reason.slice(0, MAX_WORD),
    action: action.slice(0, MAX_WORD),
    note: cutToBytes(redactSecrets(note), MAX_NOTE_BYTES),
    regarding: referenceTo(regarding),
  };
  if (related !== undefined) event.related = referenceTo(related);
  return event;
}

/** `<name, cut>.<hash>`: 80 bits over UID and turn, each with its length, so that no two pairs give the same text. */
export function eventName(regarding: KubeObject, turn: string): string {
  const uid = regarding.metadata.uid ?? '';
  const hash = createHash('sha256').update(`${uid.length}:${uid}${turn.length}:${turn}`).digest('hex').slice(0, 20);
  // No label of a DNS name may end in a dash, and none is empty.
  const name = regarding.metadata.name.slice(0, MAX_NAME - 1 - hash.length).replace(/[-.]+$/, '');
  return `${name}.${hash}`;
}

function referenceTo({ apiVersion, kind, metadata }: KubeObject): Record<string, string> {
  const { namespace, name, uid, resourceVersion } = metadata;
  return Object.fromEntries(
    Object.entries({ apiVersion, kind, namespace, name, uid, resourceVersion }).filter(
      ([, value]) => value !== undefined,
    ),
  ) as Record<string, string>;
}
