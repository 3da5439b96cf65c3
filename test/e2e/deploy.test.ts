import { beforeAll, describe, expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/api/capdeployjob.ts';
import { ANNOTATION, KIND, LABEL, MANAGED_BY } from '../../src/api/names.ts';
import { eventually } from '../kit/eventually.ts';
import { NODE_NAME } from './node/kubelet.ts';
import { currentOf, revisionsLogOf } from './servers/deployed.ts';
import { type Deployable, expectSuccess, openSite } from './site.ts';

const site = await openSite({ releases: ['v1.0.0', 'v1.0.1', 'v1.0.2', 'v1.0.3'] });

/** Of the deploy key: what no other key has. The first line after the header is the format's, the same in all. */
const secretLines = (): string[] => site.privateKey.split('\n').slice(2, -2);

describe('a message becomes a deploy', () => {
  let web: Deployable;
  let entry: HistoryEntry;
  beforeAll(async () => {
    web = await site.deployable('web');
    // The newest commit is another one: what was asked for is deployed, not what is there.
    entry = await web.deploy({ revision: 'v1.0.1', requestedBy: 'alice', reason: 'release day' });
  });

  it('on both servers `current` is the commit of the revision, and the log of revisions says which and by whom', async () => {
    expectSuccess(entry, 'v1.0.1');
    expect(entry.reason).toBe('Completed');
    const sha = site.git.sha('v1.0.1');
    const [pod] = await site.pods(`job-name=${entry.job}`);
    for (const server of site.web) {
      const { release, revision, page } = currentOf(server);
      expect({ revision, page }).toEqual({ revision: sha, page: 'v1.0.1' });
      expect(server.list('/var/www/web/production/releases')).toEqual([release]);
      expect(revisionsLogOf(server)).toEqual([
        `Branch v1.0.1 (at ${sha}) deployed as release ${release} by capdeployjob/${pod?.metadata.name}`,
      ]);
    }
    expect(currentOf(site.web1).release).toBe(currentOf(site.web2).release);
  });

  it('the servers clone over ssh with the forwarded key, and hold no key themselves', () => {
    const accepted = site.git.ssh
      .log()
      .split('\n')
      .filter((line) => line.startsWith('Accepted publickey for git from'));
    for (const server of site.web) {
      const from = accepted.filter((line) => line.includes(`from ${server.address} `));
      expect(from.length, server.name).toBeGreaterThan(0);
      for (const line of from) expect(line).toContain(site.fingerprint);

      const holders = server
        .written()
        .filter((file) => secretLines().some((line) => server.contentOf(file).includes(line)));
      expect(holders, server.name).toEqual([]);
      expect(server.list('/home/deploy/.ssh').filter((file) => file !== 'known_hosts')).toEqual([]);
    }
  });

  it('the Job belongs to the resource, the Pod to the Job, and both say what they are for', async () => {
    const [job, ...more] = await site.jobs('web');
    expect(more).toEqual([]);
    const { uid } = (await site.resource('web')).metadata;
    const labels = { [LABEL.managedBy]: MANAGED_BY, [LABEL.name]: 'web', [LABEL.environment]: 'production' };
    expect(job).toMatchObject({
      metadata: {
        name: entry.job,
        labels,
        annotations: {
          [ANNOTATION.id]: entry.id,
          [ANNOTATION.revision]: 'v1.0.1',
          [ANNOTATION.requestedBy]: 'alice',
          [ANNOTATION.reason]: 'release day',
          [ANNOTATION.startedAt]: expect.any(String),
        },
        ownerReferences: [{ kind: KIND, name: 'web', uid, controller: true }],
      },
      spec: { suspend: false, backoffLimit: 0, podReplacementPolicy: 'Failed' },
      status: { succeeded: 1 },
    });
    const [pod, ...others] = await site.pods(`job-name=${entry.job}`);
    expect(others).toEqual([]);
    expect(pod).toMatchObject({
      metadata: {
        labels,
        ownerReferences: [{ kind: 'Job', name: entry.job, uid: job?.metadata.uid, controller: true }],
      },
      spec: {
        nodeName: NODE_NAME,
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        containers: [{ args: ['cap', 'production', 'deploy'], terminationMessagePolicy: 'FallbackToLogsOnError' }],
      },
      status: { phase: 'Succeeded', containerStatuses: [{ state: { terminated: { exitCode: 0 } } }] },
    });
  });

  it('the log can be read with kubectl, and tells nothing of the key', async () => {
    const log = await site.log(entry.job);
    expect(log).toContain('timeline:end');
    expect(log).toContain('v1.0.1');
    for (const line of secretLines()) expect(log).not.toContain(line);
  });

  it('status and queue agree that it is done', async () => {
    expect(entry).toMatchObject({
      repository: 'livesense/web',
      environment: 'production',
      task: 'deploy',
      revision: 'v1.0.1',
      requestedBy: 'alice',
    });
    const moments = [entry.sentAt, entry.startedAt, entry.finishedAt].map((moment) => Date.parse(moment ?? ''));
    expect(moments).toEqual(moments.toSorted((a, b) => a - b));
    // By the image, through the kubelet's termination message.
    const deployed = {
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      committedAt: expect.stringMatching(/Z$/),
      release: expect.stringMatching(/^\d{14}$/),
    };
    expect(entry).toMatchObject(deployed);
    const { status } = await site.resource('web');
    expect(status).toMatchObject({ waiting: 0, active: 0, history: [{ id: entry.id }] });
    expect(status?.environments?.find(({ name }) => name === 'production')).toMatchObject({
      lastSuccessful: { revision: 'v1.0.1', job: entry.job, requestedBy: 'alice', ...deployed },
      lastResult: 'Succeeded',
    });
    expect(status?.conditions?.find(({ type }) => type === 'LastDeploySucceeded')?.status).toBe('True');
    expect(await site.queues.depth(web.queueUrl)).toBe(0);
  });
});

it('of many deploys the newest releases and Jobs are kept, a rollback goes back by one, and all Jobs go with their resource', async () => {
  const folder = '/var/www/kept/production';
  const kept = await site.deployable('kept', { successfulJobsHistoryLimit: 1 }, { DEPLOY_ROOT: '/var/www/kept' });
  for (const revision of ['v1.0.0', 'v1.0.1', 'v1.0.2', 'v1.0.3']) {
    expectSuccess(await kept.deploy({ revision }), revision);
  }
  for (const server of site.web) {
    // keep_releases of the example is 3.
    expect(server.list(`${folder}/releases`)).toHaveLength(3);
    expect(currentOf(server, folder).page).toBe('v1.0.3');
  }
  const before = currentOf(site.web1, folder).release;
  const [newest] = await site.history('kept');
  await eventually('the Jobs of the older deploys are gone, and their Pods', async () => {
    const [jobs, pods] = await Promise.all([site.jobs('kept'), site.pods(`${LABEL.name}=kept`)]);
    return jobs.length === 1 && pods.length === 1 && jobs[0]?.metadata.name === newest?.job;
  });

  const back = await kept.deploy({ task: 'deploy:rollback' });
  expectSuccess(back);
  expect(back.task).toBe('deploy:rollback');
  for (const server of site.web) {
    const { revision, page, release } = currentOf(server, folder);
    expect({ revision, page }).toEqual({ revision: site.git.sha('v1.0.2'), page: 'v1.0.2' });
    expect(revisionsLogOf(server, folder).at(-1)).toContain(` rolled back to release ${release}`);
    expect(revisionsLogOf(server, folder).at(-1)).toContain(`capdeployjob/${back.job}-`);
    expect(server.list(`${folder}/releases`)).not.toContain(before);
  }

  expect((await site.history('kept')).map(({ result }) => result)).toEqual(Array(5).fill('Succeeded'));
  await site.deleteResource('kept');
  await eventually('Jobs and Pods of a deleted resource are collected', async () => {
    const [jobs, pods] = await Promise.all([site.jobs('kept'), site.pods(`${LABEL.name}=kept`)]);
    return jobs.length === 0 && pods.length === 0;
  });
});
