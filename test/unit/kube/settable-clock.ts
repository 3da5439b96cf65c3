import { VirtualClock } from '../../kit/virtual-clock.ts';

/** A machine's: the time of day can be set, while timers and `monotonic` go on. */
export class SettableClock extends VirtualClock {
  /** By how much the time of day was set since (milliseconds). */
  setMs = 0;

  override now(): number {
    return super.now() + this.setMs;
  }

  monotonic(): number {
    return super.now();
  }
}
