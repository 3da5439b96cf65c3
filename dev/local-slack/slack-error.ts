import type { Json } from './json.ts';

/** `{ ok: false, error }`, with what Slack adds to it. */
export class SlackError extends Error {
  readonly code: string;
  readonly details: Json;

  constructor(code: string, details: Json = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

/** As Slack lists what is wrong in blocks and arguments: `[ERROR] … [json-pointer:/…]`. */
export const problemsError = (code: string, problems: string[]): SlackError =>
  new SlackError(code, {
    ...(code === 'invalid_blocks' ? { errors: problems } : {}),
    response_metadata: { messages: problems.map((problem) => `[ERROR] ${problem}`) },
  });

/** HTTP 429. */
export class RateLimited extends Error {
  /** Whole seconds. */
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super('ratelimited');
    this.retryAfter = retryAfter;
  }
}
