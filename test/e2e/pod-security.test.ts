import { expect, it } from 'vitest';
import { OPERATOR } from '../cluster/cluster.ts';
import { eventually } from '../kit/eventually.ts';
import { openSite } from './site.ts';

const site = await openSite();

it('a template that Pod Security "restricted" refuses is told in its words, starts nothing, and ends as PodNotStarted', async () => {
  const template = site.template();
  const asRoot = {
    spec: {
      ...template.spec,
      securityContext: {},
      containers: [{ ...template.spec.containers[0], securityContext: {} }],
    },
  };
  const web = await site.deployable('root', { template: asRoot });
  const id = await web.send({ revision: 'v1.0.0' });
  await eventually('the status says why no container runs', async () =>
    (await site.claim('root'))?.why?.includes('violates PodSecurity "restricted'),
  );
  await site.patchSpec('root', { podStartDeadlineSeconds: 1 });
  const entry = await web.ended(id);
  expect(entry).toMatchObject({ result: 'Failed', reason: 'PodNotStarted' });
  expect(entry.message).toContain('violates PodSecurity');
  for (const server of site.web) expect(server.log(), server.name).not.toContain('Accepted');
});

it('the operator itself runs under "restricted", enforced, in a namespace of its own', async () => {
  const { body: namespace } = await site.cluster.request('GET', `/api/v1/namespaces/${OPERATOR.namespace}`);
  expect(namespace.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  const { body } = await site.cluster.request<{ items: { status: { phase: string; containerStatuses: object[] } }[] }>(
    'GET',
    `/api/v1/namespaces/${OPERATOR.namespace}/pods`,
  );
  expect(body.items.length).toBeGreaterThan(0);
  for (const { status } of body.items) {
    expect(status).toMatchObject({ phase: 'Running', containerStatuses: [{ ready: true }] });
  }
});
