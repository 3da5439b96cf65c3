import { expect } from 'vitest';
import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { ANNOTATION, FREEZE_PREFIX } from '../../../src/api/names.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { KubeClient, KubeObject, ResourceType } from '../../../src/kube/client.ts';
import { KubeError } from '../../../src/kube/errors.ts';
import { SelfCheck } from '../../../src/slack-bot/self-check.ts';
import { aResource } from '../../kit/builders.ts';
import { VirtualClock } from '../../kit/clocks.ts';

/** A request that would change something. */
export interface Patch {
  type: ResourceType;
  namespace: string;
  name: string;
  under: object;
  /** Undefined: a delete. */
  patch: { metadata?: { labels?: object; annotations?: Record<string, string> }; spec?: object } | undefined;
  options: { dryRun?: boolean; metadataOnly?: boolean } | undefined;
}

export const rule = (group: string, resource: string, verbs: string[], resourceNames: string[] = []) => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
  resourceNames,
});
export const ALL = [
  rule('capdeployjob.dev', 'capdeployjobs', ['get', 'list', 'watch', 'patch', 'approve']),
  rule('batch', 'jobs', ['patch', 'delete']),
];

export const forbidden = (message: string) =>
  new KubeError('forbidden', { status: 403, reason: 'Forbidden', message: `Forbidden: ${message}` });
export const gone = () => new KubeError('gone', { status: 404, reason: 'NotFound', message: 'NotFound: not found' });
export const away = () =>
  new KubeError('retryable', { status: 0, reason: 'Timeout', message: 'no answer within 30 s' });

/** The words of deploy/admission, in which the self-check looks for its own part of them. */
export const policies = ({ patch, type }: Patch): void => {
  const says = (words: string) => forbidden(`ValidatingAdmissionPolicy 'x' with binding 'x' denied request: ${words}`);
  if (!patch) throw says('the chat bot aborts for people only: it writes the name, before it deletes a Job');
  if (Object.keys(patch).length === 0) return;
  const [[key = '', value = ''] = []] = Object.entries(patch.metadata?.annotations ?? {});
  if (patch.spec && type.plural === 'jobs') throw says('the Job is the deploy, so its spec cannot be changed; to');
  if (patch.metadata?.labels || patch.spec)
    throw says(`"bot" may patch ${type.kind}s but not update them, and so may change`);
  if (value.startsWith('slack:')) throw says('whoever asked for a deploy cannot approve it: he asked');
  if (key.startsWith(FREEZE_PREFIX))
    throw says(`the value of ${key} must name the person for whom the chat bot freezes`);
  if (key === ANNOTATION.abortedBy) throw says(`the chat bot aborts for people only: ${key} must be`);
  if (key === ANNOTATION.approvedBy) throw says(`the chat bot approves for people only: ${key} must be`);
};

const powerOf = ({ type, name }: Patch): string =>
  type.plural !== 'jobs' ? 'freeze' : name.endsWith('-runs') ? 'abort' : 'approve';

function inShort({ patch, type }: Patch): string {
  if (!patch) return 'delete';
  if (patch.spec) return `spec of ${type.kind}`;
  if (patch.metadata?.labels) return 'label';
  return Object.keys(patch.metadata?.annotations ?? {})[0] ?? 'nothing';
}

/** An API server with the bot's rights and an answer to each dry run. */
export class Played {
  rules: object[] = ALL;
  incomplete = false;
  answer: (patch: Patch) => void = policies;
  review: (namespace: string) => void = () => {};
  readonly patches: Patch[] = [];
  /** What is on each Job. */
  annotations: Record<string, string> = {};
  deletionTimestamp: string | undefined;
  readonly reviewed: string[] = [];
  readonly client = {
    create: async (type: ResourceType, { spec }: KubeObject) => {
      expect(type.plural).toBe('selfsubjectrulesreviews');
      const { namespace } = spec as { namespace: string };
      this.reviewed.push(namespace);
      this.review(namespace);
      return { status: { resourceRules: this.rules, incomplete: this.incomplete } };
    },
    patch: async (
      type: ResourceType,
      namespace: string,
      name: string,
      under: object,
      patch: Patch['patch'],
      options?: Patch['options'],
    ) => {
      this.#send({ type, namespace, name, under, patch, options });
      const { annotations, deletionTimestamp } = this;
      return { metadata: { name, resourceVersion: '7', annotations, deletionTimestamp } };
    },
    delete: async (
      type: ResourceType,
      namespace: string,
      name: string,
      under: object,
      options?: Patch['options'],
    ): Promise<void> => this.#send({ type, namespace, name, under, patch: undefined, options }),
  } as unknown as KubeClient;
  readonly clock = new VirtualClock();
  resources: CapDeployJob[] = [];
  /** For each power of each CapDeployJob `true`, or why it is off, as it was logged last. */
  readonly logged: Record<string, Record<string, string | true>> = {};
  readonly lines: { target: string; power: string; why?: string; detail?: string }[] = [];
  readonly check = new SelfCheck({
    client: this.client,
    resources: () => this.resources,
    clock: this.clock,
    log: { ...silentLog, info: (fields) => this.#note(fields), warn: (fields) => this.#note(fields) },
  });

  /** Nothing of the self-check may ever change anything: this holds in every test of it. */
  #send(call: Patch): void {
    expect(call.options?.dryRun).toBe(true);
    if (call.patch) expect(call.options?.metadataOnly).toBe(true);
    this.patches.push(call);
    this.answer(call);
  }

  #note(fields: object): void {
    const line = fields as Played['lines'][number];
    this.lines.push(line);
    const { target, power, why = true } = line;
    const powers = this.logged[target] ?? {};
    this.logged[target] = { ...powers, [power]: why };
  }

  /** @returns what a check of everything finds, for each CapDeployJob */
  async found(...resources: CapDeployJob[]): Promise<Record<string, Record<string, string | true>>> {
    this.resources = resources;
    await this.check.checkAll();
    return this.logged;
  }

  /** What was tried for each power, in short. Both Jobs of `busy` have a part of their own. */
  readonly requests = () =>
    Object.fromEntries([...Map.groupBy(this.patches, powerOf)].map(([power, calls]) => [power, calls.map(inShort)]));

  /** On which objects something was tried. */
  readonly triedOn = () => [...new Set(this.patches.map(({ namespace, name }) => `${namespace}/${name}`))];
}

/** A deploy as a status names it. */
export const entry = (job: string, uid: string | undefined = `uid-of-${job}`) => ({ job, ...(uid && { uid }) });
export function resource(name = 'web', lanes: object[] = [], namespace = 'deploy'): CapDeployJob {
  return aResource({ metadata: { name, namespace, uid: `uid-of-${name}` }, status: { environments: lanes } });
}
/** With a deploy that runs and one that waits. */
export const busy = (name = 'web', namespace = 'deploy') =>
  resource(
    name,
    [{ name: 'production', active: [entry(`${name}-runs`)], waiting: [entry(`${name}-waits`)] }],
    namespace,
  );
