import { beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/client.ts';
import { type Answer, APPLY_PATCH, type ApiStatus, cdjPath, MERGE_PATCH, openCluster } from './cluster.ts';
import { definition } from './manifests.ts';
import { created, type Resource, resource, STATUS, STRICT, uniqueName, withStatus } from './resources.ts';

/** The definition on a real API server, without any client's help: kubectl.test.ts looks through kubectl. */
const cluster = openCluster();
const crd = definition();
let namespace: string;

beforeAll(async () => {
  namespace = await cluster.namespace();
});

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
describe('the definition', () => {
  test('is accepted without a warning', async () => {
    // Under the name of another group, for the cluster has this one already: a dry run of its creation.
    const group = 'copy.capdeployjob.dev';
    const copy = { ...crd, metadata: { name: `capdeployjobs.${group}` }, spec: { ...crd.spec, group } };
    const { status, warnings, body } = await cluster.request('POST', CRDS, {
      body: copy,
      query: { dryRun: 'All', fieldValidation: 'Strict' },
    });
    expect({ status, warnings }, JSON.stringify(body)).toEqual({ status: 201, warnings: [] });
  });

  test('is stored as it was written: nothing dropped and, but for two defaults, nothing added', async () => {
    const { body } = await cluster.request<KubeObject>('GET', `${CRDS}/${crd.metadata.name}`);
    expect(body.spec).toEqual({ ...crd.spec, conversion: { strategy: 'None' } });
  });

  test('is Established, its names accepted, its schema structural', async () => {
    const { body } = await cluster.request<KubeObject>('GET', `${CRDS}/${crd.metadata.name}`);
    const { conditions } = body.status as { conditions: { type: string; status: string }[] };
    expect(Object.fromEntries(conditions.map(({ type, status }) => [type, status]))).toEqual({
      NamesAccepted: 'True',
      Established: 'True',
    });
  });

  test('leaves room for kubectl apply, which keeps what it applied in an annotation', () => {
    expect(JSON.stringify(crd).length).toBeLessThan(262_144 / 4);
  });

  test('gives its kind a short name, and puts it into no category: kubectl delete all --all would take the history with it', async () => {
    const { body } = await cluster.request<{ resources: { name: string }[] }>('GET', '/apis/capdeployjob.dev/v1alpha1');
    const { resources } = body as unknown as { resources: Record<string, unknown>[] };
    const [kind] = resources.filter(({ name }) => name === 'capdeployjobs');
    expect(kind).toMatchObject({
      kind: 'CapDeployJob',
      namespaced: true,
      shortNames: ['cdj'],
      singularName: 'capdeployjob',
    });
    expect(kind).not.toHaveProperty('categories');
    expect(resources.find(({ name }) => name === 'capdeployjobs/status')).toMatchObject({
      verbs: ['get', 'patch', 'update'],
    });
  });
});

describe('two managers of one resource', () => {
  const apply = (fieldManager: string, name: string, spec: Record<string, unknown>, force?: boolean) =>
    cluster.request<Resource & ApiStatus>('PATCH', cdjPath(namespace, name), {
      query: { fieldManager, force, fieldValidation: 'Strict' },
      contentType: APPLY_PATCH,
      body: { apiVersion: 'capdeployjob.dev/v1alpha1', kind: 'CapDeployJob', metadata: { name, namespace }, spec },
    });
  const ok = ({ status, warnings, body }: Answer<Resource & ApiStatus>): Resource => {
    expect({ status: status < 300, warnings }, JSON.stringify(body)).toEqual({ status: true, warnings: [] });
    return body;
  };
  const full = (spec: Record<string, unknown>) => resource('', '', spec).spec as Record<string, unknown>;

  test('each have their environments: the list is merged by name, and who takes his own back leaves the other’s', async () => {
    const name = uniqueName();
    ok(await apply('git', name, full({ environments: [{ name: 'production', revisions: 'v.*' }] })));
    const merged = ok(await apply('previews', name, { environments: [{ name: 'preview-1' }, { name: 'preview-2' }] }));
    expect(merged.spec.environments).toEqual([
      { name: 'production', revisions: 'v.*' },
      { name: 'preview-1' },
      { name: 'preview-2' },
    ]);
    const fewer = ok(await apply('previews', name, { environments: [{ name: 'preview-2' }] }));
    expect(fewer.spec.environments.map((one) => one.name)).toEqual(['production', 'preview-2']);
  });

  test('can have a part each of one environment: an incident tool freezes what git defines', async () => {
    const name = uniqueName();
    ok(
      await apply('git', name, full({ environments: [{ name: 'production', revisions: 'v.*' }, { name: 'staging' }] })),
    );
    const frozen = ok(await apply('incident', name, { environments: [{ name: 'production', suspend: true }] }));
    expect(frozen.spec.environments).toEqual([
      { name: 'production', revisions: 'v.*', suspend: true },
      { name: 'staging' },
    ]);
    const again = ok(
      await apply('git', name, full({ environments: [{ name: 'production', revisions: 'v.*' }, { name: 'staging' }] })),
    );
    expect(again.spec.environments[0]).toMatchObject({ suspend: true });
  });

  test('each add to repositories and tasks, which are sets', async () => {
    const name = uniqueName();
    ok(await apply('git', name, full({ repositories: ['livesense/web'], tasks: ['deploy'] })));
    const merged = ok(await apply('other', name, { repositories: ['web'], tasks: ['deploy', 'deploy:rollback'] }));
    expect(merged.spec).toMatchObject({
      repositories: ['livesense/web', 'web'],
      tasks: ['deploy', 'deploy:rollback'],
    });
  });

  test('conflict if both set one field, which is named', async () => {
    const name = uniqueName();
    ok(await apply('git', name, full({ maxWaiting: 5 })));
    const { status, body } = await apply('other', name, { maxWaiting: 6 });
    expect(status).toBe(409);
    expect(body.details?.causes).toEqual([
      { reason: 'FieldManagerConflict', field: '.spec.maxWaiting', message: expect.stringContaining('"git"') },
    ]);
    expect(ok(await apply('other', name, { maxWaiting: 6 }, true)).spec.maxWaiting).toBe(6);
  });
});

describe('a write with a field that is not there', () => {
  test('is refused by strict validation, as kubectl asks for it, with the path of the field', async () => {
    const object = await created(cluster, resource(namespace, uniqueName()));
    const edited = {
      ...object,
      spec: { ...object.spec, maxWaitting: 5, environments: [{ name: 'production', suspended: true }] },
    };
    const path = cdjPath(namespace, object.metadata.name);
    const { status, body } = await cluster.request<ApiStatus>('PUT', path, { body: edited, ...STRICT });
    expect(status).toBe(400);
    expect(body.message).toMatch(/strict decoding error: .*unknown field "spec\.environments\[0\]\.suspended"/);
    expect(body.message).toContain('unknown field "spec.maxWaitting"');
    const { code, stderr } = await cluster.kubectl(['replace', '-f', '-'], JSON.stringify(edited));
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('unknown field "spec.maxWaitting"') });
  });

  test('is warned of and loses the field if the client does not ask for more', async () => {
    const object = await created(cluster, resource(namespace, uniqueName()));
    const { status, warnings, body } = await cluster.request<Resource>(
      'PUT',
      cdjPath(namespace, object.metadata.name),
      {
        body: { ...object, spec: { ...object.spec, maxWaitting: 5 } },
      },
    );
    expect({ status, warnings }).toEqual({ status: 200, warnings: ['unknown field "spec.maxWaitting"'] });
    expect(body.spec).toEqual(object.spec);
  });

  test('keeps it if it belongs to the template, whose fields a newer Kubernetes may know', async () => {
    const spec = { template: { spec: { futureField: { a: [1, null] }, containers: [] }, unheardOf: true } };
    expect((await created(cluster, resource(namespace, uniqueName(), spec))).spec).toMatchObject(spec);
  });
});

