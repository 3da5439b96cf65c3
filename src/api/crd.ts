import { z } from 'zod';
import { DEFAULT_TASK, deployMessageSchema, MESSAGE_ALIASES } from './deploy-request.ts';
import { GROUP, KIND, VERSION } from './names.ts';
import { specSchema } from './spec.ts';
import { statusSchema } from './status.ts';

type Schema = { [key: string]: unknown };

/** zod writes ±2^53 as bounds of every integer: true of all JSON numbers, and noise in `kubectl explain`. */
const SAFE = Number.MAX_SAFE_INTEGER;

/**
 * Makes a schema of zod structural, without what Kubernetes forbids, drops or changes: an applied manifest must stay as
 * it was applied.
 * @param inList whether the schema is that of a list's items, or within one.
 */
function structural(node: Schema, inList = false): Schema {
  const out: Schema = {};
  for (const [key, value] of Object.entries(node)) {
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (key === 'additionalProperties' && (typeof value === 'boolean' || isEmpty)) continue;
    if ((key === 'minimum' && value === -SAFE) || (key === 'maximum' && value === SAFE)) continue;
    if (key === '$schema') continue;
    // The API server drops it: each `kubectl apply` would find a difference, and Argo CD would never be in sync.
    if (key === 'properties' && isEmpty) continue;
    // A three-way merge of custom resources replaces whole lists. With a default in its items a list never equals the
    // manifest's: kubectl always says "configured", and Argo CD OutOfSync. `parseSpec` fills in these defaults.
    if (key === 'default' && inList) continue;
    if (key === 'properties') {
      const properties = Object.entries(value as Record<string, Schema>);
      out[key] = Object.fromEntries(properties.map(([name, property]) => [name, structural(property, inList)]));
    } else if (key === 'items') out[key] = structural(value as Schema, true);
    else out[key] = value;
  }
  if (inList && 'default' in node) out.description = `${node.description} Default: ${JSON.stringify(node.default)}.`;
  return out;
}

const openapi = (schema: z.ZodType) =>
  structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }) as Schema);

/** The CustomResourceDefinition, from the schemas in `spec.ts` and `status.ts`. `npm run generate` writes crds/. */
export function customResourceDefinition(): Schema {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `capdeployjobs.${GROUP}` },
    spec: {
      group: GROUP,
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: 'capdeployjobs',
        singular: 'capdeployjob',
        shortNames: ['cdj'],
      },
      scope: 'Namespaced',
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
            { name: 'Waiting', type: 'integer', jsonPath: '.status.waiting' },
            { name: 'Active', type: 'integer', jsonPath: '.status.active' },
            { name: 'Last', type: 'string', jsonPath: '.status.last' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          schema: {
            openAPIV3Schema: {
              description:
                'A repository that is deployed with Capistrano, and the SQS queue that its deploy requests arrive on.',
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'Version of the schema of this object.' },
                kind: { type: 'string', description: 'Type of this object.' },
                metadata: { type: 'object' },
                spec: { ...openapi(specSchema), description: 'What may be deployed, where to, and how.' },
                status: {
                  ...openapi(statusSchema),
                  description: 'What waits, what runs, and what came of it; written by the operator.',
                },
              },
              'x-kubernetes-validations': [
                {
                  rule: 'self.metadata.name.size() <= 63',
                  message: 'metadata.name must be no more than 63 characters: it becomes a label',
                },
              ],
            },
          },
        },
      ],
    },
  };
}

/**
 * The JSON Schema of a message, for producers. It has the aliases of the keys. JSON Schema cannot say that keys are
 * read without regard to case.
 */
export function messageJsonSchema(): Schema {
  const schema = z.toJSONSchema(deployMessageSchema, { target: 'draft-2020-12', io: 'input' }) as Schema & {
    properties: Record<string, unknown>;
  };
  const properties: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema.properties)) {
    for (const alias of MESSAGE_ALIASES[key as keyof typeof MESSAGE_ALIASES] ?? [key]) properties[alias] = value;
  }
  const oneOf = (key: keyof typeof MESSAGE_ALIASES) => ({
    anyOf: MESSAGE_ALIASES[key].map((alias) => ({ required: [alias] })),
  });
  // A null revision is none; a null task is the default.
  const hasRevision = MESSAGE_ALIASES.revision.map((alias) => ({
    required: [alias],
    properties: { [alias]: { type: 'string' } },
  }));
  const { required: _, ...rest } = schema;
  return {
    $id: `https://${GROUP}/${VERSION}/message.schema.json`,
    ...rest,
    properties,
    allOf: [
      oneOf('repository'),
      oneOf('environment'),
      {
        if: { not: { required: ['task'], properties: { task: { not: { enum: [DEFAULT_TASK, null] } } } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { anyOf: hasRevision },
      },
    ],
  };
}
