/**
 * An app as it is installed: its tokens, scopes and what its settings declare.
 *
 * @see https://docs.slack.dev/authentication/tokens
 */
import { randomBytes } from 'node:crypto';

export interface AppSeed {
  name: string;
  /** Scopes of the bot token. */
  scopes: string[];
  /** Scopes of the app-level token. */
  appScopes?: string[];
  commands?: string[];
  /** Commands whose settings have "Escape channels, users, and links". */
  escapedCommands?: string[];
  /** Callback ids of global shortcuts. */
  shortcuts?: string[];
  /** Events of the bot that the settings subscribe to. */
  events?: string[];
}

export type TokenState = 'valid' | 'account_inactive' | 'token_revoked' | 'token_expired';

export class App {
  readonly seed: AppSeed;
  readonly id: string;
  readonly botId: string;
  /** The user that the bot is. */
  readonly userId: string;
  readonly botToken = `xoxb-1-2-${randomBytes(12).toString('hex')}`;
  readonly appToken: string;
  /** Paths of its incoming webhooks, each with its channel. */
  readonly webhooks = new Map<string, string>();
  tokenState: TokenState = 'valid';

  constructor(seed: AppSeed) {
    const suffix = seed.name.toUpperCase().replace(/[^A-Z0-9]/g, '');
    this.seed = seed;
    this.id = `A0${suffix}`;
    this.botId = `B0${suffix}`;
    this.userId = `U0${suffix}`;
    this.appToken = `xapp-1-${this.id}-3-${randomBytes(12).toString('hex')}`;
  }

  has(scope: string): boolean {
    return this.seed.scopes.includes(scope);
  }
}
