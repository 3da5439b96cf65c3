import type { Clock } from '../../base/clock.ts';
import { type KubeClient, LEASES } from '../client.ts';
import { isKubeError, KubeError } from '../errors.ts';
import type { Lease, LeaseName, LeaseRecord } from './lease.ts';

/** How long a request about the Lease may take (milliseconds), and what ends it sooner. */
export interface Limit {
  ms: number;
  hurry?: AbortSignal | undefined;
}

/** What is asked of the API server about one Lease. Each request has a limit that this process keeps, whatever the client does. */
export class LeaseRequests {
  readonly #client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  readonly #name: LeaseName;
  readonly #clock: Clock;
  readonly #limit: Limit;

  /** @param limit where a request has none of its own. */
  constructor(client: Pick<KubeClient, 'get' | 'create' | 'patch'>, name: LeaseName, clock: Clock, limit: Limit) {
    this.#client = client;
    this.#name = name;
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Undefined where it is not there. @throws KubeError */
  async get(limit?: Limit): Promise<Lease | undefined> {
    const { namespace, name } = this.#name;
    try {
      return await this.#within(limit, (signal) => this.#client.get<Lease>(LEASES, namespace, name, { signal }));
    } catch (error) {
      if (isKubeError(error, 'gone')) return undefined;
      throw error;
    }
  }

  /** Writes the record in place of that very version of the Lease, or makes a Lease of it where there was none. @throws KubeError */
  put(current: Lease | undefined, spec: LeaseRecord, limit?: Limit): Promise<Lease> {
    const { namespace, name } = this.#name;
    return this.#within(limit, (signal) => {
      if (current === undefined) {
        const lease: Lease = {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { namespace, name },
          spec,
        };
        return this.#client.create<Lease>(LEASES, lease, { signal });
      }
      const { uid = '', resourceVersion = '' } = current.metadata;
      // A merge patch: what others keep in the Lease (labels, preferredHolder) stays.
      return this.#client.patch<Lease>(LEASES, namespace, name, { uid, resourceVersion }, { spec }, { signal });
    });
  }

  async #within<T>({ ms, hurry }: Limit = this.#limit, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = new AbortController();
    const late = Promise.withResolvers<never>();
    const giveUp = () => {
      const message = `no answer about the Lease ${this.#name.namespace}/${this.#name.name} within ${seconds(ms)}`;
      const error = new KubeError('retryable', { status: 0, reason: 'Timeout', message });
      limit.abort(error);
      late.reject(error);
    };
    const timer = this.#clock.setTimeout(giveUp, ms);
    if (hurry?.aborted) giveUp();
    hurry?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([send(limit.signal), late.promise]);
    } finally {
      this.#clock.clearTimeout(timer);
      hurry?.removeEventListener('abort', giveUp);
    }
  }
}

export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
