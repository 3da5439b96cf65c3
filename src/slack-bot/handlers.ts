import type { Verb } from '../chat/command-line.ts';
import type { Handler } from './command.ts';
import { freezeTyped, unfreezeTyped } from './decide/freeze.ts';
import { abortTyped, approveTyped, retryTyped, rollbackTyped } from './decide/typed.ts';
import { deploy } from './deploy.ts';

/** What each command does. */
export const HANDLERS: Readonly<Partial<Record<Verb, Handler>>> = {
  deploy,
  retry: retryTyped,
  rollback: rollbackTyped,
  abort: abortTyped,
  approve: approveTyped,
  freeze: freezeTyped,
  unfreeze: unfreezeTyped,
};
