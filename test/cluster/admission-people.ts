import { JOBS } from '../../src/kube/client.ts';
import { eventually } from '../behaviour/world.ts';
import { foreignJob, outcome } from './admission-objects.ts';
import { USERS } from './admission-requests.ts';
import { type AdmissionWorld, admissionWorld } from './admission-world.ts';

/** The world with its people in their roles, once the policies have begun to hold and the roles to count. */
export async function admissionWorldWithPeople(): Promise<AdmissionWorld> {
  const world = await admissionWorld();
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
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}
