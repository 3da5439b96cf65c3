/** The syntax of names, labels and annotations, with the API server's words (apimachinery `pkg/util/validation`). */
import type { FieldError } from './api-error.ts';
import { fieldError } from './api-error.ts';
import { isObject } from './json.ts';

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const VALUE = '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

function checker(pattern: string, limit: number, words: string): (value: string) => string | undefined {
  const expression = new RegExp(`^(?:${pattern})$`);
  return (value) => {
    if (value.length > limit) return `must be no more than ${limit} bytes`;
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
  ),
  namePart: checker(
    QUALIFIED,
    63,
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc'",
  ),
  envVar: (value: string): string | undefined =>
    value !== '' && /^[ -<>-~]+$/.test(value)
      ? undefined
      : "a valid environment variable name must consist only of printable ASCII characters other than '='",
  dataKey: (value: string): string | undefined =>
    value.length <= 253 && value !== '.' && value !== '..' && !value.startsWith('..') && /^[-._a-zA-Z0-9]+$/.test(value)
      ? undefined
      : "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
};

/** A label or annotation key: an optional DNS prefix, a slash, a name. */
export function keyProblem(key: string): string | undefined {
  const parts = key.split('/');
  if (parts.length > 2) {
    return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
  }
  if (parts.length === 2) {
    if (parts[0] === '') return 'prefix part must be non-empty';
    const problem = nameProblem.subdomain(parts[0] ?? '');
    if (problem !== undefined) return `prefix part ${problem}`;
  }
  return nameProblem.namePart(parts.at(-1) ?? '');
}

export function labelErrors(labels: unknown, field: string): FieldError[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => {
    const errors: FieldError[] = [];
    const keyWords = keyProblem(key);
    if (keyWords !== undefined) errors.push(fieldError.invalid(field, key, keyWords));
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
    const words = keyProblem(key.toLowerCase());
    if (words !== undefined) errors.push(fieldError.invalid(field, key, words));
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > ANNOTATIONS_LIMIT) errors.push(fieldError.tooLong(field, ANNOTATIONS_LIMIT));
  return errors;
}
