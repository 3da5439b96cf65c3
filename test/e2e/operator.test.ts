import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LABEL } from '../../src/api/names.ts';
import { compareWithRules } from '../cluster/audit.ts';
import { fromEnvironment, fromRoot, OPERATOR } from '../cluster/cluster.ts';
import { eventually } from '../kit/eventually.ts';
import { timelineOf, workOf } from './servers/timeline.ts';
import { expectSuccess, openSite } from './site.ts';

/** Run after all other tests (test/config/e2e.ts): theirs would be without an operator for a while. */

interface OperatorPod {
  metadata: { name: string; uid: string };
  status: { containerStatuses?: { ready: boolean; restartCount: number; containerID: string }[] };
}

const site = await openSite();

const SELECTOR = ['-n', OPERATOR.namespace, '-l', 'app.kubernetes.io/name=capdeployjob'];

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await site.cluster.kubectl(args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

const pods = async (): Promise<OperatorPod[]> =>
  JSON.parse(await kubectl('get', 'pods', ...SELECTOR, '-o', 'json')).items;

const containersOf = (all: readonly OperatorPod[]): string[] =>
  all.flatMap(({ status }) => status.containerStatuses?.map(({ containerID }) => containerID) ?? []);

/** The processes of the operator, which share this namespace's pids. */
const processes = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('/app/dist/capdeploy.js\0controller');
      } catch {
        return false;
      }
    })
    .map(Number);

const WAYS: [how: string, environment: string, end: () => Promise<void>][] = [
  ['are deleted', 'production', async () => void (await kubectl('delete', 'pods', ...SELECTOR, '--wait=false'))],
  [
    'are killed with SIGKILL',
    'staging',
    async () => {
      const found = processes();
      expect(found.length).toBeGreaterThan(0);
      for (const pid of found) process.kill(pid, 'SIGKILL');
    },
  ],
];

describe('operators come and go', () => {
  it.each(WAYS)(
    'a deploy runs on while all operators %s, is recorded once by those that follow, and the next one starts',
    async (_, environment, end) => {
      const web = await site.deployable(
        environment,
        { environments: [{ name: environment }] },
        { HOLD_REVISION: 'v1.0.0', HOLD_SECONDS: '15' },
      );
      const first = await web.send({ revision: 'v1.0.0', environment });
      const { pod } = await web.running(first);
      await eventually('the command runs on both servers', () =>
        site.web.every((server) => timelineOf(server, environment).some(({ word }) => word === 'work')),
      );
      const second = await web.send({ revision: 'v1.0.1', environment });
      await eventually('the next one waits', async () => (await site.resource(environment)).status?.waiting === 1);

      const before = await pods();
      await end();
      expectSuccess(await web.ended(first), 'v1.0.0');
      expectSuccess(await web.ended(second), 'v1.0.1');
      expect(await site.history(environment)).toHaveLength(2);
      // The same Pod from beginning to end, and one for each deploy.
      const deployed = await site.pods(`${LABEL.name}=${environment}`);
      expect(deployed).toHaveLength(2);
      expect(deployed.map(({ metadata }) => metadata.uid)).toContain(pod.metadata.uid);
      for (const server of site.web) {
        const begun = timelineOf(server, environment).filter(({ word }) => word === 'begin');
        expect(begun.map(({ revision }) => revision)).toEqual(['v1.0.0', 'v1.0.1']);
        const [old, next] = ['v1.0.0', 'v1.0.1'].map((revision) => workOf(server, revision, environment));
        expect(next?.first, server.name).toBeGreaterThan(old?.last ?? Number.NaN);
      }

      await eventually('as many operators are ready as before, and none of them is an old one', async () => {
        const now = await pods();
        const isReady = now.every(({ status }) => status.containerStatuses?.every(({ ready }) => ready));
        const old = containersOf(before);
        return isReady && now.length === before.length && containersOf(now).every((id) => !old.includes(id));
      });
    },
  );
});

it('in all these tests the operators asked for nothing that deploy/rbac.yaml does not grant', async () => {
  const found = await compareWithRules({
    auditLog: fromEnvironment('TEST_AUDIT_LOG'),
    rbacFiles: [fromRoot('deploy/rbac.yaml')],
    serviceAccount: { namespace: OPERATOR.namespace, name: OPERATOR.name },
  });
  expect({ missing: found.missing, dangerous: found.dangerous }, found.text).toEqual({ missing: [], dangerous: [] });
  expect(found.requests).toBeGreaterThan(10);
});
