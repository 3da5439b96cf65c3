/** The syntax of names, labels and annotations, with the API server's words (apimachinery `pkg/util/validation`). */
import type { FieldError } from './api-error.ts';
import { fieldError } from './api-error.ts';
import { isObject } from './json.ts';

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

function checker(
  pattern: string,
  limit: number,
  words: string,
  unit = 'characters',
): (value: string) => string | undefined {
  const expression = new RegExp(`^(?:${pattern})$`);
  return (value) => {
    if (value.length > limit) return `must be no more than ${limit} ${unit}`;
    return expression.test(value) ? undefined : `${words}, regex used for validation is '${pattern}')`;
  };
}

/** Each returns what is wrong, or undefined. */
export const nameProblem = {
  label: checker(
    LABEL,
    63,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc'",
  ),
  subdomain: checker(
    SUBDOMAIN,
    253,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com'",
  ),
  labelValue: checker(
    VALUE,
    63,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345'",
    'bytes',
  ),
  /** A namespace's own: its name is a label, and is told so first. */
  namespace: (name: string): string | undefined =>
    name.includes('.') && !/[^a-z0-9.-]/.test(name) ? 'must not contain dots' : nameProblem.label(name),
  envVar: (value: string): string | undefined =>
    value !== '' && /^[ -<>-~]+$/.test(value)
      ? undefined
      : "a valid environment variable name must consist only of printable ASCII characters other than '='",
  dataKey: (value: string): string | undefined =>
    value.length <= 253 && value !== '.' && value !== '..' && !value.startsWith('..') && /^[-._a-zA-Z0-9]+$/.test(value)
      ? undefined
      : "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
};

const NAME_WORDS = `must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`;
const NAME_PART = new RegExp(`^(?:${QUALIFIED})$`);

/** What is wrong with a label or annotation key: an optional DNS prefix, a slash, a name. Nothing: an empty list. */
export function keyProblems(key: string): string[] {
  const parts = key.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${NAME_WORDS} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const problems: string[] = [];
  if (parts.length === 2) {
    const problem = parts[0] === '' ? 'must be non-empty' : nameProblem.subdomain(parts[0] ?? '');
    if (problem !== undefined) problems.push(`prefix part ${problem}`);
  }
  const name = parts.at(-1) ?? '';
  if (name === '') problems.push('name part must be non-empty');
  else if (name.length > 63) problems.push('name part must be no more than 63 bytes');
  if (!NAME_PART.test(name)) problems.push(`name part ${NAME_WORDS}`);
  return problems;
}

export function labelErrors(labels: unknown, field: string): FieldError[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    const errors: FieldError[] = [];
    errors.push(...keyProblems(key).map((words) => fieldError.invalid(field, key, words)));
    const valueWords = nameProblem.labelValue(String(value));
    if (valueWords !== undefined) errors.push(fieldError.invalid(field, value, valueWords));
    return errors;
  });
}

const ANNOTATIONS_LIMIT = 256 * 1024;

export function annotationErrors(annotations: unknown, field: string): FieldError[] {
  if (!isObject(annotations)) return [];
  let size = 0;
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(annotations)) {
    errors.push(...keyProblems(key.toLowerCase()).map((words) => fieldError.invalid(field, key, words)));
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > ANNOTATIONS_LIMIT) errors.push(fieldError.tooLong(field, ANNOTATIONS_LIMIT));
  return errors;
}
