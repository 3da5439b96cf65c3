import { afterAll, expect, it } from 'vitest';
import type { Claim } from '../../src/api/capdeployjob.ts';
import { LABEL } from '../../src/api/names.ts';
import { eventually } from '../kit/eventually.ts';
import { NO_NETWORK, takeNetworkAway } from './node/network.ts';
import { expectSuccess, IMAGES, openPlace, type Place } from './place.ts';
import { SlowRegistry } from './servers/registry.ts';
import { cap, podTemplate, shell, tell, UNTIL_TOLD } from './shell-pods.ts';

const place = await openPlace();
/** Its network is taken away. */
const elsewhere = await openPlace();
const giveNetworkBack = takeNetworkAway(elsewhere.namespace);
const registry = await SlowRegistry.start(IMAGES.pause.archive, await place.cluster.scratch());
afterAll(() => {
  registry.stop();
  giveNetworkBack();
});

/** A start that hangs says why within 10 s. Two cores that start thirty Pods at once take longer for everything. */
const WITHIN_MS = 30_000;

/** Waits until the claim's `why` says something. @returns the claim */
async function saysWhy(name: string, words: RegExp, at: Place = place): Promise<Claim> {
  const claim = await eventually(`${name} says ${words}`, async () => {
    const found = await at.claim(name);
    return words.test(found?.why ?? '') && found;
  });
  const afterMs = Date.now() - Date.parse(claim.since);
  expect(afterMs, claim.why).toBeLessThan(WITHIN_MS);
  return claim;
}

it.concurrent('a Pod that gets no network says so in the words of the network plugin, and deploys once the network is back', async () => {
  const web = await elsewhere.deployable('network', { template: cap('exit 0') });
  const id = await web.send({ revision: 'v1.0.0' });
  const { why } = await saysWhy('network', /FailedCreatePodSandBox/, elsewhere);
  expect(why).toContain(NO_NETWORK);
  giveNetworkBack();
  expectSuccess(await web.ended(id));
});

it.concurrent('an init container that runs is named, and since when it does', async () => {
  const web = await place.deployable('init', {
    template: podTemplate({
      initContainers: [shell('wait-for-db', UNTIL_TOLD)],
      containers: [shell('cap', 'exit 0')],
    }),
  });
  const id = await web.send({ revision: 'v1.0.0' });
  const { why } = await saysWhy('init', /init container wait-for-db has been running since/);
  const [pod] = await place.pods(`${LABEL.name}=init`);
  if (pod === undefined) throw new Error('there is no Pod');
  const since = pod.status?.initContainerStatuses?.[0]?.state?.running?.startedAt;
  expect(why).toContain(`since ${since}`);
  await tell(place, pod, 'wait-for-db');
  expectSuccess(await web.ended(id));
});

it.concurrent('an image that comes slowly is what a start waits for, and it deploys once the image is there', async () => {
  const web = await place.deployable('slow-image', { template: cap('exit 0', { image: registry.tag }) });
  const id = await web.send({ revision: 'v1.0.0' });
  await saysWhy('slow-image', /pulling the image of container cap, or creating the container, since /);
  expect(registry.asked).toBe(true);
  registry.answer();
  expectSuccess(await web.ended(id));
});

it.concurrent('a Secret that is missing is named, and the deploy starts once it is there', async () => {
  const web = await place.deployable('secret', { sshKey: { secretName: 'late' }, template: cap('exit 0') });
  const id = await web.send({ revision: 'v1.0.0' });
  const { why } = await saysWhy('secret', /FailedMount/);
  expect(why).toContain('secret "late" not found');
  await place.secret('late', { private_key: 'none' });
  expectSuccess(await web.ended(id));
});

interface NoStart {
  what: string;
  container: Record<string, unknown>;
  says: RegExp;
}

const NO_STARTS: readonly NoStart[] = [
  {
    what: 'whose image nobody has',
    container: { image: '127.0.0.1:9/no/image:1' },
    says: /ErrImagePull|ImagePullBackOff/,
  },
  {
    what: 'whose image is not on the node and may not be pulled',
    container: { image: 'localhost/no-image:1', imagePullPolicy: 'Never' },
    says: /ErrImageNeverPull/,
  },
  {
    what: 'that asks for a variable of a ConfigMap that is not there',
    container: { envFrom: [{ configMapRef: { name: 'no-such-settings' } }] },
    says: /CreateContainerConfigError.*no-such-settings/,
  },
  {
    what: 'that no node has room for',
    container: { resources: { requests: { cpu: '1000' } } },
    says: /cannot be scheduled: .*Insufficient cpu/,
  },
];

for (const [n, { what, container, says }] of NO_STARTS.entries()) {
  it.concurrent(`a container ${what}: it is said, and ends as PodNotStarted`, async () => {
    const name = `no-start-${n}`;
    const web = await place.deployable(name, { template: cap('exit 0', container) });
    const id = await web.send({ revision: 'v1.0.0' });
    await saysWhy(name, says);
    // Now, and not before a busy node has come to say so.
    await place.patchSpec(name, { podStartDeadlineSeconds: 1 });
    const entry = await web.ended(id);
    expect(entry).toMatchObject({ result: 'Failed', reason: 'PodNotStarted' });
    expect(entry.message).toMatch(says);
  });
}
