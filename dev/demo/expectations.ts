import type { HistoryEntry, RejectionEntry } from '../../src/api/capdeployjob.ts';
import { REJECTION } from '../../src/api/reasons.ts';
import type { Job, Pod } from '../../src/lanes/job.ts';
import type { DeployedTo } from './observed.ts';
import type { DemoMessage } from './scenario.ts';

/**
 * What must have come of the messages. Pure: everything that was seen comes in, what was as expected and what was not
 * comes out.
 */

export interface Sent {
  message: DemoMessage;
  messageId: string;
  at: string;
}

export interface Observed {
  sent: readonly Sent[];
  history: readonly HistoryEntry[];
  rejections: readonly RejectionEntry[];
  jobs: readonly Job[];
  pods: readonly Pod[];
  /** By Job: what it was said to wait for, the first reason first. */
  waits: ReadonlyMap<string, readonly string[]>;
  deployed: readonly DeployedTo[];
  /** Commit of each revision. */
  commits: Readonly<Record<string, string>>;
  /** Messages that are still on the queue, hidden ones included. */
  queueDepth: number;
  /** Somebody ran what the poisoned revision says. */
  trapSprung: boolean;
  /** Exit code of the operator, or the signal that ended it; undefined while it is to go on. */
  operatorEnd: number | string | undefined;
}

export interface Check {
  ok: boolean;
  text: string;
}

export interface Run {
  sent: Sent;
  entry: HistoryEntry | undefined;
  job: string | undefined;
  createdAt: string | undefined;
  /** When the container ran, as the kubelet saw it. */
  startedAt: string | undefined;
  finishedAt: string | undefined;
}

/** What became of each message that was to be deployed, in the order in which they were sent. */
export function runsOf({ sent, history, jobs, pods }: Pick<Observed, 'sent' | 'history' | 'jobs' | 'pods'>): Run[] {
  return sent
    .filter(({ message }) => !message.rejected)
    .map((one) => {
      const entry = history.find(({ id }) => id === one.messageId);
      const job = jobs.find(({ metadata }) => metadata.name === entry?.job);
      const pod = pods.find(({ metadata }) => metadata.ownerReferences?.some(({ name }) => name === entry?.job));
      const ended = pod?.status?.containerStatuses?.[0]?.state?.terminated as
        | { startedAt?: string; finishedAt?: string }
        | undefined;
      return {
        sent: one,
        entry,
        job: entry?.job,
        createdAt: job?.metadata.creationTimestamp,
        startedAt: ended?.startedAt,
        finishedAt: ended?.finishedAt,
      };
    });
}

export function checks(seen: Observed): Check[] {
  const runs = runsOf(seen);
  return [
    ...runs.map(({ sent, entry }) => succeeded(sent, entry)),
    oneJobEach(seen, runs),
    ...lanes(runs).flatMap(([environment, lane]) => oneAfterTheOther(environment, lane, seen.waits)),
    ...seen.sent.filter(({ message }) => message.rejected).map((one) => rejected(one, seen)),
    ...lanes(runs).map(([environment, lane]) => deployedAsAsked(environment, lane, seen)),
    check(seen.queueDepth === 0, 'the queue is empty', `${seen.queueDepth} messages are still on the queue`),
    ...(seen.operatorEnd === undefined ? [] : [stopped(seen.operatorEnd)]),
  ];
}

const check = (ok: boolean, text: string, otherwise: string): Check => ({ ok, text: ok ? text : otherwise });

const stopped = (end: number | string): Check =>
  check(end === 0, 'the operator drained and exited 0', `the operator ended with ${end}`);

function succeeded({ message: { body } }: Sent, entry: HistoryEntry | undefined): Check {
  const what = `${body.environment} ${body.revision}`;
  const found = entry ? `${entry.result} (${entry.reason}) ${entry.message ?? ''}` : 'not in the history';
  return check(entry?.result === 'Succeeded', `${what} was deployed`, `${what}: expected Succeeded, found ${found}`);
}

function oneJobEach({ jobs }: Observed, runs: Run[]): Check {
  const text = `each of the ${runs.length} accepted messages became one Job, and nothing else did`;
  return check(jobs.length === runs.length, text, `expected ${runs.length} Jobs, found ${jobs.length}`);
}

/** By the containers' own times, in whole seconds: a deploy takes longer than one, so an overlap would show. */
function oneAfterTheOther(environment: string, lane: Run[], waits: Observed['waits']): Check[] {
  return lane.slice(1).flatMap((next, index) => {
    const before = lane[index] as Run;
    const [first, second] = [before, next].map(({ sent }) => sent.message.body.revision);
    const { finishedAt } = before;
    const { startedAt, job } = next;
    const why = waits.get(job ?? '')?.[0];
    return [
      check(
        finishedAt !== undefined && startedAt !== undefined && Date.parse(finishedAt) <= Date.parse(startedAt),
        `${environment} ${second} started when ${first} had ended`,
        `${environment} ${second} started at ${startedAt}, ${first} ended at ${finishedAt}`,
      ),
      check(why !== undefined, `meanwhile its status said why: ${why}`, `no status said why ${second} waits`),
    ];
  });
}

function rejected({ message, messageId }: Sent, { rejections, jobs, trapSprung }: Observed): Check {
  const text = 'the poisoned message was rejected, became no Job, and nothing in it was run';
  const entry = rejections.find((one) => one.messageId === messageId);
  if (trapSprung) return { ok: false, text: `somebody ran what the revision ${message.body.revision} says` };
  if (entry?.reason !== REJECTION.unsafeRevision) {
    return {
      ok: false,
      text: `poison: expected ${REJECTION.unsafeRevision}, found ${entry?.reason ?? 'no rejection'}`,
    };
  }
  const job = jobs.find(({ metadata }) => Object.values(metadata.annotations ?? {}).includes(messageId));
  return check(job === undefined, text, `the poisoned message became ${job?.metadata.name}`);
}

/** What lies on the disk: the last one asked for is current, and the log tells the same story in the same order. */
function deployedAsAsked(environment: string, lane: Run[], { deployed, commits }: Observed): Check {
  const at = deployed.find((one) => one.environment === environment);
  const wanted = lane.map(({ sent }) => commits[sent.message.body.revision]);
  const releases = at?.releases.map(({ commit }) => commit) ?? [];
  const log = at?.revisionsLog.map((line) => /\(at ([0-9a-f]{40})\)/.exec(line)?.[1]) ?? [];
  const current = at?.releases.find(({ name }) => name === at.current)?.commit;
  const ok = same(releases, wanted) && same(log, wanted) && current === wanted.at(-1);
  const last = lane.at(-1)?.sent.message.body.revision;
  return check(
    ok,
    `${environment}: current is ${last}; releases/ and revisions.log tell of ${wanted.length} in the order of the messages`,
    `${environment}: expected ${wanted.join(', ')}, found releases ${releases.join(', ')}, log ${log.join(', ')}, current ${current}`,
  );
}

function lanes(runs: Run[]): [string, Run[]][] {
  const byEnvironment = new Map<string, Run[]>();
  for (const run of runs) {
    const { environment } = run.sent.message.body;
    byEnvironment.set(environment, [...(byEnvironment.get(environment) ?? []), run]);
  }
  return [...byEnvironment];
}

const same = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((one, index) => one === b[index]);
