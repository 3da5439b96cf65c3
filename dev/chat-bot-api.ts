import type { Fault } from 'in-memory-kubernetes/http/faults.ts';
import type { ApiRequest } from 'in-memory-kubernetes/http/http-request.ts';
import { type HttpServer, startHttpServer } from 'in-memory-kubernetes/http/http-server.ts';
import { forbidden } from 'in-memory-kubernetes/store/api-error.ts';
import type { Store } from 'in-memory-kubernetes/store/store.ts';
import { IS_OVER } from '../src/actions/abort.ts';
import { isFinished } from '../src/api/finished-job.ts';
import { ANNOTATION, CAPDEPLOYJOBS, FREEZE_PREFIX } from '../src/api/names.ts';
import { JOBS, type KubeObject, type ResourceType, SELF_SUBJECT_RULES_REVIEWS } from '../src/kube/client.ts';

/**
 * The in-memory Kubernetes as the chat bot's account sees it: a second address of the same store. The in-memory
 * Kubernetes has neither accounts nor policies, so who comes here is the bot, and is held to what deploy/chat and
 * deploy/admission let it do, in their words. It is stricter where it can tell less: a patch may hold nothing but the
 * one annotation, even if the rest would change nothing.
 *
 * The real policies are tried in test/cluster/admission-chat*.test.ts.
 */
export function startChatBotApi(store: Store): Promise<HttpServer> {
  return startHttpServer(store, { intercept: (request) => judge(store, request) });
}

const SLACK_USER = /^slack:[TE][A-Z0-9]{1,20}\/([UW][A-Z0-9]{1,20})$/;
const SLACK_FREEZE = /^slack:[TE][A-Z0-9]{1,20}\/[UW][A-Z0-9]{1,20}( \([^()]+\))?: .*[^\s\p{C}\p{Z}]/su;

const RULES = [
  { apiGroups: [CAPDEPLOYJOBS.group], resources: [CAPDEPLOYJOBS.plural], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [CAPDEPLOYJOBS.group], resources: [CAPDEPLOYJOBS.plural], verbs: ['patch', 'approve'] },
  { apiGroups: [JOBS.group], resources: [JOBS.plural], verbs: ['patch', 'delete'] },
];

function judge(store: Store, request: ApiRequest): Fault | undefined {
  const { resource, body } = request;
  // Discovery, health, version.
  if (resource === undefined) return undefined;
  const { verb, group, plural, subresource, namespace = '', name = '' } = resource;
  if (verb === 'create' && plural === SELF_SUBJECT_RULES_REVIEWS.plural) {
    const status = { resourceRules: RULES, nonResourceRules: [], incomplete: false };
    return { status: 201, body: { ...(body as object), status } };
  }
  const isAllowed =
    subresource === undefined &&
    RULES.some(
      ({ apiGroups, resources, verbs }) =>
        apiGroups.includes(group) && resources.includes(plural) && verbs.includes(verb),
    );
  const type = plural === JOBS.plural ? JOBS : CAPDEPLOYJOBS;
  if (!isAllowed) {
    const words = `User "the chat bot" cannot ${verb} resource "${plural}" in API group "${group}"`;
    return refusal({ ...type, group, plural }, name, words);
  }
  const why =
    verb === 'patch'
      ? whyNotPatch(store, type, namespace, name, body)
      : verb === 'delete'
        ? whyNotDelete(store, namespace, name)
        : undefined;
  if (why === undefined) return undefined;
  return refusal(type, name, `ValidatingAdmissionPolicy denied request: ${why}`);
}

function whyNotDelete(store: Store, namespace: string, name: string): string | undefined {
  const abortedBy = store.find(JOBS, namespace, name)?.metadata.annotations?.[ANNOTATION.abortedBy];
  if (abortedBy === undefined) {
    return 'the chat bot aborts for people only: it writes the name of the one who aborts, before it deletes a Job';
  }
  return SLACK_USER.test(abortedBy) ? undefined : `"${abortedBy}" is on this Job as the one who aborts it`;
}

function refusal(type: ResourceType, name: string, words: string): Fault {
  return { status: 403, body: forbidden(type, name, words).toStatus() };
}

const isOver = (job: KubeObject): boolean =>
  job.metadata.deletionTimestamp !== undefined || isFinished(job as Parameters<typeof isFinished>[0]);

interface Patch {
  metadata?: { uid?: string; resourceVersion?: string; annotations?: Record<string, string | null> };
}

/** Why a merge patch is refused. */
function whyNotPatch(
  store: Store,
  type: ResourceType,
  namespace: string,
  name: string,
  body: unknown,
): string | undefined {
  const { metadata: { uid: _, resourceVersion: __, annotations = {}, ...more } = {}, ...rest } = body as Patch;
  const [[key, value] = ['', null], ...others] = Object.entries(annotations);
  const ofPeople: string[] = [ANNOTATION.approvedBy, ANNOTATION.abortedBy];
  // It changes nothing, and answers with what is there.
  if (Object.keys({ ...annotations, ...more, ...rest }).length === 0) return undefined;
  const isAlone = others.length === 0 && Object.keys({ ...more, ...rest }).length === 0;
  if (type === CAPDEPLOYJOBS) {
    if (!isAlone || !key.startsWith(FREEZE_PREFIX)) {
      return 'the chat bot may patch CapDeployJobs but not update them, and so may change nothing but freezes';
    }
    return value === null || SLACK_FREEZE.test(value)
      ? undefined
      : `the value of ${key} must name the person for whom the chat bot freezes, and why`;
  }
  if ('spec' in rest) return 'the Job is the deploy that was accepted, so its spec cannot be changed';
  if (!isAlone || !ofPeople.includes(key)) {
    return 'the chat bot may patch Jobs but not update them, and so may change nothing but names';
  }
  if (value === null) return undefined;
  const [, user] = SLACK_USER.exec(value) ?? [];
  const verb = key === ANNOTATION.approvedBy ? 'approves' : 'aborts';
  if (user === undefined) return `the chat bot ${verb} for people only: ${key} must be "slack:<team>/<user>"`;
  const stored = store.find(JOBS, namespace, name);
  const found = stored?.metadata.annotations ?? {};
  const asked = found[ANNOTATION.requestedBy] ?? '';
  if (key === ANNOTATION.abortedBy) return stored && isOver(stored) ? IS_OVER : undefined;
  if (new RegExp(`^slack:[^/]*/${user}([^A-Z0-9]|$)`).test(asked)) {
    return `whoever asked for a deploy cannot approve it: "${asked}" asked, found "${value}"; another approver is needed`;
  }
  return found[ANNOTATION.startedAt] === undefined
    ? undefined
    : `the deploy has been started, and who approved it is on record: ${key} can no longer be changed`;
}
