import { z } from 'zod';
import {
  ACCOUNT_PATTERN,
  MAX_REGION_LENGTH,
  MAX_ROLE_ARN_LENGTH,
  REGION_PATTERN,
  ROLE_ARN_PATTERN,
} from '../api/aws-names.ts';
import { DNS_SUBDOMAIN_PATTERN } from '../api/names.ts';
import type { AwsRole } from '../aws/aws-client.ts';
import { parseStrictYaml } from '../base/strict-yaml.ts';
import { UsageError } from '../base/usage-error.ts';

/**
 * The configuration of `capdeploy ecr-login`: which registries, with which role, into which Secrets. It comes from a
 * YAML file, or from flags for one target (`src/cli/ecr-login-flags.ts`). Both are checked by the same schema.
 */

/** One Secret name in one or many namespaces, and the registries whose token it holds. */
export interface Target {
  /** `targets[0]`, or `target` if it comes from flags. */
  readonly label: string;
  /** Account ids. Empty: the registry of the credentials' account. */
  readonly registryIds: readonly string[];
  readonly region: string;
  readonly role: AwsRole | undefined;
  readonly secretName: string;
  /** By name, or all that a label selector finds in a run. */
  readonly namespaces: readonly string[] | { readonly labelSelector: string };
  /** In each of the namespaces: the Secret is added to their imagePullSecrets. */
  readonly serviceAccounts: readonly string[];
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_NAME = /^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;

const matching = (pattern: RegExp, max: number, what: string) =>
  z
    .string(`expected ${what}`)
    .max(max, `expected ${what}`)
    .regex(pattern, { message: `expected ${what}` });

const EXPECTED_REGION = 'an AWS region such as ap-northeast-1';

const labelName = matching(LABEL_NAME, 317, 'the name of a label');
const labelValue = matching(LABEL_VALUE, 63, 'the value of a label, in quotes where it looks like a number');

const labelSelector = z.strictObject(
  {
    matchLabels: z
      .record(labelName, labelValue, 'expected names of labels and their values, such as { team: web }')
      .optional(),
    matchExpressions: z
      .array(
        z.strictObject(
          {
            key: labelName,
            operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'expected In, NotIn, Exists or DoesNotExist'),
            values: z
              .array(labelValue, 'expected a list of values, such as [web, api]')
              .max(100, 'expected at most 100 values')
              .optional(),
          },
          'expected an expression, such as { key: team, operator: In, values: [web] }',
        ),
        'expected a list of expressions, such as [{ key: team, operator: Exists }]',
      )
      .max(20, 'expected at most 20 expressions')
      .optional(),
  },
  'expected a label selector, such as { matchLabels: { team: web } }; {} selects every namespace',
);

/** Bounds are AWS's for ids, ARNs and external ids (API reference of ECR, IAM and STS), Kubernetes's for names. */
export const targetFields = {
  registryIds: z
    .array(
      matching(ACCOUNT_PATTERN, 12, 'an account id of 12 digits (in YAML between quotes)'),
      'expected a list of account ids, such as ["123456789012"]',
    )
    .min(1, 'expected at least one account id')
    .max(10, 'expected at most 10 account ids (what ECR takes in one request): make two targets of it')
    .optional(),
  region: matching(REGION_PATTERN, MAX_REGION_LENGTH, EXPECTED_REGION).optional(),
  roleArn: matching(
    ROLE_ARN_PATTERN,
    MAX_ROLE_ARN_LENGTH,
    'the ARN of an IAM role: arn:aws:iam::<account id>:role/<name>',
  ).optional(),
  externalId: matching(/^[A-Za-z0-9_+=,.@:/-]{2,1224}$/, 1224, '2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -').optional(),
  secretName: matching(DNS_SUBDOMAIN_PATTERN, 253, 'the name of a Secret: a-z 0-9 - and .'),
  namespaces: z
    .array(
      matching(DNS_LABEL, 63, 'the name of a namespace: 1 to 63 of a-z 0-9 -'),
      'expected a list of names, such as [deploy]; for namespaces by their labels, or all, use namespaceSelector',
    )
    .min(1, 'expected at least one namespace')
    .max(1000, 'expected at most 1000 namespaces: use namespaceSelector')
    .optional(),
  namespaceSelector: labelSelector.optional(),
  serviceAccounts: z
    .array(
      matching(DNS_SUBDOMAIN_PATTERN, 253, 'the name of a ServiceAccount: a-z 0-9 - and .'),
      'expected a list of names of ServiceAccounts, such as [default]',
    )
    .max(50, 'expected at most 50 names')
    .optional(),
};

