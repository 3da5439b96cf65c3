/**
 * Which world the behaviour tests run in: `local` (the in-memory Kubernetes, in process) or `real` (a control plane, by
 * kubeconfig).
 */
const world = process.env.TEST_WORLD ?? 'local';
if (world !== 'local' && world !== 'real') throw new Error(`TEST_WORLD is "${world}": it may be "local" or "real"`);

export const isReal = world === 'real';

/** A variable that the real world needs. @throws Error where it is not set. */
export function variable(name: 'TEST_KUBECONFIG' | 'TEST_OPERATOR_KUBECONFIG'): string {
  const value = process.env[name];
  if (!value) throw new Error(`TEST_WORLD=real needs ${name}: npm run test:real sets it`);
  return value;
}
