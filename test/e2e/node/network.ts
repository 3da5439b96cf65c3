import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { run, runAll } from './commands.ts';
import { NODE_FOLDER } from './machine.ts';

/**
 * The network of the node's namespace: a bridge on which the node and the "application servers" are, and which leads
 * nowhere else. Pods have a bridge of their own (CNI), and the node routes between the two. No default route: nothing
 * leaves.
 */
export const NODE_ADDRESS = '10.10.0.1';
export const SERVERS_BRIDGE = 'servers0';
const SERVERS_PREFIX = 16;
/** ClusterIP of the Service `kubernetes`: the first of the API server's range. */
const API_CLUSTER_IP = '10.96.0.1';

/** The address of the nth server. */
export const serverAddress = (n: number): string => `10.10.${1 + Math.floor(n / 250)}.${1 + (n % 250)}`;

export async function createNetwork(): Promise<void> {
  await runAll([
    'ip link set lo up',
    `ip link add ${SERVERS_BRIDGE} type bridge`,
    `ip link set ${SERVERS_BRIDGE} up`,
    `ip addr add ${NODE_ADDRESS}/${SERVERS_PREFIX} dev ${SERVERS_BRIDGE}`,
    'sysctl -qw net.ipv4.ip_forward=1',
    'mkdir -p /run/netns',
  ]);
}

/** In place of kube-proxy: the one Service that an operator needs. */
export async function serveApi(port: number): Promise<void> {
  const to = `${NODE_ADDRESS}:${port}`;
  const rule = ['-d', API_CLUSTER_IP, '-p', 'tcp', '--dport', '443', '-j', 'DNAT', '--to-destination', to];
  for (const chain of ['PREROUTING', 'OUTPUT']) await run('iptables', ['-w', '-t', 'nat', '-A', chain, ...rule]);
}

/**
 * A second address of the node's network namespace, for a second kubelet: they all listen on one port. @returns what
 * takes it away
 */
export async function addNodeAddress(address: string): Promise<() => Promise<void>> {
  const where = `${address}/${SERVERS_PREFIX} dev ${SERVERS_BRIDGE}`;
  await runAll([`ip addr add ${where}`]);
  return () => runAll([`ip addr del ${where}`]);
}

/** A network namespace on the servers' bridge. */
export async function createServerNamespace(name: string, device: string, address: string): Promise<void> {
  await runAll([
    `ip netns add ${name}`,
    `ip link add ${device} type veth peer name eth0 netns ${name}`,
    `ip link set ${device} master ${SERVERS_BRIDGE} up`,
    `ip -n ${name} link set lo up`,
    `ip -n ${name} addr add ${address}/${SERVERS_PREFIX} dev eth0`,
    `ip -n ${name} link set eth0 up`,
    `ip -n ${name} route add default via ${NODE_ADDRESS}`,
  ]);
}

/** Makes a server that listens on loopback reachable for Pods. @returns `http://<address>:<port>`, and what ends it */
export async function forwardFromPods(endpoint: string): Promise<{ endpoint: string; close(): Promise<void> }> {
  const { hostname, port } = new URL(endpoint);
  const server: Server = createServer((incoming) => {
    const outgoing = connect(Number(port), hostname);
    incoming.on('error', () => outgoing.destroy()).on('close', () => outgoing.destroy());
    outgoing.on('error', () => incoming.destroy()).on('close', () => incoming.destroy());
    incoming.pipe(outgoing).pipe(incoming);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, NODE_ADDRESS, resolve));
  const own = (server.address() as { port: number }).port;
  return {
    endpoint: `http://${NODE_ADDRESS}:${own}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Of the plugins of all nodes. */
export const PLUGINS = join(NODE_FOLDER, 'cni');
const TAKEN_AWAY = join(NODE_FOLDER, 'without-network');
export const NO_NETWORK = 'this namespace has no network just now';

/** Puts the CNI plugins of a folder into PLUGINS, so that the network of a namespace can be taken away. */
export function wrapPlugins(plugins: string): void {
  for (const each of [PLUGINS, TAKEN_AWAY]) mkdirSync(each);
  for (const name of readdirSync(plugins)) {
    if (name !== 'bridge') symlinkSync(join(plugins, name), join(PLUGINS, name));
  }
  // https://www.cni.dev/docs/spec/#error
  const error = JSON.stringify({ cniVersion: '1.0.0', code: 11, msg: NO_NETWORK });
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: for a shell
  const script = [
    '#!/bin/sh',
    'namespace=${CNI_ARGS#*K8S_POD_NAMESPACE=}',
    `if [ "$CNI_COMMAND" = ADD ] && [ -e "${TAKEN_AWAY}/\${namespace%%;*}" ]; then`,
    `  echo '${error}'`,
    '  exit 1',
    'fi',
    `exec ${join(plugins, 'bridge')}`,
  ];
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: for a shell
  writeFileSync(join(PLUGINS, 'bridge'), `${script.join('\n')}\n`, { mode: 0o755 });
}

/**
 * As where the agent of a network is down on a node: no Pod of the namespace gets a sandbox. @returns what gives the
 * network back
 */
export function takeNetworkAway(namespace: string): () => void {
  const mark = join(TAKEN_AWAY, namespace);
  writeFileSync(mark, '');
  return () => rmSync(mark, { force: true });
}
