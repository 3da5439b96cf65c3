import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NOT_BACKED_UP } from '../../../src/api/names.ts';
import { describeEnvelope } from '../../../src/requests/envelopes.ts';
import { documents, text } from './yaml.ts';

/**
 * docs/other-tools.md says what the manifests and the program say. Its commands are run by
 * test/cluster/other-tools.test.ts.
 */
const PAGE = 'docs/other-tools.md';
const page = text(PAGE);

interface Requirement {
  key: string;
  operator: string;
  values: string[];
}

describe('the configuration of Kueue that it shows', () => {
  const blocks = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml]) => parse(yaml ?? ''));

  test('is a Configuration of which the selector alone is set', () => {
    expect(blocks).toEqual([
      {
        apiVersion: 'config.kueue.x-k8s.io/v1beta2',
        kind: 'Configuration',
        managedJobsNamespaceSelector: { matchExpressions: [expect.anything()] },
      },
    ]);
  });

  test('leaves the namespace of the example out, and what Kueue demands: kube-system and its own', () => {
    const [{ key, operator, values }] = blocks[0].managedJobsNamespaceSelector.matchExpressions as [Requirement];
    const [example] = documents(text('examples/capdeployjob.yaml')) as [{ metadata: { namespace: string } }];
    expect({ key, operator }).toEqual({ key: 'kubernetes.io/metadata.name', operator: 'NotIn' });
    expect(values).toEqual(['kube-system', 'kueue-system', example.metadata.namespace]);
  });
});

test('the label that keeps Velero away is the one that Jobs carry', () => {
  const [label = ''] = Object.entries(NOT_BACKED_UP).map(([key, value]) => `\`${key}: "${value}"\``);
  expect(page).toContain(label);
});

test('the operator that it stops and starts is the one that is installed', () => {
  const [{ metadata, spec }] = documents(text('deploy/deployment.yaml')) as [
    { metadata: { name: string; namespace: string }; spec: { replicas: number } },
  ];
  const scales = [...page.matchAll(/kubectl -n (\S+) scale deployment (\S+) --replicas=(\d+)/g)].map((found) =>
    found.slice(1),
  );
  expect(scales).toEqual(['0', String(spec.replicas)].map((replicas) => [metadata.namespace, metadata.name, replicas]));
});

test('the confirmations that it names are those that a rejection names', () => {
  const named = [...page.matchAll(/^\| SNS: (\w+) \|/gm)].map(([, type]) => type);
  expect(named).toHaveLength(2);
  for (const Type of named) expect(describeEnvelope({ Type, TopicArn: 'arn' })).toContain(`SNS's ${Type}: `);
});
