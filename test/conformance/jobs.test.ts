/** Jobs as the API server stores and judges them; what the Job controller does of them is in job-life.test.ts. */

import { describe, expect, test } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { JSON_PATCH, type Json, STRATEGIC } from './api.ts';
import { container, job, NO_SCHEDULER } from './objects.ts';
import { causes, OTHER_UID, said, stable, suite, valueProblem } from './suite.ts';

const it = suite();
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe('a new Job', () => {
  test('gets defaults, a selector and labels that follow from its uid, and an empty status', async () => {
    const { status, body } = await it.api.post(`${it.jobs}?dryRun=All`, {
      ...job('a', { backoffLimit: undefined, podReplacementPolicy: undefined, suspend: undefined }),
      status: { succeeded: 5 },
    });
    expect(status).toBe(201);
    const generated = {
      'batch.kubernetes.io/controller-uid': '<uid>',
      'batch.kubernetes.io/job-name': 'a',
      'controller-uid': '<uid>',
      'job-name': 'a',
    };
    expect(stable(body, 'name', 'generation', 'labels')).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      // A Job without labels takes those of its Pods.
      metadata: { name: 'a', generation: 1, labels: { app: 'web', ...generated } },
      spec: {
        parallelism: 1,
        completions: 1,
        backoffLimit: 6,
        manualSelector: false,
        suspend: false,
        completionMode: 'NonIndexed',
        podReplacementPolicy: 'TerminatingOrFailed',
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': '<uid>' } },
        template: {
          metadata: { labels: { app: 'web', ...generated } },
          spec: {
            containers: [
              {
                name: 'deploy',
                image: 'app:1',
                imagePullPolicy: 'IfNotPresent',
                resources: {},
                terminationMessagePath: '/dev/termination-log',
                terminationMessagePolicy: 'File',
              },
            ],
            restartPolicy: 'Never',
            dnsPolicy: 'ClusterFirst',
            schedulerName: NO_SCHEDULER,
            securityContext: {},
            terminationGracePeriodSeconds: 30,
          },
        },
      },
      status: {},
    });
  });

  test('keeps labels of its own', async () => {
    const { body } = await it.api.post(`${it.jobs}?dryRun=All`, job('a', {}, {}, { labels: { mine: '1' } }));
    expect(body.metadata.labels).toEqual({ mine: '1' });
  });

  test.each([
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['host:5000/app', 'Always'],
    ['app:1', 'IfNotPresent'],
    ['app@sha256:0000000000000000000000000000000000000000000000000000000000000000', 'IfNotPresent'],
  ])('pulls the image %s %s', async (image, policy) => {
    const { body } = await it.api.post(`${it.jobs}?dryRun=All`, job('a', {}, { containers: [container({ image })] }));
    expect(body.spec.template.spec.containers[0].imagePullPolicy).toBe(policy);
  });

  test('has the parts of its Pod filled in: variables, probes, quantities, volumes, init containers', async () => {
    const env = [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'C', value: '' },
    ];
    const readinessProbe = { httpGet: { port: 80 } };
    const volumes = [
      { name: 'empty' },
      { name: 'key', secret: { secretName: 's' } },
      { name: 'info', downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name' } }] } },
    ];
    const parts = {
      env,
      readinessProbe,
      resources: { limits: { cpu: 1, memory: '1Gi' } },
      ports: [{ containerPort: 80 }],
    };
    const podSpec = {
      volumes,
      containers: [container(parts)],
      initContainers: [container({ name: 'init' })],
      serviceAccountName: 'sa',
    };
    const { body } = await it.api.post(`${it.jobs}?dryRun=All`, job('a', {}, podSpec));
    const { spec } = body.spec.template;
    expect(spec.containers[0]).toMatchObject({
      resources: { limits: { cpu: '1', memory: '1Gi' } },
      ports: [{ containerPort: 80, protocol: 'TCP' }],
      readinessProbe: {
        httpGet: { port: 80, path: '/', scheme: 'HTTP' },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
    });
    expect(spec.containers[0].env).toEqual([
      { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
      { name: 'C' },
    ]);
    expect(spec.volumes).toEqual([
      { name: 'empty', emptyDir: {} },
      { name: 'key', secret: { secretName: 's', defaultMode: 420 } },
      {
        name: 'info',
        downwardAPI: {
          items: [{ path: 'x', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }],
          defaultMode: 420,
        },
      },
    ]);
    expect(spec).toMatchObject({ serviceAccountName: 'sa', serviceAccount: 'sa' });
    expect(spec.initContainers[0]).toMatchObject({ terminationMessagePolicy: 'File' });
  });
});

