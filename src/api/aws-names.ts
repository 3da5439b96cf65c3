/** How AWS names its regions, roles and hosts, for spec, flags, queue URLs and files. */

/** A region: eu-west-1, us-gov-east-1, eusc-de-east-1. No list of them: AWS opens new ones each year. */
export const REGION_PATTERN = /^[a-z]{2,5}(-[a-z]+){1,3}-[0-9]{1,2}$/;
export const MAX_REGION_LENGTH = 32;

export const ACCOUNT_PATTERN = /^[0-9]{12}$/;

/** The ARN of a role, in any partition; 256 characters at most. */
export const ROLE_ARN_PATTERN = /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[A-Za-z0-9+=,.@_/-]+$/;
export const MAX_ROLE_ARN_LENGTH = 256;

/** A group of regions with accounts, ARNs and hosts of its own. */
export interface Partition {
  /** As it stands in ARNs. */
  readonly id: string;
  /** How the names of its regions begin. */
  readonly prefix: string;
  /** Of its hosts: `sqs.<region>.<suffix>`. */
  readonly suffix: string;
  /** Of its dual-stack hosts (IPv4 and IPv6). */
  readonly dualStackSuffix: string;
}

/**
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html#arns-syntax names the partitions; their suffixes
 * are those of the AWS SDK's partitions.json, and a test compares them.
 */
const PARTITIONS: readonly Partition[] = [
  ['aws-cn', 'cn-', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  ['aws-us-gov', 'us-gov-', 'amazonaws.com', 'api.aws'],
  ['aws-iso', 'us-iso-', 'c2s.ic.gov', 'api.aws.ic.gov'],
  ['aws-iso-b', 'us-isob-', 'sc2s.sgov.gov', 'api.aws.scloud'],
  ['aws-iso-e', 'eu-isoe-', 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  ['aws-iso-f', 'us-isof-', 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
  ['aws-eusc', 'eusc-', 'amazonaws.eu', 'api.amazonwebservices.eu'],
  // Last: every other region is in it, as in the SDK.
  ['aws', '', 'amazonaws.com', 'api.aws'],
].map(([id = '', prefix = '', suffix = '', dualStackSuffix = '']) => ({ id, prefix, suffix, dualStackSuffix }));

export const partitionOf = (region: string): Partition =>
  PARTITIONS.find(({ prefix }) => region.startsWith(prefix)) as Partition;
