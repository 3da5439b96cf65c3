import type { CapDeployJobStatus } from '../../src/api/capdeployjob.ts';
import { Violation } from './violation.ts';

/** Fewer are nobody's fault: an operator that was not told that its write took effect makes it again. */
const MOST_TIMES = 3;
/** Less than what an operator lets another's words stand (`src/operator/controller/status-damping.ts`). */
const WITHIN_MS = 9_000;

/**
 * Two operators that see things differently must not go on correcting each other: invariant 8 where there is no rest
 * yet.
 */
export class Quarrel {
  readonly #said = new Map<string, { words: string; times: number; since: number }>();

  /** Something has changed that may be said. */
  somethingMoved(): void {
    this.#said.clear();
  }

  /**
   * An operator has written a status that was another before. @param now the world's time (epoch milliseconds). @throws
   * Violation
   */
  said(operator: string, resource: string, status: CapDeployJobStatus, now: number): void {
    const key = `${operator} ${resource}`;
    const words = JSON.stringify(status, (name, value) => (name === 'lastTransitionTime' ? undefined : value));
    const before = this.#said.get(key);
    if (before?.words !== words || now - before.since > WITHIN_MS) {
      this.#said.set(key, { words, times: 1, since: now });
      return;
    }
    before.times += 1;
    if (before.times <= MOST_TIMES) return;
    throw new Violation(
      'invariant 8',
      `${operator} says ${before.times} times within ${WITHIN_MS} ms what another denies`,
    );
  }
}
