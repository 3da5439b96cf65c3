import type { CapDeployJobSpec, Condition, LaneStatus } from '../api/capdeployjob.ts';
import { CONDITION, REASON } from '../api/reasons.ts';

/** How the queue of a resource is being read. */
export type QueueState =
  /** Not read on purpose, or refused: suspended, invalid template, shared queue, origin not allowed, … */
  | { kind: 'off'; reason: string; message: string }
  /** Being read since then. A receive last succeeded at `lastReadAt`, 0 before the first (epoch milliseconds). */
  | { kind: 'reading'; since: number; lastReadAt: number }
  /**
   * The last receive failed: `reason` is AWS's error code or the transport's. `lasting`: it will not go away by itself
   * (no such queue, access denied), so it is reported at once. A passing failure is reported only after the queue has
   * not been read for a while.
   */
  | { kind: 'failing'; since: number; lastReadAt: number; reason: string; message: string; lasting: boolean };

/** Why Jobs cannot be created just now, with the API server's words. */
export interface CreateFailure {
  reason: string;
  message: string;
  /** The API server refuses the template itself (422): the dry run is to be repeated. */
  template: boolean;
}

/** What the API server said to a dry run of a Job made of the template. */
export interface TemplateCheck {
  /** Generation of the spec that was tried. */
  generation: number;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
}

export interface Health {
  readonly generation: number;
  readonly spec: CapDeployJobSpec | undefined;
  /** What is wrong with the spec, if it cannot be read. */
  readonly specProblem: string | undefined;
  readonly template: TemplateCheck | undefined;
  readonly queue: QueueState | undefined;
  readonly createFailure: CreateFailure | undefined;
  readonly lanes: readonly LaneStatus[];
  /** A window that cannot be read: its environment stays closed. */
  readonly windowProblem: string | undefined;
  /** A freeze that freezes nothing. */
  readonly freezeProblem: string | undefined;
  /** What the API server drops of the status. */
  readonly definitionProblem?: string | undefined;
  readonly now: number;
}

type Finding = Pick<Condition, 'status' | 'reason' | 'message'>;

const finding = (status: Finding['status'], reason: string, message: string): Finding => ({ status, reason, message });

/** A queue not read with success for this long makes the resource not ready, or its failure would go unnoticed. */
export const queueReadDeadlineMs = (waitTimeSeconds: number): number => Math.max(3 * waitTimeSeconds, 90) * 1000;

/** The conditions, each with the moment at which its status last changed. */
export function conditionsOf(health: Health, previous: readonly Condition[] | undefined): Condition[] {
  const template = templateValid(health);
  const queue = queueReachable(
    health,
    previous?.find(({ type }) => type === CONDITION.queueReachable),
  );
  const findings: [string, Finding][] = [
    [CONDITION.ready, ready(health, template, queue)],
    [CONDITION.queueReachable, queue],
    [CONDITION.templateValid, template],
    [CONDITION.lastDeploySucceeded, lastDeploySucceeded(health)],
  ];
  return findings.map(([type, finding]) => {
    const before = previous?.find((condition) => condition.type === type);
    return {
      type,
      ...finding,
      observedGeneration: health.generation,
      lastTransitionTime:
        before?.status === finding.status ? before.lastTransitionTime : new Date(health.now).toISOString(),
    };
  });
}

/** A failed deploy says nothing about the operator: it does not count here. */
function ready(health: Health, template: Finding, reachable: Finding): Finding {
  const { specProblem, windowProblem, freezeProblem, definitionProblem, createFailure, queue } = health;
  if (specProblem) return finding('False', REASON.invalidSpec, specProblem);
  if (template.status === 'False') return template;
  if (createFailure) {
    return finding(
      'False',
      REASON.jobsCannotBeCreated,
      `Jobs cannot be created, so nothing more is received: ${createFailure.reason}: ${createFailure.message}`,
    );
  }
  if (windowProblem) {
    return finding(
      'False',
      REASON.invalidWindow,
      `${windowProblem}; until it is corrected nothing starts in this environment`,
    );
  }
  if (freezeProblem) return finding('False', REASON.freezeOfUnknownEnvironment, freezeProblem);
  // Deploys go on, but not well: a later pass, or a person, would have needed the fields that are dropped.
  if (definitionProblem) return finding('False', REASON.definitionOutdated, definitionProblem);
  if (queue?.kind === 'off' && queue.reason === REASON.invalidSpec)
    return finding('False', queue.reason, queue.message);
  if (queue?.kind === 'off' && queue.reason === REASON.suspended) return finding('True', queue.reason, queue.message);
  if (reachable.status !== 'True') return reachable;
  return finding('True', REASON.asExpected, 'messages are received and deploys are started');
}

function templateValid({ template, generation }: Health): Finding {
  if (template?.generation !== generation) {
    return finding('Unknown', REASON.notChecked, 'the template has not been tried on the API server yet');
  }
  return finding(template.status, template.reason, template.message);
}

/** Reasons for not reading a queue that say nothing about the queue itself. */
const OFF_WITHOUT_FAULT: readonly string[] = [
  REASON.suspended,
  REASON.notChecked,
  REASON.refused,
  REASON.invalidSpec,
  REASON.beingDeleted,
];

function queueReachable(health: Health, before: Condition | undefined): Finding {
  const { queue, spec, now } = health;
  if (!queue) return notYetRead(health, before);
  if (queue.kind === 'off') {
    return finding(OFF_WITHOUT_FAULT.includes(queue.reason) ? 'Unknown' : 'False', queue.reason, queue.message);
  }
  const deadline = queueReadDeadlineMs(spec?.queue.waitTimeSeconds ?? 20);
  const overdue = now - Math.max(queue.since, queue.lastReadAt) > deadline;
  if (queue.kind === 'failing' && (queue.lasting || overdue)) return finding('False', queue.reason, queue.message);
  if (overdue) {
    return finding('False', REASON.queueNotRead, `the queue was not read for more than ${deadline / 1000} s`);
  }
  if (queue.lastReadAt === 0) return notYetRead(health, before);
  return finding('True', REASON.polling, 'the queue is being read');
}

/** A new operator keeps what the condition says: else each restart would turn every resource's conditions. */
function notYetRead({ generation }: Health, before: Condition | undefined): Finding {
  if (before?.observedGeneration === generation) return finding(before.status, before.reason, before.message);
  return finding('Unknown', REASON.notYetPolled, 'the queue has not been read yet');
}

/** The last deploy of each environment: a failed one keeps this False until that environment has a good one. */
function lastDeploySucceeded({ lanes }: Health): Finding {
  const ended = lanes.filter(({ lastResult }) => lastResult !== undefined);
  if (ended.length === 0) return finding('Unknown', REASON.noDeployYet, 'nothing has been deployed yet');
  const bad = ended.filter(({ lastResult }) => lastResult !== 'Succeeded');
  if (bad.length === 0) {
    return finding('True', REASON.deploySucceeded, 'the last deploy of each environment succeeded');
  }
  return finding('False', REASON.deployFailed, bad.map(({ name, lastResult }) => `${name}: ${lastResult}`).join(', '));
}
