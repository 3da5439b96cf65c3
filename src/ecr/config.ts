import { parseDocument } from 'yaml';
import { z } from 'zod';
import {
  ACCOUNT_PATTERN,
  MAX_REGION_LENGTH,
  MAX_ROLE_ARN_LENGTH,
  REGION_PATTERN,
  ROLE_ARN_PATTERN,
} from '../api/aws-names.ts';
import type { AwsRole } from '../aws/aws-client.ts';

/**
 * What `capdeploy ecr-login` is told to do: which registries, as whom, into which Secrets. From a YAML file, or one target from flags
 * (`src/ecr-login-flags.ts`); both are held against the same schema.
 */

/** The configuration is not usable. The message is one line that names the field, what was found and what is allowed. */
export class EcrConfigError extends Error {
  override readonly name = 'EcrConfigError';
}

/** One Secret name in one or many namespaces, and the registries whose token it holds. */
export interface Target {
  /** As the person wrote it: `targets[0]`, or `target` where flags say it all. */
  readonly label: string;
  /** Account ids. Empty: the registry of the credentials' own account. */
  readonly registryIds: readonly string[];
  readonly region: string;
  readonly role: AwsRole | undefined;
  readonly secretName: string;
  /** By name, or all that a label selector finds when the run begins. */
  readonly namespaces: readonly string[] | { readonly labelSelector: string };
  /** To whose imagePullSecrets the Secret is added, in each of the namespaces. */
  readonly serviceAccounts: readonly string[];
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_NAME = /^([a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;

const words = (pattern: RegExp, max: number, what: string) =>
  z
    .string(`expected ${what}`)
    .max(max, `expected ${what}`)
    .regex(pattern, { message: `expected ${what}` });

const REGION_WORDS = 'an AWS region such as ap-northeast-1';

const labelName = words(LABEL_NAME, 317, 'the name of a label');
const labelValue = words(LABEL_VALUE, 63, 'the value of a label, in quotes where it looks like a number');

const labelSelector = z.strictObject({
  matchLabels: z.record(labelName, labelValue).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: labelName,
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'expected In, NotIn, Exists or DoesNotExist'),
        values: z.array(labelValue).max(100).optional(),
      }),
    )
    .max(20)
    .optional(),
});

/** The fields of a target. Their bounds: AWS's for ids, ARNs and external ids (API reference of ECR, IAM and STS), Kubernetes's for names. */
export const targetFields = {
  registryIds: z
    .array(words(ACCOUNT_PATTERN, 12, 'an account id of 12 digits (in YAML between quotes)'))
    .min(1, 'expected at least one account id')
    .max(10, 'expected at most 10 account ids (what ECR takes in one request): make two targets of it')
    .optional(),
  region: words(REGION_PATTERN, MAX_REGION_LENGTH, REGION_WORDS).optional(),
  roleArn: words(
    ROLE_ARN_PATTERN,
    MAX_ROLE_ARN_LENGTH,
    'the ARN of an IAM role: arn:aws:iam::<account id>:role/<name>',
  ).optional(),
  externalId: words(/^[A-Za-z0-9_+=,.@:/-]{2,1224}$/, 1224, '2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -').optional(),
  secretName: words(DNS_SUBDOMAIN, 253, 'the name of a Secret: a-z 0-9 - and .'),
  namespaces: z
    .array(words(DNS_LABEL, 63, 'the name of a namespace: 1 to 63 of a-z 0-9 -'))
    .min(1, 'expected at least one namespace')
    .max(1000, 'expected at most 1000 namespaces: use namespaceSelector')
    .optional(),
  namespaceSelector: labelSelector.optional(),
  serviceAccounts: z
    .array(words(DNS_SUBDOMAIN, 253, 'the name of a ServiceAccount: a-z 0-9 - and .'))
    .max(50, 'expected at most 50 names')
    .optional(),
};

