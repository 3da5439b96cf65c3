import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import { eventually } from '../behaviour/world.ts';
import {
  ALLOW_DELETE,
  annotate,
  FREEZE,
  foreignJob,
  jobOf,
  openAdmission,
  outcome,
  resource,
  SAYS,
  STARTED_AT,
  serviceAccount,
  startedJob,
  USERS,
  waitingJob,
} from './admission.ts';

/**
 * deploy/admission against what other tools do to Jobs and Pods, played write by write under their accounts. The writes
 * are those of their sources, Kueue v0.19.2 and Velero v1.18.2; docs/other-tools.md names the files.
 */
const world = openAdmission();

const { root, eve, jobController } = USERS;
/** config/default/kustomization.yaml and config/components/rbac of Kueue. */
const kueue = serviceAccount('kueue-system', 'kueue-controller-manager');
/** pkg/install/resources.go of Velero, which binds it to cluster-admin. */
const velero = serviceAccount('velero', 'velero');
/** Of a node without the plug-in NodeRestriction, which keeps a kubelet from it by itself. */
const kubelet = serviceAccount('kube-system', 'kubelet');

beforeAll(async () => {
  // More than Kueue's own role has on Jobs (get, list, watch, update, patch, delete): what refuses it here is no lack
  // of a right.
  await Promise.all([kueue, velero, kubelet].map((account) => world.bind(account, 'cluster-admin')));
  await eventually('they may write', async () => {
    const probes = [kueue, velero, kubelet].map((account) =>
      world.as(account).create(JOBS, foreignJob(world), { dryRun: 'All' }),
    );
    return (await Promise.all(probes)).every(({ status }) => status === 201);
  });
}, 60_000);

/** What Kueue lays over the Pod template of a Job that it admits (pkg/podset/podset.go). */
const FLAVOUR = {
  metadata: { labels: { 'kueue.x-k8s.io/podset': 'main' }, annotations: { 'kueue.x-k8s.io/workload': 'job-web' } },
  spec: { nodeSelector: { pool: 'deploys' } },
};
const STOPPING = 'kueue.x-k8s.io/stopping';

/** The Pod that the real Job controller has made of a started Job. */
const podOf = ({ metadata }: KubeObject): Promise<KubeObject> =>
  eventually('the Job controller has made its Pod', async () =>
    ((await world.as(root).list(PODS)).body.items as KubeObject[]).find(
      (pod) => pod.metadata.labels?.['batch.kubernetes.io/job-name'] === metadata.name,
    ),
  );

