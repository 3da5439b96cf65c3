/** What this room counts; `ChatMetrics` of src/observability is one. */
export interface SlackMetrics {
  /** Whether at least one connection takes envelopes. */
  slackConnected(isConnected: boolean): void;
  /** @param seconds from the receipt of an envelope to its acknowledgement */
  slackAcknowledged(seconds: number): void;
  /** A listener threw. @param kind of the envelope */
  slackHandlerFailed(kind: string): void;
  /** @param code of `SlackError` */
  slackCallFailed(method: string, code: string): void;
  /** Slack refused a message's blocks. */
  slackSentAsPlainText(): void;
}
