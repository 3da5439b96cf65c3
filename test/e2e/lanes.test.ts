import { expect, it } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { timelineOf, workOf } from './servers/timeline.ts';
import { expectSuccess, openSite } from './site.ts';

const RELEASES = ['v1.0.0', 'v1.0.1', 'v1.0.2'];

const site = await openSite({ releases: RELEASES });

it('deploys of one environment run one after the other on the servers, in the order of asking; another environment waits for none', async () => {
  const frozen = [{ name: 'production', suspend: true }, { name: 'staging' }];
  const web = await site.deployable('web', { environments: frozen });
  const now = Date.now();
  // Queues hand out what came together in any order: the message says who asked first, and all are there before the
  // first one starts.
  const ids = await Promise.all(
    RELEASES.map((revision, n) => web.send({ revision, sentAt: new Date(now - 10_000 + n * 1000).toISOString() })),
  );
  await eventually('all wait', async () => (await site.resource('web')).status?.waiting === RELEASES.length);
  await site.patchSpec('web', { environments: [{ name: 'production' }, { name: 'staging' }] });
  const elsewhere = await web.send({ revision: 'v1.0.2', environment: 'staging' });
  const results = await Promise.all([...ids, elsewhere].map((id) => web.ended(id)));
  for (const entry of results) expectSuccess(entry);

  for (const server of site.web) {
    const begun = timelineOf(server).filter(({ word }) => word === 'begin');
    expect(begun.map(({ revision }) => revision)).toEqual(RELEASES);
    const work = RELEASES.map((revision) => workOf(server, revision));
    for (const [index, { first }] of work.slice(1).entries()) {
      expect(first, `${RELEASES[index + 1]} on ${server.name}`).toBeGreaterThan(work[index]?.last ?? Number.NaN);
    }
    // Had it waited for its turn behind production, it would have begun last.
    expect(workOf(server, 'v1.0.2', 'staging').first).toBeLessThan(work.at(-1)?.first ?? Number.NaN);
  }
});
