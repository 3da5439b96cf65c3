import { beforeAll, expect, it } from 'vitest';
import { timelineOf, workOf } from './servers/timeline.ts';
import { openSite, type Site } from './site.ts';

const RELEASES = ['v1.0.0', 'v1.0.1', 'v1.0.2'];

let site: Site;
beforeAll(async () => {
  site = await openSite({ releases: RELEASES });
});

it('deploys of one environment that are asked for at once run one after the other on the servers, in the order of asking', async () => {
  const web = await site.deployable('web');
  const now = Date.now();
  // Queues hand out what came together in any order; who asked first says the message.
  const ids = await Promise.all(
    RELEASES.map((revision, n) => web.send({ revision, sentAt: new Date(now - 10_000 + n * 1000).toISOString() })),
  );
  const elsewhere = await web.send({ revision: 'v1.0.2', environment: 'staging' });
  const results = await Promise.all([...ids, elsewhere].map((id) => web.ended(id)));
  const ran = results
    .filter(({ result }) => result === 'Succeeded')
    .map(({ environment, revision }) => `${environment} ${revision}`);
  // One that was read after a newer one had started would be Superseded: it is the newest that must have run.
  expect(ran).toEqual(expect.arrayContaining(['production v1.0.2', 'staging v1.0.2']));
  for (const { result } of results) expect(['Succeeded', 'Superseded']).toContain(result);

  for (const server of site.web) {
    const begun = timelineOf(server).filter(({ word }) => word === 'begin');
    expect(begun.map(({ revision }) => revision)).toEqual(
      RELEASES.filter((revision) => ran.includes(`production ${revision}`)),
    );
    for (const [index, { revision }] of begun.slice(1).entries()) {
      const before = workOf(server, begun[index]?.revision ?? '');
      expect(workOf(server, revision).first, `${revision} on ${server.name}`).toBeGreaterThan(before.last);
    }
  }
});
