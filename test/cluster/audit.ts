import { createReadStream, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Ask, covers, type Right, rightsOf, type ServiceAccount, words } from './rights.ts';

/**
 * Compares what one of our programs asked of the API server (its audit log) with what the manifests allow it, as
 * deploy/rbac.yaml the operator: a right that is missing and a right that nothing uses are both mistakes in them.
 *
 * Rules of the log: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ . Who refused a request stands in the
 * annotation `authorization.k8s.io/decision`: `forbid` is the authorizer's, while a 403 with `allow` comes from
 * admission (a quota, a webhook, Pod Security, a namespace that is being deleted) and says nothing about rights.
 */
export interface Comparison {
  /** Asked for and refused by the authorizer, or allowed by a role that is in no file. */
  missing: string[];
  /** Granted and never used by a request that the authorizer allowed. */
  superfluous: string[];
  /** Wildcards, Secrets, rights to hand out rights: never, whether used or not. */
  dangerous: string[];
  /** Granted and used. */
  used: string[];
  /** How many requests of the ServiceAccount the log holds. */
  requests: number;
  /**
   * Refused by the authorizer although the rules grant it, and allowed at other times: the rules were not in force
   * then, as where a test takes them away.
   */
  refusedForATime: string[];
  ok: boolean;
  /** All this in lines for a person. */
  text: string;
}

export interface CompareOptions {
  /**
   * JSON lines, as `--audit-log-path` writes them; what was rotated away beside it (`<name>-<time><ext>`) is read too.
   */
  auditLog: string;
  /** YAML: Roles, ClusterRoles and their bindings; other kinds in them are passed over. */
  rbacFiles: readonly string[];
  serviceAccount: ServiceAccount;
}

/** All requests that ask for the same, whichever objects they are about. */
interface Seen {
  ask: Ask;
  granted: boolean;
  allowed: number;
  forbidden: number;
  /** The authorizer's words of the first request that it allowed. */
  allowedBy: string;
  example: string;
}

interface AuditEvent {
  stage: string;
  verb: string;
  requestURI: string;
  userAgent?: string;
  user?: { username?: string };
  objectRef?: { resource?: string; subresource?: string; apiGroup?: string; namespace?: string; name?: string };
  annotations?: Record<string, string>;
}

/**
 * Reads log and rules and says where they differ.
 * @throws Error where the log holds no request of the ServiceAccount (it is not the log of this suite), a line of it
 * cannot be read, or no binding in the files names the ServiceAccount.
 */
export async function compareWithRules(options: CompareOptions): Promise<Comparison> {
  const { namespace, name } = options.serviceAccount;
  const user = `system:serviceaccount:${namespace}:${name}`;
  const { rights, dangerous } = rightsOf(options.rbacFiles, options.serviceAccount);
  const { seen, used, requests } = await readLog(options.auditLog, user, rights);
  if (requests === 0) throw new Error(`${options.auditLog} holds no request of ${user}: is it the log of this suite?`);

  const missing: string[] = [];
  const refusedForATime: string[] = [];
  for (const { ask, granted, allowed, forbidden, allowedBy, example } of seen.values()) {
    if (forbidden > 0 && granted && allowed > 0) {
      refusedForATime.push(`${words(ask)} (${forbidden} times refused, else allowed)`);
    } else if (forbidden > 0 && granted) {
      missing.push(`${words(ask)}: granted by the files, refused by the cluster: are they installed? (${example})`);
    } else if (forbidden > 0) {
      missing.push(`${words(ask)} (${forbidden} times refused, such as ${example})`);
    } else if (!granted && !isEverybodys(ask)) {
      missing.push(`${words(ask)}: no file grants it, but the cluster does: ${allowedBy} (${example})`);
    }
  }
  const superfluous = rights.filter((right) => !used.has(right) && !isAskedByPolicies(right)).map(words);
  const lists = { missing: unique(missing), superfluous: unique(superfluous), dangerous: unique(dangerous) };
  const found = {
    ...lists,
    used: unique([...used].map(words)),
    refusedForATime: unique(refusedForATime),
    requests,
  };
  const ok = Object.values(lists).every((list) => list.length === 0);
  return { ...found, ok, text: asText(user, found) };
}

const unique = (list: readonly string[]): string[] => [...new Set(list)].sort();

