/** What the programs of chat count, for Prometheus. Names and labels are public: people alert on them. */

import { collectDefaultMetrics } from 'prom-client';
import { LabelValues } from './label-values.ts';
import { type Definition, MetricFactory } from './metric-factory.ts';

/** Seconds. Slack gives up after 3. */
const ACK_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 3];

export class ChatMetrics {
  readonly #factory = new MetricFactory();
  readonly #requests = this.#factory.counter('chat_requests_total', 'What people asked for in chat, by outcome', [
    'verb',
    'outcome',
  ]);
  readonly #requestValues = { verb: new LabelValues(), outcome: new LabelValues() };
  readonly #connected = this.#factory.gauge(
    'slack_connected',
    'Whether Slack can deliver what people say and click (1) or not (0)',
    [],
  );
  readonly #ack = this.#factory.histogram(
    'slack_ack_seconds',
    'From the receipt of an envelope to its acknowledgement',
    [],
    ACK_BUCKETS,
  );
  readonly #handlerErrors = this.#factory.counter(
    'slack_handler_errors_total',
    'Answers to Slack that failed for an unexpected reason, by kind of envelope',
    ['kind'],
  );
  readonly #handlerErrorValues = new LabelValues();
  readonly #callErrors = this.#factory.counter('slack_call_errors_total', "Calls of Slack's Web API that failed", [
    'method',
    'code',
  ]);
  readonly #callErrorValues = { method: new LabelValues(), code: new LabelValues() };
  readonly #reloads = this.#factory.counter(
    'config_reloads_total',
    'Changes of the configuration file, by whether they were taken (true) or wrong (false)',
    ['success'],
  );
  readonly #plainText = this.#factory.counter(
    'slack_plain_text_total',
    'Messages whose layout Slack refused, sent as plain text',
    [],
  );

  /**
   * @param options `processMetrics`: also `process_*` and `nodejs_*`. Default true. `verbs`: their series of requests that
   *   were done begin at 0, because Prometheus' `increase()` does not see a counter that appears with 1
   */
  constructor({ processMetrics = true, verbs = [] }: { processMetrics?: boolean; verbs?: readonly string[] } = {}) {
    if (processMetrics) collectDefaultMetrics({ register: this.#factory.registry });
    for (const verb of verbs) this.#requests.inc({ verb: this.#requestValues.verb.of(verb), outcome: 'done' }, 0);
    for (const success of ['true', 'false']) this.#reloads.inc({ success }, 0);
  }

  /** Every metric of ours, in the order of their definition. */
  definitions(): readonly Definition[] {
    return this.#factory.definitions;
  }

  /** @param outcome `ok`, or why not */
  requested(verb: string, outcome: string): void {
    this.#requests.inc({
      verb: this.#requestValues.verb.of(verb),
      outcome: this.#requestValues.outcome.of(outcome),
    });
  }

  slackConnected(isConnected: boolean): void {
    this.#connected.set(isConnected ? 1 : 0);
  }

  slackAcknowledged(seconds: number): void {
    this.#ack.observe({}, Math.max(0, seconds));
  }

  slackHandlerFailed(kind: string): void {
    this.#handlerErrors.inc({ kind: this.#handlerErrorValues.of(kind) });
  }

  slackCallFailed(method: string, code: string): void {
    this.#callErrors.inc({
      method: this.#callErrorValues.method.of(method),
      code: this.#callErrorValues.code.of(code),
    });
  }

  slackSentAsPlainText(): void {
    this.#plainText.inc();
  }

  /** The configuration file has changed. @param isGood false: the one before stays */
  configReloaded(isGood: boolean): void {
    this.#reloads.inc({ success: String(isGood) });
  }

  get contentType(): string {
    return this.#factory.registry.contentType;
  }

  /** @returns everything, in Prometheus' text format */
  text(): Promise<string> {
    return this.#factory.registry.metrics();
  }
}
