import type { Language } from '../chat/texts/language.ts';

/**
 * Who asks, and where: from the envelope, which came over our own authenticated socket. Never from a text, a button's
 * value or `private_metadata`.
 */
export interface Asker {
  readonly user: string;
  readonly channel: string;
  /** The thread in which answers belong. */
  readonly threadTs?: string | undefined;
  /** Where answers go that only the asker sees, if the bot need not be a member of the channel for them. */
  readonly responseUrl?: string | undefined;
}

/** What Slack says of a person beside what decides; for texts and times. */
export interface Profile {
  readonly name: string;
  /** A name of the tz database, as Slack gives it. */
  readonly timeZone: string;
  readonly language: Language;
}
