/**
 * Rate limits. The real Slack allows bursts above its tiers; this one does not.
 *
 * @see https://docs.slack.dev/apis/web-api/rate-limits
 */
import type { Clock } from '../../src/base/clock.ts';
import { RateLimited } from './slack-error.ts';

/** Calls a minute, for each method and app. `special` has its own rules below. */
export const TIERS = { tier2: 20, tier3: 50, tier4: 100, special: 300 } as const;
export type Tier = keyof typeof TIERS;

/** "chat.postMessage generally allows posting one message per second per channel", with short bursts. */
export const POSTS_PER_SECOND = 1;
export const POST_BURST = 3;
/** "while also maintaining a workspace-wide limit": several hundred a minute. */
export const POSTS_PER_MINUTE = TIERS.special;

const MINUTE = 60_000;

export class Tiers {
  readonly #clock: Clock;
  readonly #calls = new Map<string, number[]>();
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** At most `perMinute` calls in any 60 s. What is refused does not count. */
  take(key: string, perMinute: number): void {
    const now = this.#clock.now();
    const calls = (this.#calls.get(key) ?? []).filter((at) => at > now - MINUTE);
    this.#calls.set(key, calls);
    const oldest = calls[0];
    if (oldest !== undefined && calls.length >= perMinute) throw new RateLimited(seconds(oldest + MINUTE - now));
    calls.push(now);
  }

  /** One post a second for each channel of each app; webhooks have the same limit. */
  takePost(app: string, channel: string): void {
    const now = this.#clock.now();
    const key = `${app}/${channel}`;
    const last = this.#buckets.get(key) ?? { tokens: POST_BURST, at: now };
    const tokens = Math.min(POST_BURST, last.tokens + ((now - last.at) / 1000) * POSTS_PER_SECOND);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    if (tokens < 1) throw new RateLimited(seconds((1 - tokens) * 1000));
  }
}

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));