describe.concurrent('Kueue (pkg/controller/jobs/job/job_controller.go)', () => {
  test.each<[string, object, string]>([
    ['resumes what it admits', { spec: { suspend: false, template: FLAVOUR } }, SAYS.suspend],
    ['resumes it and changes nothing else', { spec: { suspend: false } }, SAYS.suspend],
    ['writes its flavour into the template alone', { spec: { template: FLAVOUR } }, SAYS.spec],
    ['admits a part of it', { spec: { suspend: false, parallelism: 0 } }, SAYS.suspend],
  ])('on a deploy that waits, it %s', async (_, patch, expected) => {
    const { metadata } = await waitingJob(world);
    expect(outcome(await world.as(kueue).patch(JOBS, metadata.name, patch))).toBe(expected);
  });

  test('on a deploy that runs, it suspends what it has not admitted', async () => {
    const { metadata } = await startedJob(world);
    const stop = annotate({ [STOPPING]: 'true' }, { spec: { suspend: true } });
    expect(outcome(await world.as(kueue).patch(JOBS, metadata.name, stop))).toBe(SAYS.suspend);
  });

  test('on a deploy that runs, it resets the start time and what it had written into the template', async () => {
    const { metadata } = await startedJob(world);
    await eventually(
      'it has a start time',
      async () => (await world.as(root).get(JOBS, metadata.name)).body.status.startTime,
    );
    // The API server itself refuses this one, as long as the Job is not suspended.
    const reset = await world.as(kueue).patchStatus(JOBS, metadata.name, { status: { startTime: null } });
    expect(outcome(reset)).toContain('status.startTime');
    const conditions = { status: { conditions: [{ type: 'Suspended', status: 'True' }] } };
    expect(outcome(await world.as(kueue).patchStatus(JOBS, metadata.name, conditions))).toBe(SAYS.status);
  });

  test('its webhook names a queue in the request of the operator, which harms nothing', async () => {
    const job = jobOf(await resource(world));
    Object.assign(job.metadata.labels ?? {}, { 'kueue.x-k8s.io/queue-name': 'default' });
    expect(outcome(await world.as(world.operator).create(JOBS, job))).toBe('allowed');
  });

  test.each([
    ['gives it to MultiKueue', { managedBy: 'kueue.x-k8s.io/multikueue' }],
    ['and another one resumes it', { suspend: false }],
  ])('its webhook %s', async (_, spec) => {
    const job = jobOf(await resource(world)) as KubeObject & { spec: object };
    Object.assign(job.spec, spec);
    for (const dryRun of ['All', undefined]) {
      expect(outcome(await world.as(world.operator).create(JOBS, job, { dryRun }))).toBe(SAYS.webhook);
    }
  });

  test('a Job that names the controller that runs it anyway is created', async () => {
    const job = jobOf(await resource(world)) as KubeObject & { spec: object };
    Object.assign(job.spec, { managedBy: 'kubernetes.io/job-controller' });
    expect(outcome(await world.as(world.operator).create(JOBS, job))).toBe('allowed');
  });
});

/** What Velero makes of an object in a backup (pkg/restore/restore.go, pkg/restore/actions/{job,pod}_action.go). */
function restored(object: KubeObject): KubeObject {
  const copy = structuredClone(object) as KubeObject & {
    status?: unknown;
    spec: {
      nodeName?: string;
      priority?: number;
      selector?: { matchLabels?: Record<string, string> };
      template?: { metadata?: { labels?: Record<string, string> } };
    };
  };
  for (const field of [
    'generateName',
    'uid',
    'resourceVersion',
    'generation',
    'creationTimestamp',
    'ownerReferences',
  ]) {
    delete copy.metadata[field];
  }
  delete copy.status;
  delete copy.spec.nodeName;
  delete copy.spec.priority;
  for (const labels of [copy.spec.selector?.matchLabels, copy.spec.template?.metadata?.labels]) {
    delete labels?.['controller-uid'];
    delete labels?.['batch.kubernetes.io/controller-uid'];
  }
  const { 'velero.io/exclude-from-backup': _, ...labels } = copy.metadata.labels ?? {};
  // The backup was made by an operator that did not exclude its Jobs yet.
  copy.metadata.labels = { ...labels, 'velero.io/backup-name': 'nightly', 'velero.io/restore-name': 'r1' };
  return copy;
}

