import { expect, test } from 'vitest';
import {
  CLAIM_MS,
  claimed,
  done,
  givenUp,
  nextStep,
  type Phase,
  type PlaceEntry,
  type PlaceKind,
  type PostClaim,
  released,
  type Step,
  updated,
  type Wanted,
} from '../../../src/notify/ledger.ts';

/**
 * Two notifiers, one message and its ledger, in every order: a crash between any two steps, a write that is refused
 * because the other wrote first, answers that are lost, a process that sleeps. The functions are those of the notifier.
 */

const PHASES: readonly Phase[] = ['waiting', 'running', 'ended'];

/** What a process holds in memory between two of its steps. */
type Doing =
  | { readonly at: 'idle' }
  | { readonly at: 'decided'; readonly step: Step; readonly isStale: boolean }
  | { readonly at: 'claimed'; readonly claim: PostClaim; readonly slept: boolean }
  | { readonly at: 'answered'; readonly claim: PostClaim; readonly ts: string; readonly shown: string }
  | { readonly at: 'looked'; readonly claim: PostClaim; readonly ts: string | undefined };

interface World {
  readonly phase: number;
  readonly entry: PlaceEntry;
  /** What is in the channel: by id, what it is and what it shows. */
  readonly channel: readonly { readonly what: string; readonly shown: string }[];
  readonly processes: readonly [Doing, Doing];
  readonly crashes: number;
  readonly lostAnswers: number;
  readonly refusals: number;
}

const IDLE: Doing = { at: 'idle' };
const START: World = {
  phase: 0,
  entry: {},
  channel: [],
  processes: [IDLE, IDLE],
  crashes: 0,
  lostAnswers: 0,
  refusals: 0,
};

const NOW = Date.parse('2026-11-05T10:00:00Z');
const JUST_NOW = new Date(NOW).toISOString();
const AGO = new Date(NOW - CLAIM_MS).toISOString();

const FAULTS = { crashes: 1, lostAnswers: 1, refusals: 1 };

const wantedOf = ({ phase }: World): Wanted => ({
  show: { hash: `shows ${PHASES[phase]}`, phase: PHASES[phase]! },
  once: phase === PHASES.length - 1 ? ['outcome'] : [],
});

const withProcess = (world: World, who: number, doing: Doing): World => ({
  ...world,
  processes: who === 0 ? [doing, world.processes[1]] : [world.processes[0], doing],
});

/** A write moves the resourceVersion, so what the other has decided by the entry before is refused. */
function stored(world: World, entry: PlaceEntry | undefined): World {
  if (entry === undefined) return world;
  const stale = (doing: Doing): Doing => (doing.at === 'decided' ? { ...doing, isStale: true } : doing);
  const [a, b] = world.processes;
  return { ...world, entry, processes: [stale(a), stale(b)] };
}

/** A name for an attempt that nothing else has. */
function attempt({ entry, processes }: World): string {
  const used = [entry.claim, ...processes.map((doing) => ('claim' in doing ? doing.claim : undefined))];
  return ['a', 'b', 'c', 'd'].find((name) => !used.some((claim) => claim?.by === name))!;
}

/** What a process may do next, in each way in which that can go. */
function moves(world: World, who: number, kind: PlaceKind): World[] {
  const doing = world.processes[who]!;
  const to = (next: World, after: Doing) => withProcess(next, who, after);
  switch (doing.at) {
    case 'idle': {
      const step = nextStep(world.entry, wantedOf(world), kind, NOW);
      return step.kind === 'none' ? [] : [to(world, { at: 'decided', step, isStale: false })];
    }
    case 'decided': {
      const { step, isStale } = doing;
      if (step.kind === 'update') {
        // Needs no version: it is repeated until the newest is shown.
        const { hash } = wantedOf(world).show!;
        const { ts } = world.entry;
        const channel = world.channel.map((message, id) => (String(id) === ts ? { ...message, shown: hash } : message));
        const shown = { ...world, channel };
        return [to(stored(shown, updated(shown.entry, hash)), IDLE), to(shown, IDLE)];
      }
      if (isStale) return [to(world, IDLE)];
      if (step.kind === 'giveUp') return [to(stored(world, givenUp(world.entry, step.claim)), IDLE)];
      if (step.kind === 'look') {
        const id = world.channel.findIndex(({ what }) => what === step.claim.what);
        return [to(world, { at: 'looked', claim: step.claim, ts: id < 0 ? undefined : String(id) })];
      }
      if (step.kind === 'none') throw new Error('nothing was decided');
      const claim = { what: step.what, at: JUST_NOW, by: attempt(world) };
      const made = claimed(world.entry, claim);
      if (!made) return [to(world, IDLE)];
      return [to(stored(world, made), { at: 'claimed', claim, slept: false })];
    }
    case 'claimed': {
      const { claim, slept } = doing;
      // It slept: nothing is posted any more.
      if (slept) return [to(stored(world, released(world.entry, claim)), IDLE)];
      const { hash } = wantedOf(world).show!;
      const sent = { ...world, channel: [...world.channel, { what: claim.what, shown: hash }] };
      const ts = String(world.channel.length);
      const answered = to(sent, { at: 'answered', claim, ts, shown: hash });
      const fewer = { lostAnswers: world.lostAnswers - 1 };
      const refused = { ...stored(world, released(world.entry, claim)), refusals: world.refusals - 1 };
      return [
        answered,
        ...(world.refusals > 0 ? [to(refused, IDLE)] : []),
        ...(world.lostAnswers > 0 ? [to({ ...sent, ...fewer }, IDLE), to({ ...world, ...fewer }, IDLE)] : []),
      ];
    }
    case 'answered': {
      const { claim, ts, shown } = doing;
      const isPost = claim.what.startsWith('post:');
      return [to(stored(world, done(world.entry, claim, isPost ? ts : undefined, shown)), IDLE)];
    }
    case 'looked': {
      const { claim, ts } = doing;
      const found = ts === undefined ? released(world.entry, claim) : done(world.entry, claim, ts);
      // The other may have looked before.
      return [to(world.entry.claim?.by === claim.by ? stored(world, found) : world, IDLE)];
    }
  }
}

