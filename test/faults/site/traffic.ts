import { setTimeout as pause } from 'node:timers/promises';
import type { Asked, Poison } from '../audit/evidence.ts';
import type { Random } from './random.ts';
import { type Message, Requests } from './requests.ts';
import { exitCodes, type Site } from './site.ts';

export interface Traffic {
  /** What was sent until now. */
  readonly requests: readonly Asked[];
  readonly poison: readonly Poison[];
  /** Whether all of it was sent. */
  readonly isOver: boolean;
  readonly over: Promise<void>;
}

let traffics = 0;

/**
 * Producers, one for each resource, that send at the same time and go on whatever breaks.
 * @param options.messages in all, spread over the resources
 * @param options.overMs so long it takes, where nothing holds a producer up
 * @param options.poison false where none of it is to be poison
 */
export function startTraffic(site: Site, options: { messages: number; overMs: number; poison?: boolean }): Traffic {
  const series = `${'abcdefgh'[traffics++ % 8]}.`;
  const requests: Asked[] = [];
  const poison: Poison[] = [];
  let isOver = false;
  const each = Math.ceil(options.messages / site.resources.length);
  const produce = async (resource: string, random: Random): Promise<void> => {
    const source = new Requests(resource, { series, poison: options.poison ?? true }, random.fork());
    for (let sent = 0; sent < each; ) {
      const size = Math.min(random.between(1, 5), each - sent);
      const batch = Array.from({ length: size }, () => source.next());
      for (const message of batch) note(message);
      const times = await site.queues.send(resource, bodiesOf(batch));
      for (const message of batch) if (message.kind === 'poison') message.poison.sent = times;
      sent += size;
      await pause(random.next() * 2 * options.overMs * (size / each));
    }
  };
  const note = (message: Message): void => {
    if (message.kind === 'poison') {
      poison.push(message.poison);
      return;
    }
    exitCodes.set(message.asked.revision, message.asked.exitCode);
    requests.push(message.asked);
  };
  const over = Promise.all(site.resources.map((resource) => produce(resource, site.random.fork()))).then(() => {
    isOver = true;
  });
  // Who waits for it hears of it; until then it must not end the process.
  over.catch(() => {});
  return {
    requests,
    poison,
    over,
    get isOver() {
      return isOver;
    },
  };
}

/** SQS takes ten at once: five, each of them twice. */
const bodiesOf = (batch: readonly Message[]): string[] =>
  batch.flatMap(({ body, copies }) => Array.from({ length: copies }, () => body));
