import { expect, it } from 'vitest';
import type { HistoryEntry } from '../../src/api/capdeployjob.ts';
import { firstContainerStatus, type Pod } from '../../src/lanes/job.ts';
import { redactSecrets } from '../../src/text/redact.ts';
import { currentOf } from './servers/deployed.ts';
import { SshServer } from './servers/ssh-server.ts';
import { expectSuccess, openSite } from './site.ts';

const site = await openSite();

/**
 * Expects a deploy that cap gave up. What the history says of it ends as the Pod's log does, which came by the
 * termination message.
 * @returns that
 */
async function expectFailure(entry: HistoryEntry): Promise<string> {
  expect(entry).toMatchObject({ result: 'Failed', reason: 'BackoffLimitExceeded' });
  const [pod] = await site.pods(`job-name=${entry.job}`);
  const { terminated } = firstContainerStatus(pod as Pod)?.state ?? {};
  expect(terminated).toMatchObject({
    exitCode: 1,
    // Of a long log its end: cap's own last words may be further up, where several servers spoke at once.
    message: expect.stringMatching(/\S/),
  });
  const lastLine = (await site.log(entry.job)).trimEnd().split('\n').at(-1) ?? '';
  expect(lastLine).not.toBe('');
  const message = entry.message?.trimEnd() ?? '';
  expect(message.split('\n').at(-1)).toBe(redactSecrets(lastLine).trimEnd());
  expect(message.length).toBeLessThanOrEqual(2048);
  return message;
}

it('a revision that the repository does not have fails in the words of git, and the next deploy follows', async () => {
  const web = await site.deployable('web');
  const message = await expectFailure(await web.deploy({ revision: 'v9.9.9' }));
  expect(message).toContain('v9.9.9');
  for (const server of site.web) expect(server.has('/var/www/web/production/revisions.log')).toBe(false);
  const { status } = await site.resource('web');
  const condition = (type: string) => status?.conditions?.find((each) => each.type === type)?.status;
  expect(condition('LastDeploySucceeded')).toBe('False');
  // A deploy that failed is no sick operator.
  expect(condition('Ready')).toBe('True');

  expectSuccess(await web.deploy({ revision: 'v1.0.0' }));
  for (const server of site.web) expect(currentOf(server).page).toBe('v1.0.0');
});

it('a server that is down fails the deploy before any server serves the new release', async () => {
  const down = await SshServer.start('down', 'deploy', site.publicKey);
  const knownHosts = `${site.knownHosts}${down.knownHost}\n`;
  await down.stop();
  await site.secret('with-one-down', { private_key: site.privateKey, known_hosts: knownHosts });
  const web = await site.deployable(
    'half',
    { sshKey: { secretName: 'with-one-down' } },
    { SERVERS: `${site.web1.address},${down.address}`, DEPLOY_ROOT: '/var/www/half' },
  );
  const message = await expectFailure(await web.deploy({ revision: 'v1.0.0' }));
  expect(message).toContain(down.address);
  expect(message).toMatch(/ECONNREFUSED|Connection refused/);
  expect(site.web1.has('/var/www/half/production/current')).toBe(false);
});

it('a server that shows another host key than known_hosts gets nothing', async () => {
  const impostor = await SshServer.start('imp', 'deploy', site.publicKey);
  try {
    // The address of the impostor, with the key of the server that it pretends to be.
    const [, ...key] = site.web1.knownHost.split(' ');
    await site.secret('wrong-host-key', {
      private_key: site.privateKey,
      known_hosts: `${impostor.address} ${key.join(' ')}\n`,
    });
    const web = await site.deployable(
      'mitm',
      { sshKey: { secretName: 'wrong-host-key' } },
      { SERVERS: impostor.address, DEPLOY_ROOT: '/var/www/mitm' },
    );
    const message = await expectFailure(await web.deploy({ revision: 'v1.0.0' }));
    expect(message).toContain('HostKeyMismatch');
    expect(impostor.log()).toContain('Connection from 10.244.');
    expect(impostor.log()).not.toContain('Accepted');
    expect(impostor.written().filter((file) => file.includes('/var/www/'))).toEqual([]);
  } finally {
    await impostor.stop();
  }
});

it('a git server that shows another host key than known_hosts gives the servers nothing to deploy', async () => {
  const [host] = site.git.ssh.knownHost.split(' ');
  const [, ...key] = site.web1.knownHost.split(' ');
  const servers = site.web.map((server) => server.knownHost);
  await site.secret('wrong-git-key', {
    private_key: site.privateKey,
    known_hosts: `${[...servers, `${host} ${key.join(' ')}`].join('\n')}\n`,
  });
  const web = await site.deployable(
    'git',
    { sshKey: { secretName: 'wrong-git-key' } },
    { DEPLOY_ROOT: '/var/www/git' },
  );
  const entry = await web.deploy({ revision: 'v1.0.0' });
  await expectFailure(entry);
  expect(await site.log(entry.job)).toContain('Host key verification failed');
  for (const server of site.web) expect(server.list('/var/www/git/production/releases')).toEqual([]);
});

it('without a known_hosts in the Secret no server is trusted, and the log says what is missing', async () => {
  await site.secret('no-known-hosts', { private_key: site.privateKey });
  const web = await site.deployable(
    'blind',
    { sshKey: { secretName: 'no-known-hosts' } },
    { DEPLOY_ROOT: '/var/www/blind' },
  );
  const entry = await web.deploy({ revision: 'v1.0.0' });
  await expectFailure(entry);
  expect(await site.log(entry.job)).toContain('no known_hosts at /etc/capdeployjob/ssh/known_hosts');
  for (const server of site.web) expect(server.has('/var/www/blind')).toBe(false);
});
