import type { CapDeployJob, CapDeployJobSpec } from '../../api/capdeployjob.ts';
import { CONDITION, REASON } from '../../api/reasons.ts';
import { JOBS, type KubeClient, type KubeObject } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import { buildJob, fieldsLeftOut, sampleRequest, TemplateError } from '../../lanes/build-job.ts';
import type { TemplateCheck } from '../../lanes/conditions.ts';

/** A refusal can have causes outside the spec (a policy, a quota): it is tried again, each time after twice as long. */
const RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 5 * 60_000;

interface Tried {
  uid: string;
  check: TemplateCheck;
  failures: number;
  /** When to try again (epoch milliseconds); undefined: not before the spec changes. */
  again: number | undefined;
}

/**
 * Finds out whether the API server accepts Jobs made of a resource's template, by a server-side dry run as soon as the
 * spec changes. So a wrong template is reported while its author is there, not when the first deploy comes at night.
 */
export class TemplateChecker {
  readonly #client: KubeClient;
  readonly #now: () => number;
  #tried: Tried | undefined;

  constructor(client: KubeClient, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /**
   * @param doubt the API server has just refused a Job for its template: an older approval does not count.
   * @returns what is known of the template, and when to ask again (epoch milliseconds).
   */
  async check(
    resource: CapDeployJob,
    spec: CapDeployJobSpec,
    doubt: boolean,
  ): Promise<{ check: TemplateCheck; again: number | undefined }> {
    const { generation, uid } = resource.metadata;
    const known = this.#tried ?? approvedBefore(resource, spec);
    const current = known?.uid === uid && known.check.generation === generation ? known : undefined;
    const trusted = current && !(doubt && current.check.status === 'True');
    if (trusted && (current.again === undefined || this.#now() < current.again)) return current;
    const { check, final } = await this.#dryRun(resource, spec);
    const failures = final ? 0 : (current?.failures ?? 0) + 1;
    const again = final ? undefined : this.#now() + Math.min(RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
    this.#tried = { uid, check, failures, again };
    return this.#tried;
  }

  async #dryRun(resource: CapDeployJob, spec: CapDeployJobSpec): Promise<{ check: TemplateCheck; final: boolean }> {
    const { generation } = resource.metadata;
    const found = (status: TemplateCheck['status'], reason: string, message: string, final: boolean) => ({
      check: { generation, status, reason, message: message.slice(0, 4096) },
      final,
    });
    try {
      const job = buildJob(resource, spec, sampleRequest(spec)) as unknown as KubeObject;
      await this.#client.create(JOBS, job, { dryRun: true });
      return found('True', REASON.accepted, approvalMessage(spec), true);
    } catch (error) {
      if (error instanceof TemplateError) return found('False', REASON.refused, error.message, true);
      if (!isKubeError(error)) throw error;
      // The attempt was refused, not the template: the API server does so if a webhook declares side effects and knows
      // no dry run (KEP-576).
      if (error.kind === 'invalid' && /does not support dry run/.test(error.message)) {
        return found('Unknown', REASON.dryRunUnsupported, error.message, true);
      }
      if (error.kind === 'invalid' || error.kind === 'forbidden')
        return found('False', REASON.refused, error.message, false);
      return found('Unknown', REASON.notChecked, `the template could not be tried: ${error.message}`, false);
    }
  }
}

function approvalMessage(spec: CapDeployJobSpec): string {
  const leftOut = fieldsLeftOut(spec);
  const note = leftOut.length > 0 ? `, without ${leftOut.join(', ')}: cap runs once` : '';
  return `the API server accepts Jobs made of the template${note}`;
}

/** Only an approval by an earlier process is taken from the status, and only in the words of this version. */
function approvedBefore(resource: CapDeployJob, spec: CapDeployJobSpec): Tried | undefined {
  const condition = resource.status?.conditions?.find(({ type }) => type === CONDITION.templateValid);
  if (condition?.status !== 'True' || condition.observedGeneration !== resource.metadata.generation) return undefined;
  const { reason, message } = condition;
  try {
    if (message !== approvalMessage(spec)) return undefined;
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
  const check = { generation: resource.metadata.generation, status: 'True' as const, reason, message };
  return { uid: resource.metadata.uid, check, failures: 0, again: undefined };
}
