import { defineConfig } from 'vitest/config';
import { QUEUE_TESTS } from '../cluster/sqs-servers/index.ts';
import { AWS_KEYS } from './environment.ts';

/**
 * The tests of `npm run test:real`, which starts what they need and hands it to them by the environment. Run by that
 * alone.
 */
const { TEST_KUBECONFIG, TEST_AUDIT_LOG, TEST_MINISTACK_ENDPOINT = '', TEST_ELASTICMQ_ENDPOINT = '' } = process.env;
if (!TEST_KUBECONFIG) throw new Error('these tests need a control plane: run them with  npm run test:real');

/** Its operator takes care of all namespaces, those of other tests too: it comes first, while there are none. */
const ALL_NAMESPACES = 'test/cluster/all-namespaces.test.ts';

/** One suite, on one queue server. @param groupOrder those of a higher one wait until all of a lower one have ended */
const suite = (name: string, include: string[], sqs: string, endpoint: string, groupOrder = 1) => ({
  extends: true as const,
  test: { name, include, env: { ...AWS_KEYS, TEST_SQS: sqs, TEST_SQS_ENDPOINT: endpoint }, sequence: { groupOrder } },
});

export default defineConfig({
  test: {
    globals: false,
    // Processes, not threads: tests start children, send signals and listen on sockets.
    pool: 'forks',
    // Two cores, and tests that wait for the control plane most of their time.
    maxWorkers: 3,
    sequence: { shuffle: true },
    // Namespaces, controllers and other tests take their time on the real control plane.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubEnvs: true,
    // With a cluster of the user's, nothing is built.
    exclude: TEST_AUDIT_LOG ? [] : ['test/cluster/control-plane/**'],
    // No namespace of the tests stays, and no node.
    globalSetup: ['./test/behaviour/leftovers.ts'],
    reporters: ['default', './test/cluster/suites-reporter.ts'],
    projects: [
      suite('behaviour', ['test/behaviour/**/*.test.ts'], 'ministack', TEST_MINISTACK_ENDPOINT),
      suite('conformance', ['test/conformance/**/*.test.ts'], 'ministack', TEST_MINISTACK_ENDPOINT),
      // The manifests, the CRD, the policies, kubectl, and the servers themselves.
      suite('cluster', ['test/cluster/**/!(all-namespaces).test.ts'], 'ministack', TEST_MINISTACK_ENDPOINT),
      suite('ministack', [QUEUE_TESTS], 'ministack', TEST_MINISTACK_ENDPOINT),
      suite('elasticmq', [QUEUE_TESTS], 'elasticmq', TEST_ELASTICMQ_ENDPOINT),
      // Not in a cluster of the user's, where it would start what waits there.
      ...(TEST_AUDIT_LOG ? [suite('namespaces', [ALL_NAMESPACES], 'ministack', TEST_MINISTACK_ENDPOINT, 0)] : []),
    ],
  },
});
