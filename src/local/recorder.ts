/** Events of the laptop edition's own controllers, in core/v1 form; the same words again about the same object raise the count of the first. */
import type { KubeObject } from '../kube/client.ts';
import { CORE_EVENTS } from '../kube/client.ts';
import { timestamp } from './clock.ts';
import type { Store } from './store.ts';

export class Recorder {
  readonly #store: Store;
  readonly #component: string;
  readonly #host: string;
  #count = 0;

  constructor(store: Store, component: string, host = '') {
    this.#store = store;
    this.#component = component;
    this.#host = host;
  }

  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath?: string): void {
    const { namespace = 'default', name, uid } = about.metadata;
    const now = timestamp(this.#store.clock.now());
    const fieldSelector = `involvedObject.uid=${uid},reason=${reason}`;
    try {
      const same = this.#store
        .list(CORE_EVENTS, { namespace, fieldSelector })
        .items.find((each) => each.message === message);
      if (same !== undefined) {
        const count = Number(same.count ?? 1) + 1;
        this.#store.update(CORE_EVENTS, { ...same, count, lastTimestamp: now });
        return;
      }
      this.#count += 1;
      const suffix = (this.#store.clock.now() * 1000 + (this.#count % 1000)).toString(16);
      const involvedObject = {
        kind: about.kind,
        namespace: about.metadata.namespace,
        name,
        uid,
        apiVersion: about.apiVersion,
        resourceVersion: about.metadata.resourceVersion,
        fieldPath,
      };
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
}
