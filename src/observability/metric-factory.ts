import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A metric as Prometheus and the docs know it. */
export interface Definition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Makes metrics in a registry of its own, and keeps their definitions for the reference in docs. */
export class MetricFactory {
  readonly registry = new Registry();
  readonly definitions: Definition[] = [];

  counter<L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> {
    return new Counter(this.#define('counter', name, help, labelNames));
  }

  /** @param collect called before each scrape, to set the gauge. */
  gauge<L extends string>(name: string, help: string, labelNames: readonly L[], collect?: (gauge: Gauge<L>) => void) {
    const definition = this.#define('gauge', name, help, labelNames);
    if (collect === undefined) return new Gauge(definition);
    return new Gauge({
      ...definition,
      collect() {
        collect(this);
      },
    });
  }

  histogram<L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]): Histogram<L> {
    return new Histogram({ ...this.#define('histogram', name, help, labelNames), buckets });
  }

  #define<L extends string>(type: Definition['type'], suffix: string, help: string, labelNames: readonly L[]) {
    const name = `capdeployjob_${suffix}`;
    this.definitions.push({ name, type, help, labels: labelNames });
    return { name, help, labelNames, registers: [this.registry] };
  }
}
