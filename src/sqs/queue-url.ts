import { ACCOUNT_PATTERN, partitionOf, REGION_PATTERN } from '../api/aws-names.ts';

/**
 * What a queue URL says. Pure.
 *
 * The author of a resource chooses the URL, and signed requests with a session token go to its host. So its origin is
 * checked before anything is sent, and the URL that is used is built from the parsed parts: nothing that a server could
 * read in another way (dot segments, escapes, credentials, ports) gets through.
 */

export interface QueueUrl {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Origin and path as they are sent to SQS. */
  readonly href: string;
  /** True if the origin is one of SQS's own. */
  readonly official: boolean;
  /** The region that the host names. */
  readonly region: string | undefined;
  /** The account id in the path, if it has one. */
  readonly accountId: string | undefined;
  readonly name: string;
  readonly fifo: boolean;
}

/** The oldest endpoint has no region in its name. */
const LEGACY_HOST = 'queue.amazonaws.com';
const LEGACY_REGION = 'us-east-1';

const QUEUE_NAME = /^[A-Za-z0-9_-]{1,80}$|^[A-Za-z0-9_-]{1,75}\.fifo$/;
const PATH_SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/;

/** Reads a queue URL. @returns the parts, or the problem in words. */
export function parseQueueUrl(value: string): QueueUrl | { problem: string } {
  const split = /^(https?):\/\/([^/\\?#@\s]+)\/([^\\?#@\s]+)$/i.exec(value);
  const url = split && URL.canParse(value) ? new URL(value) : undefined;
  if (!split || !url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    return { problem: 'is not of the form https://<host>/<account id>/<queue name>' };
  }
  // URL also accepts other letters and notations of addresses. A person must be able to see where requests go.
  const host = (split[2] as string).toLowerCase();
  if (url.host !== host && url.host !== host.replace(/:(443|80)$/, '')) {
    return { problem: `names its host in another way than ${url.host}` };
  }
  // The path as written, not as resolved by URL: "/1/../2/q" must not be one queue here and another for the server.
  const segments = (split[3] as string).split('/');
  const name = segments.at(-1) as string;
  if (!QUEUE_NAME.test(name)) {
    return {
      problem: 'does not end in a queue name: 1 to 80 letters, digits, "-" and "_", of a FIFO queue with ".fifo"',
    };
  }
  if (!segments.slice(0, -1).every((segment) => PATH_SEGMENT.test(segment))) {
    return { problem: 'has a path with other characters than letters, digits, ".", "_", "~" and "-"' };
  }
  const account = segments.at(-2);
  const accountId = account !== undefined && ACCOUNT_PATTERN.test(account) ? account : undefined;
  const region = officialRegion(url);
  if (region !== undefined && (segments.length !== 2 || accountId === undefined)) {
    return { problem: 'must have the path /<12-digit account id>/<queue name>' };
  }
  return {
    origin: url.origin,
    href: `${url.origin}/${segments.join('/')}`,
    official: region !== undefined,
    region: region ?? vpcEndpointRegion(url.hostname),
    accountId,
    name,
    fifo: name.endsWith('.fifo'),
  };
}

/** The region of one of SQS's own origins (https, default port); undefined for any other. */
function officialRegion(url: URL): string | undefined {
  if (url.protocol !== 'https:' || url.port !== '') return undefined;
  if (url.hostname === LEGACY_HOST) return LEGACY_REGION;
  const region = url.hostname.split('.').find((label) => REGION_PATTERN.test(label));
  return region !== undefined && hostsOf(region).includes(url.hostname) ? region : undefined;
}

/**
 * SQS's own hosts in a region: regional, FIPS, dual-stack and legacy, in the region's own partition only
 * (https://docs.aws.amazon.com/general/latest/gr/sqs-service.html). There is no "sqs.cn-north-1.amazonaws.com".
 */
function hostsOf(region: string): string[] {
  const { suffix, dualStackSuffix } = partitionOf(region);
  return [
    ...['sqs', 'sqs-fips'].flatMap((service) => [
      `${service}.${region}.${suffix}`,
      `${service}.${region}.${dualStackSuffix}`,
    ]),
    `${region}.queue.${suffix}`,
  ];
}

/** An interface endpoint (PrivateLink), `<name>.sqs.<region>.vpce.<suffix>`, is not SQS's own, but names its region. */
function vpcEndpointRegion(host: string): string | undefined {
  const region = /\.sqs\.([a-z0-9-]+)\.vpce\./.exec(host)?.[1];
  const isOne = region !== undefined && REGION_PATTERN.test(region);
  return isOne && host.endsWith(`.sqs.${region}.vpce.${partitionOf(region).suffix}`) ? region : undefined;
}

/**
 * The ARN for allow rules. At SQS's own origins the URL alone gives the region. Elsewhere (a VPC endpoint, a local
 * server) it is the one that requests are signed for.
 * @returns undefined if the path names no account, or no region is known: then no rule can allow the queue.
 */
export function queueArn(queue: QueueUrl, resolvedRegion: string | undefined): string | undefined {
  const region = queue.official ? queue.region : resolvedRegion;
  if (region === undefined || queue.accountId === undefined) return undefined;
  return `arn:${partitionOf(region).id}:sqs:${region}:${queue.accountId}:${queue.name}`;
}

/**
 * One name for all URLs of a queue. At SQS's own origins it is the ARN: regional, FIPS and legacy hosts have the same
 * queues. Elsewhere it is the URL: two local servers may have queues of one name.
 */
export function canonicalQueue(queue: QueueUrl): string {
  return (queue.official && queueArn(queue, undefined)) || queue.href;
}
