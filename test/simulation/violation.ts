/** An invariant of the architecture that does not hold. */
export class Violation extends Error {
  /** Which one: `invariant 3`, `liveness`, … */
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`);
    this.name = 'Violation';
    this.rule = rule;
  }
}
