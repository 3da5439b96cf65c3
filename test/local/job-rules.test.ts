import { describe, expect, test } from 'vitest';
import { container, JOBS, job, merged, newStore, PODS, pod, refusal } from './builders.ts';

const strict = { fieldValidation: 'Strict' } as const;

describe('a Job is refused with 422', () => {
  test.each<[what: string, spec: object, podSpec: object, words: string]>([
    ['without containers', {}, { containers: [] }, 'spec.template.spec.containers: Required value'],
    [
      'with a container without an image',
      {},
      { containers: [container({ image: undefined })] },
      'spec.template.spec.containers[0].image: Required value',
    ],
    [
      'with a container without a name',
      {},
      { containers: [container({ name: '' })] },
      'spec.template.spec.containers[0].name: Required value',
    ],
    [
      'with a container whose name is no DNS label',
      {},
      { containers: [container({ name: 'A_b' })] },
      'spec.template.spec.containers[0].name: Invalid value: "A_b": a lowercase RFC 1123 label',
    ],
    [
      'with two containers of one name',
      {},
      { containers: [container(), container()] },
      'spec.template.spec.containers[1].name: Duplicate value: "deploy"',
    ],
    [
      'that restarts its Pods always',
      {},
      { restartPolicy: 'Always' },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [
      'without a restart policy, for that is Always',
      {},
      { restartPolicy: undefined },
      'spec.template.spec.restartPolicy: Required value',
    ],
    [
      'with an unknown restart policy',
      {},
      { restartPolicy: 'Sometimes' },
      'spec.template.spec.restartPolicy: Unsupported value: "Sometimes"',
    ],
    [
      'with a negative backoffLimit',
      { backoffLimit: -1 },
      {},
      'spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'with an unknown podReplacementPolicy',
      { podReplacementPolicy: 'x' },
      {},
      'spec.podReplacementPolicy: Unsupported value',
    ],
    [
      'with a mount of a volume that is not there',
      {},
      { containers: [container({ volumeMounts: [{ name: 'v', mountPath: '/x' }] })] },
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
    [
      'with a Secret volume without a Secret',
      {},
      { volumes: [{ name: 'v', secret: {} }] },
      'spec.template.spec.volumes[0].secret.secretName: Required value',
    ],
    [
      'with a mode above 0777',
      {},
      { volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 1000 } }] },
      'must be a number between 0 and 0777 (octal), both inclusive',
    ],
    [
      'with a variable that has a value and a source',
      {},
      {
        containers: [
          container({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
        ],
      },
      'may not be specified when `value` is not empty',
    ],
    [
      'with a quantity that is none',
      {},
      { containers: [container({ resources: { limits: { cpu: 'lots' } } })] },
      'quantities must match the regular expression',
    ],
  ])('%s', (_what, spec, podSpec, words) => {
    const { store } = newStore();
    const said = refusal(() =>
      store.create(JOBS, job('a', spec as never, podSpec as never), { ...strict, dryRun: true }),
    );
    expect(said).toMatch(/^422 Invalid: Job.batch "a" is invalid: /);
    expect(said).toContain(words);
  });

  test('with a template label that is no label value', () => {
    const { store } = newStore();
    const bad = merged(job('a') as never, { spec: { template: { metadata: { labels: { app: 'a b' } } } } });
    expect(refusal(() => store.create(JOBS, bad))).toContain('spec.template.labels: Invalid value: "a b"');
  });

  test('with a name of more than 63 characters, because its Pods carry it as a label', () => {
    const { store } = newStore();
    expect(refusal(() => store.create(JOBS, job('a'.repeat(64))))).toContain('must be no more than 63 bytes');
    expect(refusal(() => store.create(JOBS, job('a'.repeat(63))))).toBe('accepted');
  });
});

describe('a Job is refused with 400', () => {
  test.each<[what: string, spec: object, podSpec: object, words: string]>([
    ['with an unknown field', { parallellism: 1 }, {}, 'strict decoding error: unknown field "spec.parallellism"'],
    [
      'with an unknown field of a container',
      {},
      { containers: [container({ futureField: 1 })] },
      'unknown field "spec.template.spec.containers[0].futureField"',
    ],
    [
      'with text where a number is wanted',
      { backoffLimit: 'none' },
      {},
      'json: cannot unmarshal string into Go struct field Job.spec.backoffLimit of type int32',
    ],
    [
      'with an object where a list is wanted',
      {},
      { containers: {} },
      'json: cannot unmarshal object into Go struct field Job.spec.template.spec.containers of type slice',
    ],
    [
      'with a number where text is wanted',
      {},
      { containers: [container({ env: [{ name: 'A', value: 1 }] })] },
      'json: cannot unmarshal number into Go struct field Job.spec.template.spec.containers.env.value of type string',
    ],
  ])('%s, under strict field validation', (_what, spec, podSpec, words) => {
    const { store } = newStore();
    const said = refusal(() => store.create(JOBS, job('a', spec as never, podSpec as never), strict));
    expect(said).toMatch(/^400 BadRequest: Job in version "v1" cannot be handled as a Job: /);
    expect(said).toContain(words);
  });
});

describe('a new Job', () => {
  test('gets a selector and Pod labels that follow from its uid, and the defaults', () => {
    const { store } = newStore();
    const stored = store.create(JOBS, job('a', { backoffLimit: undefined, podReplacementPolicy: undefined }));
    const { uid } = stored.metadata;
    expect(stored.spec).toMatchObject({
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      suspend: false,
      completionMode: 'NonIndexed',
      podReplacementPolicy: 'TerminatingOrFailed',
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } },
      template: {
        metadata: {
          labels: {
            app: 'web',
            'batch.kubernetes.io/controller-uid': uid,
            'batch.kubernetes.io/job-name': 'a',
            'controller-uid': uid,
            'job-name': 'a',
          },
        },
        spec: {
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          containers: [{ terminationMessagePath: '/dev/termination-log', imagePullPolicy: 'IfNotPresent' }],
        },
      },
    });
  });

  test.each([
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['host:5000/app', 'Always'],
    ['app:1', 'IfNotPresent'],
    ['app@sha256:0', 'IfNotPresent'],
  ])('pulls the image %s %s', (image, policy) => {
    const { store } = newStore();
    const stored = store.create(PODS, pod('a', { containers: [container({ image })] }));
    expect(stored.spec).toMatchObject({ containers: [{ imagePullPolicy: policy }] });
  });
});

