import type { PlaceEntry, PlaceKind } from './ledger.ts';

/**
 * Where news goes: a channel of Slack, an address, GitHub. All are told in one way (deliver.ts); what tells them apart is
 * whether a second delivery does harm.
 */
export interface Sink<Shown> extends PlaceKind {
  /**
   * What is limited together: the channel, the method. A call waits until its gate is open.
   * @param kind of the call
   */
  gateOf(kind: CallKind): Gate;
  /**
   * Makes one call, and repeats nothing. It ends within 10 s.
   * @returns the id of a new message
   * @throws SinkError
   */
  deliver(call: Call<Shown>, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Looks for a message that may be there.
   * @param what as `deliver` got it
   * @returns its id; undefined if it is not there
   * @throws SinkError
   */
  look?(call: Omit<Call<Shown>, 'kind'>, signal: AbortSignal): Promise<string | undefined>;
}

/** A new message, something said once beside it, or the newest state of it. */
export type CallKind = 'post' | 'say' | 'update';

export interface Call<Shown> {
  readonly kind: CallKind;
  /** `post:<phase>`, or the name of what is said; of an update the hash. */
  readonly what: string;
  readonly shown: Shown;
  readonly entry: PlaceEntry;
}

export interface Gate {
  readonly name: string;
  /** Milliseconds that one call costs, and how many may be spent at once. */
  readonly costMs: number;
  readonly burstMs: number;
}

/**
 * How a call failed.
 * - `later`: not done, and not before so many milliseconds: the gate is held.
 * - `refused`: not done, and a person has to do something about it.
 * - `missing`: the message is not there any more.
 * - `unclear`: done or not, nobody knows.
 */
export type SinkErrorKind = 'later' | 'refused' | 'missing' | 'unclear';

/** Its message holds neither a token nor an address with a secret in it. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  readonly kind: SinkErrorKind;
  /** In one word, for metrics: the code of the service, or `http_503`. */
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  /** What a person is to do. */
  readonly advice: string | undefined;

  constructor(
    kind: SinkErrorKind,
    code: string,
    message: string,
    more: { retryAfterMs?: number | undefined; advice?: string | undefined } = {},
  ) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.retryAfterMs = more.retryAfterMs;
    this.advice = more.advice;
  }
}
