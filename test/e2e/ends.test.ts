import { describe, expect, it } from 'vitest';
import { LABEL } from '../../src/api/names.ts';
import { PODS } from '../../src/kube/client.ts';
import { firstContainerStatus, isAlive, type Job, type Pod } from '../../src/lanes/job.ts';
import { OPERATOR_USER, path } from '../cluster/cluster.ts';
import { eventually } from '../kit/eventually.ts';
import { NODE_NAME } from './node/kubelet.ts';
import { expectSuccess, openPlace } from './place.ts';
import { cap, DEAF, onTerm, podTemplate, shell, tell, UNTIL_TOLD, untilUp } from './shell-pods.ts';

const place = await openPlace();

interface End {
  what: string;
  template: ReturnType<typeof podTemplate>;
  /** Laid over the usual spec. */
  spec?: Record<string, unknown>;
  /** What happens to the deploy, once its shell is up. */
  act?: (deploy: { job: Job; pod: Pod }) => Promise<unknown>;
  result: string;
  reason: string;
  says?: readonly (string | RegExp)[];
  saysNot?: RegExp;
}

const evict = async ({ pod }: { pod: Pod }): Promise<void> => {
  const { name, namespace } = pod.metadata;
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const { status } = await place.cluster.request('POST', `${path(PODS, namespace, name)}/eviction`, { body });
  expect(status).toBe(201);
};
const deleteJob = ({ job }: { job: Job }) => place.deleteJob(job.metadata.name);
const deletePod = ({ pod }: { pod: Pod }) => place.kubectl('delete', 'pod', pod.metadata.name, '--wait=false');

/** Again and again, by container restart rules (on by default from Kubernetes 1.35). */
const RESTARTS = {
  restartPolicy: 'Never',
  restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
};

const ENDS: readonly End[] = [
  {
    what: 'cap exits with 0',
    template: cap('exit 0'),
    result: 'Succeeded',
    reason: 'Completed',
  },
  {
    what: 'cap exits with another code',
    template: cap('echo no such branch; exit 3'),
    result: 'Failed',
    reason: 'BackoffLimitExceeded',
    says: ['exit code 3', 'no such branch'],
  },
  {
    what: 'an init container fails',
    template: podTemplate({
      initContainers: [shell('check-tickets', 'echo ticket is open; exit 3')],
      containers: [shell('cap', 'exit 0')],
    }),
    result: 'Failed',
    reason: 'InitContainerFailed',
    says: ['check-tickets', 'exit code 3', 'ticket is open', 'did not run'],
    saysNot: /cap exited|container cap/,
  },
  {
    what: 'the kernel kills cap for want of memory',
    template: cap('exec tail /dev/zero', { resources: { limits: { memory: '32Mi' } } }),
    result: 'Failed',
    reason: 'OOMKilled',
    says: ['exit code 137'],
  },
  {
    what: 'the kernel kills what cap runs for want of memory, and cap gets over it',
    template: cap('tail /dev/zero; exit 0', { resources: { limits: { memory: '32Mi' } } }),
    result: 'Succeeded',
    reason: 'Completed',
  },
  {
    what: 'its node is drained',
    template: cap(DEAF),
    act: evict,
    result: 'Failed',
    reason: 'Disrupted',
    says: ['EvictionByEvictionAPI', 'exit code 137'],
  },
  {
    what: 'its node is drained, and cap exits with 0 on SIGTERM',
    template: cap(onTerm('exit 0')),
    act: evict,
    result: 'Failed',
    reason: 'Disrupted',
    says: ['EvictionByEvictionAPI', /exit code 0, after it was told to end/],
  },
  {
    what: 'the kubelet refuses its Pod',
    template: podTemplate({
      nodeName: NODE_NAME,
      containers: [shell('cap', 'exit 0', { resources: { requests: { cpu: '1000' } } })],
    }),
    result: 'Failed',
    reason: 'PodRefused',
    says: ['OutOfcpu'],
  },
  {
    what: 'the program of its container is not there',
    template: podTemplate({ containers: [shell('cap', '', { command: ['/no/such/program'] })] }),
    result: 'Failed',
    reason: 'ContainerNotStarted',
    says: ['/no/such/program', 'no such file or directory'],
    saysNot: /exit code/,
  },
  {
    what: 'a side-car fails, and cap has exited with 0',
    template: podTemplate({ containers: [shell('cap', 'exit 0'), shell('proxy', 'exit 5')] }),
    result: 'Succeeded',
    reason: 'SidecarFailed',
    says: ['proxy', 'exit code 5'],
  },
  {
    what: 'a native side-car is there',
    template: podTemplate({
      initContainers: [shell('proxy', DEAF, { restartPolicy: 'Always' })],
      containers: [shell('cap', 'exit 0')],
    }),
    result: 'Succeeded',
    reason: 'Completed',
  },
  {
    what: 'its Job is deleted',
    template: cap(DEAF),
    act: deleteJob,
    result: 'Aborted',
    reason: 'JobDeleted',
    says: ['exit code 137'],
  },
  {
    what: 'its Job is deleted, and cap exits with 0 on SIGTERM',
    template: cap(onTerm('exit 0')),
    act: deleteJob,
    result: 'Aborted',
    reason: 'JobDeleted',
    says: [/exit code 0, after it was told to end/],
  },
  {
    what: 'its Job is suspended',
    template: cap(onTerm('exit 7')),
    // The admission rules let nobody else do it, but not everybody installs them.
    act: ({ job: { metadata } }) =>
      place.kubectl('patch', 'job', metadata.name, '--patch', '{"spec":{"suspend":true}}', '--as', OPERATOR_USER),
    result: 'Aborted',
    reason: 'JobSuspended',
    says: [/exit code 7.*after it was told to end/],
  },
  {
    what: 'its Pod is deleted',
    template: cap(DEAF),
    act: deletePod,
    result: 'Failed',
    reason: 'PodDeleted',
    says: ['exit code 137'],
  },
  {
    what: 'its Pod is deleted, and cap exits with 0 on SIGTERM',
    template: cap(onTerm('exit 0')),
    act: deletePod,
    result: 'Failed',
    reason: 'PodDeleted',
    says: [/exit code 0, after it was told to end/],
  },
  {
    what: 'its Pod is deleted by force',
    template: cap(onTerm('exit 0')),
    act: ({ pod }) => place.kubectl('delete', 'pod', pod.metadata.name, '--force', '--grace-period=0'),
    result: 'Failed',
    reason: 'PodDeleted',
  },
  {
    what: 'it runs longer than its Job may',
    template: cap(DEAF),
    spec: { activeDeadlineSeconds: 10 },
    result: 'Failed',
    reason: 'DeadlineExceeded',
  },
  {
    what: 'it runs longer than its Pod may',
    template: podTemplate({ activeDeadlineSeconds: 10, containers: [shell('cap', DEAF)] }),
    result: 'Failed',
    reason: 'DeadlineExceeded',
  },
  {
    what: 'its template asks for another run after this exit code',
    template: cap('exit 42', RESTARTS),
    result: 'Failed',
    reason: 'BackoffLimitExceeded',
    says: ['exit code 42'],
  },
];

