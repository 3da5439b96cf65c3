import { ChatMetrics } from '../../src/observability/chat-metrics.ts';
import type { Definition } from '../../src/observability/metric-factory.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

/** docs/reference/metrics.md: every metric of ours, from the registries. */
export function metricsPage(): string {
  const operator = new Metrics({ processMetrics: false }).definitions();
  const chat = new ChatMetrics({ processMetrics: false }).definitions();
  return `${GENERATED}# Metrics

Served at \`/metrics\` of \`capdeploy controller\` (\`--metrics-bind-address\`), beside the usual \`process_*\` and \`nodejs_*\`.
[Worth an alert](../monitoring.md#worth-an-alert) says what to watch.

${metricsTable(operator)}
## Chat

Of the programs that talk to Slack.

${metricsTable(chat)}`;
}

function metricsTable(definitions: readonly Definition[]): string {
  const rows = definitions.map(({ name, type, labels, help }) => {
    return [code(name), type, cell(labels.map(code).join(', ')), cell(help)];
  });
  return table(['metric', 'type', 'labels', 'what it counts'], rows);
}
