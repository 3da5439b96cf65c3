import { describe, expect, test } from 'vitest';
import { ANNOTATION, GROUP, LABEL, MANAGED_BY, VERSION } from '../../../src/api/names.ts';
import { documents, installedFiles, type Json, text, yamlFiles } from './yaml.ts';

/**
 * The component deploy/admission, read as YAML: that it fits to the rest of the manifests and to the names in the
 * program. What its rules let through is tested against a real API server (test/cluster/admission*.test.ts), where
 * kubectl builds it, too.
 */
const FOLDER = 'deploy/admission';

interface Replacement {
  source: { kind: string; name: string; fieldPath: string };
  targets: {
    select: { kind: string; name: string };
    fieldPaths: string[];
    options: { delimiter: string; index: number };
  }[];
}
const component = documents(text(`${FOLDER}/kustomization.yaml`))[0] as {
  apiVersion: string;
  kind: string;
  resources: string[];
  replacements: Replacement[];
};
const objects = component.resources.flatMap((file) => documents(text(`${FOLDER}/${file}`)));

interface Policy {
  metadata: { name: string };
  spec: {
    failurePolicy: string;
    matchConstraints: {
      objectSelector?: { matchLabels: Record<string, string> };
      resourceRules: { apiGroups: string[]; apiVersions: string[]; operations: string[]; resources: string[] }[];
    };
    matchConditions?: { name: string; expression: string }[];
    variables: { name: string; expression: string }[];
    validations: { expression: string; reason: string; message?: string; messageExpression?: string }[];
  };
}
const ofKind = <T>(kind: string): T[] => objects.filter((object) => object.kind === kind) as T[];
const policies = ofKind<Policy>('ValidatingAdmissionPolicy');
const policy = (name: string): Policy['spec'] => {
  const found = policies.find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`there is no policy ${name}`);
  return found.spec;
};
const installed = installedFiles();
const account = documents(text('deploy/service-account.yaml'))[0] as { metadata: { name: string; namespace: string } };

test('the component lists every file of its folder, and the main kustomization none of them', () => {
  expect(component).toMatchObject({ apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' });
  const files = yamlFiles(FOLDER).filter((file) => file !== `${FOLDER}/kustomization.yaml`);
  expect(component.resources.map((file) => `${FOLDER}/${file}`).sort()).toEqual(files.sort());
  expect(installed.filter((file) => file.startsWith(FOLDER))).toEqual([]);
});

test('everything in it is of the whole cluster, and says what it belongs to', () => {
  const kinds = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'ClusterRole'];
  for (const { kind, metadata } of objects as { kind: string; metadata: Json }[]) {
    expect(kinds).toContain(kind);
    expect(metadata).not.toHaveProperty('namespace');
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'capdeployjob' });
  }
});

test('no name in it is taken by the main installation', () => {
  const names = (all: Json[]) => all.map(({ kind, metadata }) => `${kind}/${(metadata as { name: string }).name}`);
  const taken = new Set(names(installed.flatMap((file) => documents(text(file)))));
  expect(names(objects).filter((name) => taken.has(name))).toEqual([]);
  expect(new Set(names(objects)).size).toBe(objects.length);
});

test('each policy is bound, denies, and lets nothing through that it cannot judge', () => {
  const bindings = ofKind<{ spec: { policyName: string } }>('ValidatingAdmissionPolicyBinding');
  expect(bindings.map(({ spec }) => spec.policyName).sort()).toEqual(
    policies.map(({ metadata }) => metadata.name).sort(),
  );
  for (const { spec } of bindings) expect(spec).toMatchObject({ validationActions: ['Deny'] });
  expect(policies).toHaveLength(6);
  for (const { spec } of policies) expect(spec.failurePolicy).toBe('Fail');
});

test('each refusal has words, and is a 403', () => {
  for (const { message, messageExpression, reason } of policies.flatMap(({ spec }) => spec.validations)) {
    expect(message ?? messageExpression).toMatch(/\w/);
    expect(reason).toBe('Forbidden');
  }
});

describe('the name of the operator', () => {
  const KNOW_IT = ['capdeployjob-jobs', 'capdeployjob-aborts'];
  const [expression = '', other] = KNOW_IT.map(
    (name) => policy(name).variables.find((variable) => variable.name === 'operator')?.expression,
  );

  test('is that of the ServiceAccount in deploy/, also for who reads the files without kustomize', () => {
    const { name, namespace } = account.metadata;
    expect(expression.replaceAll(/' \+ '/g, '')).toBe(`'system:serviceaccount:${namespace}:${name}'`);
    expect(other).toBe(expression);
  });

  test('is replaced part by part from that ServiceAccount, in each policy that knows it', () => {
    const parts = expression.split("'");
    for (const { source, targets } of component.replacements) {
      expect(source).toMatchObject({ kind: 'ServiceAccount', name: account.metadata.name });
      expect(targets.map(({ select }) => select)).toEqual(
        KNOW_IT.map((name) => ({ kind: 'ValidatingAdmissionPolicy', name })),
      );
      for (const { fieldPaths, options } of targets) {
        expect(fieldPaths).toEqual(['spec.variables.[name=operator].expression']);
        expect(options.delimiter).toBe("'");
        const field = source.fieldPath.replace('metadata.', '') as 'name' | 'namespace';
        expect(parts[options.index]).toBe(account.metadata[field]);
      }
    }
    expect(component.replacements.map(({ source }) => source.fieldPath).sort()).toEqual([
      'metadata.name',
      'metadata.namespace',
    ]);
    const mentions = objects.filter((object) => JSON.stringify(object).includes(account.metadata.namespace));
    expect(mentions).toHaveLength(KNOW_IT.length);
  });
});

