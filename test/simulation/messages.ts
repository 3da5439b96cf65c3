import type { Random } from './random.ts';
import { type Place, TASKS } from './setting.ts';
import type { StoredMessage } from './sqs-model.ts';
import type { World } from './world.ts';

/** What a message means, as its sender knows it; undefined for one that means nothing. */
export interface Intent {
  readonly id: string;
  readonly environment: string;
  readonly task: string;
  readonly revision: string;
  readonly repository: string;
  readonly notBefore: string | undefined;
  readonly expiresAt: string | undefined;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  /** Texts for people. */
  readonly texts: {
    readonly reason: string | undefined;
    readonly channel: string | undefined;
    readonly threadTs: string | undefined;
  };
}

export interface Sent {
  readonly place: Place;
  readonly message: StoredMessage;
  readonly intent: Intent | undefined;
}

const POISON: readonly ((random: Random) => string)[] = [
  () => 'deploy it!',
  () => JSON.stringify({ repository: 'livesense/web', environment: 'moon', revision: 'v1' }),
  () => JSON.stringify({ repository: 'livesense/web', environment: 'production', revision: 'main$(reboot)' }),
  () => JSON.stringify({ repository: 'livesense/web', environment: 'production', revision: 'v1', task: 'db:drop' }),
  () => JSON.stringify({ repository: 'livesense/web', environment: 'production' }),
  (random) =>
    JSON.stringify({
      repository: 'livesense/web',
      environment: 'production',
      revision: 'v1',
      id: ['x', random.int(9)],
    }),
];

/**
 * Puts a message on a queue: a new request, one that was sent before, one with an id that is taken, or one that means
 * nothing.
 */
export function sendMessage(world: World, place: Place, random: Random): string {
  const delayMs = random.chance(0.2) ? random.magnitude(100, 60_000) : 0;
  if (random.chance(world.profile.poison)) {
    const message = place.queue.send(random.pick(POISON)(random), delayMs);
    world.oracle.messageSent({ place, message, intent: undefined });
    return `${message.messageId}, which means nothing`;
  }
  const earlier = world.oracle.sent.filter((each) => each.place === place && each.intent?.id.startsWith('id-'));
  const isRepeated = earlier.length > 0 && random.chance(world.profile.repeats);
  const fields = isRepeated ? repeat(random.pick(earlier).intent!, random) : draw(world, place, random);
  const texts = textsFor(world.oracle.sent.length + 1);
  const { reason, ...slack } = texts;
  const told = { reason, ...(slack.channel === undefined ? {} : { slack }) };
  const message = place.queue.send(JSON.stringify({ repository: 'livesense/web', ...fields, ...told }), delayMs);
  const claimed = fields.sentAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(fields.sentAt);
  const intent: Intent = {
    id: fields.id ?? message.messageId,
    environment: fields.environment,
    task: fields.task,
    revision: fields.revision,
    repository: 'livesense/web',
    notBefore: fields.notBefore,
    expiresAt: fields.expiresAt,
    sentAt: Math.min(claimed, message.sentTimestamp),
    texts,
  };
  world.oracle.messageSent({ place, message, intent });
  const times = [fields.notBefore && `not before ${fields.notBefore}`, fields.expiresAt && `until ${fields.expiresAt}`];
  return `${message.messageId}: ${intent.id} ${intent.task} ${intent.revision} to ${place.name}/${intent.environment}, sent ${new Date(intent.sentAt).toISOString()} ${times.filter(Boolean).join(' ')}`;
}

/** By the number of the message, so that it changes no run: some give no reason, no thread, or nothing of Slack. */
const textsFor = (number: number): Intent['texts'] => ({
  reason: number % 5 === 0 ? undefined : `fixes #${number}`,
  channel: number % 4 === 0 ? undefined : `C${number}`,
  threadTs: number % 4 < 2 ? undefined : `1764500000.${String(number).padStart(6, '0')}`,
});

interface Fields {
  id: string | undefined;
  environment: string;
  task: string;
  revision: string;
  sentAt: string | undefined;
  notBefore: string | undefined;
  expiresAt: string | undefined;
}

function draw(world: World, place: Place, random: Random): Fields {
  const now = world.clock.now();
  const at = (ms: number) => new Date(now + ms).toISOString();
  const number = world.oracle.sent.length + 1;
  const waitMs = random.chance(0.12) ? random.magnitude(5_000, 120_000) : undefined;
  return {
    id: random.chance(0.4) ? `id-${number}` : undefined,
    environment: random.pick(place.environments),
    task: random.weighted([
      [TASKS[0], 8],
      [TASKS[1], 1],
      [TASKS[2], 1],
    ]),
    revision: `v1.0.${number}`,
    sentAt: random.chance(0.25) ? at(-random.magnitude(1_000, random.chance(0.1) ? 600_000 : 60_000)) : undefined,
    notBefore: waitMs === undefined ? undefined : at(waitMs),
    expiresAt: random.chance(0.1) ? at((waitMs ?? 0) + random.magnitude(5_000, 120_000)) : undefined,
  };
}

/** The same id again: mostly the same request, sometimes another content, which is a mistake of the sender's. */
function repeat({ id, environment, task, revision, notBefore, expiresAt }: Intent, random: Random): Fields {
  return {
    id,
    environment,
    task,
    revision: random.chance(0.25) ? `${revision}-other` : revision,
    sentAt: undefined,
    notBefore,
    expiresAt,
  };
}
