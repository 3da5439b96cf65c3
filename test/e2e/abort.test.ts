import { describe, expect, it } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { currentOf } from './servers/deployed.ts';
import { timelineOf, workOf } from './servers/timeline.ts';
import { expectSuccess, openSite, type Project } from './site.ts';

interface Abort {
  /** Its timeline is kept apart by it. */
  environment: string;
  project: Project;
  env?: Record<string, string>;
  /** How long the command on the servers would run that is under way when its deploy is aborted. */
  heldSeconds: number;
}

const site = await openSite();

/**
 * Deploys v1.0.0, which holds both servers, aborts it there by deleting its Job while v1.0.1 waits, and waits until
 * v1.0.1 has ended.
 * @returns for each server when the two were at work there, and when v1.0.0 was aborted: all in seconds by this
 * machine's clock, which is the servers' too
 */
async function abortMidDeploy({ environment, project, env = {}, heldSeconds }: Abort) {
  const hold = { HOLD_REVISION: 'v1.0.0', HOLD_SECONDS: String(heldSeconds) };
  const web = await site.deployable(environment, {
    environments: [{ name: environment }],
    template: site.template({ ...hold, ...env }, project),
  });
  const aborted = await web.send({ revision: 'v1.0.0', environment });
  const { job } = await web.running(aborted);
  await eventually('the command runs on both servers', () =>
    site.web.every((server) => timelineOf(server, environment).some(({ word }) => word === 'work')),
  );
  const next = await web.send({ revision: 'v1.0.1', environment });
  await eventually('the next one waits', async () => (await site.resource(environment)).status?.waiting === 1);

  const abortedAt = Date.now() / 1000;
  await site.deleteJob(job.metadata.name);
  const entry = await web.ended(aborted);
  expect(entry).toMatchObject({ result: 'Aborted', reason: 'JobDeleted' });
  // SIGTERM came through to cap, which said so: its log is the end of the message.
  expect(entry.message).toContain('SIGTERM');
  // Were it not passed on, the Pod would have stayed for its grace period of 30 s.
  expect(Date.parse(entry.finishedAt) / 1000 - abortedAt).toBeLessThan(25);
  expectSuccess(await web.ended(next));
  return site.web.map((server) => {
    expect(currentOf(server, `/var/www/web/${environment}`).page).toBe('v1.0.1');
    const [old, then] = [workOf(server, 'v1.0.0', environment), workOf(server, 'v1.0.1', environment)];
    return { server: server.name, oldEnds: old.last, nextBegins: then.first, abortedAt };
  });
}

describe('deleting the Job of a deploy that holds its servers ends cap, and the next deploy follows', () => {
  it('by itself a command on a server outlives cap: the next deploy overlaps it, which no lane can see', async () => {
    const seen = await abortMidDeploy({
      environment: 'production',
      project: 'project-without-lock',
      heldSeconds: 60,
    });
    for (const { server, oldEnds, nextBegins } of seen) expect(oldEnds, server).toBeGreaterThan(nextBegins);
  });

  it('with a terminal (set :pty, true) a command on a server ends with cap: the next deploy has the server for itself', async () => {
    const seen = await abortMidDeploy({
      environment: 'staging',
      project: 'project-without-lock',
      env: { HOLD_PTY: 'true' },
      heldSeconds: 60,
    });
    for (const { server, oldEnds, nextBegins, abortedAt } of seen) {
      expect(oldEnds, server).toBeLessThan(nextBegins);
      expect(oldEnds - abortedAt, server).toBeLessThan(25);
    }
  });

  it('with the lock of the example a command on a server runs to its end, and the next deploy waits there for it', async () => {
    const seen = await abortMidDeploy({ environment: 'canary', project: 'project', heldSeconds: 30 });
    for (const { server, oldEnds, nextBegins, abortedAt } of seen) {
      expect(oldEnds, server).toBeLessThan(nextBegins);
      // It was not the abort that ended it.
      expect(oldEnds - abortedAt, server).toBeGreaterThan(15);
    }
  });
});
