import { z } from 'zod';

/**
 * What was told of each deploy, and where: the record that keeps the notifier from saying anything twice. Pure.
 *
 * A call that can be repeated (an update of a message, an event with an id) needs no record before it. A call that
 * cannot (a new message) is claimed first. After a crash between the claim and its answer nobody knows whether the
 * message is there. Such a claim is uncertain once it is a minute old: by then no call of that process is under way.
 */

const claimSchema = z.object({
  /** `post:<phase>` for the message itself, else the name of something that is said once. */
  what: z.string().max(64),
  /** RFC 3339. */
  at: z.string().max(40),
  /** One attempt of one process. */
  by: z.string().max(128),
});

const placeSchema = z.object({
  /** Time stamp of the message: Slack's id for it. */
  ts: z.string().max(33).optional(),
  /** Hash of what the message shows, as far as is known. */
  shown: z.string().max(32).optional(),
  /** What was said beside the message, each once. */
  said: z.array(z.string().max(64)).max(20).optional(),
  /** What may have been said. It is not said again. */
  lost: z.array(z.string().max(64)).max(20).optional(),
  claim: claimSchema.optional(),
});

const entrySchema = z.object({
  /** When all was told, and nothing more will change (RFC 3339). */
  done: z.string().max(40).optional(),
  /** When the deploy ended (RFC 3339). */
  ended: z.string().max(40).optional(),
  /** By place: `slack/C0PROD`, `webhook/audit`. */
  places: z.record(z.string().max(128), placeSchema).default({}),
});

/** What was told in one place. */
export type PlaceEntry = z.output<typeof placeSchema>;
/** What was told of one deploy. */
export type LedgerEntry = z.output<typeof entrySchema>;
export type PostClaim = z.output<typeof claimSchema>;

export const PHASES = ['waiting', 'approval', 'starting', 'running', 'ended', 'gone'] as const;
/** How far a deploy is. `gone`: it has left the record, and how it ended is not known. */
export type Phase = (typeof PHASES)[number];

/** What a place is to show and to say of a deploy now. */
export interface Wanted {
  /** What its message shows, and how far the deploy is. Undefined: it has no message yet. */
  readonly show: { readonly hash: string; readonly phase: Phase } | undefined;
  /** Names of what is said once, beside the message, in this order. */
  readonly once: readonly string[];
}

/** What a place can do. */
export interface PlaceKind {
  /** A second delivery of the same does no harm: nothing is claimed. */
  readonly isRepeatable: boolean;
  /** Whether a message that may be there can be looked for. */
  readonly canLook: boolean;
}

export type Step =
  /** All is told. With `atMs` (epoch milliseconds): there is more to do then. */
  | { readonly kind: 'none'; readonly atMs?: number }
  /** To be claimed, then delivered. */
  | { readonly kind: 'post' | 'say'; readonly what: string }
  /** To be delivered, as often as it takes. */
  | { readonly kind: 'update' }
  /** Whether an uncertain claim has had its effect is to be found out. */
  | { readonly kind: 'look'; readonly claim: PostClaim }
  /** That cannot be found out: what was claimed counts as lost. */
  | { readonly kind: 'giveUp'; readonly claim: PostClaim };

/** No call is under way for so long: each ends after 10 s, and is not begun more than 10 s after its claim. */
export const CLAIM_MS = 60_000;

const POST = 'post:';
/** `post:<phase>`: in each phase the message is posted once. */
export const postOf = (phase: Phase): string => POST + phase;

/**
 * What is to be done next in one place. One thing at a time: first the message, then what it shows, then what is said
 * beside it.
 * @param now epoch milliseconds
 */
export function nextStep(entry: PlaceEntry, wanted: Wanted, kind: PlaceKind, now: number): Step {
  const { claim, ts, shown, said = [], lost = [] } = entry;
  if (claim) {
    const certainAt = Date.parse(claim.at) + CLAIM_MS;
    // A claim from the future is as old as the clocks differ. It is waited for once.
    if (now < certainAt && certainAt <= now + 2 * CLAIM_MS) return { kind: 'none', atMs: certainAt };
    return kind.canLook ? { kind: 'look', claim } : { kind: 'giveUp', claim };
  }
  const { show, once } = wanted;
  if (show && !kind.isRepeatable && ts === undefined) {
    const what = postOf(show.phase);
    if (!lost.includes(what)) return { kind: 'post', what };
  } else if (show && shown !== show.hash) {
    return { kind: 'update' };
  }
  const what = once.find((each) => !said.includes(each) && !lost.includes(each));
  return what === undefined ? { kind: 'none' } : { kind: 'say', what };
}

