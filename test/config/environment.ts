/**
 * The keys of no account, for the AWS SDK of every test: local queue servers check no signature, but without keys the
 * SDK sends nothing.
 */
export const AWS_KEYS = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };

/**
 * Removes the AWS account, the proxies and the cluster of the machine from the environment of this process and of its
 * children.
 */
export function forgetMachine(): void {
  for (const name of Object.keys(process.env)) {
    if (/^AWS_|_PROXY$|^KUBECONFIG$|^KUBERNETES_SERVICE_/i.test(name)) delete process.env[name];
  }
}
