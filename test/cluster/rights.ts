import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** The rights that RBAC manifests give a ServiceAccount, one by one. */

/** The roles of the chat bot. They are bound in each namespace of deploys: by examples/chat, or by a test's own files. */
export const CHAT_BOT_ROLES = [
  'deploy/chat/role.yaml',
  'deploy/chat/operate/role.yaml',
  'deploy/chat/approve/role.yaml',
] as const;

/** One verb on one resource. */
export interface Right {
  verb: string;
  group: string;
  /** With its subresource: `capdeployjobs/status`. For a path that is no resource, that path. */
  resource: string;
  /** Only objects of these names. */
  names?: readonly string[] | undefined;
  /** Only in this namespace (a Role). */
  namespace?: string | undefined;
}

/** What a request asks to be allowed. */
export interface Ask extends Omit<Right, 'names'> {
  name?: string | undefined;
}

export interface ServiceAccount {
  namespace: string;
  name: string;
}

/** "get jobs.batch", "update capdeployjobs/status.capdeployjob.dev", "list pods", "get /metrics". */
export function words({ verb, group, resource, names, namespace }: Right): string {
  const [plural = '', ...subresource] = resource.split('/');
  const what = resource.startsWith('/') ? resource : [group ? `${plural}.${group}` : plural, ...subresource].join('/');
  const only = names ? ` named ${names.join(', ')}` : '';
  return `${verb} ${what}${only}${namespace === undefined ? '' : ` in ${namespace}`}`;
}

/** What RBAC asks (`pkg/registry/rbac/validation`), wildcards apart: those are reported, and cover nothing here. */
export function covers(right: Right, ask: Ask): boolean {
  return (
    right.verb === ask.verb &&
    right.group === ask.group &&
    right.resource === ask.resource &&
    (right.names === undefined || (ask.name !== undefined && right.names.includes(ask.name))) &&
    (right.namespace === undefined || right.namespace === ask.namespace)
  );
}

interface Role {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: {
    apiGroups?: string[];
    resources?: string[];
    verbs: string[];
    resourceNames?: string[];
    nonResourceURLs?: string[];
  }[];
  aggregationRule?: unknown;
}

interface Binding {
  kind: string;
  metadata: { name: string; namespace?: string };
  roleRef: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string }[];
}

/**
 * Verbs that hand out rights, or another's name (https://kubernetes.io/docs/concepts/security/rbac-good-practices/).
 */
const HANDS_OUT = ['escalate', 'bind', 'impersonate'];

/**
 * What the bindings in the files give the ServiceAccount; roles bound to others (an approver's) are no concern here.
 * @param files YAML: Roles, ClusterRoles and their bindings; other kinds in them are passed over.
 * @returns the rights, and in words those that no program of ours should have: wildcards, Secrets, rights to hand out
 *   rights.
 * @throws Error where no binding names the ServiceAccount, or one names a role that is in no file.
 */
export function rightsOf(
  files: readonly string[],
  { namespace, name }: ServiceAccount,
): { rights: Right[]; dangerous: string[] } {
  const documents = files.flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Role & Binding),
  );
  const bindings = documents.filter(
    (one) =>
      /^(Cluster)?RoleBinding$/.test(one?.kind) &&
      one.subjects?.some(
        (subject) => subject.kind === 'ServiceAccount' && subject.name === name && subject.namespace === namespace,
      ),
  );
  if (bindings.length === 0) throw new Error(`no binding in ${files.join(', ')} names ${namespace}/${name}`);

  const rights: Right[] = [];
  const dangerous: string[] = [];
  for (const { kind, metadata, roleRef } of bindings) {
    const where = kind === 'RoleBinding' ? metadata.namespace : undefined;
    const role = documents.find(
      (one) =>
        one?.kind === roleRef.kind &&
        one.metadata.name === roleRef.name &&
        (roleRef.kind === 'ClusterRole' || one.metadata.namespace === where),
    );
    if (role === undefined) throw new Error(`${kind} ${metadata.name}: ${roleRef.kind} ${roleRef.name} is in no file`);
    if (role.aggregationRule) dangerous.push(`${role.kind} ${role.metadata.name} takes in the rules of other roles`);
    for (const rule of role.rules ?? []) {
      const paths = (rule.nonResourceURLs ?? []).map((resource) => ({ group: '', resource }));
      const resources = (rule.apiGroups ?? []).flatMap((group) =>
        (rule.resources ?? []).map((resource) => ({ group, resource })),
      );
      for (const what of [...paths, ...resources]) {
        for (const verb of rule.verbs) rights.push({ verb, ...what, names: rule.resourceNames, namespace: where });
      }
    }
  }
  for (const right of rights) {
    const isWild = [right.verb, right.group, right.resource].some((part) => part.includes('*'));
    const isSecret = right.resource.split('/')[0] === 'secrets';
    if (isWild || isSecret || HANDS_OUT.includes(right.verb)) dangerous.push(words(right));
  }
  return { rights, dangerous };
}
