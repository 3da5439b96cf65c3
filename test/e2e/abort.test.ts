import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../behaviour/eventually.ts';
import { currentOf } from './servers/deployed.ts';
import { timelineOf, workOf } from './servers/timeline.ts';
import { type Deployable, openSite, type Site } from './site.ts';

/** How long the command on the servers would run that is under way when its deploy is aborted. */
const HELD_SECONDS = 30;

let site: Site;
beforeAll(async () => {
  site = await openSite();
});

/**
 * Deploys v1.0.0, which holds both servers for 30 s, aborts it there by deleting its Job while v1.0.1 waits, and waits until v1.0.1 has ended.
 * @returns when v1.0.0 was aborted, in seconds by this machine's clock, which is the servers' too
 */
async function abortMidDeploy(
  name: string,
  env: Record<string, string>,
): Promise<{ abortedAt: number; web: Deployable }> {
  const root = { DEPLOY_ROOT: `/var/www/${name}` };
  const environments = [{ name: 'production' }, { name: 'staging' }];
  const hold = { HOLD_REVISION: 'v1.0.0', HOLD_SECONDS: String(HELD_SECONDS) };
  const web = await site.deployable(name, { environments }, { ...root, ...hold, ...env });
  const environment = name === 'pty' ? 'staging' : 'production';
  const aborted = await web.send({ revision: 'v1.0.0', environment });
  const { job } = await web.running(aborted);
  await eventually('the command runs on both servers', () =>
    site.web.every((server) => timelineOf(server, environment).some(({ word }) => word === 'work')),
  );
  const next = await web.send({ revision: 'v1.0.1', environment });
  await eventually('the next one waits', async () => (await site.resource(name)).status?.waiting === 1);

  const abortedAt = Date.now() / 1000;
  await site.deleteJob(job.metadata.name);
  const entry = await web.ended(aborted);
  expect(entry).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
  // SIGTERM came through to cap, which said so: its log is the end of the message.
  expect(entry.message).toContain('SIGTERM');
  // Were it not passed on, the Pod would be there for its grace period of 30 s.
  expect(Date.parse(entry.finishedAt) / 1000 - abortedAt).toBeLessThan(20);
  expect(await web.ended(next)).toMatchObject({ result: 'Succeeded' });
  for (const server of site.web) {
    expect(currentOf(server, `/var/www/${name}/${environment}`).page).toBe('v1.0.1');
  }
  return { abortedAt, web };
}

describe('deleting the Job of a deploy that holds its servers ends cap, and the next deploy follows', () => {
  it('a command on a server outlives cap where it has no terminal: the next deploy overlaps it, which no lane can see', async () => {
    await abortMidDeploy('plain', {});
    for (const server of site.web) {
      const [old, next] = [workOf(server, 'v1.0.0'), workOf(server, 'v1.0.1')];
      expect(old.last, server.name).toBeGreaterThan(next.first);
    }
  });

  it('a command on a server ends with cap where it has a terminal (set :pty, true): the next deploy has the server for itself', async () => {
    const { abortedAt } = await abortMidDeploy('pty', { HOLD_PTY: 'true' });
    for (const server of site.web) {
      const [old, next] = [workOf(server, 'v1.0.0', 'staging'), workOf(server, 'v1.0.1', 'staging')];
      expect(old.last, server.name).toBeLessThan(next.first);
      expect(old.last - abortedAt, server.name).toBeLessThan(10);
    }
  });
});
