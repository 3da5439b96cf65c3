import { customResourceDefinition, messageJsonSchema } from '../../src/api/crd.ts';
import { MESSAGE_ALIASES } from '../../src/api/deploy-request.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

/** What of a JSON Schema these pages show. */
export interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  pattern?: string;
  format?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  required?: readonly string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema | boolean;
  anyOf?: readonly Schema[];
  [key: string]: unknown;
}

const HEAD = ['field', 'type', 'what it is'];

/** docs/reference/capdeployjob.md: every field of the resource, from the CRD. */
export function capDeployJobPage(): string {
  const { spec } = customResourceDefinition() as {
    spec: { versions: [{ schema: { openAPIV3Schema: { properties: Record<'spec' | 'status', Schema> } } }] };
  };
  const { properties } = spec.versions[0].schema.openAPIV3Schema;
  return `${GENERATED}# The CapDeployJob

\`kubectl explain cdj.spec --recursive\` says the same. \`[]\` stands for each entry of a list. A field with * is required.
[examples/capdeployjob-full.yaml](../../examples/capdeployjob-full.yaml) names every field of \`spec\`.

## spec

${table(HEAD, rowsOf(properties.spec, 'spec'))}
## status

The operator writes it. A field that is absent has nothing to say.

${table(HEAD, rowsOf(properties.status, 'status'))}`;
}

/** docs/reference/message.md: every field of a message, from its JSON Schema. */
export function messagePage(): string {
  const schema = messageJsonSchema() as Schema;
  // The description of a field names its alias.
  const aliases = new Set<string>(Object.values(MESSAGE_ALIASES).flatMap(([, ...others]) => others));
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => !aliases.has(name)));
  return `${GENERATED}# The message

\`\`\`json
{ "repository": "livesense/web", "environment": "production", "revision": "v1.0.0" }
\`\`\`

${schema.description} The JSON Schema is [crds/message.schema.json](../../crds/message.schema.json). \`repository\` and \`environment\` are
required, and so is \`revision\` for the task \`deploy\`. In every other field \`null\` means that the field is absent.

${table(HEAD, rowsOf({ ...schema, properties }, ''))}`;
}

export function rowsOf(schema: Schema, path: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const own = path === '' ? name : `${path}.${name}`;
    const star = schema.required?.includes(name) ? '*' : '';
    return [[`${code(own)}${star}`, cell(typeOf(field)), cell(wordsOf(field))], ...inner(field, own)];
  });
}

function inner(field: Schema, path: string): string[][] {
  if (field.properties) return rowsOf(field, path);
  if (field.items) {
    const { items } = field;
    return items.properties ? rowsOf(items, `${path}[]`) : [];
  }
  const chosen = field.anyOf?.find(({ properties }) => properties);
  return chosen ? rowsOf(chosen, path) : [];
}

function typeOf(field: Schema): string {
  const [only = field] = field.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  const type = [only.type ?? 'any']
    .flat()
    .filter((name) => name !== 'null')
    .join(' or ');
  if (type === 'array') return `list of ${only.items ? `${typeOf(only.items)}s` : 'any'}`;
  if (type === 'string' && only.format !== undefined) return only.format;
  return type;
}

function wordsOf(field: Schema): string {
  const [only = field] = field.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  const { minimum, maximum, pattern } = only;
  const values = only.enum?.filter((value) => value !== null).map((value) => code(String(value)));
  const limits = [
    values && `One of ${values.join(', ')}.`,
    minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}.` : undefined,
    minimum !== undefined && maximum === undefined ? `At least ${minimum}.` : undefined,
    only.maxLength !== undefined && only.maxLength < 10_000 ? `At most ${only.maxLength} characters.` : undefined,
    only.maxItems !== undefined ? `At most ${only.maxItems}.` : undefined,
    pattern !== undefined && pattern.length <= 100 ? `Pattern ${code(pattern)}.` : undefined,
    field.default === undefined ? undefined : `Default: ${code(JSON.stringify(field.default))}.`,
  ];
  const description = field.description ?? only.description ?? '';
  const sentence = description === '' || /[.!]$/.test(description) ? description : `${description}.`;
  return [sentence, ...limits.filter((limit) => limit !== undefined)].join(' ');
}
