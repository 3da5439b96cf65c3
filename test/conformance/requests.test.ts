/** What is wrong with a request, whatever it is about: paths, methods, bodies, names, metadata, parameters. */
import { describe, expect, test } from 'vitest';
import { MERGE, STRATEGIC } from './api.ts';
import { capDeployJob, configMap, container, job } from './objects.ts';
import { causes, keyProblem, nameProblem, rulesNotChecked, said, suite, valueProblem } from './suite.ts';

const it = suite();
const NOT_FOUND = '404 NotFound: the server could not find the requested resource';
const NOT_ALLOWED = '405 MethodNotAllowed: the server does not allow this method on the requested resource';
const elsewhere = (path: string) => path.replace(it.ns, 'no-such-namespace');

describe('a path', () => {
  test.each([
    ['of an unknown version', () => '/apis/batch/v9/jobs'],
    ['of an unknown type', () => '/apis/batch/v1/nosuch'],
    ['of an unknown sub-resource', () => `${it.jobs}/x/scale`],
    ['of one object without its namespace', () => '/api/v1/configmaps/a'],
  ])('%s is 404, with a Status', async (_what, path) => {
    const answer = await it.api.get(path());
    expect(said(answer)).toBe(NOT_FOUND);
    expect(answer.body.details).toEqual({});
  });

  test.each(['/nosuch', '/apis/none.dev/v1/things'])('%s is 404, in plain text', async (path) => {
    expect(await it.api.get(path)).toMatchObject({ status: 404, body: '404 page not found\n' });
  });
});

describe('a method', () => {
  test.each<[what: string, method: string, path: () => string, body?: unknown]>([
    ['PUT on a collection', 'PUT', () => it.maps, configMap('a')],
    ['PATCH on a collection', 'PATCH', () => it.maps, {}],
    ['POST on an object', 'POST', () => `${it.maps}/a`, configMap('a')],
    ['POST on a status', 'POST', () => `${it.jobs}/a/status`, job('a')],
    ['DELETE on a status', 'DELETE', () => `${it.jobs}/a/status`],
    ['POST on all namespaces', 'POST', () => '/api/v1/configmaps', configMap('a')],
    ['DELETE on all namespaces at once', 'DELETE', () => '/api/v1/namespaces?labelSelector=no%3Dsuch'],
    ['one that HTTP hardly knows', 'PROPFIND', () => it.maps],
    ['POST on the version', 'POST', () => '/version', {}],
  ])('that is %s is 405', async (_what, method, path, body) => {
    const answer = await it.api.request(method, path(), body, method === 'PATCH' ? MERGE : {});
    expect(said(answer)).toBe(NOT_ALLOWED);
    expect(answer.body.details).toEqual({});
  });

  test('PUT on a collection of custom resources is 400: a name is missing', async () => {
    expect(said(await it.api.put(it.cdj, capDeployJob('a')))).toBe('400 BadRequest: name must be provided');
  });
});

