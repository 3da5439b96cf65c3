/**
 * Another process, seen through its debugger's port (Chrome DevTools Protocol): nothing has to be built into it for
 * that.
 */
export class Debugger {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (message: Answer) => void>();
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Answer & { id?: number };
      if (message.id === undefined) return;
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    });
  }

  /** @param url as Node prints it: `ws://127.0.0.1:<port>/<id>`. */
  static async connect(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`no debugger answers at ${url}`)));
    });
    return new Debugger(socket);
  }

  collectGarbage(): Promise<unknown> {
    return this.#post('HeapProfiler.collectGarbage', {});
  }

  /** The value of an expression there, as JSON can carry it. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result } = await this.#post('Runtime.evaluate', { expression, returnByValue: true });
    return (result as { result: { value: T } }).result.value;
  }

  close(): void {
    this.#socket.close();
  }

  async #post(method: string, params: object): Promise<Answer> {
    const id = ++this.#sent;
    const answer = new Promise<Answer>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const message = await answer;
    if (message.error) throw new Error(`${method}: ${message.error.message}`);
    return message;
  }
}

interface Answer {
  result?: unknown;
  error?: { message: string };
}
