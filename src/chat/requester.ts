/** Who asked for a deploy, as far as it is known. Pure. */

/**
 * - `person`: a trusted sender, such as the bot, says which user of Slack asked.
 * - `elsewhere`: a trusted sender says who asked, and that is no user of Slack.
 * - `claim`: another sender says so. Whoever may send to the queue may write any name.
 * - `unknown`: nobody says.
 */
export type Requester =
  | { readonly kind: 'person'; readonly user: string }
  | { readonly kind: 'elsewhere' | 'claim'; readonly text: string }
  | { readonly kind: 'unknown' };

/**
 * `slack:<team>/<user> <name>`, as the bot writes it. The policies of deploy/admission read the user in the same way: of
 * the team nothing is asked, because in an Enterprise organization one person has the same id in several teams.
 */
const BY_SLACK = /^slack:[^/]*\/([A-Z0-9]+)/;
/** An id that was cut with its text names somebody else. */
const WHOLE = /^slack:[^/]*\/([A-Z0-9]+)(?: |$)/;

/** The user of Slack that a request names, by id; undefined if it names none. */
export const slackUserOf = (requestedBy: string | undefined): string | undefined =>
  BY_SLACK.exec(requestedBy ?? '')?.[1];

/** What of a status entry says who asked. A status of many requests leaves it out. */
interface Origin {
  readonly requestedBy?: string | undefined;
  /** SQS's SenderId: `<unique id of a role>:<name of its session>`, or the unique id of a user. */
  readonly senderId?: string | undefined;
}

/** @param trustedSenders unique ids of IAM roles and users, compared whole: the name of a session is the sender's choice */
export function isFromTrusted({ senderId }: Origin, trustedSenders: readonly string[]): boolean {
  const [id = ''] = (senderId ?? '').split(':', 1);
  return trustedSenders.includes(id);
}

export function requesterOf(origin: Origin, trustedSenders: readonly string[]): Requester {
  const { requestedBy } = origin;
  if (!requestedBy) return { kind: 'unknown' };
  if (!isFromTrusted(origin, trustedSenders)) return { kind: 'claim', text: requestedBy };
  const user = WHOLE.exec(requestedBy)?.[1];
  return user === undefined ? { kind: 'elsewhere', text: requestedBy } : { kind: 'person', user };
}