describe.concurrent('a restore by Velero', () => {
  test.each([
    ['that waited', waitingJob],
    ['that ran', startedJob],
  ])('gives no Job back of a deploy %s', async (_, make) => {
    const { metadata } = await make(world);
    const job = restored((await world.as(root).get(JOBS, metadata.name)).body);
    await world.as(root).delete(JOBS, metadata.name);
    await eventually('it is gone', async () => (await world.as(root).get(JOBS, metadata.name)).status === 404);
    expect(outcome(await world.as(velero).create(JOBS, job))).toBe(SAYS.create(world.operator));
    // Without the labels of a deploy it would pass: the rest of the object is one that the API server takes.
    const unlabelled = { ...job, metadata: { ...job.metadata, labels: { team: 'web' } } };
    expect(outcome(await world.as(velero).create(JOBS, unlabelled, { dryRun: 'All' }))).toBe('allowed');
  });

  test('gives no Pod back: it would run cap once more, and beside its Job', async () => {
    const pod = restored(await podOf(await startedJob(world)));
    pod.metadata.name += '-restored';
    expect(outcome(await world.as(velero).create(PODS, pod))).toBe(SAYS.createPod);
    const { labels: _, ...unlabelled } = pod.metadata;
    expect(outcome(await world.as(velero).create(PODS, { ...pod, metadata: unlabelled }, { dryRun: 'All' }))).toBe(
      'allowed',
    );
  });

  test.each([
    ['of the start', annotate({ [STARTED_AT]: null }), SAYS.ours(STARTED_AT)],
    ['of the turn', { spec: { suspend: true } }, SAYS.suspend],
  ])('over what is there (existingResourcePolicy: update) takes no record back %s', async (_, patch, expected) => {
    const { metadata } = await startedJob(world);
    expect(outcome(await world.as(velero).patch(JOBS, metadata.name, patch))).toBe(expected);
  });

  test('gives the CapDeployJob back, frozen as it was, and with its status if it is asked to', async () => {
    const { metadata } = await resource(world, { [FREEZE]: 'dora: incident 42' });
    const found = (await world.as(root).get(CAPDEPLOYJOBS, metadata.name)).body as KubeObject;
    await world.as(root).patch(CAPDEPLOYJOBS, metadata.name, annotate({ [ALLOW_DELETE]: 'true' }));
    expect(outcome(await world.as(root).delete(CAPDEPLOYJOBS, metadata.name))).toBe('allowed');
    const created = await world.as(velero).create(CAPDEPLOYJOBS, restored(found));
    expect(outcome(created)).toBe('allowed');
    expect(created.body.metadata.annotations).toEqual({ [FREEZE]: 'dora: incident 42' });
    const watermark = {
      task: 'deploy',
      id: 'release-1',
      repository: 'livesense/web',
      dueAt: '2026-11-05T10:00:00.000Z',
    };
    const status = { environments: [{ name: 'production', lastStarted: [watermark] }] };
    const written = await world.as(velero).replace(CAPDEPLOYJOBS, { ...created.body, status }, 'status');
    expect(outcome(written)).toBe('allowed');
    expect(written.body.status).toEqual(status);
  });
});

describe.concurrent('Pods with the labels of a deploy', () => {
  test('are created only by the Job controller', async () => {
    const pod = restored(await podOf(await startedJob(world)));
    for (const [index, user] of [
      root,
      eve,
      world.operator,
      serviceAccount('kube-system', 'replicaset-controller'),
    ].entries()) {
      const copy = { ...pod, metadata: { ...pod.metadata, name: `${pod.metadata.name}-${index}` } };
      const expected = user === world.operator ? 'refused by RBAC' : SAYS.createPod;
      expect(outcome(await world.as(user).create(PODS, copy))).toBe(expected);
    }
    pod.metadata.name += '-5';
    expect(outcome(await world.as(jobController).create(PODS, pod, { dryRun: 'All' }))).toBe('allowed');
  });

  test.each<[string, Record<string, string | null>, string[]]>([
    ['its resource', { 'capdeployjob.dev/name': 'other' }, ['capdeployjob.dev/name']],
    ['its environment', { 'capdeployjob.dev/environment': null }, ['capdeployjob.dev/environment']],
    ['whose it is', { 'app.kubernetes.io/managed-by': null }, ['app.kubernetes.io/managed-by']],
  ])('keep the label that says %s', async (_, labels, changed) => {
    const { metadata } = await podOf(await startedJob(world));
    for (const user of [root, eve, jobController]) {
      expect(outcome(await world.as(user).patch(PODS, metadata.name, { metadata: { labels } }))).toBe(
        SAYS.podLabels(...changed),
      );
    }
    for (const user of [root, kubelet]) {
      expect(outcome(await world.as(user).patchStatus(PODS, metadata.name, { metadata: { labels } }))).toBe(
        SAYS.podLabels(...changed),
      );
    }
  });

  test('get their status from every account that may write it, as without the policy', async () => {
    const { metadata } = await podOf(await startedJob(world));
    const status = { status: { phase: 'Running' }, metadata: { labels: { team: 'web' } } };
    expect(outcome(await world.as(kubelet).patchStatus(PODS, metadata.name, status))).toBe('allowed');
    const { body } = await world.as(root).get(PODS, metadata.name);
    // That is why the rule is asked about it at all.
    expect(body).toMatchObject({ metadata: { labels: { team: 'web' } }, status: { phase: 'Running' } });
  });

  test('are otherwise changed as ever, and deleted', async () => {
    const { metadata } = await podOf(await startedJob(world));
    const note = { metadata: { annotations: { note: 'x' }, labels: { team: 'web' } } };
    expect(outcome(await world.as(eve).patch(PODS, metadata.name, note))).toBe('allowed');
    expect(outcome(await world.as(root).patch(PODS, metadata.name, { metadata: { ownerReferences: null } }))).toBe(
      'allowed',
    );
    expect(outcome(await world.as(eve).delete(PODS, metadata.name))).toBe('allowed');
  });

  test('cannot be made of other Pods by a label, and the policies do not concern other Pods', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'theirs', namespace: world.namespace, labels: { 'app.kubernetes.io/managed-by': 'helm' } },
      spec: { containers: [{ name: 'theirs', image: 'example.test/theirs:1' }] },
    };
    expect(outcome(await world.as(eve).create(PODS, pod))).toBe('allowed');
    const label = { metadata: { labels: { 'app.kubernetes.io/managed-by': 'capdeployjob' } } };
    expect(outcome(await world.as(eve).patch(PODS, 'theirs', label))).toBe(
      SAYS.podLabels('app.kubernetes.io/managed-by'),
    );
  });
});

