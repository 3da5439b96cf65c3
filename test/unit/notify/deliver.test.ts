import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLocalClient } from '../../../dev/in-process-client.ts';
import { sleep } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import type { Task } from '../../../src/notify/attempt.ts';
import { Deliver } from '../../../src/notify/deliver.ts';
import { CONFIG_MAPS, type ConfigMap, Feed, feedName } from '../../../src/notify/feed.ts';
import type { Phase } from '../../../src/notify/ledger.ts';
import { type Call, type Sink, SinkError } from '../../../src/notify/sink.ts';
import { settle, VirtualClock } from '../../kit/clocks.ts';
import { interceptClient } from '../../kit/intercept-client.ts';
import { createStore } from '../../kit/store.ts';

/** Notifiers that are killed and started again, two at a time, in front of a channel whose answers get lost. */

const NAMESPACE = 'notifier';
const UID = 'a-uid';
const PHASES: readonly Phase[] = ['waiting', 'running', 'ended'];
const JOBS = ['web-production-a', 'web-production-b', 'web-production-c'];

type Shown = { readonly job: string; readonly phase: Phase };

/** What people see. */
class Channel {
  readonly posts: { what: string; job: string; shows: string }[] = [];
  /** How the next calls go wrong. */
  faults: ('refused' | 'lost' | 'never' | 'later')[] = [];
  readonly calls: string[] = [];

  sink(canLook: boolean): Sink<Shown> {
    return {
      isRepeatable: false,
      canLook,
      gateOf: (kind) => ({ name: kind === 'update' ? 'update' : 'post', costMs: 100, burstMs: 1_000 }),
      deliver: async (call) => this.#deliver(call),
      look: async ({ what, shown }) => {
        const place = this.posts.findIndex((post) => post.what === what && post.job === shown.job);
        return place < 0 ? undefined : String(place);
      },
    };
  }

  async #deliver({ kind, what, shown, entry }: Call<Shown>): Promise<string | undefined> {
    this.calls.push(`${kind} ${shown.job} ${shown.phase}`);
    const fault = this.faults.shift();
    if (fault === 'refused') throw new SinkError('refused', 'not_in_channel', 'invite it');
    if (fault === 'later') throw new SinkError('later', 'ratelimited', 'wait', { retryAfterMs: 3_000 });
    if (fault === 'never') throw new SinkError('unclear', 'timeout', 'no answer');
    let ts = entry.ts;
    if (kind === 'update') this.posts[Number(ts)]!.shows = shown.phase;
    else ts = String(this.posts.push({ what, job: shown.job, shows: shown.phase }) - 1);
    if (fault === 'lost') throw new SinkError('unclear', 'timeout', 'no answer');
    return ts;
  }
}

/** One process. A kill takes its memory; what it has sent stays sent. */
class Notifier {
  readonly deliver: Deliver;
  readonly #feed: Feed;
  #killed = false;

  constructor(
    kube: KubeClient,
    clock: VirtualClock,
    sink: Sink<Shown>,
    phaseOf: (job: string) => Phase,
    identity: string,
  ) {
    const never = new AbortController().signal;
    // On its way, and on the way back: a kill in between loses the request or its answer.
    const step = async () => {
      await sleep(clock, 20, never);
      if (this.#killed) throw new KubeError('retryable', { status: 0, reason: 'Killed', message: 'killed' });
    };
    const mine = interceptClient(kube, async (_, send) => {
      await step();
      const answer = await send();
      await step();
      return answer;
    });
    this.#feed = new Feed({
      kube: mine,
      namespace: NAMESPACE,
      uid: UID,
      resource: 'deploy/web',
      isThere: () => true,
      clock,
    });
    const mortal: Sink<Shown> = {
      ...sink,
      deliver: async (call, signal) => {
        await step();
        const ts = await sink.deliver(call, signal);
        await step();
        return ts;
      },
    };
    this.deliver = new Deliver({
      taskOf: (job): Task | undefined => {
        if (this.#killed) return undefined;
        const phase = phaseOf(job);
        return {
          job,
          place: 'slack/C0',
          feed: this.#feed,
          sink: mortal,
          wanted: { show: { hash: phase, phase }, once: phase === 'ended' ? ['outcome'] : [] },
          shown: { job, phase },
          urgency: phase === 'ended' ? 0 : phase === 'running' ? 1 : 2,
        };
      },
      onQuiet: () => {},
      onFailure: () => {},
      onDelivered: () => {},
      identity,
      clock,
      log: silentLog,
    });
  }

  start(): void {
    // Reads what is there.
    void this.#feed
      .change('', () => undefined)
      .then(
        () => this.look(),
        () => {},
      );
  }

  look(): void {
    for (const job of JOBS) this.deliver.add(job);
  }

  kill(): void {
    this.#killed = true;
    this.#feed.stop();
    void this.deliver.stop(0);
  }
}

const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('moves' as const), job: fc.nat(JOBS.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kill' as const), who: fc.nat(1) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fault' as const),
      fault: fc.constantFrom('refused' as const, 'lost' as const, 'never' as const, 'later' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ms: fc.constantFrom(1, 25, 45, 65, 900, 5_000, 61_000),
    }),
  },
);

async function play(events: readonly (typeof event extends fc.Arbitrary<infer E> ? E : never)[], canLook: boolean) {
  const clock = new VirtualClock();
  const kube = createLocalClient(createStore({ clock }, NAMESPACE));
  const channel = new Channel();
  const phases = new Map(JOBS.map((job) => [job, 0]));
  let starts = 0;
  const start = () => {
    starts += 1;
    const phaseOf = (job: string) => PHASES[phases.get(job)!]!;
    const notifier = new Notifier(kube, clock, channel.sink(canLook), phaseOf, `process-${starts}`);
    notifier.start();
    return notifier;
  };
  const running = [start(), start()];
  for (const happens of events) {
    if (happens.kind === 'moves') {
      const job = JOBS[happens.job]!;
      phases.set(job, Math.min(phases.get(job)! + 1, PHASES.length - 1));
      for (const notifier of running) notifier.look();
    } else if (happens.kind === 'kill') {
      running[happens.who]!.kill();
      running[happens.who] = start();
    } else if (happens.kind === 'fault') channel.faults.push(happens.fault);
    else await clock.advance(happens.ms);
    await settle();
  }
  for (const job of JOBS) phases.set(job, PHASES.length - 1);
  for (const notifier of running) notifier.look();
  // What a person has to mend is tried again after ten minutes.
  await clock.advance(25 * 60_000);
  for (const notifier of running) await notifier.deliver.stop(0);
  const { data = {} } = await kube.get<ConfigMap>(CONFIG_MAPS, NAMESPACE, feedName(UID));
  for (const notifier of running) notifier.kill();
  return { channel, data };
}

test('whoever is killed when, nothing is posted twice, and every last state is right', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
      const { channel } = await play(events, true);
      for (const job of JOBS) {
        const of = channel.posts.filter((post) => post.job === job);
        expect(of.map(({ what }) => what.replace(/:.*/, ''))).toEqual(['post', 'outcome']);
        expect(of[0]!.shows).toBe('ended');
      }
    }),
    { numRuns: 200 },
  );
});
