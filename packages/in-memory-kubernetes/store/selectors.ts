/** Label and field selectors (apimachinery `pkg/labels`, `pkg/fields`). */
import type { KubeObject } from '../objects.ts';
import { badRequest } from './api-error.ts';
import { keyProblems, nameProblem } from './names.ts';

export interface Requirement {
  key: string;
  operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';
  values: string[];
}

/** What a label selector is made of: brackets, commas, operators, and words between them. */
function tokensOf(selector: string): string[] {
  return selector.match(/[(),]|[=!<>]=?|[^\s()=!<>,]+/g) ?? [];
}

const isWord = (token: string | undefined): token is string => token !== undefined && !/^[(),=!<>]/.test(token);
const OPERATORS = { '=': 'in', '==': 'in', '!=': 'notin', '>': 'gt', '<': 'lt', in: 'in', notin: 'notin' } as const;

/** Reads a label selector as `labels.Parse` does, and complains in its words. */
class LabelParser {
  readonly #tokens: string[];
  #position = 0;

  constructor(selector: string) {
    this.#tokens = tokensOf(selector);
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#tokens.length === 0) return requirements;
    if (!isWord(this.#next) && this.#next !== '!') {
      throw badRequest(`found '${this.#next}', expected: !, identifier, or 'end of string'`);
    }
    for (;;) {
      requirements.push(this.#requirement());
      const separator = this.#take();
      if (separator === undefined) return requirements;
      if (separator !== ',') throw badRequest(`found '${separator}', expected: ',' or 'end of string'`);
      if (!isWord(this.#next) && this.#next !== '!') {
        throw badRequest(`found '${this.#next ?? ''}', expected: identifier after ','`);
      }
    }
  }

  get #next(): string | undefined {
    return this.#tokens[this.#position];
  }

  #take(): string | undefined {
    const token = this.#next;
    this.#position += 1;
    return token;
  }

  #requirement(): Requirement {
    const absent = this.#next === '!';
    if (absent) this.#take();
    const key = this.#take();
    if (!isWord(key)) throw unreadable(`found '${key ?? ''}', expected: identifier`);
    const [problem] = keyProblems(key);
    if (problem !== undefined) throw unreadable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problem}`);
    if (this.#next === undefined || this.#next === ',')
      return { key, operator: absent ? 'absent' : 'exists', values: [] };
    const word = this.#take() ?? '';
    const operator = Object.hasOwn(OPERATORS, word) ? OPERATORS[word as keyof typeof OPERATORS] : undefined;
    if (operator === undefined || absent) {
      throw unreadable(`found '${word}', expected: in, notin, =, ==, !=, gt, lt`);
    }
    const values = word === 'in' || word === 'notin' ? this.#list() : [this.#value()];
    checkValues(key, operator, values);
    return { key, operator, values };
  }

  #value(): string {
    if (this.#next === undefined || this.#next === ',') return '';
    const value = this.#take();
    if (!isWord(value)) throw unreadable(`found '${value}', expected: identifier`);
    return value;
  }

  /** `(a, b)`; two commas in a row have an empty value between them. */
  #list(): string[] {
    const open = this.#take();
    if (open !== '(') throw unreadable(`found '${open ?? ''}' expected: '('`);
    const values: string[] = [];
    for (;;) {
      values.push(isWord(this.#next) ? (this.#take() ?? '') : '');
      const token = this.#take();
      if (token === ')') return values;
      if (token !== ',') throw unreadable(`found '${token ?? ''}', expected: ')'`);
    }
  }
}

function unreadable(words: string) {
  return badRequest(`unable to parse requirement: ${words}`);
}

function checkValues(key: string, operator: Requirement['operator'], values: string[]): void {
  values.forEach((value, index) => {
    const shown = JSON.stringify(value);
    if ((operator === 'gt' || operator === 'lt') && !/^[+-]?\d+$/.test(value)) {
      const words = "for 'Gt', 'Lt' operators, the value must be an integer";
      throw unreadable(`values[${index}]: Invalid value: ${shown}: ${words}`);
    }
    const problem = nameProblem.labelValue(value);
    if (problem !== undefined) throw unreadable(`values[${index}][${key}]: Invalid value: ${shown}: ${problem}`);
  });
}

/** 400 where the selector cannot be read, as the API server answers. */
export function parseLabelSelector(selector: string): Requirement[] {
  return new LabelParser(selector).parse();
}

export function matchesLabels(requirements: Requirement[], labels: Record<string, string> | undefined): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels?.[key];
    switch (operator) {
      case 'in':
        return value !== undefined && values.includes(value);
      case 'notin':
        return value === undefined || !values.includes(value);
      case 'exists':
        return value !== undefined;
      case 'absent':
        return value === undefined;
      case 'gt':
        return value !== undefined && Number(value) > Number(values[0]);
      case 'lt':
        return value !== undefined && Number(value) < Number(values[0]);
      default:
        return false;
    }
  });
}

export interface FieldRequirement {
  field: string;
  value: string;
  equal: boolean;
}

/** Which fields of an object may be selected, and their values. */
export type SelectableFields = Record<string, (object: KubeObject) => string>;

/** Every type says in its own way that it does not know a field. */
export type UnknownField = 'bare' | 'known' | 'kind';

function unknownField(field: string, kind: string, words: UnknownField): string {
  if (words === 'known') return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
  return words === 'kind' ? `field label "${field}" not supported for ${kind}` : `field label not supported: ${field}`;
}

export function parseFieldSelector(
  selector: string,
  { selectable, kind, unknownField: words }: { selectable: SelectableFields; kind: string; unknownField: UnknownField },
): FieldRequirement[] {
  const terms = selector.split(',').filter((term) => term !== '');
  return terms.map((term) => {
    const parts = /^(.+?)(==|!=|=)(.*)$/.exec(term);
    const field = parts?.[1]?.trim() ?? '';
    if (parts === null) throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`);
    if (selectable[field] === undefined) {
      throw badRequest(unknownField(field, kind, words));
    }
    return { field, value: (parts[3] ?? '').trim(), equal: parts[2] !== '!=' };
  });
}

export function matchesFields(
  requirements: FieldRequirement[],
  selectable: SelectableFields,
  object: KubeObject,
): boolean {
  return requirements.every(({ field, value, equal }) => (selectable[field]?.(object) === value) === equal);
}
