/**
 * The JSONPath that printer columns use: fields, `['quoted']` fields, indexes, `[*]`, and filters like
 * `[?(@.type=="Ready")]`. Values that are not there give an empty list.
 */
import { isObject } from '../store/json.ts';

type Step = (values: unknown[]) => unknown[];

const FIELD = /^\.?([A-Za-z0-9_-]+)/;
const QUOTED = /^\[(['"])(.*?)\1\]/;
const INDEX = /^\[(-?\d+)\]/;
const WILDCARD = /^(\[\*\]|\.\*)/;
const FILTER = /^\[\?\(\s*@\.([A-Za-z0-9_.-]+)\s*(?:(==|!=)\s*(?:'([^']*)'|"([^"]*)"|([^)\s]+))\s*)?\)\]/;

const parsed = new Map<string, Step[]>();

export function evaluateJsonPath(path: string, value: unknown): unknown[] {
  let steps = parsed.get(path);
  if (steps === undefined) {
    steps = parse(path);
    parsed.set(path, steps);
  }
  return steps.reduce((values, step) => step(values), [value]);
}

function field(name: string): Step {
  return (values) => values.flatMap((value) => (isObject(value) && value[name] !== undefined ? [value[name]] : []));
}

function everything(values: unknown[]): unknown[] {
  return values.flatMap((value) => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []));
}

function filter(path: string, operator: string | undefined, literal: string | undefined): Step {
  return (values) =>
    values
      .flatMap((value) => (Array.isArray(value) ? value : []))
      .filter((item) => {
        const [found] = path.split('.').reduce<unknown[]>((here, name) => field(name)(here), [item]);
        if (operator === undefined) return found !== undefined;
        return (String(found) === literal) === (operator === '==');
      });
}

function parse(path: string): Step[] {
  const steps: Step[] = [];
  let rest = path
    .trim()
    .replace(/^\{(.*)\}$/, '$1')
    .replace(/^\$/, '');
  while (rest !== '' && rest !== '.') {
    const found = FILTER.exec(rest) ?? WILDCARD.exec(rest) ?? INDEX.exec(rest) ?? QUOTED.exec(rest) ?? FIELD.exec(rest);
    if (found === null) throw new Error(`cannot read the JSONPath ${path} at ${rest}`);
    const [matched] = found;
    if (FILTER.test(matched)) steps.push(filter(found[1] ?? '', found[2], found[3] ?? found[4] ?? found[5]));
    else if (WILDCARD.test(matched)) steps.push(everything);
    else if (INDEX.test(matched)) {
      const index = Number(found[1]);
      steps.push((values) =>
        values.flatMap((value) => (Array.isArray(value) && value.at(index) !== undefined ? [value.at(index)] : [])),
      );
    } else steps.push(field(QUOTED.test(matched) ? (found[2] ?? '') : (found[1] ?? '')));
    rest = rest.slice(matched.length);
  }
  return steps;
}
