import { VirtualWorld } from './virtual-world.ts';

/** Resources that are there at any time. Each minute one goes and another one, with another name, comes. */
const RESOURCES = 12;

/** What a busy cluster does to an operator, by chance and by the minute. */
export class Churn {
  readonly world: VirtualWorld;
  readonly #random: () => number;
  #made = 0;
  #sent = 0;
  #minute = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.world = new VirtualWorld(this.#random);
  }

  /** Messages that were sent so far. */
  get sent(): number {
    return this.#sent;
  }

  async begin(): Promise<void> {
    for (let i = 0; i < RESOURCES; i += 1) this.#make();
    await this.world.pass(60_000);
    this.world.faultRate = 0.01;
  }

  async minute(): Promise<void> {
    const { world } = this;
    this.#minute += 1;
    const names = world.names();
    const pick = () => names[Math.floor(this.#random() * names.length)] as string;
    if (names.length >= RESOURCES)
      world.remove(names.splice(Math.floor(this.#random() * names.length), 1)[0] as string);
    this.#make();
    for (const name of names) this.#send(name);
    const frozen = this.#random() < 0.5 ? { 'freeze.capdeployjob.dev/production': 'alice: incident' } : {};
    world.change(pick(), { metadata: { annotations: frozen } });
    world.change(pick(), { spec: { maxWaiting: 5 + Math.floor(this.#random() * 20) } });
    const queue = world.queues.get(pick());
    if (queue) queue.exists = !queue.exists;
    if (this.#minute % 7 === 0) world.endWatches(this.#minute % 14 === 0);
    world.forgetEvents();
    await world.pass(60_000);
  }

  /** Everything is deleted, and nothing comes after it. */
  async end(): Promise<void> {
    this.world.faultRate = 0;
    for (const name of this.world.names()) this.world.remove(name);
    await this.world.pass(30 * 60_000);
    this.world.forgetEvents();
    await this.world.pass(60_000);
  }

  #make(): void {
    this.#made += 1;
    const redrive =
      this.#made % 2 === 0 ? { maxReceiveCount: 3, dlqArn: 'arn:aws:sqs:us-east-1:000000000000:dead' } : undefined;
    this.world.deploy(`app-${this.#made}`, redrive, { waitingDeadlineSeconds: 30 * 86_400 });
  }

  #send(name: string): void {
    const queue = this.world.queues.get(name);
    for (let i = 0; i < 3; i += 1) {
      this.#sent += 1;
      const environment = this.#random() < 0.5 ? 'production' : 'staging';
      const body = JSON.stringify({
        repository: name,
        environment,
        revision: `v${this.#sent}`,
        id: `id-${this.#sent}`,
      });
      queue?.send(this.#random() < 0.3 ? body.slice(1) : body);
      if (this.#random() < 0.1) queue?.send(body);
    }
  }
}

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