/** A call that is under way has ended by then, so a minute passes between two steps of a process. */
function* aMinuteLater(world: World): Generator<World> {
  const { entry, processes } = world;
  if (entry.claim?.at !== JUST_NOW) return;
  const later = (doing: Doing): Doing => (doing.at === 'claimed' ? { ...doing, slept: true } : doing);
  const [a, b] = processes;
  yield { ...world, entry: { ...entry, claim: { ...entry.claim, at: AGO } }, processes: [later(a), later(b)] };
}

/** Everything that can happen next. */
function* successors(world: World, kind: PlaceKind): Generator<World> {
  for (const who of [0, 1]) {
    yield* moves(world, who, kind);
    const { at } = world.processes[who]!;
    if (world.crashes > 0 && at !== 'idle') yield { ...withProcess(world, who, IDLE), crashes: world.crashes - 1 };
  }
  if (world.phase < PHASES.length - 1) yield { ...world, phase: world.phase + 1 };
  yield* aMinuteLater(world);
}

/** Visits every reachable state. @returns how many, and those in which nothing more happens */
function explore(kind: PlaceKind, faults: Pick<World, 'crashes' | 'lostAnswers' | 'refusals'>) {
  const seen = new Set<string>();
  const ends: World[] = [];
  const open: World[] = [{ ...START, ...faults }];
  for (let world = open.pop(); world; world = open.pop()) {
    const key = JSON.stringify(world);
    if (seen.has(key)) continue;
    seen.add(key);
    const whats = world.channel.map(({ what }) => what);
    expect(new Set(whats).size, `twice: ${whats.join(', ')}`).toBe(whats.length);
    const next = [...successors(world, kind)];
    if (next.length === 0) ends.push(world);
    open.push(...next);
  }
  return { states: seen.size, ends };
}

const isPost = ({ what }: { what: string }) => what.startsWith('post:');

test('where a message can be looked for, nothing is posted twice, and in the end all is there and right', () => {
  const { states, ends } = explore({ isRepeatable: false, canLook: true }, FAULTS);
  expect(states).toBeGreaterThan(10_000);
  expect(ends.length).toBeGreaterThan(0);
  for (const { channel, entry } of ends) {
    expect(channel.filter(isPost).map(({ shown }) => shown)).toEqual(['shows ended']);
    expect(channel.filter((message) => !isPost(message))).toHaveLength(1);
    expect(entry).toMatchObject({ ts: expect.any(String), shown: 'shows ended', said: ['outcome'] });
  }
});

test('where it cannot, nothing is posted twice in a phase, and what may be lost is known to be', () => {
  const { states, ends } = explore({ isRepeatable: false, canLook: false }, FAULTS);
  expect(states).toBeGreaterThan(10_000);
  for (const { channel, entry } of ends) {
    const { ts, lost = [], said = [] } = entry;
    if (ts === undefined) expect(lost).toContain('post:ended');
    else expect(channel[Number(ts)]).toMatchObject({ shown: 'shows ended' });
    expect([...said, ...lost]).toContain('outcome');
  }
});

test('what can be repeated is never claimed, and ends right', () => {
  const { ends } = explore({ isRepeatable: true, canLook: false }, FAULTS);
  for (const { entry } of ends) expect(entry).toMatchObject({ shown: 'shows ended' });
});