const configSchema = z.strictObject(
  {
    targets: z
      .array(
        z.strictObject(
          targetFields,
          'expected a target, such as { secretName: ecr-pull-secret, namespaces: [deploy] }',
        ),
        'expected a list of targets',
      )
      .min(1, 'expected at least one target')
      .max(100, 'expected at most 100 targets'),
  },
  'expected a mapping with the key targets',
);

type ParsedTarget = z.output<ReturnType<typeof z.strictObject<typeof targetFields>>>;

/** A target whose fields were checked one by one. */
interface CheckedTarget extends Omit<ParsedTarget, 'namespaceSelector'> {
  readonly label: string;
  readonly labelSelector?: string | undefined;
}

/**
 * Checks the fields of a target together.
 * @param nameOf the name of a field in errors: `targets[0].region` for a file, `--region` for flags.
 * @param defaultRegion AWS_REGION of the process.
 * @throws UsageError
 */
export function completeTarget(
  target: CheckedTarget,
  nameOf: (field: keyof typeof targetFields) => string,
  defaultRegion: string | undefined,
): Target {
  const { label, secretName, roleArn, externalId, namespaces, labelSelector } = target;
  const region = target.region ?? defaultRegion;
  if (region === undefined) {
    throw new UsageError(`${nameOf('region')}: no region is known: set it, or AWS_REGION in the environment`);
  }
  if (!REGION_PATTERN.test(region)) {
    const found = JSON.stringify(region.slice(0, 100));
    throw new UsageError(`AWS_REGION: found ${found}; expected ${EXPECTED_REGION} (or set ${nameOf('region')})`);
  }
  if (externalId !== undefined && roleArn === undefined) {
    throw new UsageError(`${nameOf('externalId')}: is only sent when a role is assumed: set ${nameOf('roleArn')} too`);
  }
  if ((namespaces === undefined) === (labelSelector === undefined)) {
    const found = namespaces === undefined ? 'neither is set' : 'both are set';
    throw new UsageError(`${nameOf('namespaces')}, ${nameOf('namespaceSelector')}: ${found}, exactly one is needed`);
  }
  return {
    label,
    registryIds: [...new Set(target.registryIds)],
    region,
    role: roleArn === undefined ? undefined : { roleArn, externalId },
    secretName,
    namespaces: labelSelector === undefined ? [...new Set(namespaces)] : { labelSelector },
    serviceAccounts: [...new Set(target.serviceAccounts)],
  };
}

/**
 * Reads the YAML of a configuration file.
 * @param file its name, for errors.
 * @throws UsageError for the first problem, with its line, without quoting the file.
 */
export function parseConfig(text: string, file: string, defaultRegion: string | undefined): Target[] {
  const { targets } = parseStrictYaml(text, file, configSchema);
  return targets.map(({ namespaceSelector, ...fields }, index) => {
    const label = `targets[${index}]`;
    const selector = namespaceSelector && selectorText(namespaceSelector, `${file}: ${label}.namespaceSelector`);
    return completeTarget(
      { ...fields, label, labelSelector: selector },
      (field) => `${file}: ${label}.${field}`,
      defaultRegion,
    );
  });
}

/**
 * A LabelSelector as the query parameter of a list (Kubernetes docs, "Labels and Selectors"). An empty one selects
 * everything, as in a NetworkPolicy.
 */
function selectorText(selector: z.output<typeof labelSelector>, name: string): string {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }, index) => {
    const listed = operator === 'In' || operator === 'NotIn';
    if (listed !== (values !== undefined && values.length > 0)) {
      const need = listed ? 'needs at least one value' : 'takes no values';
      throw new UsageError(`${name}.matchExpressions[${index}].values: the operator ${operator} ${need}`);
    }
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values?.join(',')})`;
  });
  return [...equal, ...expressions].join(',');
}
