import type { FoundDeploy } from '../../actions/find-deploy.ts';
import type { DeployButton } from '../../chat/buttons.ts';
import type { Verb } from '../../chat/command-line.ts';
import { endingOf, whyOf } from '../../chat/lane-lines.ts';
import type { Reader } from '../../chat/lane-state.ts';
import type { Target } from '../../chat/target.ts';
import type { Deployed, Standing } from '../../chat/texts/decide.ts';
import { timeOf } from '../../chat/texts/time.ts';
import type { Asker, Profile } from '../asker.ts';

/** A decision that somebody may take, and about what. */
export interface Subject {
  readonly kind: DeployButton;
  readonly asker: Asker;
  readonly profile: Profile;
  readonly target: Target;
  readonly environment: string;
  /** Undefined only for `rollback`: from what was started last. */
  readonly deploy: FoundDeploy | undefined;
  /** The rule that allows it. */
  readonly rule: number | undefined;
  /** Epoch milliseconds: when it was asked for. */
  readonly at: number;
}

/** To refuse a request is to abort it before it starts. */
export const verbOf = (kind: DeployButton): Exclude<DeployButton, 'refuse'> & Verb =>
  kind === 'refuse' ? 'abort' : kind;

export const deployedOf = ({ environment, entry }: FoundDeploy): Deployed => {
  const { repository, task, revision } = entry;
  return { repository, environment, task, revision };
};

export function standingOf(deploy: FoundDeploy, reader: Reader): Standing {
  if (deploy.state === 'active') return { state: 'active', since: timeOf(deploy.entry.since, reader) };
  if (deploy.state === 'waiting') return { state: 'waiting', why: whyOf(deploy.entry, reader) };
  const { entry } = deploy;
  return { state: 'ended', ending: endingOf(entry, reader), at: timeOf(entry.finishedAt, reader) };
}
