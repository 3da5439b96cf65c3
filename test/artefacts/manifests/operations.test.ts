import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CONDITION, EVENT, OUTCOME, REASON, REJECTION, RESULTS, TRACES } from '../../../src/api/reasons.ts';
import { parseSpec, specSchema } from '../../../src/api/spec.ts';
import { documents, type Json, text } from './yaml.ts';

/** docs/operations.md says what the program says. Its commands are run by test/cluster/admission-commands.test.ts, and those that send messages by test/behaviour/documented-sends.test.ts. */
const page = text('docs/operations.md');

const section = (heading: string): string => {
  const found = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (!found) throw new Error(`the page has no section "${heading}"`);
  return found;
};
/** The cells of the rows of a section's tables, heads and rules left out. */
const rows = (heading: string): string[][] =>
  [...section(heading).matchAll(/^\| (?!---)(.*) \|$/gm)].map(([, row]) => (row ?? '').split(' | ')).slice(1);
const names = (cell = ''): string[] => cell.split(', ');

describe('the table of results', () => {
  const table = rows('What the results mean').map(([result, reason, , servers]) => ({ result, reason, servers }));

  test('names every reason once, and no other, and says of each what it says of the servers', () => {
    const named = table.map(({ reason, servers }) => [reason, servers]);
    expect(named.toSorted()).toEqual(Object.entries(TRACES).toSorted());
    expect(Object.keys(TRACES).toSorted()).toEqual(Object.values(OUTCOME).toSorted());
  });

  test('names every result, and no other', () => {
    expect([...new Set(table.flatMap(({ result }) => names(result)))].toSorted()).toEqual([...RESULTS].toSorted());
  });
});

test('the table of conditions names every condition and every reason, and no other', () => {
  const table = rows('When nothing moves at all');
  expect([...new Set(table.flatMap(([, reason]) => names(reason)))].toSorted()).toEqual(
    [...new Set(Object.values(REASON))].toSorted(),
  );
  const conditions = new Set(table.flatMap(([condition]) => names(condition)));
  conditions.delete('any');
  expect([...conditions].toSorted()).toEqual(Object.values(CONDITION).toSorted());
});

test('every reason for which a message is rejected is named', () => {
  const [, words = ''] = /`\.status\.rejections`, with its reason: (.*?)\. The entry/s.exec(page) ?? [];
  const named = words
    .replaceAll(/\([^)]*\)/g, '')
    .split(/,\s+/)
    .map((word) => word.trim());
  expect(named.toSorted()).toEqual(Object.values(REJECTION).toSorted());
});

test('the table of Events names every reason, and no other', () => {
  const [table = ''] = section('Log and outcome')
    .split(/^### /m)
    .filter((part) => part.startsWith('Events\n'));
  const reasons = [...table.matchAll(/^\| (?!---|reason)(.*?) \| /gm)].flatMap(([, cell]) => names(cell));
  const known = [...Object.values(EVENT), ...RESULTS, ...Object.values(REJECTION)];
  expect(reasons.toSorted()).toEqual(known.toSorted());
});

test('the deadlines are fields of the spec, with the defaults that they have', () => {
  const { shape } = specSchema;
  const seconds: Record<string, number> = { '1 h': 3600, '1 day': 86_400, '5 min': 300 };
  const table = section('Who comes next').matchAll(/^\| `(\w+Seconds)` \| ([^|]+) \|/gm);
  const named = [...table].map(([, field = '', after = '']) => [field, seconds[after.trim()]]);
  const known = Object.entries(shape)
    .filter(([field]) => field.endsWith('DeadlineSeconds'))
    .map(([field, schema]) => [field, schema.parse(undefined)]);
  expect(named.toSorted()).toEqual(known.toSorted());
});

test('the windows that it shows are ones that the operator takes', () => {
  const [, yaml = ''] = /^```yaml\n(windows:.*?)^```$/ms.exec(page) ?? [];
  const [example] = documents(text('examples/capdeployjob.yaml')) as [{ spec: Json }];
  const environments = [{ name: 'production', ...parse(yaml) }];
  const parsed = parseSpec({ ...example.spec, environments });
  expect(parsed).toMatchObject({ spec: { environments } });
  expect(environments[0].windows).toHaveLength(2);
});

test('the policies of a lane are those that there are', () => {
  const named = [...section('Who comes next').matchAll(/^\| `(\w+)`(?: \(default\))? \| (?:finishes|Aborted)/gm)].map(
    ([, name]) => name,
  );
  expect(named).toEqual(specSchema.shape.concurrencyPolicy.unwrap().options);
});

test('its links lead somewhere', () => {
  const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) {
    const [file = '', anchor] = link.split('#');
    if (file === '') expect(anchors).toContain(anchor);
    else expect(text(`docs/${file}`), link).toMatch(/\S/);
  }
});
