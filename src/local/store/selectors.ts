/** Label and field selectors (apimachinery `pkg/labels`, `pkg/fields`). */
import type { KubeObject } from '../../kube/client.ts';
import { badRequest } from './api-error.ts';
import { keyProblem } from './names.ts';

export interface Requirement {
  key: string;
  operator: 'in' | 'notin' | 'exists' | 'absent' | 'gt' | 'lt';
  values: string[];
}

const SET = /^([^\s!=<>,()]+)\s+(in|notin)\s*\(([^)]*)\)$/;
const COMPARE = /^([^\s!=<>,()]+)\s*(==|=|!=|>|<)\s*([^\s!=<>,()]*)$/;
const PRESENT = /^(!?)\s*([^\s!=<>,()]+)$/;

/** Splits at the commas outside parentheses. */
function terms(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

function requirement(term: string): Requirement | undefined {
  const set = SET.exec(term);
  if (set !== null) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return { key: set[1] ?? '', operator: set[2] === 'in' ? 'in' : 'notin', values };
  }
  const compare = COMPARE.exec(term);
  if (compare !== null) {
    const operators = { '=': 'in', '==': 'in', '!=': 'notin', '>': 'gt', '<': 'lt' } as const;
    const operator = operators[compare[2] as keyof typeof operators];
    return { key: compare[1] ?? '', operator, values: [compare[3] ?? ''] };
  }
  const present = PRESENT.exec(term);
  if (present === null) return undefined;
  return { key: present[2] ?? '', operator: present[1] === '!' ? 'absent' : 'exists', values: [] };
}

/** 400 where the selector cannot be read, as the API server answers. */
export function parseLabelSelector(selector: string): Requirement[] {
  return terms(selector).map((term) => {
    const parsed = requirement(term);
    if (parsed === undefined || keyProblem(parsed.key) !== undefined) {
      throw badRequest(`unable to parse requirement: found '${term}', expected a label selector requirement`);
    }
    return parsed;
  });
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

export function parseFieldSelector(selector: string, selectable: SelectableFields, kind: string): FieldRequirement[] {
  return terms(selector).map((term) => {
    const parts = /^(.+?)(==|!=|=)(.*)$/.exec(term);
    const field = parts?.[1]?.trim() ?? '';
    if (parts === null) throw badRequest(`invalid selector: '${selector}'; can't understand '${term}'`);
    if (selectable[field] === undefined) {
      throw badRequest(`field label not supported: ${field}${kind === '' ? '' : ` (${kind})`}`);
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
