import { describe, expect, test } from 'vitest';
import { parseSpec, statusSchema } from '../../../src/api/capdeployjob.ts';
import { deployMessageSchema } from '../../../src/api/deploy-request.ts';
import { API_VERSION, KIND } from '../../../src/api/names.ts';
import { blocks, shown } from './shown.ts';
import { documents, type Json, text } from './yaml.ts';

const examples = shown();
const resources = examples.flatMap(({ where, resource }) => (resource ? [[where, resource] as const] : []));

describe('every CapDeployJob that we show is one that the operator takes', () => {
  test('README, examples and docs show some', () => {
    const files = ['README.md', 'examples/capdeployjob.yaml', 'examples/capdeployjob-full.yaml'];
    expect(resources.map(([file]) => file)).toEqual(expect.arrayContaining(files));
    expect(examples.map(({ where }) => where)).toContain('docs/capistrano.md 1');
  });

  test.each(resources)('%s', (_, resource) => {
    expect(resource).toMatchObject({ apiVersion: API_VERSION, kind: KIND, metadata: { namespace: 'deploy' } });
    const parsed = parseSpec(resource.spec);
    expect(parsed).not.toHaveProperty('problem');
    // zod takes away what it does not know: a field that was misspelt, or that is not there yet, is missing afterwards.
    const { spec } = parsed as { spec: Json };
    expect(spec).toMatchObject(resource.spec as Json);
  });

  test.each(resources)('%s, in a namespace of Pod Security "restricted"', (_, { spec }) => {
    const { securityContext, containers } = (spec as { template: { spec: Json & { containers: Json[] } } }).template
      .spec;
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const container of containers) {
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('the full example names every field of the spec', () => {
    const [full] = documents(text('examples/capdeployjob-full.yaml')) as [{ spec: Json }];
    const crd = documents(text('crds/capdeployjobs.yaml'))[0] as {
      spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Json } } } } }[] };
    };
    const known = crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec.properties ?? {};
    expect(Object.keys(full.spec).sort()).toEqual(Object.keys(known).sort());
  });
});

test.each(['README.md', 'docs/messages.md'])('every message in %s is one that the operator takes', (file) => {
  const messages = blocks(text(file), 'json');
  expect(messages.length).toBeGreaterThan(0);
  for (const message of messages) {
    expect(deployMessageSchema.safeParse(JSON.parse(message)).error?.issues ?? []).toEqual([]);
  }
});

test('the status in docs/status.md has the shape of a real one', () => {
  const shownStatus = blocks(text('docs/status.md'), 'yaml')
    .flatMap(documents)
    .find((document) => 'status' in document);
  expect(statusSchema.parse(shownStatus?.status)).toEqual(shownStatus?.status);
});

test('ARCHITECTURE.md gives a reason for every runtime dependency', () => {
  const { dependencies } = JSON.parse(text('package.json')) as { dependencies: Json };
  const [, table = ''] = text('ARCHITECTURE.md').split('## What it is made of');
  for (const name of Object.keys(dependencies)) expect(table).toMatch(new RegExp(`^\\|.*\`${name}\`.*\\|$`, 'm'));
});

test('the README stays short enough to be read', () => {
  expect(text('README.md').split(/\s+/).length).toBeLessThanOrEqual(1_200);
});