for (const [n, { what, template, spec, act, result, reason, says = [], saysNot }] of ENDS.entries()) {
  it.concurrent(`${what}: ${result}, ${reason}`, async () => {
    const web = await place.deployable(`end-${n}`, { template, ...spec });
    const id = await web.send({ revision: 'v1.0.0' });
    if (act) {
      const deploy = await web.running(id);
      await untilUp(place, deploy.pod);
      await act(deploy);
    }
    const entry = await web.ended(id);
    expect(entry).toMatchObject({ result, reason });
    for (const words of says) expect(entry.message).toMatch(words);
    if (saysNot) expect(entry.message).not.toMatch(saysNot);
  });
}

it.concurrent('this is not for nothing: by hand the same container is started again after that exit code', async () => {
  const containers = [{ ...shell('cap', 'exit 42'), ...RESTARTS }];
  await place.create(PODS, {
    metadata: { name: 'again' },
    spec: { ...podTemplate({ containers }).spec, restartPolicy: 'Never' },
  });
  await eventually('it is', async () => {
    const { body } = await place.cluster.request<Pod>('GET', path(PODS, place.namespace, 'again'));
    return (firstContainerStatus(body)?.restartCount ?? 0) > 0;
  });
  await place.kubectl('delete', 'pod', 'again', '--wait=false');
});

describe.concurrent('cap has exited, and a container beside it runs on', () => {
  it.for([
    { code: 0, result: 'Succeeded', exit: 'Completed' },
    { code: 3, result: 'Failed', exit: 'BackoffLimitExceeded' },
  ])(
    'exit code $code: said at once, ended after a minute as $result, and the next deploy follows',
    async (row, { expect }) => {
      const { code, result, exit } = row;
      const name = `beside-${code}`;
      const web = await place.deployable(name, {
        template: podTemplate({ containers: [shell('cap', `exit ${code}`), shell('proxy', DEAF)] }),
      });
      const first = await web.send({ revision: 'v1.0.0' });
      const held = await eventually('the claim holds the exit', async () => {
        const claim = await place.claim(name);
        return claim?.exit && claim;
      });
      expect(held).toMatchObject({ id: first, exit: { code, reason: exit }, why: expect.stringContaining('proxy') });
      // Had the exit come with a later write than what holds the lane, a crash in between would have lost it.
      const second = await web.send({ revision: 'v1.0.1' });
      await eventually('the next one waits', async () => (await place.resource(name)).status?.waiting === 1);

      const entry = await web.ended(first);
      expect(entry).toMatchObject({ result, reason: 'SidecarEnded', finishedAt: held.exit?.finishedAt });
      expect(entry.message).toContain('proxy');
      const next = await eventually('the next one is started', async () => {
        const claim = await place.claim(name);
        return claim?.id === second && claim;
      });
      expect(Date.parse(next.since) - Date.parse(entry.finishedAt)).toBeGreaterThanOrEqual(59_000);
      const pods = await place.pods(`job-name=${entry.job}`);
      expect(pods.filter(isAlive)).toEqual([]);
    },
  );
});

it.concurrent('a deploy whose Job went without its Pod runs on, holds its lane until then, and has succeeded', async () => {
  const web = await place.deployable('orphan', { template: cap(UNTIL_TOLD) });
  const first = await web.send({ revision: 'v1.0.0' });
  const { job, pod } = await web.running(first);
  const second = await web.send({ revision: 'v1.0.1' });
  await eventually('the next one waits', async () => (await place.resource('orphan')).status?.waiting === 1);
  await place.kubectl('delete', 'job', job.metadata.name, '--cascade=orphan');
  const why = await eventually('the status says what holds the lane', async () => (await place.claim('orphan'))?.why);
  expect(why).toContain(pod.metadata.name);
  expect(await place.claim('orphan')).toMatchObject({ id: first });
  const [alive] = await place.pods(`${LABEL.name}=orphan`);
  expect(alive && firstContainerStatus(alive)?.state).toHaveProperty('running');

  await tell(place, pod);
  const entry = await web.ended(first);
  expectSuccess(entry, 'v1.0.0');
  await web.running(second);
});
