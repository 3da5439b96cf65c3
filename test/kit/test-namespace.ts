/** On every namespace of the tests. Its value names the run. */
export const TEST_LABEL = 'capdeployjob.dev/test-run';

/** A namespace that `test/behaviour/leftovers.ts` removes after the run, if the test does not. */
export const testNamespace = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { ...labels, [TEST_LABEL]: process.env.TEST_RUN ?? 'unnamed' } },
});