/**
 * The changes of one place. Each is undefined where what stands there by now does not allow it: another notifier was
 * faster.
 */

/** Before what cannot be repeated. A claim that an unanswered write has stored after all is made already. */
export function claimed(entry: PlaceEntry, claim: PostClaim): PlaceEntry | undefined {
  if (entry.claim) return entry.claim.by === claim.by ? entry : undefined;
  const { said = [], lost = [], ts } = entry;
  if (said.includes(claim.what) || lost.includes(claim.what)) return undefined;
  if (claim.what.startsWith(POST) && ts !== undefined) return undefined;
  return { ...entry, claim };
}

/**
 * What was claimed is there.
 * @param ts of a message; undefined for what is said beside one
 * @param shown hash of what it shows; empty if that is not known
 */
export function done(entry: PlaceEntry, { what, by }: PostClaim, ts: string | undefined, shown = ''): PlaceEntry {
  const { claim, ...rest } = entry;
  const kept = claim && claim.by !== by ? { claim } : {};
  if (!what.startsWith(POST)) return { ...rest, ...kept, said: added(rest.said, what) };
  // A message that is known by now is the one that is kept up to date.
  return rest.ts !== undefined || ts === undefined ? { ...rest, ...kept } : { ...rest, ...kept, ts, shown };
}

/** What was claimed has not happened for certain. */
export function released({ claim, ...entry }: PlaceEntry, { by }: PostClaim): PlaceEntry | undefined {
  return claim?.by === by ? entry : undefined;
}

/** What was claimed may have happened. */
export function givenUp({ claim, ...entry }: PlaceEntry, { what, by }: PostClaim): PlaceEntry | undefined {
  return claim?.by === by ? { ...entry, lost: added(entry.lost, what) } : undefined;
}

/** The message shows this now. */
export const updated = (entry: PlaceEntry, shown: string): PlaceEntry => ({ ...entry, shown });

/** A person has deleted the message. It comes again with the next phase. */
export function deleted({ ts: _, shown: __, ...entry }: PlaceEntry, phase: Phase): PlaceEntry {
  return { ...entry, lost: added(entry.lost, postOf(phase)) };
}

/** The newest count: what is not wanted any more is not asked for. */
const MOST = 20;
const added = (list: readonly string[] = [], what: string): string[] =>
  list.includes(what) ? [...list] : [...list, what].slice(-MOST);

/** @returns undefined for a text that is no entry: somebody else wrote it */
export function parseEntry(text: string): LedgerEntry | undefined {
  try {
    const parsed = entrySchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** An ended deploy that is older is not told any more, and its entry goes. Milliseconds. */
export const KEEP_MS = 24 * 3600_000;
/** So many entries are kept at most, whatever their age. */
export const KEPT = 500;

/**
 * Which entries are to go: of deploys that ended over a day ago, and of those that have left the status, the oldest
 * beyond 500.
 * @param isThere whether the status still names the deploy: without its entry it would be told anew
 */
export function expired(
  entries: ReadonlyMap<string, LedgerEntry>,
  isThere: (job: string) => boolean,
  now: number,
): string[] {
  const ended = [...entries].filter(([job, { done }]) => done !== undefined && !isThere(job));
  const byAge = ended.toSorted(([, a], [, b]) => Date.parse(b.done ?? '') - Date.parse(a.done ?? ''));
  const tooMany = byAge.slice(Math.max(0, KEPT - (entries.size - ended.length)));
  const old = [...entries].filter(([, { done, ended: at }]) => done !== undefined && isOld(at ?? done, now));
  return [...new Set([...old, ...tooMany].map(([job]) => job))];
}

/** Whether a deploy ended so long ago that it is no news. @param at RFC 3339 */
export const isOld = (at: string, now: number): boolean => Date.parse(at) < now - KEEP_MS;
