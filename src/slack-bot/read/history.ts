import { type FoundDeploy, rollbackTarget } from '../../actions/find-deploy.ts';
import type { CapDeployJobStatus, HistoryEntry } from '../../api/capdeployjob.ts';
import { historyAnswer } from '../../chat/history-answer.ts';
import { readingTexts } from '../../chat/texts/reading.ts';
import type { Call, Handler } from '../command.ts';
import type { BotContext } from '../context.ts';
import { resolveLane, resolveTarget } from '../resolve.ts';
import { buttonsFor } from './deploy-buttons.ts';
import { outsideCluster, readerOf } from './target-state.ts';

const MOST_SHOWN = 10;

/** `history <repository> [environment]`: what ended last, how and why. */
export const history: Handler = async (bot, call) => {
  const outside = outsideCluster(bot, call);
  if (outside) return outside;
  const { asker, profile, command } = call;
  const { repository = '', environment } = command;
  const resolved =
    environment === undefined
      ? await resolveTarget(bot, asker, profile, 'history', repository)
      : await resolveLane(bot, asker, profile, 'history', { repository, environment });
  if ('answer' in resolved) return resolved.answer;
  const { target } = resolved;
  const shown = environment === undefined ? resolved.environments : [environment];
  const status = bot.targets.status(target);
  const entries = (status?.history ?? []).filter((entry) => shown.includes(entry.environment));
  const buttons = await buttonsFor(bot, call, target, ['retry', 'rollback']);
  bot.decided({ asker, verb: 'history', target: target.name, environment, outcome: 'done' });
  return historyAnswer(
    { name: target.name, entries: entries.slice(0, MOST_SHOWN), environment },
    bot.targets.staleMs(),
    (entry) => [
      ...(isOvertaken(entry, entries) ? [] : buttons('retry', ended(entry))),
      ...(isLastStarted(entry, entries)
        ? buttons('rollback', ended(entry), rollbackLabel(bot, call, status, entry))
        : []),
    ],
    readerOf(bot, call),
  );
};

const ended = (entry: HistoryEntry): FoundDeploy => ({ environment: entry.environment, state: 'ended', entry });

/** The entries before it, which are newer, of its environment. */
const newerThan = (entry: HistoryEntry, entries: readonly HistoryEntry[]): HistoryEntry[] =>
  entries.slice(0, entries.indexOf(entry)).filter(({ environment }) => environment === entry.environment);

/** The same task has succeeded since: to do the old one again would bring an old revision back. */
const isOvertaken = (entry: HistoryEntry, entries: readonly HistoryEntry[]): boolean =>
  newerThan(entry, entries).some(({ task, result }) => task === entry.task && result === 'Succeeded');

/** Only what is there now is gone back from. */
const isLastStarted = (entry: HistoryEntry, entries: readonly HistoryEntry[]): boolean =>
  entry.startedAt !== undefined && newerThan(entry, entries).every(({ startedAt }) => startedAt === undefined);

/** @returns undefined if a task chooses the revision */
function rollbackLabel(
  bot: BotContext,
  { profile }: Call,
  status: CapDeployJobStatus | undefined,
  entry: HistoryEntry,
): string | undefined {
  const to = rollbackTarget(status, entry.environment, entry)?.revision;
  if (to === undefined || bot.config().rollback === 'task') return undefined;
  return readingTexts[profile.language].rollbackTo(to);
}