const configSchema = z.strictObject({
  targets: z
    .array(z.strictObject(targetFields))
    .min(1, 'expected at least one target')
    .max(100, 'expected at most 100'),
});

type ParsedTarget = z.output<ReturnType<typeof z.strictObject<typeof targetFields>>>;

/** A target whose fields are each right. `names` says how the person calls them: `targets[0].region` in a file, `--region` on the command line. */
export interface CheckedTarget extends Omit<ParsedTarget, 'namespaceSelector'> {
  readonly label: string;
  readonly labelSelector?: string | undefined;
}

/**
 * What the fields of one target have to do with each other.
 * @param nameOf how the person calls a field.
 * @param defaultRegion AWS_REGION of the process.
 * @throws EcrConfigError
 */
export function completeTarget(
  target: CheckedTarget,
  nameOf: (field: keyof typeof targetFields) => string,
  defaultRegion: string | undefined,
): Target {
  const { label, secretName, roleArn, externalId, namespaces, labelSelector } = target;
  const region = target.region ?? defaultRegion;
  if (region === undefined) {
    throw new EcrConfigError(`${nameOf('region')}: no region is known: set it, or AWS_REGION in the environment`);
  }
  if (externalId !== undefined && roleArn === undefined) {
    throw new EcrConfigError(
      `${nameOf('externalId')}: is only sent when a role is assumed: set ${nameOf('roleArn')} too`,
    );
  }
  if ((namespaces === undefined) === (labelSelector === undefined)) {
    const found = namespaces === undefined ? 'neither is set' : 'both are set';
    throw new EcrConfigError(
      `${nameOf('namespaces')}, ${nameOf('namespaceSelector')}: ${found}, exactly one is needed`,
    );
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
 * @param file its name, for messages.
 * @throws EcrConfigError for the first thing that is wrong; no line of the file is quoted.
 */
export function parseConfig(text: string, file: string, defaultRegion: string | undefined): Target[] {
  const document = parseDocument(text, { uniqueKeys: true });
  const [mistake] = document.errors;
  // The parser's first line says what and where; the lines after it quote the file.
  if (mistake) throw new EcrConfigError(`${file}: ${mistake.message.split('\n')[0]?.replace(/:$/, '')}`);
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    throw new EcrConfigError(`${file}: has aliases that cannot be followed`);
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw new EcrConfigError(`${file}: ${firstProblem(parsed.error)}`);
  return parsed.data.targets.map(({ namespaceSelector, ...fields }, index) => {
    const label = `targets[${index}]`;
    const selector = namespaceSelector && selectorText(namespaceSelector, `${file}: ${label}.namespaceSelector`);
    return completeTarget(
      { ...fields, label, labelSelector: selector },
      (field) => `${file}: ${label}.${field}`,
      defaultRegion,
    );
  });
}

/** The first problem in words that begin with the field. The value found is not quoted: a key pasted into the wrong line stays there. */
function firstProblem(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = (issue?.path ?? [])
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  const field = path.replace(/^\./, '') || 'the file';
  if (issue?.code === 'unrecognized_keys') {
    return `${path === '' ? '' : `${field}: `}unknown field ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
  }
  return `${field}: ${issue?.message ?? 'is not valid'}`;
}

/**
 * A LabelSelector as the query parameter of a list (Kubernetes docs, "Labels and Selectors"). An empty one selects everything, as in a
 * NetworkPolicy.
 */
function selectorText(selector: z.output<typeof labelSelector>, name: string): string {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }, index) => {
    const listed = operator === 'In' || operator === 'NotIn';
    if (listed !== (values !== undefined && values.length > 0)) {
      const need = listed ? 'needs at least one value' : 'takes no values';
      throw new EcrConfigError(`${name}.matchExpressions[${index}].values: the operator ${operator} ${need}`);
    }
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values?.join(',')})`;
  });
  return [...equal, ...expressions].join(',');
}
