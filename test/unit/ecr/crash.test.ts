import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SECRETS } from '../../../src/kube/client.ts';
import { dockerData, PULL_SECRET_TYPE, REGISTRY, Rig, target } from './rig.ts';

/** A run that is killed at any point leaves a Secret that works, and the next run finishes what it left. */

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.stop());

const THEIRS = { 'docker.io': { auth: 'eDp5' } };
const OLD = { [REGISTRY]: { username: 'AWS', password: 'old', auth: 'QVdTOm9sZA==' } };
const ACCOUNTS = ['default', 'web'];

/**
 * Ends the run as kill -9 does: after so many requests to the cluster nothing more is sent, and nothing that is
 * answered is read.
 * @param after whether the last request takes effect.
 * @returns whether there was such a request.
 */
async function killedAt(count: number, after: boolean): Promise<boolean> {
  const killed = new AbortController();
  let sent = 0;
  rig.cluster.http.intercept = () => {
    sent += 1;
    if (sent < count) return undefined;
    if (sent === count) setImmediate(() => killed.abort(new Error('killed')));
    return { drop: true, when: sent === count && after ? 'after' : 'before' };
  };
  await rig.run([target({ serviceAccounts: ACCOUNTS })], { signal: killed.signal });
  rig.cluster.http.intercept = undefined;
  return sent >= count;
}

/** What a Pod that starts now would find. */
async function expectThatItWorks(): Promise<void> {
  const { auths } = await rig.docker();
  expect(auths).toMatchObject(THEIRS);
  const password = auths[REGISTRY]?.password ?? '';
  expect(['old', ...rig.aws.passwords]).toContain(password);
  expect(auths[REGISTRY]?.auth).toBe(Buffer.from(`AWS:${password}`).toString('base64'));
}

async function expectAllDone(): Promise<void> {
  const { auths } = await rig.docker();
  expect(auths[REGISTRY]?.password).toBe(rig.aws.passwords.at(-1));
  for (const account of ACCOUNTS) {
    expect((await rig.serviceAccount('deploy', account)).imagePullSecrets).toEqual([{ name: 'ecr-pull-secret' }]);
  }
}

/** get and create or patch of the Secret, get and patch of each ServiceAccount. */
const REQUESTS = 6;
const points = Array.from({ length: REQUESTS }, (_, index) =>
  [false, true].map((after) => [index + 1, after] as const),
).flat();

describe.each([true, false])('with a Secret there before: %s', (there) => {
  beforeEach(async () => {
    await rig.create({ ...SECRETS, plural: 'serviceaccounts', kind: 'ServiceAccount' }, 'deploy', 'web', {});
    if (!there) return;
    const data = dockerData({ auths: { ...THEIRS, ...OLD } });
    await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', { type: PULL_SECRET_TYPE, data });
  });

  test.each(points)('killed at request %i to the cluster, done by the API server: %s', async (count, after) => {
    const before = there ? await rig.secret() : undefined;
    expect(await killedAt(count, after)).toBe(true);
    if (before) {
      await expectThatItWorks();
      expect((await rig.secret()).metadata.uid).toBe(before.metadata.uid);
    } else if (count > 2 || (count === 2 && after)) {
      expect((await rig.docker()).auths[REGISTRY]?.password).toBe(rig.aws.passwords[0]);
    } else {
      await expect(rig.secret()).rejects.toThrow('not found');
    }
    expect(await rig.run([target({ serviceAccounts: ACCOUNTS })])).toBe(0);
    await expectAllDone();
  });

  test('these are all the requests that a run makes', async () => {
    expect(await killedAt(REQUESTS + 1, false)).toBe(false);
    await expectAllDone();
  });
});

test('while runs follow each other a reader never finds the Secret absent or half written', async () => {
  const data = dockerData({ auths: { ...THEIRS, ...OLD } });
  const before = await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', { type: PULL_SECRET_TYPE, data });
  const seen = new Set<string>();
  let reading = true;
  const reader = (async () => {
    while (reading) {
      await expectThatItWorks();
      const secret = await rig.secret();
      expect(secret.metadata.uid).toBe(before.metadata.uid);
      seen.add((await rig.docker()).auths[REGISTRY]?.password ?? '');
    }
  })();
  for (let run = 0; run < 10; run += 1) expect(await rig.run()).toBe(0);
  reading = false;
  await reader;
  expect(seen.size).toBeGreaterThan(3);
  expect(rig.cluster.requests.count({ verb: 'delete' })).toBe(0);
});
