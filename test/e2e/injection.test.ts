import { expect, it } from 'vitest';
import { PODS } from '../../src/kube/client.ts';
import type { Pod } from '../../src/lanes/job.ts';
import { path } from '../cluster/cluster.ts';
import { eventually } from '../kit/eventually.ts';
import { currentOf } from './servers/deployed.ts';
import { expectSuccess, type Message, openSite } from './site.ts';

/** A branch whose name is a command for a shell, which git allows, and Capistrano passes on (capistrano#2187). */
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: for a shell
const HOSTILE_BRANCH = 'a$(touch${IFS}pwned)';
const CONTROL_BRANCH = 'main$(touch${IFS}control)';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: for a shell

const site = await openSite();
for (const branch of [HOSTILE_BRANCH, CONTROL_BRANCH]) await site.git.branch(branch);

/** The files of a name that lie anywhere on any server. */
const traces = (name: string): string[] =>
  [...site.web, site.git.ssh].flatMap((server) => server.written().filter((file) => file.endsWith(name)));

const HOSTILE: [what: string, message: Message][] = [
  ['a branch whose name is a command', { revision: HOSTILE_BRANCH }],
  ['an option of git', { revision: '--output=/tmp/pwned' }],
  ['a second command', { revision: 'v1.0.0;touch pwned' }],
  ['a second line', { revision: 'v1.0.0\ntouch pwned' }],
  ['an option of cap for an environment', { environment: '-e', revision: 'v1.0.0' }],
  ['a variable behind the environment', { environment: 'production NAME=x', revision: 'v1.0.0' }],
  ['an option of cap for a task', { task: '-f/tmp/pwned', revision: 'v1.0.0' }],
  ['a task that the resource does not name', { task: 'timeline:begin', revision: 'v1.0.0' }],
];

it('messages that would become commands make no Job and leave no trace on any server', async () => {
  const web = await site.deployable('web');
  const logins = (): number[] => site.web.map((server) => server.log().split('Accepted publickey').length);
  const before = logins();
  for (const [, message] of HOSTILE) await web.send(message);
  await eventually('the queue is empty', async () => (await site.queues.depth(web.queueUrl)) === 0);
  const { status } = await site.resource('web');
  expect(status?.rejectionsCount, JSON.stringify(status)).toBe(HOSTILE.length);
  expect(await site.jobs('web')).toEqual([]);
  expect(logins()).toEqual(before);
  // They hold up nobody.
  expectSuccess(await web.deploy({ revision: 'v1.0.0' }));
  for (const server of site.web) expect(currentOf(server).page).toBe('v1.0.0');
  expect(traces('pwned')).toEqual([]);
  expect(await site.history('web')).toHaveLength(1);
});

it('the image refuses them once more, if somebody runs it by hand', async () => {
  const { code, log } = await runByHand('refused', { REVISION: HOSTILE_BRANCH }, {});
  expect(code).toBe(2);
  expect(log).toContain('REVISION');
  expect(traces('pwned')).toEqual([]);
});

it('this is not for nothing: cap by itself has the servers run the command in a branch’s name', async () => {
  const key = '/etc/capdeployjob/ssh/private_key';
  const command = ['ssh-agent', 'sh', '-c', `ssh-add -q - <${key} && exec cap production deploy`];
  await runByHand('control', { REVISION: CONTROL_BRANCH, DEPLOY_ROOT: '/var/www/control' }, { command });
  expect(traces('control').filter((file) => file.endsWith('repo/control'))).toHaveLength(2);
});

/**
 * Runs the deploy image in a Pod that no operator made, until it has ended. @param container laid over the one of the
 * deploys
 */
async function runByHand(name: string, env: Record<string, string>, container: Record<string, unknown>) {
  const { spec } = site.template(env);
  const [first] = spec.containers;
  const ssh = { name: 'ssh', mountPath: '/etc/capdeployjob/ssh', readOnly: true };
  await site.create(PODS, {
    metadata: { name },
    spec: {
      ...spec,
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      containers: [
        {
          ...first,
          args: ['cap', 'production', 'deploy'],
          ...('command' in container ? { args: [] } : {}),
          ...container,
          volumeMounts: [...(first?.volumeMounts ?? []), ssh],
        },
      ],
      volumes: [...spec.volumes, { name: 'ssh', secret: { secretName: 'web-ssh-key', defaultMode: 0o440 } }],
    },
  });
  const code = await eventually(`the container of ${name} ends`, async () => {
    const { body } = await site.cluster.request<Pod>('GET', path(PODS, site.namespace, name));
    const terminated = body.status?.containerStatuses?.[0]?.state?.terminated;
    return terminated && { exit: terminated.exitCode };
  });
  const { stdout } = await site.cluster.kubectl(['-n', site.namespace, 'logs', name]);
  return { code: code.exit, log: stdout };
}
