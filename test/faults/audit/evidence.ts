/**
 * What a scenario leaves behind for its audit. It is gathered from outside the operator: what producers sent, when
 * containers ran (the played kubelet's own clock, not the API's), every version of every status that a watch saw, what
 * the queues hold at the end.
 */
export interface Evidence {
  requests: readonly Asked[];
  poison: readonly Poison[];
  runs: readonly Run[];
  entries: readonly Entry[];
  /** Messages that are left in the queues, visible or in flight. */
  queues: readonly { resource: string; messages: number }[];
  deadLetters: readonly { resource: string; body: string }[];
  resources: readonly Final[];
}

/** Where deploys must not overlap. */
export interface Lane {
  resource: string;
  environment: string;
}

/**
 * A deploy that a producer asked for, once or several times over. Its revision is no other one's in the whole scenario.
 */
export interface Asked extends Lane {
  task: string;
  revision: string;
  /** Epoch milliseconds; no other request of its lane is due at that moment. */
  dueAt: number;
  /** What its container ends with, where it is left to run. */
  exitCode: number;
}

/** A message that must become no Job. Its body is no other one's. */
export interface Poison {
  resource: string;
  body: string;
  /** How often it may have been sent: more than once where the producer did not hear whether the server had it. */
  sent: number;
}

/** A container that ran. */
export interface Run extends Lane {
  pod: string;
  /** UID of the Job that owns its Pod. */
  job: string;
  task: string;
  revision: string;
  /** Epoch milliseconds of the kubelet's clock. */
  startedAt: number;
  /** Undefined while it runs. */
  endedAt: number | undefined;
  exitCode: number | undefined;
}

/** An entry of the history, in whatever version of the status it stood. Two that differ in anything are two. */
export interface Entry extends Lane {
  id: string;
  task: string;
  revision: string;
  result: string;
  reason: string;
  startedAt: string | undefined;
  finishedAt: string;
  /** The first and the last version of its resource, as the observer counts them, in whose history it stood. */
  seen: { first: number; last: number };
}

/** What a CapDeployJob says when everything should be over. */
export interface Final {
  name: string;
  waiting: number | undefined;
  active: number | undefined;
  /** How many messages it says were not accepted. */
  rejections: number;
  conditions: readonly { type: string; status: string; reason: string; message: string }[];
}

/** Looks for one kind of damage. @returns a sentence for each piece of it; none where all is well */
export type Check = (evidence: Evidence) => string[];

export const laneOf = ({ resource, environment }: Lane): string => `${resource}/${environment}`;
export const laneAndTaskOf = (one: Lane & { task: string }): string => `${laneOf(one)} ${one.task}`;
/** How a request is named in a finding. */
export const named = (one: Lane & { revision: string }): string => `${laneOf(one)} ${one.revision}`;
/** A moment as findings tell it. */
export const clock = (ms: number | undefined): string =>
  ms === undefined ? 'now' : new Date(ms).toISOString().slice(11, 23);