function asText(user: string, found: Omit<Comparison, 'ok' | 'text'>): string {
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  - ${line}`)];
  return [
    `${found.requests} requests of ${user}, ${found.used.length} rights used`,
    ...list('MISSING: add to the manifests, or do without', found.missing),
    ...list('SUPERFLUOUS: nothing used it, take it out of the manifests', found.superfluous),
    ...list('DANGEROUS: none of our programs may ever have it', found.dangerous),
    ...list('refused only while the rules were not in force (no mistake of the manifests)', found.refusedForATime),
    ...list('used', found.used),
  ].join('\n');
}

/**
 * What Kubernetes allows everybody who is logged in, by its own roles (system:discovery, system:basic-user): discovery,
 * health, version, and questions about oneself. No manifest has to grant it.
 */
function isEverybodys({ group, resource }: Ask): boolean {
  return resource.startsWith('/') || (/^auth(entication|orization)\.k8s\.io$/.test(group) && /^self/.test(resource));
}

/** The authorizer of deploy/admission asks for it when a Job is patched. No request has this verb. */
const isAskedByPolicies = ({ verb, resource }: Right): boolean => verb === 'approve' && resource === 'capdeployjobs';

interface Log {
  seen: Map<string, Seen>;
  /** Rights that a request was allowed with. */
  used: Set<Right>;
  requests: number;
}

async function readLog(auditLog: string, user: string, rights: readonly Right[]): Promise<Log> {
  const log: Log = { seen: new Map(), used: new Set(), requests: 0 };
  for (const file of withRotated(auditLog)) {
    let number = 0;
    let broken: string | undefined;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (broken !== undefined) throw new Error(broken);
      // A log of a suite has hundreds of megabytes, most of them other users': only what can be this one's is parsed.
      if (!line.includes(user)) continue;
      try {
        note(JSON.parse(line) as AuditEvent, user, rights, log);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        // The server that writes it may have been stopped in mid-line: only the last line may end so.
        broken = `${file}:${number} is no JSON`;
      }
    }
  }
  return log;
}

function note(event: AuditEvent, user: string, rights: readonly Right[], log: Log): void {
  // Somebody who only tries what the operator may do (`kubectl auth can-i --as`) asks under his own name.
  if (event.user?.username !== user) return;
  const decision = event.annotations?.['authorization.k8s.io/decision'];
  // RequestReceived comes before any decision. A watch is known from its beginning: its end may come after the log's.
  if (decision === undefined) return;
  if (event.stage !== 'ResponseStarted') log.requests += 1;
  const ask = askOf(event);
  const covering = rights.filter((right) => covers(right, ask));
  const granted = covering.length > 0;
  const { verb, group, resource } = ask;
  const key = [verb, group, resource, granted].join(' ');
  let one = log.seen.get(key);
  if (one === undefined) {
    const example = `${event.requestURI} by ${event.userAgent ?? 'an unnamed client'}`;
    one = { ask: { verb, group, resource }, granted, allowed: 0, forbidden: 0, allowedBy: '', example };
    log.seen.set(key, one);
  }
  if (decision !== 'allow') {
    one.forbidden += 1;
    return;
  }
  one.allowed += 1;
  one.allowedBy ||= event.annotations?.['authorization.k8s.io/reason'] ?? '';
  for (const right of covering) log.used.add(right);
}

function askOf({ objectRef, verb, requestURI }: AuditEvent): Ask {
  if (objectRef?.resource === undefined) return { verb, group: '', resource: requestURI.split('?')[0] as string };
  const { apiGroup = '', resource, subresource, namespace, name } = objectRef;
  return { verb, group: apiGroup, resource: subresource ? `${resource}/${subresource}` : resource, namespace, name };
}

/**
 * `audit-2026-11-21T10-00-00.000.log` beside `audit.log` (lumberjack rotates at 100 MB unless told otherwise), the
 * oldest first.
 */
function withRotated(auditLog: string): string[] {
  const extension = extname(auditLog);
  const stem = `${basename(auditLog, extension)}-`;
  const rotated = readdirSync(dirname(auditLog))
    .filter((file) => file.startsWith(stem) && file.endsWith(extension) && /^\d{4}-/.test(file.slice(stem.length)))
    .sort()
    .map((file) => join(dirname(auditLog), file));
  statSync(auditLog);
  return [...rotated, auditLog];
}
