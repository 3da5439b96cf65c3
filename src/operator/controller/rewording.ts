import { isDeepStrictEqual } from 'node:util';
import type { CapDeployJobStatus, Claim } from '../../api/capdeployjob.ts';

/** How long a reason that has taken another's place stands. */
const STANDS_MS = 30_000;

/**
 * What keeps a start back can change its words all the time: a kubelet says ErrImagePull and ImagePullBackOff by turns,
 * two Warnings recur, a scheduler counts other nodes. Each change is a live look and a write, and in an outage hundreds
 * of starts hang. So a reason that has just taken another's place stands for half a minute, if a write would do nothing
 * else. A first reason, and the end of one, is written at once.
 */
export class Rewording {
  /** When the status was last reworded (epoch milliseconds). */
  #rewordedAt = Number.NEGATIVE_INFINITY;

  /** The status is stored in place of the one before. */
  stored(before: CapDeployJobStatus | undefined, next: CapDeployJobStatus, now: number): void {
    const whys = new Map(claimsOf(before).map(({ uid, why }) => [uid, why]));
    if (claimsOf(next).some(({ uid, why }) => why !== undefined && (whys.get(uid) ?? why) !== why)) {
      this.#rewordedAt = now;
    }
  }

  /** @returns until when the write is to wait (epoch milliseconds); undefined where it is not to wait. */
  waitsUntil(before: CapDeployJobStatus | undefined, next: CapDeployJobStatus, now: number): number | undefined {
    const until = this.#rewordedAt + STANDS_MS;
    return now < until && isDeepStrictEqual(withoutWords(before), withoutWords(next)) ? until : undefined;
  }
}

const claimsOf = (status: CapDeployJobStatus | undefined): Claim[] =>
  (status?.environments ?? []).flatMap(({ active = [] }) => active);

const withoutWords = (status: CapDeployJobStatus | undefined) => ({
  ...status,
  environments: (status?.environments ?? []).map((lane) => ({
    ...lane,
    active: lane.active?.map((claim) => (claim.why === undefined ? claim : { ...claim, why: '' })),
  })),
});