describe('a body', () => {
  const unrecognized =
    "400 BadRequest: the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ";
  test.each<[what: string, body: string, words: string]>([
    ['that ends too early', '{', `${unrecognized}unexpected end of JSON input ({)`],
    ['that is empty', '', `${unrecognized}unexpected end of JSON input (<empty>)`],
    [
      'that is a list',
      '[]',
      `${unrecognized}json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)`,
    ],
  ])('%s is 400', async (_what, body, words) => {
    expect(said(await it.api.post(it.maps, body))).toBe(words);
  });

  test('in another format is 415', async () => {
    for (const path of [it.maps, it.cdj]) {
      expect(said(await it.api.post(path, 'x', { 'content-type': 'text/plain' }))).toBe(
        '415 UnsupportedMediaType: the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      );
    }
  });

  test('in YAML is read', async () => {
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: b}\n';
    const answer = await it.api.post(it.maps, yaml, { 'content-type': 'application/yaml' });
    expect(answer).toMatchObject({ status: 201, body: { kind: 'ConfigMap', data: { a: 'b' } } });
  });

  test('of a built-in type need not say what it is; that of a custom one must', async () => {
    expect((await it.api.post(it.maps, { metadata: { name: 'plain' } })).body).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
    });
    const { spec } = capDeployJob('a');
    expect(said(await it.api.post(it.cdj, { metadata: { name: 'plain' }, spec }))).toContain(
      "400 BadRequest: the object provided is unrecognized (must be of type CapDeployJob): Object 'Kind' is missing in '{",
    );
  });

  test('of another version or kind is refused', async () => {
    const nobody = (version: string, kind: string) =>
      `no kind "${kind}" is registered for version "${version}" in scheme "pkg/runtime/scheme.go:111"`;
    expect(said(await it.api.post(it.jobs, { ...job('a'), apiVersion: 'batch/v1beta1' }))).toBe(
      `400 BadRequest: Job in version "v1beta1" cannot be handled as a Job: ${nobody('batch/v1beta1', 'Job')}`,
    );
    expect(said(await it.api.post(it.jobs, { ...job('a'), apiVersion: 'v1' }))).toBe(
      `400 BadRequest: Job in version "v1" cannot be handled as a Job: ${nobody('v1', 'Job')}`,
    );
    expect(said(await it.api.post(it.cdj, { ...capDeployJob('a'), apiVersion: 'capdeployjob.dev/v9' }))).toBe(
      '400 BadRequest: the API version in the data (capdeployjob.dev/v9) does not match the expected API version (capdeployjob.dev/v1alpha1)',
    );
    expect(said(await it.api.post(it.cdj, { ...capDeployJob('a'), kind: 'Other' }))).toMatch(
      /^422 Invalid: Other\.capdeployjob\.dev "a" is invalid: .*kind: Invalid value: "Other": must be CapDeployJob/,
    );
  });

  test.each<[what: string, body: object]>([
    ['a text where a number is wanted', job('t', { backoffLimit: 'none' })],
    ['a text where a boolean is wanted', job('t', { suspend: 'true' })],
    ['a number that is not whole', job('t', { backoffLimit: 1.5 })],
    ['a number beyond 32 bits', job('t', { backoffLimit: 1e12 })],
    ['an object where a list is wanted', job('t', {}, { containers: {} })],
    ['a number where a text is wanted', job('t', {}, { containers: [container({ env: [{ name: 'A', value: 1 }] })] })],
  ])('with %s is 400', async (_what, body) => {
    // Which Go struct it does not fit into is said differently: see differences.ts.
    expect(said(await it.api.post(`${it.jobs}?dryRun=All`, body))).toMatch(
      /^400 BadRequest: Job in version "v1" cannot be handled as a Job: json: cannot unmarshal .* into Go struct field /,
    );
  });

  test('with a quantity that is none is 400, with a time that is none too', async () => {
    const resources = { limits: { cpu: 'lots' } };
    expect(said(await it.api.post(it.jobs, job('t', {}, { containers: [container({ resources })] })))).toBe(
      `400 BadRequest: Job in version "v1" cannot be handled as a Job: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
    );
    expect(said(await it.api.post(it.jobs, job('t', {}, {}, { creationTimestamp: 'x' })))).toBe(
      '400 BadRequest: Job in version "v1" cannot be handled as a Job: parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
    );
  });

  test('comes back without what is empty, and with nulls in maps of texts as empty texts', async () => {
    const sent = configMap('t', { a: null, b: '' }, { annotations: {}, labels: { a: null }, finalizers: [] });
    const { body } = await it.api.post(`${it.maps}?dryRun=All`, sent);
    expect(body.data).toEqual({ a: '', b: '' });
    expect(body.metadata.labels).toEqual({ a: '' });
    for (const name of ['annotations', 'finalizers']) expect(body.metadata).not.toHaveProperty(name);
    expect((await it.api.post(`${it.maps}?dryRun=All`, configMap('t', {}))).body).not.toHaveProperty('data');
  });
});

describe('fieldValidation', () => {
  const unknown = { ...configMap('a'), dta: {}, metadata: { name: 'a', nosuch: 1 } };
  test.each([
    ['', 201, ['299 - "unknown field \\"metadata.nosuch\\""', '299 - "unknown field \\"dta\\""']],
    ['&fieldValidation=Warn', 201, ['299 - "unknown field \\"metadata.nosuch\\""', '299 - "unknown field \\"dta\\""']],
    ['&fieldValidation=Ignore', 201, []],
    ['&fieldValidation=Strict', 400, []],
  ])('"%s" answers %d to unknown fields', async (query, status, warnings) => {
    const answer = await it.api.post(`${it.maps}?dryRun=All${query}`, unknown);
    expect({ status: answer.status, warnings: answer.warnings.sort() }).toEqual({ status, warnings: warnings.sort() });
  });

  test('Strict names every unknown field by its path', async () => {
    const env = [{ name: 'A', valu: 'x' }];
    const body = job('a', { parallellism: 1 }, { containers: [container({ futureField: 1, env })] });
    expect(said(await it.api.post(`${it.jobs}?fieldValidation=Strict`, body))).toBe(
      '400 BadRequest: Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.template.spec.containers[0].futureField", unknown field "spec.template.spec.containers[0].env[0].valu", unknown field "spec.parallellism"',
    );
  });

  test('Strict refuses a patch with 422', async () => {
    await it.api.post(it.maps, configMap('f'));
    for (const media of [MERGE, STRATEGIC]) {
      const answer = await it.api.patch(`${it.maps}/f?fieldValidation=Strict`, { dta: 1 }, media);
      expect(said(answer)).toMatch(/^422 Invalid: .*: strict decoding error: unknown field "dta"$/);
    }
  });

  test('of another kind is 422 on the options of the request', async () => {
    const words = 'fieldValidation: Unsupported value: "Other": supported values: "", "Ignore", "Strict", "Warn"';
    const answer = await it.api.post(`${it.maps}?fieldValidation=Other`, configMap('a'));
    expect(said(answer)).toBe(`422 Invalid: CreateOptions.meta.k8s.io "" is invalid: ${words}`);
    expect(answer.body.details).toMatchObject({ group: 'meta.k8s.io', kind: 'CreateOptions' });
    expect(causes(answer)).toEqual([words]);
    expect(said(await it.api.patch(`${it.maps}/a?dryRun=Some`, {}))).toBe(
      '422 Invalid: PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    );
    expect(said(await it.api.put(`${it.maps}/a?dryRun=Some`, configMap('a')))).toBe(
      '422 Invalid: UpdateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    );
  });
});

describe('a name', () => {
  test('that is missing is 422', async () => {
    const words = 'metadata.name: Required value: name or generateName is required';
    const map = await it.api.post(it.maps, { metadata: {} });
    expect(said(map)).toBe(`422 Invalid: ConfigMap "" is invalid: ${words}`);
    expect(map.body.details).not.toHaveProperty('name');
    expect(causes(await it.api.post(it.cdj, { ...capDeployJob('a'), metadata: {} }))).toEqual([words, rulesNotChecked]);
    expect(causes(await it.api.post(it.jobs, {}))).toEqual([
      words,
      'spec.template.spec.containers: Required value',
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ]);
  });

  test('is made of generateName, another one each time, and is never longer than 63 characters', async () => {
    const make = (generateName: string) => it.api.post(it.maps, { metadata: { generateName } });
    const [one, two, long] = [await make('gen-'), await make('gen-'), await make('g'.repeat(70))];
    expect(one.body.metadata).toMatchObject({ generateName: 'gen-' });
    expect(one.body.metadata.name).toMatch(/^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(two.body.metadata.name).not.toBe(one.body.metadata.name);
    expect(long.body.metadata.name).toMatch(/^g{58}[b-z2-9]{5}$/);
    const bad = await make('Gen_');
    expect(causes(bad)[0]).toBe(`metadata.generateName: Invalid value: "Gen_": ${nameProblem}`);
    expect(causes(bad)).toHaveLength(2);
  });

  test.each([
    ['in upper case', 'Upper', nameProblem],
    ['with a slash', 'a/b', nameProblem],
    ['of 254 characters', 'x'.repeat(254), 'must be no more than 253 characters'],
  ])('%s is 422', async (_what, name, words) => {
    const answer = await it.api.post(it.maps, configMap(name));
    expect(said(answer)).toBe(
      `422 Invalid: ConfigMap "${name}" is invalid: metadata.name: Invalid value: "${name}": ${words}`,
    );
  });

  test('of a namespace that is not there is 404 on a create, and nothing on a list', async () => {
    const words = '404 NotFound: namespaces "no-such-namespace" not found';
    expect(said(await it.api.post(elsewhere(it.maps), configMap('a')))).toBe(words);
    expect(said(await it.api.post(elsewhere(it.cdj), capDeployJob('a')))).toBe(words);
    expect((await it.api.get(elsewhere(it.maps))).body.items).toEqual([]);
    expect(said(await it.api.get(`${elsewhere(it.cdj)}/a`))).toBe(
      '404 NotFound: capdeployjobs.capdeployjob.dev "a" not found',
    );
  });

  test('of a namespace other than that of the URL is 400', async () => {
    for (const [path, body] of [
      [it.maps, configMap('a', {}, { namespace: 'other' })],
      [it.cdj, capDeployJob('a', {}, { namespace: 'other' })],
    ] as const) {
      expect(said(await it.api.post(path, body))).toBe(
        '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
      );
    }
  });

  test('with a resourceVersion cannot be created', async () => {
    for (const [path, body] of [
      [it.maps, configMap('a', {}, { resourceVersion: '1' })],
      [it.cdj, capDeployJob('a', {}, { resourceVersion: '1' })],
    ] as const) {
      expect(said(await it.api.post(path, body))).toBe(
        '500 -: resourceVersion should not be set on objects to be created',
      );
    }
  });
});

describe('metadata', () => {
  const owner = { apiVersion: 'v1', kind: 'A', name: 'a', uid: 'b' };
  test.each<[what: string, metadata: object, complaints: string[]]>([
    ['a label value that is none', { labels: { x: 'é' } }, [`metadata.labels: Invalid value: "é": ${valueProblem}`]],
    ['a label key with a space', { labels: { 'x y': '1' } }, [`metadata.labels: Invalid value: "x y": ${keyProblem}`]],
    [
      'a label key without a name',
      { labels: { 'a/': '1' } },
      [
        'metadata.labels: Invalid value: "a/": name part must be non-empty',
        `metadata.labels: Invalid value: "a/": ${keyProblem}`,
      ],
    ],
    [
      'a label key without its prefix',
      { labels: { '/x': '1' } },
      ['metadata.labels: Invalid value: "/x": prefix part must be non-empty'],
    ],
    [
      'a label that is too long',
      { labels: { a: 'y'.repeat(64) } },
      [`metadata.labels: Invalid value: "${'y'.repeat(64)}": must be no more than 63 bytes`],
    ],
    [
      'an annotation key with a space',
      { annotations: { 'x y': '1' } },
      [`metadata.annotations: Invalid value: "x y": ${keyProblem}`],
    ],
    [
      'annotations of more than 256 KiB',
      { annotations: { x: 'x'.repeat(262_145) } },
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
    [
      'an owner without kind, name and uid',
      { ownerReferences: [{ apiVersion: 'v1', kind: '', name: '', uid: '' }] },
      ['kind', 'name', 'uid'].map((name) => `metadata.ownerReferences.${name}: Invalid value: "": must not be empty`),
    ],
    [
      'an Event as owner',
      { ownerReferences: [{ ...owner, kind: 'Event' }] },
      [
        'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"b"}: /v1, Kind=Event is disallowed from being an owner',
      ],
    ],
    [
      'two controllers',
      {
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, name: 'b', uid: 'c', controller: true },
        ],
      },
      [
        'metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"A","name":"a","uid":"b","controller":true},{"apiVersion":"v1","kind":"A","name":"b","uid":"c","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for A/a and A/b',
      ],
    ],
    [
      'a finalizer without a domain',
      { finalizers: ['unqualified'] },
      [
        'metadata.finalizers[0]: Invalid value: "unqualified": name is neither a standard finalizer name nor is it fully qualified',
      ],
    ],
  ])('with %s is 422', async (_what, metadata, complaints) => {
    const answer = await it.api.post(it.maps, configMap('a', {}, metadata));
    expect(answer.status).toBe(422);
    expect(causes(answer)).toEqual(complaints);
  });

  test('of a custom resource is judged too', async () => {
    const answer = await it.api.post(
      it.cdj,
      capDeployJob('a', {}, { labels: { x: 'é' }, annotations: { 'x y': '1' } }),
    );
    expect(causes(answer)).toEqual([
      `metadata.labels: Invalid value: "é": ${valueProblem}`,
      `metadata.annotations: Invalid value: "x y": ${keyProblem}`,
    ]);
  });

  test('with the same owner twice keeps one, and warns', async () => {
    const answer = await it.api.post(`${it.maps}?dryRun=All`, configMap('a', {}, { ownerReferences: [owner, owner] }));
    expect(answer.body.metadata.ownerReferences).toEqual([owner]);
    expect(answer.warnings).toEqual([
      '299 - ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: b"',
    ]);
  });

  test('of a new object that claims to be deleted already does not', async () => {
    const claimed = { deletionTimestamp: '2030-01-01T00:00:00Z', deletionGracePeriodSeconds: 5 };
    const { status, body } = await it.api.post(`${it.maps}?dryRun=All`, configMap('a', {}, claimed));
    expect(status).toBe(201);
    expect(body.metadata).not.toHaveProperty('deletionTimestamp');
    expect(body.metadata).not.toHaveProperty('deletionGracePeriodSeconds');
  });
});
