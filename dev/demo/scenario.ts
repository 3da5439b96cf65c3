import { API_VERSION, KIND } from '../../src/api/names.ts';
import type { KubeObject } from '../../src/kube/client.ts';

/** What the demo plays: one resource, four messages, and what must come of each. */

export const NAMESPACE = 'deploy';
export const RESOURCE = 'web';
export const SECRET = 'web-ssh-key';
export const QUEUE = 'web-deploy';
export const IMAGE = 'web-deploy:1';
/** A deploy takes this long and a little more: the wait of the next one can be watched. */
export const BUILD_SECONDS = '1.5';

export interface DemoMessage {
  title: string;
  body: { repository: string; environment: string; revision: string; requestedBy: string };
  /** Poison: never a Job. */
  rejected: boolean;
}

/** @param trap a file that exists only if a shell ran what the poisoned revision says. */
export function messages(trap: string): DemoMessage[] {
  const message = (title: string, environment: string, revision: string, rejected = false): DemoMessage => ({
    title,
    body: { repository: 'livesense/web', environment, revision, requestedBy: 'alice' },
    rejected,
  });
  return [
    message('the first release', 'production', 'v1.0.0'),
    message('the second release, which must wait for the first', 'production', 'v1.1.0'),
    message('a branch to staging, which waits for nobody', 'staging', 'main'),
    // A legal name of a git branch. Capistrano would hand it to a shell on every server.
    message('poison', 'production', `main$(touch\${IFS}${trap})`, true),
  ];
}

export const namespace = (): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });

/**
 * The CapDeployJob of the demo. The short long poll is for a quick stop: what it sets is how long a stop may wait for
 * the queue.
 * @param isApproved whether deploys to staging need an approval
 */
export function resource(queueUrl: string, isApproved: boolean): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name: RESOURCE, namespace: NAMESPACE },
    spec: {
      queue: { url: queueUrl, waitTimeSeconds: 1 },
      repositories: ['livesense/web'],
      environments: [
        { name: 'production', revisions: 'v[0-9]+\\.[0-9]+\\.[0-9]+' },
        { name: 'staging', requireApproval: isApproved },
      ],
      sshKey: { secretName: SECRET },
      template: { spec: { containers: [{ name: 'cap', image: IMAGE }] } },
    },
  };
}

/**
 * No server is reached by ssh here, but the Secret is mounted as in a cluster, and a Pod without it would not start.
 */
export function secret(): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: SECRET, namespace: NAMESPACE },
    type: 'Opaque',
    stringData: { private_key: 'not a key: the demo deploys without ssh\n', known_hosts: '' },
  };
}
