/**
 * The record by which replicas agree on a leader: one Lease (coordination.k8s.io/v1), read and written as client-go's
 * `tools/leaderelection/resourcelock` does, so that `kubectl` and people who know other controllers understand it.
 * Pure.
 */

import { microTime } from '../../base/clock.ts';
import type { KubeObject } from '../client.ts';

/** `spec` of a Lease as far as leader election uses it. */
export interface LeaseRecord {
  /** The leader; '' or missing if there is none, and others need not wait. */
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  /** metav1.MicroTime. For people: no clock is compared with it. */
  acquireTime?: string;
  renewTime?: string;
  /** How often the holder changed since the Lease was made. */
  leaseTransitions?: number;
}

export type Lease = KubeObject & { spec?: LeaseRecord };

export interface LeaseName {
  namespace: string;
  name: string;
}

export const holderOf = (lease: Lease | undefined): string => lease?.spec?.holderIdentity ?? '';

/** The record as a text, to compare two of them: a new label, for example, is no sign of life of the holder. */
export const recordText = (lease: Lease): string => {
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = lease.spec ?? {};
  return JSON.stringify([holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions]);
};

/** Milliseconds that others wait for the holder after its last sign of life; `fallback` if the record has none. */
export function durationMsOf(lease: Lease, fallback: number): number {
  const seconds = lease.spec?.leaseDurationSeconds;
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : fallback;
}

/**
 * What `identity` writes to become or stay the leader.
 * @param before the record that this one replaces. @param now epoch milliseconds.
 */
export function heldBy(
  identity: string,
  before: LeaseRecord | undefined,
  durationMs: number,
  now: number,
): Required<LeaseRecord> {
  const stays = before?.holderIdentity === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: (stays && before.acquireTime) || microTime(now),
    renewTime: microTime(now),
    // The first holder of a new Lease is no change.
    leaseTransitions: (before?.leaseTransitions ?? 0) + (stays || before === undefined ? 0 : 1),
  };
}

/**
 * What the leader writes when it ends, as client-go's `release` does: no holder, and a second as duration for clients
 * that look at time alone.
 */
export function released(before: LeaseRecord | undefined, now: number): Required<LeaseRecord> {
  return {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: microTime(now),
    renewTime: microTime(now),
    leaseTransitions: before?.leaseTransitions ?? 0,
  };
}
