import type { HistoryEntry } from '../../src/api/capdeployjob.ts';
import type { Check } from './expectations.ts';
import type { DeployedTo } from './observed.ts';

/** What must have come of what people asked for in chat. Pure, as `expectations.ts`. */
export interface ObservedChat {
  /** What was recorded of each deploy, in any order. */
  history: readonly HistoryEntry[];
  deployed: readonly DeployedTo[];
  /** Commit of each revision. */
  commits: Readonly<Record<string, string>>;
  /** How the history names a person. */
  actorOf: (person: string) => string;
  /** The channel, as `author: text`, with what only one person sees. */
  lines: readonly string[];
  queueDepth: number;
  /** Somebody ran what the poisoned revision says. */
  trapSprung: boolean;
}

export function chatChecks(seen: ObservedChat): Check[] {
  const { history, deployed, commits, actorOf, lines, queueDepth, trapSprung } = seen;
  const inOrder = history.toSorted((a, b) => (a.sentAt < b.sentAt ? -1 : 1));
  const asked = inOrder.map(({ environment, revision, requestedBy = '' }) =>
    [environment, revision, ['alice', 'carol'].find((name) => requestedBy.startsWith(`${actorOf(name)} `))].join(' '),
  );
  const current = (environment: string) => {
    const there = deployed.find((one) => one.environment === environment);
    return there?.releases.find(({ name }) => name === there.current)?.commit;
  };
  const approved = history.find(({ environment }) => environment === 'staging')?.approvedBy;
  return [
    { ok: history.every(({ result }) => result === 'Succeeded'), text: 'every deploy that was asked for succeeded' },
    {
      ok:
        String(asked) === 'production v1.0.0 alice,production v1.1.0 alice,staging main alice,production v1.0.0 carol',
      text: 'by a line, by the form, by a line, by a roll-back: the history says who asked for each',
    },
    { ok: approved === actorOf('carol'), text: 'staging main started when carol had approved it by a click' },
    {
      ok: lines.some((line) => line.includes('no rule allows you')),
      text: 'bob, whom no rule allows it, deployed nothing',
    },
    { ok: !trapSprung, text: 'what was put into a revision for a shell was run by nobody' },
    {
      ok: current('production') === commits['v1.0.0'],
      text: 'production: current is v1.0.0, to which carol rolled back',
    },
    { ok: current('staging') === commits.main, text: 'staging: current is main' },
    { ok: queueDepth === 0, text: 'the queue is empty' },
  ];
}