describe('the commands of docs/other-tools.md', () => {
  const page = readFileSync(new URL('../../docs/other-tools.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const block = (words: string): string => {
    const [found, ...others] = blocks.filter((each) => each.includes(words));
    if (found === undefined || others.length > 0) throw new Error(`the page has not one block with "${words}"`);
    return found;
  };
  const LOOK = 'get jobs,pods';
  const CLEAR = 'delete jobs,pods';

  test('are those that are run here, and those that need Velero, AWS or the operator in a Pod of its own', () => {
    const known = ['NS=deploy', '--replicas=0', 'velero restore create', LOOK, CLEAR, '--replicas=2', 'aws sns'];
    expect(known.map(block)).toEqual(blocks);
  });

  test('show what came back, and delete that alone', async () => {
    const kept = await startedJob(world);
    await podOf(kept);
    // As it was before there were rules: under other labels, which the Job controller, to whom the rules leave it, then
    // puts right.
    const labels = (object: KubeObject) => restored(object).metadata.labels;
    const came = foreignJob(world);
    expect(outcome(await world.as(root).create(JOBS, came))).toBe('allowed');
    const relabel = { metadata: { labels: labels(kept) } };
    expect(outcome(await world.as(jobController).patch(JOBS, came.metadata.name, relabel))).toBe('allowed');

    const env = { NS: world.namespace };
    const rows = (await world.shell(root, block(LOOK), env)).split('\n').map((line) => line.split(/ +/));
    expect(rows[0]).toEqual(['KIND', 'NAME', 'OWNER', 'SUSPENDED', 'PHASE', 'RESTORE']);
    const rowOf = (name: string) => rows.find((row) => row[1]?.startsWith(name));
    const owner = kept.metadata.labels?.['capdeployjob.dev/name'];
    expect(rowOf(kept.metadata.name)).toEqual(['Job', kept.metadata.name, owner, 'false', '<none>', '<none>']);
    expect(rowOf(`${kept.metadata.name}-`)).toMatchObject([
      'Pod',
      {},
      kept.metadata.name,
      '<none>',
      'Pending',
      '<none>',
    ]);
    expect(rowOf(came.metadata.name)).toEqual(['Job', came.metadata.name, '<none>', 'true', '<none>', 'r1']);

    await world.shell(root, block(CLEAR), env);
    expect((await world.as(root).get(JOBS, came.metadata.name)).status).toBe(404);
    expect((await world.as(root).get(JOBS, kept.metadata.name)).status).toBe(200);
  });
});
