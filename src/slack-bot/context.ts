import type { ModalView } from '@slack/types';
import type { Destination } from '../actions/send.ts';
import type { CapDeployJobStatus } from '../api/capdeployjob.ts';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Answer } from '../chat/rich-text.ts';
import type { Target } from '../chat/target.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Asker, Profile } from './asker.ts';
import type { BotConfig } from './config.ts';
import type { Decision } from './decision.ts';
import type { Permissions } from './permissions.ts';
import type { PersonalLimit } from './personal-limit.ts';

/** Everything that a command, a form or a click works with. */
export interface BotContext {
  /** The configuration as it is now: the file may change. */
  readonly config: () => BotConfig;
  readonly targets: TargetSource;
  readonly permissions: Permissions;
  readonly people: { profile(user: string): Promise<Profile> };
  readonly voice: Voice;
  /** To abort, approve, freeze; undefined for a bot outside the cluster (`source: file`). */
  readonly kube: KubeClient | undefined;
  /** What the bot itself may do to the Jobs and the freezes of a target, by its last check of its own rights. */
  powers(target: Target): Powers;
  readonly limit: PersonalLimit;
  /** Logs and counts. */
  decided(decision: Decision): void;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends what goes on after an answer, when the bot stops. */
  readonly signal: AbortSignal;
}

/** `true`, or why not, in words for the one who asks. What is not known is not allowed. */
export interface Powers {
  readonly freeze: true | string;
  readonly abort: true | string;
  readonly approve: true | string;
}

export interface TargetSource {
  /** From memory, and never waited for: a form must be open within 3 s. */
  all(): readonly Target[];
  /** @throws ActionError if its queue must not be used, or cannot be */
  destination(target: Target): Destination & { readonly note?: string | undefined };
  /** The newest status that was seen. */
  status(target: Target): CapDeployJobStatus | undefined;
  /** Resolves when the status of the target has changed, or the signal aborts. */
  changed(target: Target, signal: AbortSignal): Promise<void>;
  /** How old the memory may be, in milliseconds; 0 with `source: file`. */
  staleMs(): number;
}

/** How the bot speaks. None of this throws: what Slack does not take is logged and counted. */
export interface Voice {
  /** Tells the one who asked, and nobody else. @returns whether Slack took it */
  whisper(asker: Asker, answer: Answer): Promise<boolean>;
  /** Tells all. @param threadTs of the thread; undefined: in the channel itself @returns whether Slack took it */
  say(channel: string, threadTs: string | undefined, answer: Answer): Promise<boolean>;
  /** @returns the id of the view, or undefined if it could not be opened (a trigger id lives 3 s) */
  openView(triggerId: string, view: ModalView): Promise<string | undefined>;
  updateView(viewId: string, view: ModalView): Promise<void>;
}
