import type { Verb } from '../chat/command-line.ts';
import type { Handler } from './command.ts';
import { freezeTyped, unfreezeTyped } from './decide/freeze.ts';
import { abortTyped, approveTyped, retryTyped, rollbackTyped } from './decide/typed.ts';
import { deploy } from './deploy.ts';
import { help } from './read/help.ts';
import { history } from './read/history.ts';
import { queue } from './read/queue.ts';
import { status } from './read/status.ts';
import { whoami } from './read/whoami.ts';

/** What each command does. */
export const HANDLERS: Readonly<Record<Verb, Handler>> = {
  deploy,
  retry: retryTyped,
  rollback: rollbackTyped,
  abort: abortTyped,
  approve: approveTyped,
  freeze: freezeTyped,
  unfreeze: unfreezeTyped,
  status,
  queue,
  history,
  whoami,
  help,
};
