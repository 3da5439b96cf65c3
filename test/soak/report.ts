import { type Allowed, grows, trendOf } from './trend.ts';

/** Prints curves as tables, and counts what passed and what failed. */
export class Report {
  passed = 0;
  failed = 0;
  #widths: number[] = [];

  head(names: readonly string[]): void {
    this.#widths = names.map(({ length }) => Math.max(8, length));
    console.log(names.map((name, column) => name.padStart(this.#widths[column] ?? 0)).join('  '));
  }

  row(values: readonly number[]): void {
    const cells = values.map((value) => (Number.isInteger(value) ? String(value) : value.toFixed(2)));
    console.log(cells.map((cell, column) => cell.padStart(this.#widths[column] ?? 0)).join('  '));
  }

  check(what: string, isGood: boolean, found: string): void {
    if (isGood) this.passed += 1;
    else {
      this.failed += 1;
      console.log(`FAILED: ${what}: ${found}`);
    }
  }

  /** The value does not grow, by the straight line that fits it best. */
  flat(what: string, values: readonly number[], allowed: Allowed): void {
    const { mean, growth } = trendOf(values);
    const words = `grows by ${growth.toFixed(0)} at a mean of ${mean.toFixed(0)}: ${values.map((value) => value.toFixed(0)).join(' ')}`;
    this.check(what, !grows(values, allowed), words);
  }
}
