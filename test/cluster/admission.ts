import { afterAll, beforeAll } from 'vitest';
import { JOBS, PODS } from '../../src/kube/client.ts';
import { eventually } from '../kit/eventually.ts';
import { foreignJob, foreignPod, outcome } from './admission-objects.ts';
import { USERS } from './admission-requests.ts';
import { type AdmissionWorld, admissionWorld, type WorldOptions } from './admission-world.ts';

/** All that the tests of deploy/admission share. */
export * from './admission-objects.ts';
export * from './admission-requests.ts';
export * from './admission-words.ts';
export * from './admission-world.ts';

/**
 * A world for all tests of a file, with its people in their roles. Call it once, at the top of the file: the world is
 * there within tests and hooks.
 */
export function openAdmission(options: WorldOptions = {}): AdmissionWorld {
  let world: AdmissionWorld | undefined;
  beforeAll(async () => {
    world = await admissionWorldWithPeople(options);
  }, 60_000);
  afterAll(() => world?.stop());
  return new Proxy({} as AdmissionWorld, {
    get: (_, property) => {
      if (world === undefined) throw new Error('the world is there within tests and hooks only');
      return Reflect.get(world, property);
    },
  });
}

/** Resolves when the policies hold and the roles count. */
export async function admissionWorldWithPeople(options: WorldOptions = {}): Promise<AdmissionWorld> {
  const world = await admissionWorld(options);
  try {
    const { dora, alan, amy, eve } = USERS;
    await Promise.all([
      world.bind(dora, 'capdeployjob-deployer'),
      world.bind(alan, 'capdeployjob-approver'),
      world.bind(amy, 'capdeployjob-approver'),
      world.bind(amy, 'edit'),
      world.bind(eve, 'edit'),
    ]);
    // The API server takes a moment to hear of a new policy or role.
    const probe = foreignJob(world, { 'app.kubernetes.io/managed-by': 'capdeployjob' });
    await eventually('the policies hold', async () => {
      const said = outcome(await world.as(eve).create(JOBS, probe, { dryRun: 'All' }));
      return said.startsWith('only the operator');
    });
    // Each policy takes its own time.
    const pod = foreignPod(world, { 'app.kubernetes.io/managed-by': 'capdeployjob' });
    await eventually('the policies about Pods hold', async () => {
      const said = outcome(await world.as(eve).create(PODS, pod, { dryRun: 'All' }));
      return said.startsWith('only the Job controller');
    });
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}
