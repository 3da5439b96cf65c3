import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { RESULTS } from '../../src/api/reasons.ts';
import { parseSpec, specSchema } from '../../src/api/spec.ts';
import { documents, type Json, text } from './manifests/yaml.ts';

/**
 * docs/lanes.md and docs/reference/reasons.md say what the program says. (Reasons, conditions and Events are held to
 * the code by the types of tools/reference/reasons.ts.) Commands are run by test/cluster/admission-commands.test.ts and
 * test/behaviour/documented-sends.test.ts.
 */
const section = (page: string, heading: string): string => {
  const found = text(page)
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`));
  if (!found) throw new Error(`${page} has no section "${heading}"`);
  return found;
};

test('the table of results names every result, and no other', () => {
  const cells = [...section('docs/reference/reasons.md', 'Results').matchAll(/^\| (`.*?`) \| `/gm)];
  const named = cells.flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', '));
  expect([...new Set(named)].toSorted()).toEqual([...RESULTS].toSorted());
});

describe('docs/lanes.md', () => {
  test('names each deadline of the spec, with the default that it has', () => {
    const { shape } = specSchema;
    const seconds: Record<string, number> = { '1 h': 3600, '1 day': 86_400, '5 min': 300 };
    const table = section('docs/lanes.md', 'Deadlines').matchAll(/^\| `(\w+Seconds)` \| ([^|]+) \|/gm);
    const named = [...table].map(([, field = '', after = '']) => [field, seconds[after.trim()]]);
    const known = Object.entries(shape)
      .filter(([field]) => field.endsWith('DeadlineSeconds'))
      .map(([field, schema]) => [field, schema.parse(undefined)]);
    expect(named.toSorted()).toEqual(known.toSorted());
  });

  test('shows windows that the operator takes', () => {
    const [, yaml = ''] = /^```yaml\n(windows:.*?)^```$/ms.exec(section('docs/lanes.md', 'Windows')) ?? [];
    const [example] = documents(text('examples/capdeployjob.yaml')) as [{ spec: Json }];
    const environments = [{ name: 'production', ...parse(yaml) }];
    expect(parseSpec({ ...example.spec, environments })).toMatchObject({ spec: { environments } });
    expect(environments[0].windows).toHaveLength(2);
  });

  test('names every policy of a lane, and no other', () => {
    const rows = section('docs/lanes.md', 'The policies').matchAll(
      /^\| `(\w+)`(?: \(default\))? \| (?:finishes|Aborted)/gm,
    );
    expect([...rows].map(([, name]) => name)).toEqual(specSchema.shape.concurrencyPolicy.unwrap().options);
  });
});
