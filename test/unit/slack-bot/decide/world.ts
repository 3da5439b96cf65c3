import type { ModalView } from '@slack/types';
import { checkView } from '../../../../dev/local-slack/block-kit/blocks.ts';
import type { CapDeployJobStatus, HistoryEntry, LaneStatus } from '../../../../src/api/capdeployjob.ts';
import type { DeployButton } from '../../../../src/chat/buttons.ts';
import type { Click, Confirmation, ViewAnswer } from '../../../../src/slack-bot/decide/decisions.ts';
import { Decisions } from '../../../../src/slack-bot/decide/decisions.ts';
import { aHistoryEntry, aJob, at, type JobChanges } from '../../../kit/builders.ts';
import { Rig } from '../../operator/controller/rig.ts';
import { ALICE, BOT_SENDER, FakeBot, type FakeBotOptions, render } from '../fake-bot.ts';

/** Asked for in Slack by Bob, as the bot itself says. */
export const BY_BOB = { requestedBy: 'slack:T0TEAM/U0BOB bob', senderId: `${BOT_SENDER}:slack-bot` };

/** A bot beside the operator and its API server. The operator writes the status; the bot sees it when it is `seen`. */
export class World {
  readonly rig: Rig;
  readonly fake: FakeBot;
  readonly decisions: Decisions;

  constructor(options: FakeBotOptions & { spec?: Record<string, unknown> } = {}) {
    const environments = [{ name: 'production', requireApproval: true }, { name: 'staging' }];
    this.rig = new Rig({ repositories: ['livesense/web'], environments, ...options.spec });
    this.fake = new FakeBot({ resources: [this.rig.resource], kube: this.rig.client, ...options });
    this.decisions = new Decisions(this.fake.bot);
  }

  /** The operator makes its passes, and the bot sees the status. */
  async settle(): Promise<void> {
    await this.rig.settle();
    this.seen();
  }

  seen(): void {
    this.fake.targets.set([this.rig.resource]);
  }

  /** A Job that the operator has listed. @returns its name */
  async asked(changes: JobChanges = {}): Promise<string> {
    const job = this.rig.job({ ...BY_BOB, ...changes });
    await this.settle();
    return job.metadata.name;
  }

  /** As if the operator had written this. */
  status(lane: Partial<LaneStatus>, history: HistoryEntry[] = []): void {
    const status: CapDeployJobStatus = {
      environments: [{ name: 'production', ...lane }, { name: 'staging' }],
      history,
    };
    this.rig.setStatus(status);
    this.seen();
  }

  async click(kind: DeployButton | string, job: string, over: Partial<Click> & { meant?: object } = {}): Promise<void> {
    const { meant, ...click } = over;
    await this.decisions.clicked({
      user: ALICE,
      channel: 'C0PROD',
      threadTs: '1.1',
      actionId: kind,
      value: JSON.stringify({ target: 'deploy/web', environment: 'production', job, ...meant }),
      triggerId: 'trigger',
      ...click,
    });
  }

  /** The view that the last click opened, as Slack hands it back. */
  submission(over: Partial<Confirmation> = {}): Confirmation {
    const { view } = this.fake.voice.opened.at(-1) ?? {};
    const privateMetadata = view?.private_metadata ?? '';
    return { user: ALICE, viewId: 'V0VIEW', viewHash: 'h1', privateMetadata, ...over };
  }

  async confirm(over: Partial<Confirmation> = {}): Promise<ViewAnswer> {
    return await this.decisions.confirmed(this.submission(over));
  }

  /** What the view says that was opened last. */
  get opened(): string {
    return seenIn(this.fake.voice.opened.at(-1)?.view);
  }

  /** What the last whisper says. */
  get whispered(): string {
    const last = this.fake.voice.whispers.at(-1);
    return last ? render(last.answer) : '';
  }

  /** What all have read: `C0PROD 1.1: …`. */
  get said(): string[] {
    return this.fake.voice.says.map(
      ({ channel, threadTs, answer }) => `${channel} ${threadTs ?? 'channel'}: ${render(answer)}`,
    );
  }

  get outcomes(): string[] {
    return this.fake.decisions.map(({ verb, outcome }) => `${verb} ${outcome}`);
  }
}

/** What a person reads in a view that Slack takes: its title, text and button. */
export function seenIn(view: ModalView | undefined): string {
  if (!view) return '';
  const problems = checkView(view, '/view');
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const submit = view.submit ? `\n[${view.submit.text}]` : '';
  return `${view.title.text}\n${render({ text: '', blocks: view.blocks as never })}${submit}`;
}

/** What the answer to a submission shows; '' if the view closes. */
export const shownBy = (answer: ViewAnswer): string => seenIn(answer?.view);

/** A deploy to production that ended. @param endedAt seconds from NOW */
export function ended(id: string, endedAt: number, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  const entry = aHistoryEntry(aJob({ ...BY_BOB, id }));
  return { ...entry, startedAt: at(endedAt - 60), finishedAt: at(endedAt), ...changes };
}

export const failed = (id: string, endedAt: number, changes: Partial<HistoryEntry> = {}): HistoryEntry =>
  ended(id, endedAt, { result: 'Failed', reason: 'BackoffLimitExceeded', ...changes });