describe('the rules know what the program knows', () => {
  test('Jobs are chosen by the label by which the operator finds them', () => {
    const { objectSelector, resourceRules } = policy('capdeployjob-jobs').matchConstraints;
    expect(objectSelector).toEqual({ matchLabels: { [LABEL.managedBy]: MANAGED_BY } });
    expect(resourceRules).toEqual([
      {
        apiGroups: ['batch'],
        apiVersions: ['v1'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['jobs', 'jobs/status'],
      },
    ]);
    expect(policy('capdeployjob-aborts').matchConstraints).toMatchObject({
      objectSelector,
      resourceRules: [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['DELETE'], resources: ['jobs'] }],
    });
  });

  test('the chat bot is judged on every Job, and nobody else on any', () => {
    const { matchConstraints, matchConditions } = policy('capdeployjob-chat-bot');
    expect(matchConstraints).toEqual({
      resourceRules: [
        {
          apiGroups: ['batch'],
          apiVersions: ['v1'],
          operations: ['UPDATE', 'DELETE'],
          resources: ['jobs', 'jobs/status'],
        },
      ],
    });
    const chatBot = policy('capdeployjob-jobs').variables.find(({ name }) => name === 'chatBot')?.expression;
    expect(matchConditions).toEqual([
      { name: 'is-the-chat-bot', expression: `request.userInfo.username == ${chatBot}` },
    ]);
  });

  test('Pods are chosen by the same label', () => {
    const { objectSelector, resourceRules } = policy('capdeployjob-pods').matchConstraints;
    expect(objectSelector).toEqual({ matchLabels: { [LABEL.managedBy]: MANAGED_BY } });
    expect(resourceRules).toEqual([
      { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods', 'pods/status'] },
    ]);
  });

  test('the Job controller is the same in every policy that knows it', () => {
    const expressions = policies.flatMap(({ spec }) =>
      (spec.variables ?? []).filter(({ name }) => name === 'isJobController').map(({ expression }) => expression),
    );
    expect(expressions).toHaveLength(2);
    expect(new Set(expressions).size).toBe(1);
  });

  test('the other policies are about CapDeployJobs', () => {
    for (const name of ['capdeployjob-freeze', 'capdeployjob-deletion']) {
      const { objectSelector, resourceRules } = policy(name).matchConstraints;
      expect(objectSelector).toBeUndefined();
      expect(resourceRules).toMatchObject([
        { apiGroups: [GROUP], apiVersions: [VERSION], resources: ['capdeployjobs'] },
      ]);
    }
  });

  test('every name of ours in a rule is one that the program writes or reads', () => {
    const known = new Set<string>([
      ...Object.values(ANNOTATION),
      ...Object.values(LABEL),
      `${GROUP}/allow-delete`,
      `freeze.${GROUP}/`,
      // What all of them begin with.
      `${GROUP}/`,
    ]);
    const rules = policies.flatMap(({ spec }) =>
      [...spec.variables, ...spec.validations, ...(spec.matchConditions ?? [])].map(({ expression }) => expression),
    );
    const names = rules.flatMap((rule) =>
      [...rule.matchAll(/'((?:freeze\.)?capdeployjob\.dev\/[^']*)'/g)].map(([, name]) => name),
    );
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !known.has(name ?? ''))).toEqual([]);
    expect(names).toContain(ANNOTATION.approvedBy);
    expect(names).toContain(ANNOTATION.abortedBy);
    expect(names).toContain(ANNOTATION.startedAt);
  });
});

describe('the roles', () => {
  const rights = (name: string): string[] => {
    const role = ofKind<{ metadata: { name: string }; rules: Record<string, string[]>[] }>('ClusterRole').find(
      ({ metadata }) => metadata.name === name,
    );
    return (role?.rules ?? []).flatMap(({ resources = [], verbs = [] }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
    );
  };
  const looks = /^(get|list|watch) (capdeployjobs|jobs|pods|pods\/log|events)$/;

  test.each([
    ['capdeployjob-viewer', []],
    // Never update: that is how the policies tell them from those who may edit.
    ['capdeployjob-deployer', ['delete jobs', 'patch capdeployjobs', 'patch jobs']],
    ['capdeployjob-approver', ['approve capdeployjobs', 'patch jobs']],
  ])('%s looks, and beyond that may %j', (name, more) => {
    expect(rights(name).filter((right) => looks.test(right)).length).toBeGreaterThan(0);
    expect(
      rights(name)
        .filter((right) => !looks.test(right))
        .sort(),
    ).toEqual(more);
  });
});