describe('a Job is refused with 422', () => {
  const at = 'spec.template.spec';
  const c = `${at}.containers[0]`;
  const containers = (...all: object[]) => ({ containers: all });
  const secret = (more: object) => ({ volumes: [{ name: 'v', secret: { secretName: 's', ...more } }] });
  test.each<[what: string, spec: object, podSpec: object, complaints: string[]]>([
    ['without containers', {}, { containers: [] }, [`${at}.containers: Required value`]],
    [
      'with a container without an image',
      {},
      containers(container({ image: undefined })),
      [`${c}.image: Required value`],
    ],
    ['with a container without a name', {}, containers(container({ name: '' })), [`${c}.name: Required value`]],
    [
      'with a name that is no label',
      {},
      containers(container({ name: 'A_b' })),
      [`${c}.name: Invalid value: "A_b": ${label}`],
    ],
    [
      'with two containers of one name',
      {},
      containers(container(), container()),
      [`${at}.containers[1].name: Duplicate value: "deploy"`],
    ],
    [
      'with an init container of the same name',
      {},
      { initContainers: [container()] },
      [`${at}.initContainers[0].name: Duplicate value: "deploy"`],
    ],
    [
      'that restarts its Pods always, as is the default',
      {},
      { restartPolicy: undefined },
      [`${at}.restartPolicy: Required value: valid values: "OnFailure", "Never"`],
    ],
    [
      'with an unknown restart policy',
      {},
      { restartPolicy: 'Sometimes' },
      [
        `${at}.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"`,
        `${at}.restartPolicy: Unsupported value: "Sometimes": supported values: "OnFailure", "Never"`,
      ],
    ],
    [
      'with negative numbers',
      { parallelism: -1, completions: -1, activeDeadlineSeconds: -1, backoffLimit: -1, ttlSecondsAfterFinished: -1 },
      {},
      ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'].map(
        (name) => `spec.${name}: Invalid value: -1: must be greater than or equal to 0`,
      ),
    ],
    [
      'with an unknown podReplacementPolicy',
      { podReplacementPolicy: 'x' },
      {},
      ['spec.podReplacementPolicy: Unsupported value: "x": supported values: "Failed", "TerminatingOrFailed"'],
    ],
    [
      'with an unknown completionMode',
      { completionMode: 'x' },
      {},
      ['spec.completionMode: Unsupported value: "x": supported values: "NonIndexed", "Indexed"'],
    ],
    [
      'with limits for indexes that it does not have',
      { backoffLimitPerIndex: 1, maxFailedIndexes: 1 },
      {},
      ['backoffLimitPerIndex', 'maxFailedIndexes'].map(
        (name) => `spec.${name}: Invalid value: 1: requires indexed completion mode`,
      ),
    ],
    [
      'with mounts of a volume that is not there',
      {},
      containers(
        container({
          volumeMounts: [
            { name: 'v', mountPath: '/x' },
            { name: 'v', mountPath: '/x' },
          ],
        }),
      ),
      [
        `${c}.volumeMounts[0].name: Not found: "v"`,
        `${c}.volumeMounts[1].name: Not found: "v"`,
        `${c}.volumeMounts[1].mountPath: Invalid value: "/x": must be unique`,
      ],
    ],
    [
      'with a Secret volume without a Secret',
      {},
      { volumes: [{ name: 'v', secret: {} }] },
      [`${at}.volumes[0].secret.secretName: Required value`],
    ],
    [
      'with a volume of two kinds',
      {},
      { volumes: [{ name: 'v', secret: { secretName: 's' }, emptyDir: {} }] },
      [`${at}.volumes[0].secret: Forbidden: may not specify more than 1 volume type`],
    ],
    [
      'with two volumes of one name',
      {},
      { volumes: [{ name: 'v' }, { name: 'v' }] },
      [`${at}.volumes[1].name: Duplicate value: "v"`],
    ],
    [
      'with a mode above 0777',
      {},
      secret({ defaultMode: 1000 }),
      [
        `${at}.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive`,
      ],
    ],
    [
      'with keys that have no place',
      {},
      secret({
        items: [
          { key: '', path: '' },
          { key: 'k', path: '/abs' },
          { key: 'k', path: 'a/../b' },
        ],
      }),
      [
        `${at}.volumes[0].secret.items[0].key: Required value`,
        `${at}.volumes[0].secret.items[0].path: Required value`,
        `${at}.volumes[0].secret.items[1].path: Invalid value: "/abs": must be a relative path`,
        `${at}.volumes[0].secret.items[2].path: Invalid value: "a/../b": must not contain '..'`,
      ],
    ],
    [
      'with variables that have two values, or none',
      {},
      containers(
        container({
          env: [
            { name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'B', valueFrom: {} },
            { name: 'C', valueFrom: { fieldRef: { fieldPath: 'spec.nosuch' } } },
            { name: 'E=' },
            { name: '' },
          ],
        }),
      ),
      [
        `${c}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
        `${c}.env[1].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\`, \`secretKeyRef\` or \`fileKeyRef\``,
        `${c}.env[2].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nosuch": error converting fieldPath: field label not supported: spec.nosuch`,
        `${c}.env[3].name: Invalid value: "E=": a valid environment variable name must consist only of printable ASCII characters other than '='`,
        `${c}.env[4].name: Required value`,
      ],
    ],
    [
      'with policies that nobody knows',
      {},
      containers(container({ imagePullPolicy: 'x', terminationMessagePolicy: 'y' })),
      [
        `${c}.terminationMessagePolicy: Unsupported value: "y": supported values: "File", "FallbackToLogsOnError"`,
        `${c}.imagePullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"`,
      ],
    ],
    [
      'with ports that are none',
      {},
      containers(container({ ports: [{ containerPort: 0 }, { containerPort: 70_000, protocol: 'X' }] })),
      [
        `${c}.ports[0].containerPort: Required value`,
        `${c}.ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
        `${c}.ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"`,
      ],
    ],
    [
      'with a probe of nothing',
      {},
      containers(container({ livenessProbe: {} })),
      [`${c}.livenessProbe: Required value: must specify a handler type`],
    ],
  ])('%s', async (_what, spec, podSpec, complaints) => {
    const answer = await it.api.post(`${it.jobs}?dryRun=All`, job('a', spec, podSpec));
    expect(causes(answer)).toEqual(complaints);
    expect(said(answer)).toMatch(/^422 Invalid: Job\.batch "a" is invalid: /);
    expect(answer.body.details).toMatchObject({ name: 'a', group: 'batch', kind: 'Job' });
  });

  test('with labels of its Pods that are none, or a name that is too long to be one', async () => {
    const template = { metadata: { labels: { app: 'a b' } }, spec: job('a').spec.template.spec };
    expect(causes(await it.api.post(it.jobs, job('a', { template })))).toEqual([
      `metadata.labels: Invalid value: "a b": ${valueProblem}`,
      `spec.template.labels: Invalid value: "a b": ${valueProblem}`,
    ]);
    const long = await it.api.post(it.jobs, job('a'.repeat(64)));
    expect(new Set(causes(long))).toEqual(
      new Set(
        ['metadata.labels', 'spec.template.labels'].map(
          (field) => `${field}: Invalid value: "${'a'.repeat(64)}": must be no more than 63 bytes`,
        ),
      ),
    );
    expect((await it.api.post(`${it.jobs}?dryRun=All`, job('a'.repeat(63)))).status).toBe(201);
  });

  test('with a selector of its own, unless it asks for that', async () => {
    const selector = { matchLabels: { app: 'web' } };
    const refused = await it.api.post(`${it.jobs}?dryRun=All`, job('a', { selector }));
    expect(causes(refused)[0]).toMatch(/^spec\.selector: Invalid value: \{.*\}: `selector` not auto-generated$/);
    expect((await it.api.post(`${it.jobs}?dryRun=All`, job('a', { selector, manualSelector: true }))).status).toBe(201);
    expect(causes(await it.api.post(`${it.jobs}?dryRun=All`, job('a', { manualSelector: true })))).toEqual([
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
    ]);
  });
});

