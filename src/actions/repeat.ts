import { createHash } from 'node:crypto';
import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import { deploysOf, type FoundDeploy } from './find-deploy.ts';
import type { DeployMessage } from './send.ts';

/** Requests that repeat or undo an earlier one: who asks, and under which id. Pure. */

/** Who asks for a retry or a rollback. */
export interface Asking {
  /** Begins the id: `slack-<team>` for the chat bot. At most 41 letters, digits, `.`, `_` and `-`. */
  readonly idPrefix: string;
  readonly requestedBy: string;
  /** The program that sends. */
  readonly source: string;
  /** RFC 3339. */
  readonly sentAt: string;
  readonly reason?: string | undefined;
  readonly slack?: DeployMessage['slack'];
}

/** What a message deploys, and where. */
interface Content {
  readonly repository: string;
  readonly environment: string;
  readonly task: string;
  readonly revision: string | undefined;
}

/** A message to be sent, and what was asked for by the same button before. */
export interface Repeat {
  readonly message: DeployMessage;
  /**
   * Requests of the same content for the same Job, what runs first, what waits next, then what has ended, the newest
   * first. If the first one has not ended, the message has its id: to send it again does nothing.
   */
  readonly earlier: readonly FoundDeploy[];
}

/** Of 128 characters 87 are for the verb, a Job's name (63 at most), 8 of a hash, a number and four hyphens. */
const PREFIX_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/;

/**
 * Makes the message of a retry or rollback. Its id is `<prefix>-<verb>-<Job's name>-<hash of the content>-<n>`, so two
 * people at one button, or an event that comes twice, ask for one deploy. After that has ended, the next click is a new
 * request: `n` is the first number that the status does not know. One that the history has forgotten is free again.
 *
 * Ids are chosen by senders: another one's request with this id and another content takes its number, and no more.
 * @param job the name of the Job that is repeated or undone
 * @throws RangeError if the prefix is no prefix
 */
export function repeat(
  status: CapDeployJobStatus | undefined,
  verb: 'retry' | 'rollback',
  job: string,
  content: Content,
  { idPrefix, ...asking }: Asking,
): Repeat {
  if (!PREFIX_PATTERN.test(idPrefix)) throw new RangeError(`not a prefix of an id: ${JSON.stringify(idPrefix)}`);
  const base = `${idPrefix}-${verb}-${job}-${hashOf(content)}-`;
  const known = deploysOf(status).filter(
    ({ environment, entry }) => environment === content.environment && entry.id.startsWith(base),
  );
  const earlier = known.filter(({ entry: { repository, task, revision } }) =>
    isSame(content, { repository, task, revision }),
  );
  const pending = earlier.find(({ state }) => state !== 'ended');
  const id = pending?.entry.id ?? firstFree(base, [...known.map(({ entry }) => entry.id), ...marked(status, content)]);
  return { message: { ...asking, ...content, id }, earlier };
}

const hashOf = ({ repository, environment, task, revision }: Content): string =>
  createHash('sha256')
    .update(JSON.stringify([repository, environment, task, revision ?? null]))
    .digest('hex')
    .slice(0, 8);

const isSame = (a: Omit<Content, 'environment'>, b: Omit<Content, 'environment'>): boolean =>
  a.repository === b.repository && a.task === b.task && a.revision === b.revision;

/** The watermark outlives the history: the operator takes a request with an id that stands there for a second send. */
const marked = (status: CapDeployJobStatus | undefined, { environment }: Content): string[] =>
  (status?.environments ?? [])
    .filter(({ name }) => name === environment)
    .flatMap(({ lastStarted = [] }) => lastStarted.map(({ id }) => id));

function firstFree(base: string, taken: readonly string[]): string {
  const known = new Set(taken);
  for (let n = 0; ; n += 1) if (!known.has(`${base}${n}`)) return `${base}${n}`;
}
