import type { ModalView } from '@slack/types';
import type { Json } from '../../../dev/local-slack/json.ts';
import { renderBlocks } from '../../../dev/local-slack/render.ts';
import { Team } from '../../../dev/local-slack/team.ts';
import type { DeployMessage } from '../../../src/actions/send.ts';
import type { CapDeployJob, CapDeployJobStatus } from '../../../src/api/capdeployjob.ts';
import { silentLog } from '../../../src/base/log.ts';
import { type Channel, type Person, UNKNOWN } from '../../../src/chat/authorise.ts';
import { parseCommandLine } from '../../../src/chat/command-line.ts';
import { fold } from '../../../src/chat/fold.ts';
import type { Answer } from '../../../src/chat/rich-text.ts';
import type { Target } from '../../../src/chat/target.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { Asker, Profile } from '../../../src/slack-bot/asker.ts';
import type { Call } from '../../../src/slack-bot/command.ts';
import { type BotConfig, parseBotConfig } from '../../../src/slack-bot/config.ts';
import type { BotContext, Powers, TargetSource, Voice } from '../../../src/slack-bot/context.ts';
import type { Decision } from '../../../src/slack-bot/decision.ts';
import { HANDLERS } from '../../../src/slack-bot/handlers.ts';
import { type FactsSource, Permissions } from '../../../src/slack-bot/permissions.ts';
import { PersonalLimit } from '../../../src/slack-bot/personal-limit.ts';
import { targetsOfCluster, targetsOfFile } from '../../../src/slack-bot/targets.ts';
import { SqsError, type SqsErrorKind } from '../../../src/sqs/errors.ts';
import type { SendOptions } from '../../../src/sqs/queue.ts';
import { aRawSpec, aResource, NOW } from '../../kit/builders.ts';
import { VirtualClock } from '../../kit/clocks.ts';

export const TEAM = 'T0TEAM';
export const ALICE = 'U0ALICE';
export const BOB = 'U0BOB';
/** Says truly who asked. */
export const BOT_SENDER = 'AROAEXAMPLEID1234567';

/** Developers may deploy all but what is protected; releasers, and Alice by name, may do everything to web. */
export const CONFIG = `
slack: { team: ${TEAM} }
source: cluster
trustedSenders: [${BOT_SENDER}]
protected: [production]
confirm: [production]
rules:
  - may: [deploy, retry, status, history, queue]
    targets: ["*"]
    environments: ["*"]
    channels: [C0DEPLOYS]
    groups: [S0DEVS]
  - may: [deploy, retry, rollback, abort, approve, freeze, status, history, queue]
    targets: [deploy/web]
    environments: [staging, production]
    channels: [C0PROD]
    groups: [S0RELEASE]
    users: [${ALICE}]
`;

/** A bot outside the cluster, with one target. */
export const FILE_CONFIG = `
slack: { team: ${TEAM} }
source: file
targets:
  - name: deploy/web
    repositories: [livesense/web]
    environments: [staging, production]
    queueUrl: https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy
rules:
  - { may: [deploy], targets: ["*"], environments: ["*"], channels: [C0PROD], users: [${ALICE}] }
`;

/** `deploy/web` for livesense/web, with production and staging. */
export const aWeb = (status?: object, changes: { metadata?: object; spec?: Record<string, unknown> } = {}) =>
  aResource({
    spec: aRawSpec({ repositories: ['livesense/web'], ...changes.spec }),
    status,
    metadata: changes.metadata ?? {},
  });

const PERSON: Person = { isOfTeam: true, isDeleted: false, isBot: false, isGuest: false, isStranger: false };
const CHANNEL: Channel = { isShared: false, isArchived: false, isDirect: false };

/** What Slack says; each question can fail. */
export class PlayedFacts implements FactsSource {
  /** Changes to an ordinary person, by user. */
  readonly people = new Map<string, Partial<Person>>();
  /** Changes to an ordinary channel, by id. */
  readonly channels = new Map<string, Partial<Channel>>();
  /** Members by group. */
  readonly members = new Map<string, string[]>([
    ['S0DEVS', [ALICE, BOB]],
    ['S0RELEASE', [ALICE]],
  ]);
  readonly failing = new Set<'person' | 'channel' | 'groups'>();
  /** What was asked, in order. */
  readonly asked: string[] = [];