describe('a Job that is there', () => {
  const pod = (more: object) => ({ spec: { template: { spec: more } } });
  /**
   * [what, patch, the first complaint's field while the Job is suspended and has not started, the same while it runs]
   */
  const changes: [what: string, patch: object, suspended: string, running: string][] = [
    ['its image', pod({ containers: [container({ image: 'other:1' })] }), 'spec.template.spec', 'spec.template'],
    ['its arguments', pod({ containers: [container({ args: ['x'] })] }), 'spec.template.spec', 'spec.template'],
    ['its service account', pod({ serviceAccountName: 'x' }), 'spec.template.spec', 'spec.template'],
    ['its grace period', pod({ terminationGracePeriodSeconds: 3 }), 'spec.template.spec', 'spec.template'],
    ['where its Pods go', pod({ nodeSelector: { disk: 'ssd' } }), '', 'spec.template'],
    ['what its Pods tolerate', pod({ tolerations: [{ key: 'x', operator: 'Exists' }] }), '', 'spec.template'],
    [
      'what its containers may use',
      pod({ containers: [container({ resources: { limits: { cpu: '1' } } })] }),
      '',
      'spec.template',
    ],
    ['labels of its Pods', { spec: { template: { metadata: { labels: { more: 'x' } } } } }, '', 'spec.template'],
    [
      'annotations of its Pods',
      { spec: { template: { metadata: { annotations: { more: 'x' } } } } },
      '',
      'spec.template',
    ],
    [
      'labels of its Pods that follow from its uid',
      { spec: { template: { metadata: { labels: { 'controller-uid': 'x' } } } } },
      'spec.template.metadata.labels[controller-uid]',
      'spec.template.metadata.labels[controller-uid]',
    ],
    ['completions', { spec: { completions: 2 } }, 'spec.completions', 'spec.completions'],
    ['completionMode', { spec: { completionMode: 'Indexed' } }, 'spec.completionMode', 'spec.completionMode'],
    ['managedBy', { spec: { managedBy: 'x.y/z' } }, 'spec.managedBy', 'spec.managedBy'],
    ['its selector', { spec: { selector: { matchLabels: { a: 'b' } } } }, 'spec.selector', 'spec.selector'],
    ['parallelism', { spec: { parallelism: 2 } }, '', ''],
    ['backoffLimit', { spec: { backoffLimit: 3 } }, '', ''],
    ['its deadline', { spec: { activeDeadlineSeconds: 5 } }, '', ''],
    ['its time to live', { spec: { ttlSecondsAfterFinished: 5 } }, '', ''],
    ['podReplacementPolicy', { spec: { podReplacementPolicy: 'TerminatingOrFailed' } }, '', ''],
    ['whether it is suspended', { spec: { suspend: null } }, '', ''],
  ];

  /** OLDER_MINORS in differences.ts. */
  const onceSuspended = (field: string, what: string) =>
    field === 'spec.template.spec' || what === 'what its containers may use' ? 'spec.template' : field;

  test('may change some of itself while it waits, less while it runs, and the same again when it is suspended again', async () => {
    const path = `${it.jobs}/changes`;
    await it.api.post(it.jobs, job('changes'));
    const isSuspended = async () =>
      (await it.api.get(path)).body.status.conditions.find(({ type }: Json) => type === 'Suspended').status === 'True';
    const suspend = async (to: boolean) => {
      await it.api.patch(path, { spec: { suspend: to } });
      await eventually(`a Job that is ${to ? 'suspended' : 'running'}`, async () => (await isSuspended()) === to);
    };
    const judge = async (which: 'suspended' | 'running') => {
      for (const [what, change, suspended, running] of changes) {
        const answer = await it.api.patch(`${path}?dryRun=All`, change);
        const field = answer.status === 200 ? '' : answer.body.details.causes[0].field;
        const expected = which === 'running' ? running : it.minor < 36 ? onceSuspended(suspended, what) : suspended;
        expect([what, field]).toEqual([what, expected]);
        if (field === 'spec.template' || field === 'spec.template.spec')
          expect(said(answer)).toMatch(/: field is immutable$/);
      }
    };
    await eventually('the condition Suspended', async () => (await it.api.get(path)).body.status.conditions);
    await judge('suspended');
    await suspend(false);
    await judge('running');
    await suspend(true);
    await judge(it.minor < 36 ? 'running' : 'suspended');
  });

  test('is changed under its uid and resourceVersion, or not at all', async () => {
    const { metadata } = (await it.api.post(it.jobs, job('pre'))).body;
    const path = `${it.jobs}/pre`;
    await eventually('the condition Suspended', async () => (await it.api.get(path)).body.status.conditions);
    const modified =
      '409 Conflict: Operation cannot be fulfilled on jobs.batch "pre": the object has been modified; please apply your changes to the latest version and try again';
    const stale = { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
    // The Job controller wrote in between.
    expect(said(await it.api.patch(path, { metadata: stale, spec: { suspend: false } }))).toBe(modified);
    expect(said(await it.api.patch(path, { metadata: { uid: OTHER_UID, resourceVersion: '1' } }))).toBe(modified);
    for (const media of [undefined, STRATEGIC]) {
      const wrong = await it.api.patch(path, { metadata: { uid: OTHER_UID } }, media);
      expect(wrong.status).toBe(422);
      expect(causes(wrong)[0]).toBe(`metadata.uid: Invalid value: "${OTHER_UID}": field is immutable`);
      expect(causes(wrong)).toHaveLength(5);
    }
    const { body } = await it.api.get(path);
    expect(said(await it.api.put(path, { ...body, metadata: { ...body.metadata, uid: OTHER_UID } }))).toBe(
      `409 Conflict: Operation cannot be fulfilled on jobs.batch "pre": StorageError: invalid object, Code: 4, Key: /registry/jobs/${it.ns}/pre, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${OTHER_UID}, UID in object meta: ${metadata.uid}`,
    );
    expect((await it.api.put(path, body)).body.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
    const blind = { ...body, metadata: { name: 'pre', labels: body.metadata.labels } };
    expect((await it.api.put(`${path}?dryRun=All`, blind)).status).toBe(200);
  });

  test('takes patches of three kinds', async () => {
    await it.api.post(it.jobs, job('media'));
    const path = `${it.jobs}/media?dryRun=All`;
    const json = [{ op: 'replace', path: '/spec/suspend', value: false }];
    const merge = { spec: { suspend: false } };
    for (const answer of [
      await it.api.patch(path, json, JSON_PATCH),
      await it.api.patch(path, merge),
      await it.api.patch(path, merge, STRATEGIC),
    ]) {
      expect(answer.body).toMatchObject({ spec: { suspend: false }, metadata: { generation: 2 } });
    }
  });

  test('that is deleted without a word about its Pods leaves them behind, and warns', async () => {
    const finalizers = ['example.dev/hold'];
    const { uid } = (await it.api.post(it.jobs, job('word', {}, {}, { finalizers }))).body.metadata;
    const path = `${it.jobs}/word`;
    const warning =
      '299 - "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"';
    const refused = await it.api.delete(path, { preconditions: { uid: OTHER_UID } });
    expect(said(refused)).toBe(
      `409 Conflict: Operation cannot be fulfilled on Job.batch "word": the UID in the precondition (${OTHER_UID}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
    expect(refused.warnings).toEqual([warning]);
    const { status, body, warnings } = await it.api.delete(path);
    expect({ status, warnings, kind: body.kind }).toEqual({ status: 200, warnings: [warning], kind: 'Job' });
    expect(body.metadata.finalizers.sort()).toEqual(['example.dev/hold', 'orphan']);
    await it.api.patch(path, { metadata: { finalizers: null } });
    await eventually('the end of the Job', async () => (await it.api.get(path)).status === 404);
  });
});
