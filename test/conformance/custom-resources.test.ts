import { describe, expect, test } from 'vitest';
import { JSON_PATCH, STRATEGIC } from './api.ts';
import { capDeployJob, container } from './objects.ts';
import { causes, OTHER_UID, rulesNotChecked, said, stable, suite } from './suite.ts';

const it = suite();

async function make(name: string) {
  const answer = await it.api.post(it.cdj, capDeployJob(name));
  expect(answer.status).toBe(201);
  return answer.body;
}

const MODIFIED = (name: string) =>
  `409 Conflict: Operation cannot be fulfilled on capdeployjobs.capdeployjob.dev "${name}": the object has been modified; please apply your changes to the latest version and try again`;

describe('creating a CapDeployJob', () => {
  test('sets metadata and defaults, drops a status, and believes nothing that only the server may set', async () => {
    const claimed = { uid: OTHER_UID, generation: 9, creationTimestamp: '2030-01-01T00:00:00Z', selfLink: '/x' };
    const body = { ...capDeployJob('new', {}, { labels: { a: 'b' }, ...claimed }), status: { waiting: 1 } };
    const answer = await it.api.post(it.cdj, body);
    expect(answer.status).toBe(201);
    expect(answer.body.metadata.uid).not.toBe(OTHER_UID);
    expect(answer.body.metadata.creationTimestamp).not.toMatch(/^2030/);
    expect(stable(answer.body, 'name', 'namespace', 'labels', 'generation', 'selfLink')).toEqual({
      apiVersion: 'capdeployjob.dev/v1alpha1',
      kind: 'CapDeployJob',
      metadata: { name: 'new', namespace: it.ns, labels: { a: 'b' }, generation: 1 },
      spec: {
        queue: {
          url: 'https://sqs.us-east-1.amazonaws.com/000000000000/conformance',
          waitTimeSeconds: 20,
          visibilityTimeoutSeconds: 60,
        },
        environments: [{ name: 'production' }],
        tasks: ['deploy'],
        maxWaiting: 20,
        suspend: true,
        startingDeadlineSeconds: 3600,
        waitingDeadlineSeconds: 86_400,
        podStartDeadlineSeconds: 300,
        activeDeadlineSeconds: 3600,
        concurrencyPolicy: 'Queue',
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        template: { spec: { containers: [{ name: 'deploy', image: 'app:1' }] } },
      },
    });
    expect((await it.api.get(`${it.cdj}/new`)).body).toEqual(answer.body);
  });

  test('under a name that is taken is 409 AlreadyExists, in a dry run too', async () => {
    await make('taken');
    for (const query of ['', '?dryRun=All']) {
      const answer = await it.api.post(it.cdj + query, capDeployJob('taken'));
      expect(said(answer)).toBe('409 AlreadyExists: capdeployjobs.capdeployjob.dev "taken" already exists');
      expect(answer.body.details).toEqual({ name: 'taken', group: 'capdeployjob.dev', kind: 'capdeployjobs' });
    }
  });

  test('in a dry run stores nothing', async () => {
    const dry = await it.api.post(`${it.cdj}?dryRun=All`, capDeployJob('dry'));
    expect(dry.status).toBe(201);
    expect(dry.body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(dry.body.metadata.resourceVersion).toBeUndefined();
    expect(said(await it.api.get(`${it.cdj}/dry`))).toBe(
      '404 NotFound: capdeployjobs.capdeployjob.dev "dry" not found',
    );
  });
});

describe('the schema of a CapDeployJob', () => {
  const url = 'https://x/y';
  test.each<[what: string, spec: object | null, complaints: string[]]>([
    ['no spec', null, ['spec: Required value', rulesNotChecked]],
    ['a null where an object is required', { queue: null }, ['spec.queue: Required value', rulesNotChecked]],
    ['a null where a list is required', { environments: null }, ['spec.environments: Required value', rulesNotChecked]],
    [
      'a text where a boolean is wanted',
      { suspend: 'x' },
      [
        'spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string"',
        rulesNotChecked,
      ],
    ],
    [
      'a number above the maximum',
      { maxWaiting: 101 },
      ['spec.maxWaiting: Invalid value: 101: spec.maxWaiting in body should be less than or equal to 100'],
    ],
    [
      'a number below the minimum',
      { maxWaiting: 0 },
      ['spec.maxWaiting: Invalid value: 0: spec.maxWaiting in body should be greater than or equal to 1'],
    ],
    [
      'a text that does not match',
      { queue: { url: 'ftp://x' } },
      [`spec.queue.url: Invalid value: "ftp://x": spec.queue.url in body should match '^https?:\\/\\/[^\\s?#@]+$'`],
    ],
    [
      'a text that is too long',
      { queue: { url: `https://${'x'.repeat(1024)}` } },
      ['spec.queue.url: Too long: may not be more than 1024 bytes', rulesNotChecked],
    ],
    [
      'a text that is too short',
      { environments: [{ name: 'a', revisions: '' }] },
      [
        'spec.environments[0].revisions: Invalid value: "": spec.environments[0].revisions in body should be at least 1 chars long',
      ],
    ],
    ['a missing required field', { queue: {} }, ['spec.queue.url: Required value', rulesNotChecked]],
    [
      'a missing field of an item',
      { environments: [{}] },
      ['spec.environments[0].name: Required value', rulesNotChecked],
    ],
    [
      'too few items',
      { environments: [] },
      ['spec.environments: Invalid value: 0: spec.environments in body should have at least 1 items'],
    ],
    [
      'too many items',
      { tasks: Array.from({ length: 21 }, (_, index) => `t${index}`) },
      ['spec.tasks: Too many: 21: must have at most 20 items', rulesNotChecked],
    ],
    [
      'the same key twice in a map of items',
      { environments: [{ name: 'a' }, { name: 'a' }] },
      ['spec.environments[1]: Duplicate value: {"name":"a"}'],
    ],
    ['the same item twice in a set', { tasks: ['a', 'a'] }, ['spec.tasks[1]: Duplicate value: "a"']],
    [
      'a null as an item',
      { environments: [null] },
      [
        'spec.environments[0]: Invalid value: "null": spec.environments[0] in body must be of type object: "null"',
        rulesNotChecked,
      ],
    ],
  ])('refuses %s with 422, and says which rules were not asked for it', async (_what, spec, complaints) => {
    const body = capDeployJob('bad', spec ?? {});
    if (spec === null) delete body.spec;
    const answer = await it.api.post(`${it.cdj}?dryRun=All`, body);
    const all = complaints.length === 1 ? complaints[0] : `[${complaints.join(', ')}]`;
    expect(said(answer)).toBe(`422 Invalid: CapDeployJob.capdeployjob.dev "bad" is invalid: ${all}`);
    expect(causes(answer)).toEqual(complaints);
    expect(answer.body.details).toMatchObject({ name: 'bad', group: 'capdeployjob.dev', kind: 'CapDeployJob' });
  });

  test('takes a null for nothing, fills in the default, and keeps a null that is allowed', async () => {
    const spec = { suspend: null, maxWaiting: null, tasks: null, ttlSecondsAfterFinished: null, sshKey: null };
    const { status, body } = await it.api.post(`${it.cdj}?dryRun=All`, capDeployJob('nulls', spec));
    expect(status).toBe(201);
    expect(body.spec).toMatchObject({
      suspend: false,
      maxWaiting: 20,
      tasks: ['deploy'],
      ttlSecondsAfterFinished: null,
    });
    expect(body.spec).not.toHaveProperty('sshKey');
  });

  test('prunes unknown fields, but not within the template', async () => {
    const spec = { nosuch: 1, queue: { url, other: 2 }, template: { future: { field: [null, 1] } } };
    const { body, warnings } = await it.api.post(`${it.cdj}?dryRun=All`, capDeployJob('p', spec, { strange: 1 }));
    expect(body.spec).not.toHaveProperty('nosuch');
    expect(body.spec.queue).toEqual({ url, waitTimeSeconds: 20, visibilityTimeoutSeconds: 60 });
    expect(body.spec.template).toEqual({ future: { field: [null, 1] } });
    expect(warnings).toEqual([
      '299 - "unknown field \\"metadata.strange\\""',
      '299 - "unknown field \\"spec.nosuch\\""',
      '299 - "unknown field \\"spec.queue.other\\""',
    ]);
  });
});

describe('replacing a CapDeployJob', () => {
  test('with what it is already keeps its resourceVersion; with a label keeps its generation; with a spec raises it', async () => {
    const made = await make('put');
    const path = `${it.cdj}/put`;
    expect((await it.api.put(path, made)).body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const labelled = (await it.api.put(path, { ...made, metadata: { ...made.metadata, labels: { a: 'c' } } })).body;
    expect(labelled.metadata).toMatchObject({ generation: 1, labels: { a: 'c' } });
    expect(Number(labelled.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
    const changed = { ...labelled, spec: { ...labelled.spec, maxWaiting: 3 }, status: { waiting: 5 } };
    const { body } = await it.api.put(path, changed);
    expect(body).toMatchObject({ metadata: { generation: 2 }, spec: { maxWaiting: 3 } });
    expect(body.status).toBeUndefined();
  });

  test('what only the server may set stays as it is', async () => {
    const made = await make('server-set');
    const put = (claimed: object) =>
      it.api.put(`${it.cdj}/server-set`, { ...made, metadata: { ...made.metadata, ...claimed } });
    const { body } = await put({ creationTimestamp: '2030-01-01T00:00:00Z', generation: 7, selfLink: '/x' });
    expect(body.metadata).toEqual(made.metadata);
    expect(said(await put({ deletionTimestamp: '2030-01-01T00:00:00Z' }))).toBe(
      '422 Invalid: CapDeployJob.capdeployjob.dev "server-set" is invalid: metadata.deletionTimestamp: Invalid value: "2030-01-01T00:00:00Z": field is immutable',
    );
  });

  test('is refused under an old resourceVersion, a uid that is not its own, another name or namespace', async () => {
    const made = await make('put-refused');
    const path = `${it.cdj}/put-refused`;
    const put = (metadata: object, spec: object = {}, at = path) =>
      it.api
        .put(at, { ...made, metadata: { ...made.metadata, ...metadata }, spec: { ...made.spec, ...spec } })
        .then(said);
    const precondition = `409 Conflict: Operation cannot be fulfilled on capdeployjobs.capdeployjob.dev "put-refused": StorageError: invalid object, Code: 4, Key: /registry/capdeployjob.dev/capdeployjobs/${it.ns}/put-refused, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${OTHER_UID}, UID in object meta: ${made.metadata.uid}`;
    expect(await put({ resourceVersion: '1' })).toBe(MODIFIED('put-refused'));
    expect(await put({ uid: OTHER_UID })).toBe(precondition);
    expect(await put({ uid: OTHER_UID, resourceVersion: '1' })).toBe(precondition);
    // A conflict is told before what is wrong with the object itself.
    expect(await put({ resourceVersion: '1' }, { maxWaiting: 0 })).toBe(MODIFIED('put-refused'));
    expect(await put({ uid: OTHER_UID }, { maxWaiting: 0 })).toBe(precondition);
    expect(await put({ resourceVersion: undefined })).toBe(
      '422 Invalid: capdeployjobs.capdeployjob.dev "put-refused" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
    expect(await put({}, {}, `${it.cdj}/other`)).toBe(
      '400 BadRequest: the name of the object (put-refused) does not match the name on the URL (other)',
    );
    expect(await put({ name: undefined })).toBe(
      '400 BadRequest: the name of the object (put-refused based on URL) was undeterminable: name must be provided',
    );
    expect(await put({ namespace: 'other' })).toBe(
      '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
    );
    expect(await put({ name: 'none' }, {}, `${it.cdj}/none`)).toBe(
      '404 NotFound: capdeployjobs.capdeployjob.dev "none" not found',
    );
  });
});

describe('the status of a CapDeployJob', () => {
  test('is written by itself: spec, labels and finalizers in the body change nothing, and it leaves the generation', async () => {
    const made = await make('status');
    const path = `${it.cdj}/status/status`;
    const metadata = { ...made.metadata, labels: { z: 'z' }, annotations: { s: 's' }, finalizers: ['x.dev/y'] };
    const body = { ...made, metadata, spec: { ...made.spec, maxWaiting: 4 }, status: { waiting: 5, nosuch: 1 } };
    const put = await it.api.put(path, body);
    expect(put.warnings).toEqual(['299 - "unknown field \\"status.nosuch\\""']);
    expect(put.body).toMatchObject({ spec: { maxWaiting: 20 }, status: { waiting: 5 }, metadata: { generation: 1 } });
    expect(put.body.status).toEqual({ waiting: 5 });
    for (const name of ['labels', 'annotations', 'finalizers']) expect(put.body.metadata).not.toHaveProperty(name);
    const patched = await it.api.patch(path, { spec: { maxWaiting: 9 }, status: { waiting: 7 } });
    expect(patched.body).toMatchObject({ spec: { maxWaiting: 20 }, status: { waiting: 7 } });
    const main = await it.api.patch(`${it.cdj}/status`, { spec: { maxWaiting: 9 }, status: { waiting: 8 } });
    expect(main.body).toMatchObject({ spec: { maxWaiting: 9 }, status: { waiting: 7 }, metadata: { generation: 2 } });
    expect((await it.api.get(path)).body).toEqual(main.body);
    const without = await it.api.put(path, { ...main.body, status: undefined });
    expect(without.body.status).toBeUndefined();
  });

  test('is judged by its own schema, and the spec in the body is not', async () => {
    const made = await make('status-judged');
    const path = `${it.cdj}/status-judged/status`;
    const wrong = await it.api.put(path, { ...made, status: { waiting: 'x' } });
    expect(causes(wrong)).toEqual([
      'status.waiting: Invalid value: "string": waiting in body must be of type integer: "string"',
      rulesNotChecked,
    ]);
    expect((await it.api.put(path, { ...made, spec: {}, status: { waiting: 6 } })).status).toBe(200);
    expect(said(await it.api.put(path, { ...made, status: { waiting: 7 } }))).toBe(MODIFIED('status-judged'));
    expect(said(await it.api.put(`${it.cdj}/none/status`, capDeployJob('none')))).toBe(
      '404 NotFound: capdeployjobs.capdeployjob.dev "none" not found',
    );
  });
});

describe('a merge patch of a CapDeployJob', () => {
  test('merges, takes away with null, and one that changes nothing keeps the resourceVersion', async () => {
    await it.api.post(it.cdj, capDeployJob('patch', {}, { labels: { a: 'b' }, annotations: { c: 'd' } }));
    const path = `${it.cdj}/patch`;
    const { body } = await it.api.patch(path, {
      metadata: { annotations: null, labels: { a: null } },
      spec: { maxWaiting: 9 },
    });
    expect(body).toMatchObject({ metadata: { generation: 2 }, spec: { maxWaiting: 9, suspend: true } });
    expect(body.metadata).not.toHaveProperty('labels');
    expect(body.metadata).not.toHaveProperty('annotations');
    const again = await it.api.patch(path, { spec: { maxWaiting: 9 } });
    expect(again.body.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
    expect((await it.api.patch(path, { spec: { maxWaiting: null } })).body.spec.maxWaiting).toBe(20);
  });

  test('that carries uid and resourceVersion changes that very object in that very version, or nothing', async () => {
    const { metadata } = await make('patch-pre');
    const { uid, resourceVersion } = metadata;
    const path = `${it.cdj}/patch-pre`;
    const patch = (given: object, spec: object = { maxWaiting: 8 }) => it.api.patch(path, { metadata: given, spec });
    const immutable = `metadata.uid: Invalid value: "${OTHER_UID}": field is immutable`;
    const wrongUid = await patch({ uid: OTHER_UID });
    // Not a conflict: a uid alone is judged as a field.
    expect(said(wrongUid)).toBe(`422 Invalid: CapDeployJob.capdeployjob.dev "patch-pre" is invalid: ${immutable}`);
    expect(causes(wrongUid)).toEqual([immutable, immutable]);
    expect(said(await patch({ uid: OTHER_UID }, {}))).toMatch(/^422 Invalid/);
    expect(causes(await patch({ uid: OTHER_UID }, { maxWaiting: 0 }))).toHaveLength(3);
    // The resourceVersion wins over the uid and over what is invalid.
    expect(said(await patch({ resourceVersion: '1' }))).toBe(MODIFIED('patch-pre'));
    expect(said(await patch({ resourceVersion: '1' }, {}))).toBe(MODIFIED('patch-pre'));
    expect(said(await patch({ uid: OTHER_UID, resourceVersion: '1' }))).toBe(MODIFIED('patch-pre'));
    expect(said(await patch({ resourceVersion: '1' }, { maxWaiting: 0 }))).toBe(MODIFIED('patch-pre'));
    expect(said(await patch({ resourceVersion: 'x' }))).toBe('500 -: strconv.ParseUint: parsing "x": invalid syntax');
    expect((await it.api.get(path)).body.metadata.resourceVersion).toBe(resourceVersion);
    expect((await patch({ uid, resourceVersion })).body.spec.maxWaiting).toBe(8);
    expect(said(await it.api.patch(`${it.cdj}/none`, { metadata: { uid, resourceVersion } }))).toBe(
      '404 NotFound: capdeployjobs.capdeployjob.dev "none" not found',
    );
  });

  test('cannot rename or move', async () => {
    await make('patch-name');
    expect(said(await it.api.patch(`${it.cdj}/patch-name`, { metadata: { name: 'other' } }))).toBe(
      '400 BadRequest: the name of the object (other) does not match the name on the URL (patch-name)',
    );
    expect(said(await it.api.patch(`${it.cdj}/patch-name`, { metadata: { namespace: 'other' } }))).toBe(
      '400 BadRequest: the namespace of the provided object does not match the namespace sent on the request',
    );
  });

  test('in a dry run is answered as if, and stores nothing; so is a PUT', async () => {
    const made = await make('patch-dry');
    const path = `${it.cdj}/patch-dry`;
    const patched = await it.api.patch(`${path}?dryRun=All`, { spec: { maxWaiting: 2 } });
    const put = await it.api.put(`${path}?dryRun=All`, { ...made, spec: { ...made.spec, maxWaiting: 2 } });
    for (const { body } of [patched, put])
      expect(body).toMatchObject({ spec: { maxWaiting: 2 }, metadata: { generation: 2 } });
    expect((await it.api.get(path)).body).toEqual(made);
  });
});

describe('other patches of a CapDeployJob', () => {
  test('a JSON patch tests, replaces, adds, copies and moves; all or nothing', async () => {
    await make('json-patch');
    const path = `${it.cdj}/json-patch`;
    const patch = (...operations: object[]) => it.api.patch(path, operations, JSON_PATCH);
    const { body } = await patch(
      { op: 'test', path: '/spec/maxWaiting', value: 20 },
      { op: 'replace', path: '/spec/maxWaiting', value: 21 },
      { op: 'add', path: '/metadata/annotations', value: { 'a/b': 'c' } },
      { op: 'copy', from: '/metadata/annotations/a~1b', path: '/metadata/annotations/two' },
      { op: 'move', from: '/metadata/annotations/two', path: '/metadata/annotations/three' },
    );
    expect(body).toMatchObject({ spec: { maxWaiting: 21 }, metadata: { annotations: { 'a/b': 'c', three: 'c' } } });
    const rejected = '422 Invalid: the server rejected our request due to an error in our request';
    const change = { op: 'replace', path: '/spec/maxWaiting', value: 22 };
    for (const bad of [
      { op: 'test', path: '/spec/maxWaiting', value: 20 },
      { op: 'remove', path: '/spec/nosuch' },
      { op: 'add', path: '/nosuch/deep/x', value: 1 },
      { op: 'x', path: '/spec/maxWaiting' },
    ]) {
      expect(said(await patch(change, bad)), JSON.stringify(bad)).toBe(rejected);
    }
    expect((await it.api.get(path)).body.spec.maxWaiting).toBe(21);
    expect(said(await it.api.patch(path, {}, JSON_PATCH))).toBe(
      '400 BadRequest: error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
  });

  test.each([
    ['a strategic merge patch', STRATEGIC],
    ['plain JSON', { 'content-type': 'application/json' }],
    ['text', { 'content-type': 'text/plain' }],
  ])('%s is 415', async (_what, headers) => {
    await it.api.post(it.cdj, capDeployJob('media'));
    expect(said(await it.api.patch(`${it.cdj}/media`, {}, headers))).toBe(
      '415 UnsupportedMediaType: the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  });

  test('a body that is no patch is 400', async () => {
    await it.api.post(it.cdj, capDeployJob('media'));
    expect(said(await it.api.patch(`${it.cdj}/media`, '{'))).toBe(
      '400 BadRequest: error decoding patch: unexpected end of JSON input',
    );
    expect(said(await it.api.patch(`${it.cdj}/media`, [1]))).toBe(
      '400 BadRequest: error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    );
  });

  test('under fieldValidation=Strict an unknown field is refused with 422 on the patch', async () => {
    await it.api.post(it.cdj, capDeployJob('media', { template: { spec: { containers: [container()] } } }));
    const answer = await it.api.patch(`${it.cdj}/media?fieldValidation=Strict`, { spec: { nosuch: 1 } });
    expect(said(answer)).toMatch(
      /^422 Invalid: {2}"" is invalid: patch: .*: strict decoding error: unknown field "spec\.nosuch"$/,
    );
    expect(answer.body.details.causes).toMatchObject([{ reason: 'FieldValueInvalid', field: 'patch' }]);
    expect((await it.api.patch(`${it.cdj}/media`, { spec: { nosuch: 1 } })).warnings).toEqual([
      '299 - "unknown field \\"spec.nosuch\\""',
    ]);
  });
});

describe('deleting a CapDeployJob', () => {
  test('asks its preconditions, the uid first, and in a dry run deletes nothing', async () => {
    const { metadata } = await make('del');
    const { uid, resourceVersion } = metadata;
    const path = `${it.cdj}/del`;
    const uidWords = `409 Conflict: Operation cannot be fulfilled on CapDeployJob.capdeployjob.dev "del": the UID in the precondition (${OTHER_UID}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    const refused = await it.api.delete(path, { preconditions: { uid: OTHER_UID } });
    expect(said(refused)).toBe(uidWords);
    expect(refused.body.details).toEqual({ name: 'del', group: 'capdeployjob.dev', kind: 'CapDeployJob' });
    expect(said(await it.api.delete(path, { preconditions: { uid: OTHER_UID, resourceVersion: '1' } }))).toBe(uidWords);
    expect(said(await it.api.delete(path, { preconditions: { resourceVersion: '1' } }))).toBe(
      `409 Conflict: Operation cannot be fulfilled on CapDeployJob.capdeployjob.dev "del": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
    expect((await it.api.delete(`${path}?dryRun=All`)).body).toMatchObject({ status: 'Success' });
    expect((await it.api.delete(path, { dryRun: ['All'] })).status).toBe(200);
    expect((await it.api.get(path)).status).toBe(200);
    const options = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid, resourceVersion } };
    const { status, body } = await it.api.delete(path, { ...options, propagationPolicy: 'Background' });
    expect(status).toBe(200);
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'del', group: 'capdeployjob.dev', kind: 'capdeployjobs', uid },
    });
    expect(said(await it.api.delete(path))).toBe('404 NotFound: capdeployjobs.capdeployjob.dev "del" not found');
  });

  test('with a body does not hear the query: a dry run that is asked for there is none', async () => {
    await make('del-query');
    expect((await it.api.delete(`${it.cdj}/del-query?dryRun=All`, { propagationPolicy: 'Background' })).status).toBe(
      200,
    );
    expect((await it.api.get(`${it.cdj}/del-query`)).status).toBe(404);
  });

  test.each<[what: string, query: string, body: unknown, words: string]>([
    [
      'an unknown policy',
      '',
      { propagationPolicy: 'Sideways' },
      '422 Invalid: DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
    [
      'an unknown policy in the query',
      '?propagationPolicy=Sideways',
      undefined,
      '422 Invalid: DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
    [
      'a dry run of another kind',
      '?dryRun=Some',
      undefined,
      '422 Invalid: DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
    ],
    [
      'a body that is no JSON',
      '',
      '{',
      "400 BadRequest: couldn't get version/kind; json parse error: unexpected end of JSON input",
    ],
    [
      'a body of another kind',
      '',
      { kind: 'Job', apiVersion: 'batch/v1' },
      '400 BadRequest: no kind "Job" is registered for version "batch/v1" in scheme "pkg/runtime/scheme.go:111"',
    ],
  ])('with %s is refused', async (_what, query, body, words) => {
    expect(said(await it.api.delete(`${it.cdj}/none${query}`, body))).toBe(words);
  });
});
