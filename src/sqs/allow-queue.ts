import type { QueueUrl } from './queue-url.ts';

/** The flags --allow-queue-origin and --allow-queue. Pure. */

/** `--allow-queue=<namespace>=<ARN glob>`: the resources of that namespace may read the queues whose ARN matches. */
export interface AllowQueueRule {
  readonly namespace: string;
  readonly arnGlob: string;
}

/** Reads one --allow-queue-origin. @returns the origin. @throws Error in words for the command line. */
export function parseAllowedOrigin(value: string): string {
  const [, scheme, host] = /^(https?):\/\/([^/\\?#@\s]+)\/?$/i.exec(value.toLowerCase()) ?? [];
  const url = host !== undefined && URL.canParse(value) ? new URL(value) : undefined;
  // As it was written, but for the default port: URL also reads other letters, and addresses in other notations.
  const written = [`${scheme}://${host}`, `${scheme}://${host?.replace(/:(443|80)$/, '')}`];
  if (url === undefined || !written.includes(url.origin)) {
    throw new Error(
      `--allow-queue-origin: ${JSON.stringify(value)} is not an origin: expected scheme, host and port only, for example https://sqs.internal.example:9324`,
    );
  }
  return url.origin;
}

/** Reads one --allow-queue. @throws Error in words for the command line. */
export function parseAllowQueue(value: string): AllowQueueRule {
  const bad = (problem: string) =>
    new Error(
      `--allow-queue: ${JSON.stringify(value)} ${problem}: expected <namespace>=<ARN glob>, for example deploy=arn:aws:sqs:*:123456789012:web-*`,
    );
  const at = value.indexOf('=');
  if (at === -1) throw bad('has no "="');
  const namespace = value.slice(0, at);
  const arnGlob = value.slice(at + 1);
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace)) throw bad('does not begin with a namespace');
  if (!/^[A-Za-z0-9:._*?-]+$/.test(arnGlob)) throw bad('has a glob with characters that no queue ARN has');
  if (!arnGlob.startsWith('arn:') && !arnGlob.startsWith('*'))
    throw bad('has a glob that begins neither with "arn:" nor with "*"');
  return { namespace, arnGlob };
}

/** SQS's own origins always, others only if they are listed. */
export function isOriginAllowed(queue: QueueUrl, allowedOrigins: ReadonlySet<string>): boolean {
  return queue.official || allowedOrigins.has(queue.origin);
}

/** Without rules every queue is allowed, else what a rule of the namespace allows. None allows an unknown ARN. */
export function isQueueAllowed(namespace: string, arn: string | undefined, rules: readonly AllowQueueRule[]): boolean {
  if (rules.length === 0) return true;
  return arn !== undefined && rules.some((rule) => rule.namespace === namespace && matchesGlob(rule.arnGlob, arn));
}

/**
 * `*` matches any run of characters, `?` one. Colons too: a queue's ARN has exactly five, so `*` cannot shift its
 * fields. It goes back to the last `*` only: at most length × length steps.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++;
      resume = t;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++;
      t++;
    } else if (star !== -1) {
      g = star + 1;
      t = ++resume;
    } else return false;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}
