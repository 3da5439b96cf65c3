import { type Refusal, UNKNOWN, type Verdict } from '../../chat/authorise.ts';
import { type Choice, choicesOf, choiceValue, type FormMetadata } from '../../chat/form.ts';
import { STALE_MS } from '../../chat/lane-lines.ts';
import type { Target, TargetEnvironment } from '../../chat/target.ts';
import type { Asker } from '../asker.ts';
import type { BotContext } from '../context.ts';
import { EVERYWHERE } from '../permissions.ts';

/** Who is in a channel, as Slack says. Each answer may be up to a minute old. */
export interface Membership {
  isMember(channel: string, user: string): Promise<boolean | typeof UNKNOWN>;
}

/** What a person may deploy, from a channel, now. */
export interface Rights {
  readonly targets: readonly Target[];
  readonly choices: readonly Choice[];
  environmentsOf(target: Target): readonly TargetEnvironment[];
  verdict(target: Target, environment: string): Verdict;
}

/** `unseen`: the cluster has not been seen yet, so there is nothing to have a right to. */
export type NoRights = Refusal | 'notMember' | 'membershipUnknown' | 'unseen';

/** Asked anew at each step of the form. A channel that was chosen in the form must be one of the person's own. */
export async function rightsOf(
  bot: BotContext,
  membership: Membership,
  asker: Asker,
  { picksChannel }: Pick<FormMetadata, 'picksChannel'>,
): Promise<Rights | { because: NoRights }> {
  const [verdictOn, isMember] = await Promise.all([
    bot.permissions.forAsker(asker, ['deploy']),
    picksChannel ? membership.isMember(asker.channel, asker.user) : true,
  ]);
  const overall = verdictOn('deploy', EVERYWHERE);
  if (!overall.allowed) return { because: overall.because };
  if (isMember !== true) return { because: isMember === UNKNOWN ? 'membershipUnknown' : 'notMember' };
  const verdict = (target: Target, environment: string) => verdictOn('deploy', { target, environment });
  const environmentsOf = (target: Target) => target.environments.filter(({ name }) => verdict(target, name).allowed);
  const all = bot.targets.all();
  if (all.length === 0 && staleMs(bot) !== undefined) return { because: 'unseen' };
  const targets = all.filter((target) => environmentsOf(target).length > 0);
  if (targets.length > 0) return { targets, choices: choicesOf(targets), environmentsOf, verdict };
  const verdicts = all.flatMap((target) => target.environments.map(({ name }) => verdict(target, name)));
  const isUnknown = verdicts.some((each) => !each.allowed && each.because === 'lookupFailed');
  return { because: isUnknown ? 'lookupFailed' : 'noRule' };
}

/** The one that was chosen, or the only one that there is. */
export function choiceOf({ choices }: Rights, value: string | undefined): Choice | undefined {
  if (value === undefined) return choices.length === 1 ? choices[0] : undefined;
  return choices.find((choice) => choiceValue(choice) === value);
}

/** @returns how old the memory is, if that is worth a word */
export function staleMs(bot: BotContext): number | undefined {
  const ms = bot.targets.staleMs();
  return ms > STALE_MS ? ms : undefined;
}

/** More channels are looked at only once they are chosen: each is two calls to Slack. */
const MOST_CHANNELS = 10;

/** @returns the channels, of those that rules name, in which the person is a member and may deploy something */
export async function channelsFor(
  bot: BotContext,
  membership: Membership,
  user: string,
): Promise<{ channels: string[]; areAll: boolean }> {
  const named = bot.config().rules.flatMap(({ may, channels }) => (may.includes('deploy') ? channels : []));
  const candidates = [...new Set(named)];
  const asked = candidates.slice(0, MOST_CHANNELS);
  const found = await Promise.all(
    asked.map(async (channel) => ({
      channel,
      rights: await rightsOf(bot, membership, { user, channel }, { picksChannel: true }),
    })),
  );
  const usable = found.filter(({ rights }) => !('because' in rights));
  const isKnown = (because: NoRights) => !['lookupFailed', 'membershipUnknown', 'unseen'].includes(because);
  return {
    channels: usable.map(({ channel }) => channel),
    areAll:
      asked.length === candidates.length &&
      found.every(({ rights }) => !('because' in rights) || isKnown(rights.because)),
  };
}
