import type { Lane } from './lane.ts';
import { occupantOf } from './occupant.ts';

/**
 * Updates since when a deploy could have started: the end of the last deploy, the opening of a window, or the moment at
 * which a thaw was seen. It is stored, so that an operator that comes back after an outage knows what could have
 * started meanwhile.
 */
export function updateOpenSince(lane: Lane): void {
  lane.wake(lane.window.until ?? lane.window.searchAgainAt);
  if (lane.claim || occupantOf(lane) !== undefined || !lane.isOpen) {
    lane.openSince = undefined;
    return;
  }
  if (lane.openSince !== undefined) return;
  lane.openSince = Math.max(sinceLastStop(lane), lane.window.since ?? Number.NEGATIVE_INFINITY);
}

function sinceLastStop(lane: Lane): number {
  const { previous, createdAt, now } = lane.view;
  const lastEnd = lane.lastEndedAt === undefined ? undefined : Math.min(now, Date.parse(lane.lastEndedAt));
  if (!previous) return Math.max(createdAt, lastEnd ?? createdAt);
  if (previous.openSince !== undefined) return Date.parse(previous.openSince);
  // The lane was frozen when its deploy ended, so the thaw came last.
  if (previous.frozen !== undefined) return now;
  const ends = [
    ...(previous.closed === undefined ? [] : [openingOf(lane, previous.closedUntil) ?? now]),
    ...(previous.active?.length ? [lastEnd ?? now] : []),
  ];
  return ends.length > 0 ? Math.max(...ends) : now;
}

/**
 * When the windows opened by the clock, whether an operator ran then or not. If a closed lane is open before its time,
 * its windows were changed by hand: that counts from when it is seen, as a thaw does.
 */
function openingOf({ window, view }: Lane, closedUntil: string | undefined): number | undefined {
  if (closedUntil === undefined || Date.parse(closedUntil) > view.now) return undefined;
  return Math.max(window.since ?? Number.NEGATIVE_INFINITY, Date.parse(closedUntil));
}
