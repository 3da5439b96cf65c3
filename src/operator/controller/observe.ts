import { type CapDeployJob, specOf } from '../../api/capdeployjob.ts';
import { CAPDEPLOYJOBS, LABEL, MANAGED_SELECTOR } from '../../api/names.ts';
import { splitKey } from '../../base/object-key.ts';
import { JOBS, type KubeClient, type KubeObject, PODS } from '../../kube/client.ts';
import { undefinedIfGone } from '../../kube/errors.ts';
import { listAll } from '../../kube/list-all.ts';
import type { TemplateCheck } from '../../lanes/conditions.ts';
import type { Warnings } from '../../lanes/explain-start.ts';
import { type Job, jobUidOf, type Pod } from '../../lanes/job.ts';
import type { Observation } from '../../lanes/plan.ts';
import { BY_RESOURCE, type Caches } from './caches.ts';
import type { IntakeReports } from './intake-reports.ts';
import type { ProcessMemory } from './process-memory.ts';
import { quotableJob, quotablePod } from './quotable.ts';

interface ObserverDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly memory: ProcessMemory;
  readonly warnings: Warnings;
  readonly reports: IntakeReports;
  readonly now: () => number;
  readonly monotonicNow: () => number;
}

/** Gathers what a plan needs: cheaply from the caches, or live from the API server. */
export class Observer {
  readonly #deps: ObserverDeps;

  constructor(deps: ObserverDeps) {
    this.#deps = deps;
  }

  /** The resource as the cache has it. It may be out of date. */
  resource(key: string): CapDeployJob | undefined {
    const [namespace, name] = splitKey(key);
    return this.#deps.caches.resources.get(namespace, name);
  }

  /** UIDs of the Jobs that the caches know: by the Job, by a Pod of it, or by a status in which it waits or runs. */
  knownJobs(): Set<string> {
    const { resources, jobs, pods } = this.#deps.caches;
    return new Set([
      ...jobs.list().map((job) => job.metadata.uid ?? ''),
      ...pods.list().flatMap((pod) => jobUidOf(pod) ?? []),
      ...resources
        .list()
        .flatMap(({ status }) =>
          (status?.environments ?? []).flatMap(({ active = [], waiting = [] }) =>
            [...active, ...waiting].flatMap(({ uid }) => uid ?? []),
          ),
        ),
    ]);
  }

  /** May be out of date: good for deciding whether a live look is worth it, and for nothing else. */
  cached(key: string, template: TemplateCheck | undefined): Observation | undefined {
    const resource = this.resource(key);
    if (!resource) return undefined;
    return this.#observation(
      key,
      resource,
      this.#deps.caches.jobs.byIndex(BY_RESOURCE, key),
      this.#deps.caches.pods.byIndex(BY_RESOURCE, key),
      template,
    );
  }

  /**
   * Reads from the API server, in this order: the resource, whose resourceVersion the status is written under, then
   * Jobs and Pods. So what is missing in these lists was missing after that resourceVersion, and a change of the
   * resource in between refuses the write.
   * @returns undefined if the resource is gone.
   * @throws KubeError
   */
  async live(key: string, template: TemplateCheck | undefined): Promise<Observation | undefined> {
    const [namespace, name] = splitKey(key);
    // Taken first: if time must pass before an absence counts, the lists have to be younger than the end of that time.
    const [now, monotonicNow] = [this.#deps.now(), this.#deps.monotonicNow()];
    const resource = await undefinedIfGone(
      this.#deps.client.get<CapDeployJob & KubeObject>(CAPDEPLOYJOBS, namespace, name),
    );
    if (!resource) return undefined;
    this.#deps.reports.discardOthers(key, resource.metadata.uid);
    const labelSelector = `${MANAGED_SELECTOR},${LABEL.name}=${name}`;
    const jobs = await listAll<Job & KubeObject>(this.#deps.client, JOBS, { namespace, labelSelector });
    const pods = await listAll<Pod & KubeObject>(this.#deps.client, PODS, { namespace, labelSelector });
    this.#deps.memory.seeLive(jobs.items, pods.items);
    return this.#observation(key, resource, jobs.items, pods.items, template, now, monotonicNow);
  }

  #observation(
    key: string,
    resource: CapDeployJob,
    jobs: readonly Job[],
    pods: readonly Pod[],
    template: TemplateCheck | undefined,
    now = this.#deps.now(),
    monotonicNow = this.#deps.monotonicNow(),
  ): Observation {
    const parsed = specOf(resource);
    return {
      resource,
      spec: 'spec' in parsed ? parsed.spec : undefined,
      specProblem: 'problem' in parsed ? parsed.problem : undefined,
      jobs: jobs.map(quotableJob),
      pods: pods.map(quotablePod),
      memory: this.#deps.memory,
      warnings: this.#deps.warnings,
      template,
      ...this.#deps.reports.of(key, now, resource.metadata.uid),
      now,
      monotonicNow,
    };
  }
}