  async person(user: string): Promise<Person | typeof UNKNOWN> {
    this.asked.push(user);
    return this.failing.has('person') ? UNKNOWN : { ...PERSON, ...this.people.get(user) };
  }

  async channel(id: string): Promise<Channel | typeof UNKNOWN> {
    this.asked.push(id);
    return this.failing.has('channel') ? UNKNOWN : { ...CHANNEL, ...this.channels.get(id) };
  }

  async groups(user: string, groups: readonly string[]): Promise<Map<string, boolean | typeof UNKNOWN>> {
    this.asked.push(...groups);
    const isMember = (group: string) => this.members.get(group)?.includes(user) ?? false;
    return new Map(groups.map((group) => [group, this.failing.has('groups') ? UNKNOWN : isMember(group)]));
  }
}

/** Records what the bot says. */
export class PlayedVoice implements Voice {
  readonly whispers: { asker: Asker; answer: Answer }[] = [];
  /** Whether Slack takes what all are to read. */
  takesMessages = true;
  readonly says: { channel: string; threadTs: string | undefined; answer: Answer }[] = [];
  readonly opened: { triggerId: string; view: ModalView }[] = [];
  readonly updated: { viewId: string; view: ModalView }[] = [];
  /** False: Slack takes no whisper. */
  isHeard = true;
  /** Id of the next view; undefined: it cannot be opened. */
  viewId: string | undefined = 'V0VIEW';

  async whisper(asker: Asker, answer: Answer): Promise<boolean> {
    this.whispers.push({ asker, answer });
    return this.isHeard;
  }

  async say(channel: string, threadTs: string | undefined, answer: Answer): Promise<boolean> {
    if (!this.takesMessages) return false;
    this.says.push({ channel, threadTs, answer });
    return true;
  }

  async openView(triggerId: string, view: ModalView): Promise<string | undefined> {
    this.opened.push({ triggerId, view });
    return this.viewId;
  }

  async updateView(viewId: string, view: ModalView): Promise<void> {
    this.updated.push({ viewId, view });
  }
}

/** The queues of all targets. */
export class PlayedQueues {
  readonly sent: { target: string; message: DeployMessage; options: SendOptions | undefined }[] = [];
  /** Every send fails so. */
  failure: SqsErrorKind | undefined;
  tries = 0;

  of(target: string): { send(body: string, options?: SendOptions): Promise<{ messageId: string }> } {
    return {
      send: async (body, options) => {
        this.tries += 1;
        if (this.failure) throw new SqsError(this.failure, 'TheCode', 'in the test');
        this.sent.push({ target, message: JSON.parse(body) as DeployMessage, options });
        return { messageId: `m-${this.sent.length}` };
      },
    };
  }
}

/** The targets as the bot remembers them. */
export class PlayedTargets implements TargetSource {
  /** CapDeployJobs, with their status, for `source: cluster`. */
  resources: readonly CapDeployJob[];
  /** `destination` throws it. */
  problem: Error | undefined;
  note: string | undefined;
  stale = 0;
  readonly #config: () => BotConfig;
  readonly #queues: PlayedQueues;
  readonly #waiting = new Set<() => void>();

  constructor(config: () => BotConfig, resources: readonly CapDeployJob[], queues: PlayedQueues) {
    this.#config = config;
    this.resources = resources;
    this.#queues = queues;
  }

  all(): readonly Target[] {
    const config = this.#config();
    return config.source === 'file' ? targetsOfFile(config) : targetsOfCluster(this.resources, config);
  }

