import { expect, it } from 'vitest';
import { currentOf } from './servers/deployed.ts';
import { expectSuccess, IMAGES, openSite } from './site.ts';

// It runs as root, which "restricted" does not allow.
const site = await openSite({ labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } });

it('an image of before works unchanged: root, its own ssh-agent, bundle exec, the revision in a _DEPLOY_HASH, the key in /root/.ssh', async () => {
  const web = await site.deployable('older', {
    sshKey: { secretName: 'web-ssh-key', mountPath: '/root/.ssh' },
    template: {
      spec: {
        dnsPolicy: 'Default',
        containers: [
          {
            name: 'cap',
            image: IMAGES.older.tag,
            command: [
              '/bin/sh',
              '-c',
              'eval "$(ssh-agent)" && ssh-add "$HOME/.ssh/private_key" && exec bundle exec "$@"',
              '--',
            ],
            env: [
              { name: 'SERVERS', value: `${site.web1.address},${site.web2.address}` },
              { name: 'REPO_URL', value: site.git.url },
              // What the template says of it is replaced.
              { name: 'WEB_DEPLOY_HASH', value: 'v1.0.1' },
            ],
          },
        ],
      },
    },
  });
  const entry = await web.deploy({ revision: 'v1.0.0' });
  expectSuccess(entry);
  for (const server of site.web) {
    const { revision, page } = currentOf(server);
    expect({ revision, page }).toEqual({ revision: site.git.sha('v1.0.0'), page: 'v1.0.0' });
  }
  const [pod] = await site.pods(`job-name=${entry.job}`);
  const volumes = pod?.spec?.volumes as { name: string; projected?: { defaultMode?: number } }[];
  expect(volumes.find(({ name }) => name === 'capdeployjob-ssh')?.projected?.defaultMode).toBe(0o400);
});
