/** What a value did over time: the straight line that fits it best (least squares). */
export interface Trend {
  readonly mean: number;
  /** How much the line rises from the first sample to the last, in the value's own unit. */
  readonly growth: number;
  /** By how much the samples stray from the line (standard error of the growth): a growth within it is chance. */
  readonly chance: number;
}

/** @param values at equal distances in time; at least three. */
export function trendOf(values: readonly number[]): Trend {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const middle = (n - 1) / 2;
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  const slope = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0) / spread;
  const left = values.reduce((sum, value, at) => sum + (value - mean - slope * (at - middle)) ** 2, 0);
  const chance = Math.sqrt(left / Math.max(1, n - 2) / spread) * (n - 1);
  return { mean, growth: slope * (n - 1), chance };
}

/**
 * What a value may grow by over the whole time: a share of its mean, or so much, whichever is more; and what is chance
 * does not count.
 */
export interface Allowed {
  readonly share: number;
  readonly least: number;
}

export function grows(values: readonly number[], { share, least }: Allowed): boolean {
  const { mean, growth, chance } = trendOf(values);
  return growth - 2 * chance > Math.max(mean * share, least);
}
