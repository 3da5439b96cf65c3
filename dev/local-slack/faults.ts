/** What goes wrong, by script. */

export type Fault =
  /** Answers with this HTTP status and nothing useful. */
  | { kind: 'status'; status: number }
  /** Never answers. */
  | { kind: 'hang' }
  /** Resets the connection before anything was done. */
  | { kind: 'reset' }
  /** HTTP 200 with a page, as a proxy sends it. */
  | { kind: 'html' }
  | { kind: 'ratelimited'; retryAfter: number }
  /** An error of the Web API. */
  | { kind: 'error'; error: string }
  /** Done, but the connection is reset instead of an answer. */
  | { kind: 'lost' }
  /** Done, but the answer never comes. */
  | { kind: 'lostHang' };

/**
 * `lost`: sent to no socket. `twice`: the same envelope again on the same socket. `both`: to two sockets, if there are
 * two.
 */
export type EnvelopeFault = 'lost' | 'twice' | 'both';

/** `silent`: the connection is made, but `hello` never comes. */
export type ConnectFault = Extract<Fault, { kind: 'status' | 'hang' | 'reset' }> | { kind: 'silent' };

interface Planned<F> {
  at: string;
  fault: F;
  left: number;
}

export class Faults {
  readonly #web: Planned<Fault>[] = [];
  readonly #envelopes: Planned<EnvelopeFault>[] = [];
  readonly #connects: Planned<ConnectFault>[] = [];

  /**
   * @param at a method, `response_url`, `incoming_webhook`, or `*` for everything
   * @param times how often; `Infinity` until the returned object is disposed of
   */
  web(at: string, fault: Fault, times = 1): Disposable {
    return plan(this.#web, { at, fault, left: times });
  }

  /** @param at an envelope's type, or `*` */
  envelope(at: string, fault: EnvelopeFault, times = 1): Disposable {
    return plan(this.#envelopes, { at, fault, left: times });
  }

  /** The next WebSocket handshakes. */
  connect(fault: ConnectFault, times = 1): Disposable {
    return plan(this.#connects, { at: '*', fault, left: times });
  }

  takeWeb(at: string): Fault | undefined {
    return take(this.#web, at);
  }

  takeEnvelope(at: string): EnvelopeFault | undefined {
    return take(this.#envelopes, at);
  }

  takeConnect(): ConnectFault | undefined {
    return take(this.#connects, '*');
  }
}

function plan<F>(list: Planned<F>[], planned: Planned<F>): Disposable {
  list.push(planned);
  return {
    [Symbol.dispose]: () => {
      planned.left = 0;
    },
  };
}

function take<F>(list: Planned<F>[], at: string): F | undefined {
  const planned = list.find((one) => one.left > 0 && (one.at === at || one.at === '*'));
  if (planned === undefined) return undefined;
  planned.left -= 1;
  return planned.fault;
}
