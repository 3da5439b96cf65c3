import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { UsageError } from './usage-error.ts';

/**
 * Reads the YAML of a configuration file and holds it against a schema.
 * @param file its name, for errors
 * @throws UsageError for the first problem, with its line and field. It names kinds and never a value: that can be a
 *   secret in the wrong place.
 */
export function parseStrictYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, lineCounter: lines });
  const [mistake] = document.errors;
  // The parser's first line says what is wrong where; the next ones quote the file.
  if (mistake) throw new UsageError(`${file}: ${mistake.message.split('\n')[0]?.replace(/:$/, '')}`);
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    throw new UsageError(`${file}: has aliases that cannot be followed`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, words } = firstProblem(parsed.error, value);
  throw new UsageError(`${file}${lineOf(path)}: ${words}`);

  /** `:7`, of the field or of the nearest thing around it that is there. */
  function lineOf(path: readonly PropertyKey[]): string {
    const at = offsetOf(path);
    return at === undefined ? '' : `:${lines.linePos(at).line}`;
  }

  function offsetOf(path: readonly PropertyKey[]): number | undefined {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
      const step = path[depth - 1];
      const key = isMap(parent) ? parent.items.find((pair) => String(pair.key) === step)?.key : undefined;
      const node = key ?? document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return undefined;
  }
}

/** The first problem, after the name of its field. */
function firstProblem(error: z.ZodError, file: unknown): { path: readonly PropertyKey[]; words: string } {
  const [issue] = error.issues;
  const steps = issue?.path ?? [];
  const path = steps.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const field = path.replace(/^\./, '') || 'the file';
  if (issue?.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => JSON.stringify(key)).join(', ');
    return {
      path: [...steps, ...issue.keys.slice(0, 1)],
      words: `${path === '' ? '' : `${field}: `}unknown field ${keys}`,
    };
  }
  const found = steps.reduce<unknown>((node, step) => (node as Record<PropertyKey, unknown> | undefined)?.[step], file);
  const kind = issue?.code === 'invalid_type' ? `found ${kindOf(found)}; ` : '';
  return { path: steps, words: `${field}: ${kind}${issue?.message}` };
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return `a ${typeof value}`;
}
