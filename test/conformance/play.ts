/** What scheduler and kubelet would do to Pods, done through the API, so that it works in either world. */

import { expect } from 'vitest';
import { PLAYED_NODE } from '../behaviour/cluster.ts';
import { eventually } from '../kit/eventually.ts';
import type { Json } from './api.ts';
import type { Suite } from './suite.ts';

const AT = '2030-01-01T00:00:00Z';

function containerState(phase: string): object {
  if (phase === 'Running') return { running: { startedAt: AT } };
  return { terminated: { exitCode: phase === 'Succeeded' ? 0 : 1, reason: 'Ended', startedAt: AT, finishedAt: AT } };
}

export class Player {
  readonly #it: Suite;

  constructor(it: Suite) {
    this.#it = it;
  }

  async job(name: string): Promise<Json> {
    return (await this.#it.api.get(`${this.#it.jobs}/${name}`)).body;
  }

  async pods(job: string): Promise<Json[]> {
    return (await this.#it.api.get(`${this.#it.pods}?labelSelector=job-name%3D${job}`)).body.items;
  }

  /** The Job's Pod, once it is there. */
  async podOf(job: string): Promise<Json> {
    return eventually(`a Pod of ${job}`, async () => (await this.pods(job))[0]);
  }

  /** Gives the Pod a node: from now on its deletion waits for that node's kubelet. */
  async bind(pod: string): Promise<void> {
    const target = { apiVersion: 'v1', kind: 'Node', name: PLAYED_NODE };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod }, target };
    expect((await this.#it.api.post(`${this.#it.pods}/${pod}/binding`, binding)).status).toBe(201);
  }

  async become(pod: string, phase: 'Running' | 'Succeeded' | 'Failed'): Promise<void> {
    const ready = phase === 'Running';
    const container = {
      name: 'deploy',
      image: 'app:1',
      imageID: '',
      ready,
      restartCount: 0,
      state: containerState(phase),
    };
    const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
    const status = { phase, conditions, containerStatuses: [container] };
    expect((await this.#it.api.patch(`${this.#it.pods}/${pod}/status`, { status })).status).toBe(200);
  }

  /** Bound and running. */
  async runningPodOf(job: string): Promise<string> {
    const { name } = (await this.podOf(job)).metadata;
    await this.bind(name);
    await this.become(name, 'Running');
    await eventually(`${job} to have a ready Pod`, async () => (await this.job(job)).status.ready === 1);
    return name;
  }

  /** What a kubelet does in the end with a Pod that is being deleted. */
  async letGo(pod: string): Promise<void> {
    await this.#it.api.delete(`${this.#it.pods}/${pod}`, { gracePeriodSeconds: 0 });
  }

  /** Waits for a condition that is True, and answers the Job. */
  async condition(job: string, type: string): Promise<Json> {
    return eventually(`${job} to be ${type}`, async () => {
      const current = await this.job(job);
      return this.conditions(current).includes(type) && current;
    });
  }

  /** The conditions that are True, in their order. */
  conditions(job: Json): string[] {
    return (job.status.conditions ?? []).filter((each: Json) => each.status === 'True').map((each: Json) => each.type);
  }

  /** `Normal SuccessfulCreate Created pod: <pod>` */
  async eventsOf(job: string): Promise<string[]> {
    const { items } = (await this.#it.api.get(`${this.#it.events}?fieldSelector=involvedObject.name%3D${job}`)).body;
    return items
      .map((each: Json) => `${each.type} ${each.reason} ${each.message.replace(/pod: \S+$/, 'pod: <pod>')}`)
      .sort();
  }
}
