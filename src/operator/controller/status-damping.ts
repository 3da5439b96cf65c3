import { isDeepStrictEqual } from 'node:util';
import type { CapDeployJobStatus, Claim } from '../../api/capdeployjob.ts';

/** How long the words of another operator stand if they contradict what this one has written already. */
const CONTRADICT_MS = 10_000;
/** How long a reason stands that has replaced another reason. */
const REWORD_MS = 30_000;

/**
 * Lets a status wait that differs from the stored one in words alone. Whatever else claims, history or rejections have
 * to say is written at once. There are two rules.
 *
 * Contradiction. Two operators can be alive at once, during a rollout or as two leaders. They differ in what they have
 * read of queue and template, and in their clocks: for a moment a window is open, a request due or a start slow for
 * only one of them. Each write wakes the other operator, so they would correct each other as fast as the API server
 * allows, and their claims would run into conflicts. So what this process has written before is written again only
 * after a while. Measured: without this rule 8 of the first 100 seeds of the simulation break invariant 8. In the worst
 * one an operator writes the same status 100 times in 0.8 s.
 *
 * Rewording. What delays a start can change its words all the time: a kubelet says ErrImagePull and ImagePullBackOff in
 * turn, two Warnings recur, a scheduler counts other nodes. Each change costs a live look and a write, and in an outage
 * hundreds of starts hang. So a reason that has just replaced another one stands for half a minute. A first reason, and
 * the end of one, are written at once.
 */
export class StatusDamping {
  #written: { findings: unknown; at: number } | undefined;
  /** When a reason was last replaced (epoch milliseconds). */
  #rewordedAt = Number.NEGATIVE_INFINITY;

  /** This process has stored `next` in place of `before`. @param now epoch milliseconds. */
  written(before: CapDeployJobStatus | undefined, next: CapDeployJobStatus, now: number): void {
    this.#written = { findings: findingsOf(next), at: now };
    const reasons = new Map(claimsOf(before).map(({ uid, why }) => [uid, why]));
    if (claimsOf(next).some(({ uid, why }) => why !== undefined && (reasons.get(uid) ?? why) !== why)) {
      this.#rewordedAt = now;
    }
  }

  /** @returns until when the write of `next` is to wait (epoch milliseconds); undefined if it is not to wait. */
  waitsUntil(before: CapDeployJobStatus | undefined, next: CapDeployJobStatus, now: number): number | undefined {
    const contradictsUntil = (this.#written?.at ?? Number.NEGATIVE_INFINITY) + CONTRADICT_MS;
    if (
      now < contradictsUntil &&
      isDeepStrictEqual(this.#written?.findings, findingsOf(next)) &&
      isDeepStrictEqual(withoutFindings(before), withoutFindings(next))
    )
      return contradictsUntil;
    const rewordUntil = this.#rewordedAt + REWORD_MS;
    return now < rewordUntil && isDeepStrictEqual(withoutReasons(before), withoutReasons(next))
      ? rewordUntil
      : undefined;
  }
}

const claimsOf = (status: CapDeployJobStatus | undefined): Claim[] =>
  (status?.environments ?? []).flatMap(({ active = [] }) => active);

/** The status without the words of the reasons of claims. That there is a reason still counts. */
const withoutReasons = (status: CapDeployJobStatus | undefined) => ({
  ...status,
  environments: (status?.environments ?? []).map((lane) => ({
    ...lane,
    active: lane.active?.map((claim) => (claim.why === undefined ? claim : { ...claim, why: '' })),
  })),
});

/** What an operator says by what it has read itself and by its own clock. */
const findingsOf = ({ conditions = [], environments = [] }: CapDeployJobStatus) => ({
  conditions: conditions.map(({ lastTransitionTime: _, ...finding }) => finding),
  lanes: environments.map(({ name, closed, closedUntil, openSince, active = [], waiting = [] }) => ({
    ...{ name, closed, closedUntil, openSince },
    active: active.map(({ uid, why }) => ({ uid, why })),
    waiting: waiting.map(({ id, why, reasons, until }) => ({ id, why, reasons, until })),
  })),
});

/** What is left is the same for every operator. */
const withoutFindings = (status: CapDeployJobStatus | undefined) => ({
  ...status,
  conditions: undefined,
  environments: (status?.environments ?? []).map((lane) => ({
    ...lane,
    ...{ closed: undefined, closedUntil: undefined, openSince: undefined },
    active: (lane.active ?? []).map((claim) => ({ ...claim, why: '' })),
    waiting: (lane.waiting ?? []).map((entry) => ({ ...entry, why: '', reasons: undefined, until: undefined })),
  })),
});