describe('the template of a Job', () => {
  const change = (spec: object) => {
    const { store } = newStore();
    const stored = store.create(JOBS, job('a', { suspend: true }));
    return (status?: object) => {
      const now = status === undefined ? stored : store.update(JOBS, { ...stored, status }, { subresource: 'status' });
      return refusal(() => store.update(JOBS, merged(now, { spec })));
    };
  };

  test.each<[what: string, spec: object, result: RegExp]>([
    [
      'is immutable',
      { template: { spec: { containers: [container({ image: 'other:1' })] } } },
      /spec\.template: Invalid value: .*: field is immutable$/,
    ],
    [
      'may change where Pods go while the Job is suspended and has not started',
      { template: { spec: { nodeSelector: { disk: 'ssd' } } } },
      /^accepted$/,
    ],
    ['leaves suspend and deadlines free to change', { suspend: false, activeDeadlineSeconds: 5 }, /^accepted$/],
  ])('%s', (_what, spec, result) => {
    expect(change(spec)()).toMatch(result);
  });

  test('may not change where Pods go once the Job has started', () => {
    const spec = { template: { spec: { nodeSelector: { disk: 'ssd' } } } };
    expect(change(spec)({ startTime: '2030-01-01T00:00:00Z' })).toContain('field is immutable');
  });

  test('stands beside a selector and completions that are immutable too', () => {
    expect(change({ completions: 2 })()).toContain('spec.completions: Invalid value: 2: field is immutable');
    expect(change({ selector: { matchLabels: { a: 'b' } } })()).toContain('spec.selector: Invalid value');
  });
});

test('the spec of a Pod does not change, but for its image and its deadlines', () => {
  const { store } = newStore();
  const stored = store.create(PODS, pod('a'));
  const env = { spec: { containers: [container({ env: [{ name: 'A', value: 'b' }] })] } };
  expect(refusal(() => store.update(PODS, merged(stored, env)))).toContain(
    'pod updates may not change fields other than',
  );
  const deadline = merged(stored, { spec: { activeDeadlineSeconds: 5 } });
  expect(refusal(() => store.update(PODS, deadline))).toBe('accepted');
});
