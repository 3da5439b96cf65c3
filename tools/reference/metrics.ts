import { Metrics } from '../../src/observability/metrics.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

/** docs/reference/metrics.md: every metric of ours, from the registry. */
export function metricsPage(): string {
  const rows = new Metrics({ processMetrics: false })
    .definitions()
    .map(({ name, type, labels, help }) => [code(name), type, cell(labels.map(code).join(', ')), cell(help)]);
  return `${GENERATED}# Metrics

Served at \`/metrics\` of \`capdeploy controller\` (\`--metrics-bind-address\`), beside the usual \`process_*\` and \`nodejs_*\`.
[Worth an alert](../monitoring.md#worth-an-alert) says what to watch.

${table(['metric', 'type', 'labels', 'what it counts'], rows)}`;
}
