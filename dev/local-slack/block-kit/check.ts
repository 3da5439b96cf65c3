/**
 * The parts of which the rules for blocks are made. What is wrong is told in Slack's words with a JSON pointer.
 *
 * @see https://docs.slack.dev/block-kit/designing-with-block-kit
 */
import { isObject, type Json } from '../json.ts';

/** `must be less than 76 characters [json-pointer:/blocks/0/text/text]`; kept by the caller. */
export type Problems = string[];
export type Check = (value: unknown, at: string, problems: Problems) => void;

export const report = (problems: Problems, at: string, message: string): void => {
  problems.push(`${message} [json-pointer:${at}]`);
};

export const string =
  (max: number, min = 1): Check =>
  (value, at, problems) => {
    if (typeof value !== 'string') return report(problems, at, 'must be a string');
    if (value.length < min) report(problems, at, `must be more than ${min - 1} characters`);
    if (value.length > max) report(problems, at, `must be less than ${max + 1} characters`);
  };

export const matching =
  (pattern: RegExp, what: string): Check =>
  (value, at, problems) => {
    if (typeof value !== 'string' || !pattern.test(value)) report(problems, at, `must be a valid ${what}`);
  };

export const boolean: Check = (value, at, problems) => {
  if (typeof value !== 'boolean') report(problems, at, 'must be a boolean');
};

export const integer =
  (min: number, max: number): Check =>
  (value, at, problems) => {
    if (!Number.isInteger(value)) return report(problems, at, 'must be an integer');
    if ((value as number) < min || (value as number) > max) report(problems, at, `must be from ${min} to ${max}`);
  };

export const enumeration =
  (...values: string[]): Check =>
  (value, at, problems) => {
    if (typeof value !== 'string' || !values.includes(value)) report(problems, at, 'must be a valid enum value');
  };

export const list =
  (item: Check, max: number, min = 1): Check =>
  (value, at, problems) => {
    if (!Array.isArray(value)) return report(problems, at, 'must provide an array');
    if (value.length < min) report(problems, at, `no fewer than ${min} items allowed`);
    if (value.length > max) return report(problems, at, `no more than ${max} items allowed`);
    value.forEach((one, index) => {
      item(one, `${at}/${index}`, problems);
    });
  };

/** An object with these fields and no others; `type` is what the caller has looked at already. */
export const object =
  (required: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  (value, at, problems) => {
    if (!isObject(value)) return report(problems, at, 'must provide an object');
    for (const field of Object.keys(required)) {
      if (value[field] === undefined) report(problems, at, `missing required field: ${field}`);
    }
    for (const [field, content] of Object.entries(value)) {
      const check = required[field] ?? optional[field];
      if (check !== undefined) check(content, `${at}/${field}`, problems);
      else if (field !== 'type') report(problems, at, `invalid additional property: ${field}`);
    }
  };

/** One of several objects, told apart by `type`. */
export const typed =
  (checks: Record<string, Check>): Check =>
  (value, at, problems) => {
    if (!isObject(value)) return report(problems, at, 'must provide an object');
    if (value.type === undefined) return report(problems, at, 'missing required field: type');
    const check = checks[String(value.type)];
    if (check === undefined) return report(problems, `${at}/type`, `unsupported type: ${String(value.type)}`);
    check(value, at, problems);
  };

/** A further rule over an object that `check` has looked at. */
export const also =
  (check: Check, rule: (value: Json, at: string, problems: Problems) => void): Check =>
  (value, at, problems) => {
    check(value, at, problems);
    if (isObject(value)) rule(value, at, problems);
  };

export const plainText = (max: number): Check =>
  typed({ plain_text: object({ text: string(max) }, { emoji: boolean }) });

export const anyText = (max: number): Check =>
  typed({
    plain_text: object({ text: string(max) }, { emoji: boolean }),
    mrkdwn: object({ text: string(max) }, { verbatim: boolean }),
  });
