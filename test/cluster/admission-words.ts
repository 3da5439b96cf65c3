import type { KubeObject } from '../../src/kube/client.ts';
import { ABORTED_BY, APPROVED_BY } from './admission-objects.ts';
import type { User } from './admission-requests.ts';

/** What the policy says, in full. */
export const SAYS = {
  ownName: (user: User, found: string) => `${APPROVED_BY} must be your own user name, "${user.name}"; found "${found}"`,
  onlyTheBot: (user: User, found: string, annotation = APPROVED_BY) =>
    `${annotation} may begin with "slack:" only if the chat bot writes it, for a person who clicks in Slack; found "${found}" by "${user.name}"`,
  botForPeople: (found: string) =>
    `the chat bot approves for people only: ${APPROVED_BY} must be "slack:<team>/<user>", by Slack ids; found "${found}"`,
  fourEyes: (asked: string, found: string) =>
    `whoever asked for a deploy cannot approve it: "${asked}" asked, found "${found}"; another approver is needed`,
  botAbortsForPeople: (found: string) =>
    `the chat bot aborts for people only: ${ABORTED_BY} must be "slack:<team>/<user>", by Slack ids; found "${found}"`,
  botNamesFirst: `the chat bot aborts for people only: it writes the name of the one who aborts, ${ABORTED_BY}, before it deletes a Job`,
  noRight: (user: User, job: KubeObject) =>
    `"${user.name}" may not approve deploys of CapDeployJob "${job.metadata.labels?.['capdeployjob.dev/name']}": the verb "approve" on capdeployjobs.capdeployjob.dev is needed, as in the ClusterRole capdeployjob-approver`,
  nothingElse: `a request that changes ${APPROVED_BY} must change nothing else`,
  started: `the deploy has been started, and who approved it is on record: ${APPROVED_BY} can no longer be changed; to stop the deploy, delete its Job`,
  unapproved: `a Job is created without ${APPROVED_BY}; it is approved afterwards, by a person`,
  suspend:
    'only the operator starts a deploy, so spec.suspend cannot be changed by hand; to let it start, remove what status.environments[].waiting[].why of its CapDeployJob names; to abort it, delete the Job; to hold its environment, freeze it',
  spec: 'the Job is the deploy that was accepted, so its spec cannot be changed; to deploy something else, delete the Job and send another message',
  ours: (...keys: string[]) =>
    `only the operator changes these labels and annotations of a deploy; found changed: ${keys.join(', ')}`,
  owner: 'the Job of a deploy belongs to its CapDeployJob; metadata.ownerReferences cannot be changed',
  status: 'how a deploy ended is for the Job controller to say; its status cannot be changed by others',
  patchOnly: (user: User) =>
    `"${user.name}" may patch Jobs but not update them, and so may change nothing but ${APPROVED_BY} or ${ABORTED_BY}`,
  abortInOwnName: (user: User, found: string) =>
    `${ABORTED_BY} must be your own user name, "${user.name}"; found "${found}"`,
  mayNotAbort: (user: User) =>
    `"${user.name}" may not abort this deploy: the verb "delete" on jobs.batch is needed, as in the ClusterRole capdeployjob-deployer`,
  abortAlone: `a request that changes ${ABORTED_BY} must change nothing else`,
  isOver: `the deploy has ended, or its Job is being deleted already, so ${ABORTED_BY} can no longer be changed`,
  unaborted: `a Job is created without ${ABORTED_BY}; who aborts the deploy writes it, and then deletes the Job`,
  anothersAbort: (user: User, found: string, { metadata: { name, namespace } }: KubeObject) =>
    `"${found}" is on this Job as the one who aborts it, and the history would say so; to abort it yourself, write your own name:  kubectl -n ${namespace} annotate job ${name} --overwrite ${ABORTED_BY}="${user.name}"  and delete it again:  kubectl -n ${namespace} delete job ${name}`,
  notADeploy: ({ metadata: { name } }: KubeObject) =>
    `the chat bot changes and deletes Jobs of deploys only, and "${name}" is none: it lacks the label app.kubernetes.io/managed-by=capdeployjob, or no CapDeployJob is its controller`,
  create: (operator: User) =>
    `only the operator (${operator.name}) creates Jobs with the label app.kubernetes.io/managed-by=capdeployjob; to deploy, send a message to the queue of the CapDeployJob; a Job of your own needs another label`,
  webhook:
    "the Job of a deploy is created suspended, and Kubernetes' own Job controller runs it; where the operator asked for this, a mutating webhook has changed spec.suspend or spec.managedBy: exempt the namespace from it",
  createPod:
    'only the Job controller creates Pods with the label app.kubernetes.io/managed-by=capdeployjob, for the Job of a deploy; to deploy, send a message to the queue of the CapDeployJob; a Pod of your own, or one out of a backup, needs another label',
  podLabels: (...keys: string[]) =>
    `by these labels a lane knows the Pod that runs in it, so they cannot be changed; found changed: ${keys.join(', ')}`,
};

/** What a request is expected to come to: 'allowed', or words, which may name the Job or the operator. */
export type Expected = string | ((job: KubeObject, operator: User) => string);

export const wordsOf = (expected: Expected, job: KubeObject, operator: User): string =>
  typeof expected === 'function' ? expected(job, operator) : expected;

/** Stands for the operator in a table: its name is not known before its world is there. */
export const OPERATOR: User = { name: '(the operator)', groups: [] };
