import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUNDLED_PROGRAM } from '../../kit/bundled-program.ts';
import { selfSigned } from '../../kit/certificate.ts';
import { Program } from '../../kit/program.ts';
import { AwsServer } from './aws-server.ts';
import { REGISTRY, Rig } from './rig.ts';

/** `capdeploy ecr-login` as a process: exit codes, signals, and the way out through a proxy. */

let rig: Rig;
let directory: string;
let kubeconfig: string;
const programs: Program[] = [];

beforeEach(async () => {
  rig = await Rig.start();
  directory = await mkdtemp(join(tmpdir(), 'capdeployjob-ecr-'));
  kubeconfig = join(directory, 'kubeconfig');
  rig.cluster.writeKubeconfig(kubeconfig);
});
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
  await rig.stop();
  await rm(directory, { recursive: true, force: true });
});

function start(args: string[], env: Record<string, string> = {}): Program {
  const program = new Program(BUNDLED_PROGRAM, ['ecr-login', `--kubeconfig=${kubeconfig}`, ...args], {
    ...rig.aws.env,
    ...env,
  });
  programs.push(program);
  return program;
}

const TARGET = ['--secret-name=ecr-pull-secret', '--namespace=deploy'];
const messages = (program: Program): unknown[] => program.log.map(({ msg }) => msg);

test('one run: a line for each namespace and one at the end, exit code 0, and nothing of the token', async () => {
  const program = start([...TARGET, '--once']);
  expect(await program.ended).toBe(0);
  expect(messages(program)).toEqual([
    expect.stringMatching(/^target deploy\/ecr-pull-secret: created, good until /),
    '1 created, 0 patched, 0 skipped, 0 failed',
  ]);
  expect(program.log[0]).toMatchObject({
    level: 'info',
    target: 'target',
    namespace: 'deploy',
    secretName: 'ecr-pull-secret',
    result: 'created',
    expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
  expect(program.stderr).toBe('');
  const [password = ''] = rig.aws.passwords;
  expect((await rig.docker()).auths[REGISTRY]?.password).toBe(password);
  expect(JSON.stringify(program.log)).not.toContain(password.slice(0, 20));
});

test('exit code 1 if one namespace of a file failed', async () => {
  const file = join(directory, 'config.yaml');
  await writeFile(file, 'targets: [{ secretName: ecr-pull-secret, namespaces: [deploy, none] }]\n');
  const program = start([`--config=${file}`]);
  expect(await program.ended).toBe(1);
  expect(program.log.map(({ namespace, result }) => `${namespace} ${result}`).sort()).toEqual([
    'deploy created',
    'none failed',
    'undefined undefined',
  ]);
});

test('a signal ends a run in order: what is not done is said, and the exit code is 1', async () => {
  const asked = Promise.withResolvers<void>();
  const never = Promise.withResolvers<void>();
  rig.aws.onRequest = () => {
    asked.resolve();
    return never.promise;
  };
  const program = start(TARGET);
  await asked.promise;
  program.signal('SIGTERM');
  expect(await program.ended).toBe(1);
  expect(messages(program)[0]).toMatch(/no token from ECR in ap-northeast-1: stopped by SIGTERM$/);
  never.resolve();
});

test('with an interval it stays after a run, and a signal ends the waiting with the exit code of that run', async () => {
  const program = start([...TARGET, '--interval=1h']);
  await program.logged(/^1 created/);
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(messages(program)).toHaveLength(2);
});

describe('AWS beyond a proxy, with a certificate of an authority of ours', () => {
  const ECR = 'api.ecr.ap-northeast-1.amazonaws.com';
  let proxy: Server;
  let aws: AwsServer;
  let tunnels: string[];
  const sockets = new Set<Socket>();

  /** Everything that is asked of the proxy goes to one server, whose certificate is for one name or address. */
  async function listen(name: string, ip?: string): Promise<Record<string, string>> {
    const { key, cert } = selfSigned(name, ip);
    const ca = join(directory, 'ca.crt');
    await writeFile(ca, cert);
    aws = await new AwsServer({ tls: { key, cert } }).listen();
    tunnels = [];
    proxy = createServer((_, response) => response.writeHead(500).end());
    proxy.on('connect', (request, socket: Socket) => {
      tunnels.push(request.url ?? '');
      const onwards = connect(Number(new URL(aws.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onwards.pipe(socket).pipe(onwards);
      });
      for (const end of [socket, onwards]) {
        sockets.add(end);
        end.on('error', () => {});
      }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    return { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, NODE_EXTRA_CA_CERTS: ca };
  }
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
    await aws.close();
  });

  test('ECR is asked through HTTPS_PROXY, the API server is not', async () => {
    // Without AWS_ENDPOINT_URL: the host is the SDK's own choice.
    const program = start(TARGET, { ...(await listen(ECR)), AWS_ENDPOINT_URL: '' });
    expect(await program.ended, JSON.stringify(program.log)).toBe(0);
    expect(tunnels).toEqual([`${ECR}:443`]);
    expect((await rig.docker()).auths[REGISTRY]?.password).toBe(aws.passwords[0]);
  });

  test('NO_PROXY leaves out what it names', async () => {
    const env = await listen('ecr', '127.0.0.1');
    const program = start(TARGET, { ...env, AWS_ENDPOINT_URL: aws.url, NO_PROXY: '127.0.0.1' });
    expect(await program.ended, JSON.stringify(program.log)).toBe(0);
    expect(tunnels).toEqual([]);
    expect((await rig.docker()).auths[REGISTRY]?.password).toBe(aws.passwords[0]);
  });
});
