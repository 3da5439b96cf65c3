import { ActionError } from '../actions/action-error.ts';
import { aborted } from '../base/abort.ts';
import type { Target } from '../chat/target.ts';
import { isOriginAllowed } from '../sqs/allow-queue.ts';
import type { QueueRules } from '../sqs/check-queues.ts';
import { parseQueueUrl } from '../sqs/queue-url.ts';
import type { BotConfig } from './config.ts';
import type { TargetSource } from './context.ts';
import { KeptTargets } from './kept-targets.ts';
import type { OpenQueues } from './queues.ts';
import { targetsOfFile } from './targets.ts';

export interface FileTargetsOptions {
  readonly config: () => BotConfig;
  readonly rules: Pick<QueueRules, 'allowedOrigins' | 'defaultRegion'>;
  readonly queues: OpenQueues;
}

/** The targets that the configuration lists: for a bot that sees no cluster. It can send, and see nothing of a deploy. */
export class FileTargets implements TargetSource {
  readonly #options: FileTargetsOptions;
  readonly #targets: KeptTargets;

  constructor(options: FileTargetsOptions) {
    this.#options = options;
    this.#targets = new KeptTargets(options, targetsOfFile);
  }

  all(): readonly Target[] {
    return this.#targets.all();
  }

  destination(target: Target) {
    const { config, rules, queues } = this.#options;
    const given = config().targets.find(({ name }) => name === target.name);
    const url = given && parseQueueUrl(given.queueUrl);
    if (!given || !url || 'problem' in url) {
      throw new ActionError('notFound', `the target ${target.name} is no longer in the configuration`);
    }
    if (!isOriginAllowed(url, rules.allowedOrigins)) {
      throw new ActionError(
        'refused',
        `${target.name}: ${url.origin} is not an origin of SQS, and signed requests would go there: the bot needs --allow-queue-origin=${url.origin}`,
      );
    }
    const region = given.region ?? url.region ?? rules.defaultRegion;
    if (region === undefined) {
      throw new ActionError(
        'refused',
        `${target.name}: the region of its queue is not known: set region of this target, or AWS_REGION of the bot`,
      );
    }
    const settings = { url: url.href, region, roleArn: given.roleArn, externalId: target.name };
    return { queue: queues.get(settings), fifo: url.fifo, resource: undefined };
  }

  status(): undefined {
    return undefined;
  }

  /** Nothing changes here. */
  changed(_target: Target, signal: AbortSignal): Promise<void> {
    return aborted(signal);
  }

  staleMs(): number {
    return 0;
  }
}
