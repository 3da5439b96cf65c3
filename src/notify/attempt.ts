import { type Clock, monotonicNow } from '../base/clock.ts';
import type { Change, Feed } from './feed.ts';
import {
  claimed,
  deleted,
  done,
  givenUp,
  type PlaceEntry,
  type PostClaim,
  released,
  type Step,
  updated,
  type Wanted,
} from './ledger.ts';
import { type Sink, SinkError } from './sink.ts';

/** What is to be told of one deploy in one place, as it is now. */
export interface Task<Shown = unknown> {
  readonly job: string;
  /** Its place in the ledger, such as `slack/C0PROD`. */
  readonly place: string;
  readonly feed: Pick<Feed, 'get' | 'change' | 'note'>;
  readonly sink: Sink<Shown>;
  readonly wanted: Wanted;
  /** Handed to the sink. */
  readonly shown: Shown;
  /** What comes first: 0 has ended, 1 runs, 2 waits. */
  readonly urgency: 0 | 1 | 2;
}

export interface AttemptContext {
  /** Of this attempt alone. */
  readonly by: string;
  /** Whether a call may still be begun. */
  readonly mayCall: () => boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type RealStep = Exclude<Step, { kind: 'none' }>;

/** A call whose claim is older is not made: this process slept, and another may have looked for the message. */
const FRESH_MS = 10_000;

export const entryOf = ({ feed, job, place }: Task): PlaceEntry => feed.get(job).places[place] ?? {};

/**
 * Takes one step, and writes down what came of it.
 * @throws SinkError, KubeError
 */
export async function attempt(task: Task, step: RealStep, context: AttemptContext): Promise<void> {
  const { feed, job, place, sink, shown, wanted } = task;
  const { signal } = context;
  switch (step.kind) {
    case 'giveUp':
      await feed.change(
        job,
        at(place, (now) => givenUp(now, step.claim)),
      );
      return;
    case 'look': {
      const ts = await sink.look?.({ what: step.claim.what, shown, entry: entryOf(task) }, signal);
      await feed.change(
        job,
        at(place, (now) => lookedFor(now, step.claim, ts)),
      );
      return;
    }
    case 'update': {
      const { hash = '' } = wanted.show ?? {};
      await update(task, hash, signal);
      // A crash before this is stored costs one more update.
      feed.note(
        job,
        at(place, (now) => updated(now, hash)),
      );
      return;
    }
    default:
      await claimAndDeliver(task, step, context);
  }
}

/** Another notifier may have looked before. */
const lookedFor = (entry: PlaceEntry, claim: PostClaim, ts: string | undefined) =>
  ts === undefined || entry.claim?.by !== claim.by ? released(entry, claim) : done(entry, claim, ts);

async function update(task: Task, hash: string, signal: AbortSignal): Promise<void> {
  const { sink, shown, feed, job, place, wanted } = task;
  try {
    await sink.deliver({ kind: 'update', what: hash, shown, entry: entryOf(task) }, signal);
  } catch (error) {
    const phase = wanted.show?.phase;
    if (error instanceof SinkError && error.kind === 'missing' && phase) {
      await feed.change(
        job,
        at(place, (now) => deleted(now, phase)),
      );
    }
    throw error;
  }
}

/** Claims first: a crash after the claim makes it uncertain, and a crash before it has said nothing. */
async function claimAndDeliver(
  task: Task,
  { kind, what }: Extract<Step, { kind: 'post' | 'say' }>,
  { by, mayCall, clock, signal }: AttemptContext,
): Promise<void> {
  const { sink, shown, feed, job, place, wanted } = task;
  const since = monotonicNow(clock);
  const claim: PostClaim = { what, at: new Date(clock.now()).toISOString(), by };
  if (
    !(await feed.change(
      job,
      at(place, (now) => claimed(now, claim)),
    ))
  )
    return;
  let ts: string | undefined;
  try {
    if (!mayCall() || monotonicNow(clock) - since > FRESH_MS) {
      throw new SinkError('later', 'too_late', 'it took too long to write down that it is to be said');
    }
    ts = await sink.deliver({ kind, what, shown, entry: entryOf(task) }, signal);
  } catch (error) {
    // For certain not said. Of anything else nobody knows, and the claim stays.
    if (error instanceof SinkError && error.kind !== 'unclear') {
      await feed.change(
        job,
        at(place, (now) => released(now, claim)),
      );
    }
    throw error;
  }
  const isThere = at(place, (now) => done(now, claim, ts, wanted.show?.hash));
  // What cannot be stored now is stored as soon as it can be. A crash before that makes the claim uncertain.
  await feed.change(job, isThere).catch(() => feed.note(job, isThere));
}

const at =
  (place: string, change: (entry: PlaceEntry) => PlaceEntry | undefined): Change =>
  (entry) => {
    const changed = change(entry.places[place] ?? {});
    return changed && { ...entry, places: { ...entry.places, [place]: changed } };
  };
