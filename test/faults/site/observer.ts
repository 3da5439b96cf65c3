import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import type { KubeObject } from '../../../src/kube/client.ts';
import { Reflector } from '../../../src/kube/informer/reflector.ts';
import type { AdminClient } from '../../kit/admin-client.ts';
import type { Entry, Final } from '../audit/evidence.ts';

type Resource = CapDeployJob & KubeObject;

/**
 * Follows every version of every CapDeployJob and keeps what was ever recorded: the history itself forgets all but the
 * newest 50. Where the API server was away and a version is missed, its entries still stand in a later one, for no
 * outage lasts for 50 deploys.
 */
export class Observer {
  /** Each that differs from all others, by what it says. */
  readonly #entries = new Map<string, Entry>();
  readonly #latest = new Map<string, Resource>();
  readonly #reflector: Reflector<Resource>;
  /** How many versions of a status were seen. */
  versions = 0;

  constructor({ admin, namespace }: { admin: AdminClient; namespace: string }) {
    this.#reflector = new Reflector<Resource>({
      client: admin,
      type: CAPDEPLOYJOBS,
      namespace,
      timings: { backoffBaseMs: 100, backoffCapMs: 500 },
      sink: {
        replace: (resources) => {
          for (const resource of resources) this.#see(resource);
        },
        apply: ({ object }) => this.#see(object),
        failed: () => {},
      },
    });
    this.#reflector.start();
  }

  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  /** The latest version of each. */
  get resources(): Resource[] {
    return [...this.#latest.values()];
  }

  get finals(): Final[] {
    return this.resources.map(({ metadata, status }) => ({
      name: metadata.name,
      waiting: status?.waiting,
      active: status?.active,
      rejections: status?.rejectionsCount ?? 0,
      conditions: status?.conditions ?? [],
    }));
  }

  /** The latest condition of this type, of each resource. */
  conditions(type: string): string[] {
    return this.finals.map(({ conditions }) => conditions.find((one) => one.type === type)?.status ?? 'missing');
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  #see(resource: Resource): void {
    const { metadata, status } = resource;
    this.versions += 1;
    this.#latest.set(metadata.name, resource);
    for (const { id, environment, task, revision = '', result, reason, startedAt, finishedAt } of status?.history ??
      []) {
      const entry = { resource: metadata.name, id, environment, task, revision, result, reason, startedAt, finishedAt };
      const key = JSON.stringify(entry);
      const known = this.#entries.get(key);
      if (known === undefined)
        this.#entries.set(key, { ...entry, seen: { first: this.versions, last: this.versions } });
      else known.seen.last = this.versions;
    }
  }
}
