import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Running, startProcess, untilReady } from '../../cluster/processes.ts';
import { run } from './commands.ts';
import { NODE_FOLDER } from './machine.ts';
import { PLUGINS } from './network.ts';

const POD_SUBNET = '10.244.0.0/24';

export interface ContainerdOptions {
  /** Of the node. */
  name: string;
  pauseImage: string;
  /** A folder that stays readable afterwards. */
  logs: string;
}

const stateOf = (node: string): string => `/run/containerd/${node}`;
/** Of the containerd of a node. */
export const containerdSocket = (node: string): string => join(stateOf(node), 'containerd.sock');
/** Runs containerd's own client. */
export const ctr = (node: string, ...args: string[]): Promise<string> =>
  run('ctr', ['--address', containerdSocket(node), '--namespace', 'k8s.io', ...args]);

/** Starts containerd with runc, and Pods' network by the bridge plugin. */
export async function startContainerd(options: ContainerdOptions): Promise<Running> {
  const { name, logs } = options;
  const folder = join(NODE_FOLDER, name, 'containerd');
  const network = join(folder, 'net.d');
  mkdirSync(network, { recursive: true });
  writeFileSync(join(network, '10-pods.conflist'), JSON.stringify(podNetwork()));
  const config = join(folder, 'config.toml');
  writeFileSync(config, configuration({ ...options, folder, network }));
  const running = startProcess({
    name: `containerd of ${name}`,
    command: 'containerd',
    args: ['--config', config],
    logFile: join(logs, `containerd-${name}.log`),
  });
  await untilReady(running, async () => (await ctr(name, 'version')) !== '', 60_000);
  return running;
}

/** Makes an image known to a node. @param archive a docker or OCI archive that names it */
export async function importImage(node: string, archive: string): Promise<void> {
  await ctr(node, 'images', 'import', '--digests=false', archive);
}

const podNetwork = () => ({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods0',
      isGateway: true,
      // They are seen under their own addresses, and reach nothing but this namespace.
      ipMasq: false,
      ipam: {
        type: 'host-local',
        dataDir: '/run/cni',
        ranges: [[{ subnet: POD_SUBNET }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
  ],
});

/** In the format that both containerd 1.6, which Debian has, and 2 read. */
const configuration = (at: ContainerdOptions & { folder: string; network: string }): string => `
version = 2
root = "${at.folder}/root"
state = "${stateOf(at.name)}"
[grpc]
  address = "${containerdSocket(at.name)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${at.folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${at.pauseImage}"
  # Where root may not lower the score of a process (no CAP_SYS_RESOURCE), as in many a CI.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${PLUGINS}"
    conf_dir = "${at.network}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
