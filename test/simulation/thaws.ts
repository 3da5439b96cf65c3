import type { CapDeployJobStatus } from '../../src/api/capdeployjob.ts';
import type { KubeObject } from '../../src/kube/client.ts';
import { frozenBy } from './truth.ts';
import { Violation } from './violation.ts';

/**
 * The Event Thawed is told by the operator whose write took the freeze out of the status, once, and of nothing else.
 */
export class Thaws {
  /** Operator, resource and environment of the thaws that may still be told. */
  readonly #open: string[] = [];

  /**
   * An operator has written a status. What it wrote is judged by the resource as it was then, which cannot have changed
   * meanwhile.
   */
  written(operator: string, before: KubeObject, after: KubeObject): void {
    const frozenIn = ({ status }: KubeObject) =>
      ((status ?? {}) as CapDeployJobStatus).environments?.filter(({ frozen }) => frozen !== undefined) ?? [];
    const stillFrozen = frozenIn(after).map(({ name }) => name);
    const { environments } = after.spec as { environments: { name: string }[] };
    for (const { name } of environments) {
      const wasFrozen = frozenIn(before).some((lane) => lane.name === name);
      if (!wasFrozen || stillFrozen.includes(name) || frozenBy(after, name) !== undefined) continue;
      this.#open.push(keyOf(operator, after.metadata.uid, name));
    }
  }

  /** @param event as it is stored. @throws Violation */
  told(operator: string, event: KubeObject): void {
    if (event.reason !== 'Thawed') return;
    const { uid } = event.involvedObject as { uid?: string };
    const [environment = ''] = String(event.message).split(' ');
    const at = this.#open.indexOf(keyOf(operator, uid, environment));
    if (at < 0)
      throw new Violation('invariant 7', `${operator} tells of a thaw of ${environment} that it has not made`);
    this.#open.splice(at, 1);
  }
}

const keyOf = (operator: string, uid: string | undefined, environment: string): string =>
  `${operator} ${uid} ${environment}`;
