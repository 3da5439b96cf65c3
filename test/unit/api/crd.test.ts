import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { customResourceDefinition, messageJsonSchema } from '../../../src/api/crd.ts';

// biome-ignore lint/suspicious/noExplicitAny: a schema is looked into at any depth
type Any = any;

const definition: Any = customResourceDefinition();
const schema: Any = definition.spec.versions[0].schema.openAPIV3Schema;

/** Every schema in it, with its path. */
function* schemas(node: Any, path: string): Generator<[string, Any]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) yield* schemas(child, `${path}.${name}`);
  if (node.items) yield* schemas(node.items, `${path}[]`);
}

describe('the CustomResourceDefinition', () => {
  const all = [...schemas(schema, '')];

  test('is that of CapDeployJob, namespaced, with a status of its own', () => {
    expect(definition.metadata.name).toBe('capdeployjobs.capdeployjob.dev');
    expect(definition.spec).toMatchObject({
      scope: 'Namespaced',
      names: { kind: 'CapDeployJob', plural: 'capdeployjobs', shortNames: ['cdj'] },
    });
    expect(definition.spec.versions[0]).toMatchObject({
      name: 'v1alpha1',
      served: true,
      storage: true,
      subresources: { status: {} },
    });
  });

  test('prints Ready, Waiting, Active, Last and Age', () => {
    expect(definition.spec.versions[0].additionalPrinterColumns.map(({ name }: Any) => name)).toEqual([
      'Ready',
      'Waiting',
      'Active',
      'Last',
      'Age',
    ]);
  });

  test('is structural: nothing in it that Kubernetes forbids or drops', () => {
    const forbidden = [
      'additionalProperties',
      '$schema',
      '$ref',
      'anyOf',
      'oneOf',
      'allOf',
      'not',
      'const',
      'exclusiveMinimum',
      'exclusiveMaximum',
      'propertyNames',
      'patternProperties',
    ];
    const found = all.flatMap(([path, node]) => forbidden.filter((key) => key in node).map((key) => `${path}: ${key}`));
    expect(found).toEqual([]);
  });

  test('gives each field a type', () => {
    expect(all.filter(([, node]) => typeof node.type !== 'string').map(([path]) => path)).toEqual([]);
  });

  test('describes every field, for kubectl explain', () => {
    const silent = all.filter(([path, node]) => !path.endsWith('[]') && path !== '.metadata' && !node.description);
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test('bounds every list and every string of status and spec, for CEL and for etcd', () => {
    const isUnbounded = (node: Any) =>
      node.type === 'array' ? !node.maxItems : node.type === 'string' && !node.maxLength && !node.enum;
    const found = all
      .filter(([path, node]) => /^\.(spec|status)/.test(path) && isUnbounded(node))
      .map(([path]) => path);
    expect(found).toEqual([]);
  });

  test('has no bound that only JavaScript knows', () => {
    expect(JSON.stringify(definition)).not.toContain(`${Number.MAX_SAFE_INTEGER}`);
  });

  test('requires of a spec only what has no default', () => {
    expect(schema.required).toEqual(['spec']);
    expect(schema.properties.spec.required.toSorted()).toEqual(['environments', 'queue', 'template']);
    expect(schema.properties.spec.properties.queue.required).toEqual(['url']);
    expect(schema.properties.spec.properties.sshKey.required).toEqual(['secretName']);
  });

  test('fills in the documented defaults', () => {
    const { properties } = schema.properties.spec;
    const defaults = Object.fromEntries(
      Object.entries<Any>(properties).flatMap(([key, node]) => ('default' in node ? [[key, node.default]] : [])),
    );
    expect(defaults).toEqual({
      tasks: ['deploy'],
      concurrencyPolicy: 'Queue',
      maxWaiting: 20,
      suspend: false,
      startingDeadlineSeconds: 3600,
      waitingDeadlineSeconds: 86_400,
      podStartDeadlineSeconds: 300,
      activeDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    expect(properties.queue.properties).toMatchObject({
      waitTimeSeconds: { default: 20 },
      visibilityTimeoutSeconds: { default: 60 },
    });
  });

  test('fills in nothing within lists: a merge replaces a list whole, and would find it changed each time it is applied', () => {
    expect(all.filter(([path, node]) => path.includes('[]') && 'default' in node)).toEqual([]);
    const { suspend, requireApproval, concurrencyPolicy, windows } =
      schema.properties.spec.properties.environments.items.properties;
    expect(suspend.description).toMatch(/ Default: false\.$/);
    expect(requireApproval.description).toMatch(/ Default: false\.$/);
    expect(windows.items.properties.timeZone.description).toMatch(/ Default: "?UTC"?\.$/);
    // Nothing said: the resource's own policy counts.
    expect(concurrencyPolicy.description).not.toMatch(/Default:/);
  });

  test('has no empty list of properties, which the API server would drop', () => {
    expect(all.filter(([, node]) => node.properties && Object.keys(node.properties).length === 0)).toEqual([]);
  });

  test('takes any Pod template as it is, and null for a ttl', () => {
    const { template, ttlSecondsAfterFinished } = schema.properties.spec.properties;
    expect(template).toMatchObject({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
    expect(ttlSecondsAfterFinished.nullable).toBe(true);
  });

  test('merges environments by name, and takes no two of one name', () => {
    expect(schema.properties.spec.properties.environments).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    });
  });
});

describe('the JSON Schema of a message', () => {
  // zod reads neither conditions nor lists of required keys: those are looked at here.
  const { allOf, ...rest }: Any = messageJsonSchema();
  // Where a validator asserts `format` it has a rule of its own for it; zod's knows no leap second.
  const properties = z.fromJSONSchema(
    JSON.parse(JSON.stringify(rest, (key, value) => (key === 'format' ? undefined : value))),
  );
  const hasOneOf = (body: Any, { anyOf }: Any) =>
    anyOf.some(({ required: [key], properties: { [key]: value } = {} as Any }: Any) =>
      value ? typeof body[key] === value.type : key in body,
    );
  const accepts = (body: Any): boolean =>
    properties.safeParse(body).success &&
    allOf.every((part: Any) =>
      part.if ? (body.task ?? 'deploy') !== 'deploy' || hasOneOf(body, part.then) : hasOneOf(body, part),
    );
  const good = { repository: 'livesense/web', environment: 'production', revision: 'v1.0.0' };

  test.each([
    ['the full example', good],
    ['the older names of the keys', { repo: 'web', env: 'production', hash: 'v1.0.0' }],
    ['keys that nobody knows', { ...good, more: { of: 'it' } }],
    [
      'all that may be said',
      {
        ...good,
        task: 'deploy',
        id: 'a-1',
        sentAt: '2026-03-10T12:00:00+09:00',
        notBefore: '2026-03-10T22:00:00+09:00',
        expiresAt: '2026-03-11T00:00:00Z',
        requestedBy: 'a',
        reason: 'b',
        source: 'c',
        slack: { channel: 'C1', threadTs: '1.2' },
      },
    ],
    ['a leap second, and letters of any case', { ...good, sentAt: '2016-12-31t23:59:60z' }],
    [
      'null in every field that may be left out',
      {
        ...good,
        ...Object.fromEntries(['hash', 'task', 'id', 'sentAt', 'notBefore', 'expiresAt'].map((key) => [key, null])),
        ...{ requestedBy: null, reason: null, source: null, slack: null },
      },
    ],
    ['null for a thread of Slack', { ...good, slack: { channel: 'C1', threadTs: null } }],
    [
      'a task that Rake names with a hyphen',
      { repository: 'web', environment: 'production', task: 'puma:phased-restart' },
    ],
    [
      'a task without a revision that needs none',
      { repository: 'web', environment: 'production', task: 'deploy:restart' },
    ],
  ])('accepts %s', (_, body) => {
    expect(accepts(body)).toBe(true);
  });

  test.each([
    ['a message without a repository', { environment: 'production', revision: 'v1' }],
    ['a deploy without a revision', { repository: 'web', environment: 'production' }],
    [
      'a deploy without a revision that names its task',
      { repository: 'web', environment: 'production', task: 'deploy' },
    ],
    ['a message without an environment', { repository: 'web', revision: 'v1' }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's
    ['a revision that is a command', { ...good, revision: 'main$(touch${IFS}/tmp/pwned)' }],
    ['a revision that is an option', { ...good, revision: '--output=/tmp/x' }],
    ['an environment that is a command', { ...good, environment: 'a;b' }],
    ['a task that is an option of rake', { ...good, task: '-e' }],
    ['a repository that is no word', { ...good, repository: 'a b' }],
    ['an id with a blank', { ...good, id: 'a b' }],
    ['a moment that is none', { ...good, sentAt: 'yesterday' }],
    ['a start at no moment', { ...good, notBefore: 'tonight' }],
    ['an end at no moment', { ...good, expiresAt: 1_800_000_000 }],
    ['a moment without an offset', { ...good, sentAt: '2026-03-10T12:00:00' }],
    ['a deploy whose revision is null', { ...good, revision: null }],
    ['a deploy by the task null whose revision is null', { ...good, task: null, revision: null }],
    ['a repository that is null', { ...good, repository: null }],
    ['a revision that is a number', { ...good, revision: 1 }],
    ['a list', [good]],
  ])('refuses %s', (_, body) => {
    expect(accepts(body)).toBe(false);
  });

  test('says by its format that a time is one of RFC 3339', () => {
    const formats = ['sentAt', 'notBefore', 'expiresAt'].map((key) => rest.properties[key].anyOf[0].format);
    expect(formats).toEqual(['date-time', 'date-time', 'date-time']);
  });

  test('asks for a revision if the task is deploy, named or not', () => {
    const [repository, environment, rule] = allOf;
    expect(repository.anyOf).toEqual([{ required: ['repository'] }, { required: ['repo'] }]);
    expect(environment.anyOf).toEqual([{ required: ['environment'] }, { required: ['env'] }]);
    expect(rule.if).toEqual({ not: { required: ['task'], properties: { task: { not: { enum: ['deploy', null] } } } } });
    expect(rule.then.anyOf).toEqual(
      ['revision', 'hash'].map((key) => ({ required: [key], properties: { [key]: { type: 'string' } } })),
    );
  });
});

describe('the files in crds/', () => {
  const read = (name: string) => readFileSync(new URL(`../../../crds/${name}`, import.meta.url), 'utf8');
  const rerun = 'run "npm run generate" and commit the result';

  test('hold the definition that the schemas make', () => {
    expect(parse(read('capdeployjobs.yaml')), rerun).toEqual(JSON.parse(JSON.stringify(definition)));
  });

  test('hold the message’s schema that the schemas make', () => {
    expect(JSON.parse(read('message.schema.json')), rerun).toEqual(JSON.parse(JSON.stringify(messageJsonSchema())));
  });

  test('name no alias of YAML, which some readers of definitions do not know', () => {
    expect(read('capdeployjobs.yaml')).not.toMatch(/: [&*]a\d/);
  });
});