  destination({ name, resource }: Target) {
    if (this.problem) throw this.problem;
    const note = this.note === undefined ? {} : { note: this.note };
    return { queue: this.#queues.of(name), fifo: false, resource, ...note };
  }

  status(target: Target): CapDeployJobStatus | undefined {
    return this.all().find(({ name }) => name === target.name)?.resource?.status;
  }

  changed(_: Target, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** New states: who waits for a change goes on. */
  set(resources: readonly CapDeployJob[]): void {
    this.resources = resources;
    for (const done of [...this.#waiting]) done();
  }

  staleMs(): number {
    return this.stale;
  }
}

export interface FakeBotOptions {
  /** YAML; default: `CONFIG`. */
  config?: string;
  /** Default: `aWeb()`. */
  resources?: readonly CapDeployJob[];
  kube?: KubeClient;
  /** Profiles beside the usual one: Tokyo's time, English. */
  profiles?: Record<string, Partial<Profile>>;
}

/** A bot without Slack, cluster or AWS. It is NOW. */
export class FakeBot {
  readonly clock = new VirtualClock();
  readonly facts = new PlayedFacts();
  readonly voice = new PlayedVoice();
  readonly queues = new PlayedQueues();
  readonly targets: PlayedTargets;
  readonly decisions: Decision[] = [];
  /** What the bot itself may do. */
  powers: Powers = { freeze: true, abort: true, approve: true };
  readonly stopping = new AbortController();
  readonly profiles: Record<string, Partial<Profile>>;
  readonly bot: BotContext;
  #config: BotConfig;

  constructor({ config = CONFIG, resources = [aWeb()], kube, profiles = {} }: FakeBotOptions = {}) {
    this.clock.setMs = NOW - this.clock.now();
    this.#config = parseBotConfig(config, 'slack-bot.yaml');
    const current = () => this.#config;
    this.targets = new PlayedTargets(current, resources, this.queues);
    this.profiles = profiles;
    this.bot = {
      config: current,
      targets: this.targets,
      permissions: new Permissions(current, this.facts),
      people: { profile: async (user) => this.profile(user) },
      voice: this.voice,
      kube: this.#config.source === 'file' ? undefined : kube,
      powers: () => this.powers,
      limit: new PersonalLimit(this.clock, () => current().limits.perUserPerMinute),
      decided: (decision) => void this.decisions.push(decision),
      clock: this.clock,
      log: silentLog,
      signal: this.stopping.signal,
    };
  }

  /** The file has changed. */
  setConfig(yaml: string): void {
    this.#config = parseBotConfig(yaml, 'slack-bot.yaml');
  }

  profile(user: string): Profile {
    const name = user.replace(/^U0/, '').toLowerCase();
    return { name, timeZone: 'Asia/Tokyo', language: 'en', ...this.profiles[user] };
  }

  /** A line as a call. @throws if the line is not understood */
  call(line: string, { user = ALICE, channel = 'C0PROD', threadTs }: Partial<Asker> = {}): Call {
    const profile = this.profile(user);
    const at = this.clock.now();
    const parsed = parseCommandLine(fold(line), { at, timeZone: profile.timeZone });
    if ('problem' in parsed) throw new Error(`${line}: ${JSON.stringify(parsed.problem)}`);
    return { command: parsed.command, asker: { user, channel, threadTs }, profile, id: `slack-${TEAM}-test-1`, at };
  }

  /** What the command of a line answers. */
  async answer(line: string, asker: Partial<Asker> = {}): Promise<Answer> {
    const call = this.call(line, asker);
    return await HANDLERS[call.command.verb](this.bot, call);
  }

  /** The same as a reader sees it. */
  async ask(line: string, asker: Partial<Asker> = {}): Promise<string> {
    return render(await this.answer(line, asker));
  }
}

/** The people and channels of these tests, for `render` to name. */
export const team = new Team();
for (const name of ['alice', 'bob']) team.addUser(name);
for (const name of ['deploys', 'prod']) team.addChannel(name, { members: ['alice', 'bob'] });

/** What a reader sees of an answer: mentions stand in ⟦⟧, buttons in []. */
export const render = ({ blocks }: Answer): string => renderBlocks(team, blocks as unknown as Json[]);
