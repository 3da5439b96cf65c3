import { isDeepStrictEqual } from 'node:util';
import type { CapDeployJobStatus } from '../../api/capdeployjob.ts';

/** How long another operator's words are left standing where they contradict what this one has said already. */
const CONTRADICT_MS = 10_000;

/**
 * Two operators can be alive at once (during a rollout, or as two leaders), and each sees queue and template with its
 * own eyes: one reads what the other has not read yet; and each has a clock of its own, so that for a moment a window
 * is open for the one and closed for the other, or a request due, or a start slow. As each write of one wakes the
 * other, they would correct each other as fast as the API server allows, and their claims would run into conflicts all
 * the while. So what this process has said before is said again only after a while; what is new, and whatever else
 * claims, history or rejections have to say, is written at once.
 */
export class StatusDamping {
  #said: { findings: unknown; at: number } | undefined;

  said(status: CapDeployJobStatus, now: number): void {
    this.#said = { findings: findingsOf(status), at: now };
  }

  /** @returns until when the write is to wait (epoch milliseconds); undefined where it is not just a contradiction. */
  waitsUntil(before: CapDeployJobStatus | undefined, next: CapDeployJobStatus, now: number): number | undefined {
    const said = this.#said;
    if (!said || now >= said.at + CONTRADICT_MS || !isDeepStrictEqual(said.findings, findingsOf(next)))
      return undefined;
    return isDeepStrictEqual(withoutFindings(before), withoutFindings(next)) ? said.at + CONTRADICT_MS : undefined;
  }
}

/** What an operator says by its own eyes and its own clock. */
const findingsOf = ({ conditions = [], environments = [] }: CapDeployJobStatus) => ({
  conditions: conditions.map(({ lastTransitionTime: _, ...finding }) => finding),
  lanes: environments.map(({ name, closed, closedUntil, openSince, active = [], waiting = [] }) => ({
    ...{ name, closed, closedUntil, openSince },
    active: active.map(({ uid, why }) => ({ uid, why })),
    waiting: waiting.map(({ id, why, until }) => ({ id, why, until })),
  })),
});

/** What is left is not a matter of opinion. */
const withoutFindings = (status: CapDeployJobStatus | undefined) => ({
  ...status,
  conditions: undefined,
  environments: (status?.environments ?? []).map((lane) => ({
    ...lane,
    ...{ closed: undefined, closedUntil: undefined, openSince: undefined },
    active: (lane.active ?? []).map((claim) => ({ ...claim, why: '' })),
    waiting: (lane.waiting ?? []).map((entry) => ({ ...entry, why: '', until: undefined })),
  })),
});