describe('the status', () => {
  test('is written through its sub-resource alone', async () => {
    const before = await withStatus(cluster, await created(cluster, resource(namespace, uniqueName())));
    const path = cdjPath(namespace, before.metadata.name);
    const forged = { ...before, status: { ...STATUS, waiting: 99, history: [] } };
    const put = await cluster.request<Resource>('PUT', path, { body: forged, ...STRICT });
    expect(put).toMatchObject({ status: 200, body: { status: STATUS } });
    const patched = await cluster.request<Resource>('PATCH', path, {
      contentType: MERGE_PATCH,
      body: { status: { waiting: 99 } },
      ...STRICT,
    });
    expect(patched).toMatchObject({ status: 200, body: { status: STATUS } });
    expect(patched.body.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  test('is nothing that a new resource can bring along', async () => {
    const object = await created(cluster, { ...resource(namespace, uniqueName()), status: STATUS });
    expect(object).not.toHaveProperty('status');
  });

  test('carries no spec with it, and counts no generation', async () => {
    const before = await created(cluster, resource(namespace, uniqueName()));
    const path = cdjPath(namespace, before.metadata.name, 'status');
    const { status, body } = await cluster.request<Resource>('PUT', path, {
      body: { ...before, spec: { ...before.spec, maxWaiting: 7 }, status: STATUS },
      ...STRICT,
    });
    expect(status).toBe(200);
    expect(body.spec).toEqual(before.spec);
    expect(body.metadata.generation).toBe(1);
  });

  test('of an older version is refused: who wrote first is not written over', async () => {
    const before = await created(cluster, resource(namespace, uniqueName()));
    await withStatus(cluster, before);
    const path = cdjPath(namespace, before.metadata.name, 'status');
    const { status, body } = await cluster.request<ApiStatus>('PUT', path, { body: { ...before, status: STATUS } });
    expect({ status, reason: body.reason }).toEqual({ status: 409, reason: 'Conflict' });
  });

  test('written again unchanged keeps its resourceVersion: a write that changes nothing is no fence', async () => {
    const first = await withStatus(cluster, await created(cluster, resource(namespace, uniqueName())));
    expect((await withStatus(cluster, first)).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });
});

test('a change of the spec counts a generation, a change of labels does not', async () => {
  const object = await created(cluster, resource(namespace, uniqueName()));
  const path = cdjPath(namespace, object.metadata.name);
  const change = async (body: object) =>
    (await cluster.request<Resource>('PATCH', path, { contentType: MERGE_PATCH, body, ...STRICT })).body.metadata
      .generation;
  expect(await change({ metadata: { labels: { team: 'web' } } })).toBe(1);
  expect(await change({ spec: { suspend: true } })).toBe(2);
});
