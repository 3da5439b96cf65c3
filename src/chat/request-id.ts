import { createHash } from 'node:crypto';
import { ID_PATTERN } from '../api/deploy-request.ts';

/**
 * Ids of requests. An event that Slack delivers twice, two replicas of the bot, and two clicks of a person each make
 * the same id, and so one deploy.
 */

/** Of a line that a person typed: its time stamp is unique in its channel. */
export const idOfLine = (team: string, channel: string, ts: string): string =>
  fitting(`slack-${team}-`, `${channel}-${ts}`);

/** Of a form: a view sends once. */
export const idOfView = (team: string, view: string): string => fitting(`slack-${team}-view-`, view);

/** Of a slash command: the trigger id is all that tells two of them apart. */
export const idOfCommand = (team: string, triggerId: string): string => fitting(`slack-${team}-cmd-`, triggerId);

/** Slack names no length for its ids, and the operator takes 128 characters. */
function fitting(prefix: string, end: string): string {
  const id = prefix + end;
  return ID_PATTERN.test(id) ? id : prefix + createHash('sha256').update(end).digest('hex');
}

/** Who acts, as annotations name them. The API server lets only the bot's account write this form. */
export const actorOf = (team: string, user: string): string => `slack:${team}/${user}`;

/** Who asks, as the message says it. @param name for people; the ids before it are what counts */
export const requestedByOf = (team: string, user: string, name: string): string =>
  `${actorOf(team, user)} ${name}`.trim();

/** Letters that a name in brackets cannot have, or that a reader of `<who>: <why>` takes for the end of <who>. */
const MARKS = /[():\s\p{Cc}\p{Cf}]+/gu;
const MAX_NAME = 60;

/**
 * Who freezes: `slack:<team>/<user> (<name>)`, as the policies of deploy/admission take it from the bot.
 * @param name for people
 */
export function freezerOf(team: string, user: string, name: string): string {
  const shown = name.toWellFormed().replace(MARKS, ' ').trim().slice(0, MAX_NAME).toWellFormed().trim();
  return shown === '' ? actorOf(team, user) : `${actorOf(team, user)} (${shown})`;
}
