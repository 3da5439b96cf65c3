/**
 * Events of the in-memory Kubernetes's own controllers, in core/v1 form; the same words again about the same object
 * raise the count of the first.
 */

import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import { CORE_EVENTS } from '../objects.ts';
import type { Store } from '../store/store.ts';

const REMEMBERED = 4096;

export class Recorder {
  readonly #store: Store;
  readonly #component: string;
  readonly #host: string;
  /** The names of the latest Events, by what they say. */
  readonly #names = new Map<string, string>();

  constructor(store: Store, component: string, host = '') {
    this.#store = store;
    this.#component = component;
    this.#host = host;
  }

  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void {
    const { namespace = 'default', name, uid } = about.metadata;
    const now = timestamp(this.#store.clock.now());
    const key = `${namespace}/${uid} ${type} ${reason} ${message}`;
    try {
      const same = this.#same(namespace, key);
      if (same !== undefined) {
        const count = Number(same.count ?? 1) + 1;
        this.#store.update(CORE_EVENTS, { ...same, count, lastTimestamp: now });
        return;
      }
      // Unique: the version moves with every Event of every recorder.
      const suffix = `${this.#store.clock.now().toString(16)}${this.#store.version.toString(16)}`;
      const involvedObject = {
        kind: about.kind,
        namespace: about.metadata.namespace,
        name,
        uid,
        apiVersion: about.apiVersion,
        resourceVersion: about.metadata.resourceVersion,
        fieldPath,
      };
      this.#remember(key, `${name}.${suffix}`);
      this.#store.create(CORE_EVENTS, {
        metadata: { name: `${name}.${suffix}`, namespace },
        involvedObject: JSON.parse(JSON.stringify(involvedObject)),
        reason,
        message,
        type,
        source: { component: this.#component, ...(this.#host === '' ? {} : { host: this.#host }) },
        reportingComponent: this.#component,
        reportingInstance: this.#host,
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
      });
    } catch {
      // Best effort, as everywhere: the namespace may be on its way out.
    }
  }

  #same(namespace: string, key: string): KubeObject | undefined {
    const name = this.#names.get(key);
    return name === undefined ? undefined : this.#store.find(CORE_EVENTS, namespace, name);
  }

  #remember(key: string, name: string): void {
    this.#names.delete(key);
    this.#names.set(key, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > REMEMBERED && oldest !== undefined) this.#names.delete(oldest);
  }
}
