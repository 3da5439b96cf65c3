import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PODS } from '../../../src/kube/client.ts';
import { HttpKubeClient } from '../../../src/kube/http/http-client.ts';
import { KubeConfigError, loadKubeConfig } from '../../../src/kube/http/kubeconfig.ts';
import { ApiServer, json, pod, status } from '../../kit/api-server.ts';
import { selfSigned } from '../../kit/certificate.ts';

let directory: string;
const open: { close(): Promise<void> }[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kube-test-'));
});

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  rmSync(directory, { recursive: true });
});

function write(name: string, content: string): string {
  const file = join(directory, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** JSON is YAML. */
function kubeconfigFile(name: string, server: string, user: object = {}, more: object = {}): string {
  return write(
    name,
    JSON.stringify({
      'current-context': 'main',
      contexts: [{ name: 'main', context: { cluster: 'one', user: 'me', namespace: 'team' } }],
      clusters: [{ name: 'one', cluster: { server } }],
      users: [{ name: 'me', user }],
      ...more,
    }),
  );
}

async function serve(answer: ConstructorParameters<typeof ApiServer>[0]): Promise<ApiServer> {
  const server = await new ApiServer(answer).listen();
  open.push(server);
  return server;
}

function clientOf(config: ConstructorParameters<typeof HttpKubeClient>[0]['config']): HttpKubeClient {
  const client = new HttpKubeClient({ config });
  open.push(client);
  return client;
}

function kubeConfig(server: string, user: object = {}, cluster: object = {}): KubeConfig {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'test', server, skipTLSVerify: server.startsWith('http:'), ...cluster },
    { name: 'tester', ...user },
  );
  return config;
}

describe('the kubeconfig', () => {
  const server = (name: string) => `https://${name}.example`;
  const found = (options: Parameters<typeof loadKubeConfig>[0]) => loadKubeConfig(options).getCurrentCluster()?.server;
  const inCluster = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' };

  it('is that of the flag, then of KUBECONFIG, then of the Pod, then of the home directory', () => {
    for (const [name, value] of Object.entries(inCluster)) vi.stubEnv(name, value);
    const home = join(directory, 'home');
    const flag = kubeconfigFile('flag', server('flag'));
    const variable = kubeconfigFile('variable', server('variable'));
    kubeconfigFile('home/.kube/config', server('home'));
    write('var/run/secrets/kubernetes.io/serviceaccount/token', 'sesame');
    write('var/run/secrets/kubernetes.io/serviceaccount/namespace', 'deploy\n');
    const all = { kubeconfig: flag, env: { KUBECONFIG: variable, ...inCluster }, home, inClusterRoot: directory };
    expect(found(all)).toBe(server('flag'));
    expect(found({ ...all, kubeconfig: undefined })).toBe(server('variable'));
    expect(found({ ...all, kubeconfig: undefined, env: inCluster })).toBe('https://10.0.0.1:443');
    expect(found({ ...all, kubeconfig: '', env: inCluster })).toBe('https://10.0.0.1:443');
    expect(found({ ...all, kubeconfig: undefined, env: {} })).toBe(server('home'));
  });

  it('in several files is merged as kubectl does: the first says, a missing one is passed over', () => {
    const first = kubeconfigFile('first', server('first'));
    const second = kubeconfigFile('second', server('second'), {}, { 'current-context': 'other' });
    const missing = join(directory, 'missing');
    const config = loadKubeConfig({ env: { KUBECONFIG: `${missing}:${first}:${second}` } });
    expect(config.getCurrentCluster()?.server).toBe(server('first'));
    expect(config.getClusters()).toHaveLength(1);
  });

  it.each<[string, () => Parameters<typeof loadKubeConfig>[0], RegExp]>([
    ['none at all', () => ({ env: {}, home: directory }), /no credentials for a Kubernetes cluster/],
    ['a flag whose file is missing', () => ({ kubeconfig: join(directory, 'no') }), /^--kubeconfig: .* is not there$/],
    ['KUBECONFIG whose file is missing', () => ({ env: { KUBECONFIG: '/no/such' } }), /^KUBECONFIG: .* is not there$/],
    ['an empty file', () => ({ kubeconfig: write('empty', '') }), /is not a valid kubeconfig/],
    [
      'a file that is not YAML',
      () => ({ kubeconfig: write('bad', 'token: sesame\n\t{') }),
      /is not a valid kubeconfig/,
    ],
    [
      'no current context',
      () => ({ kubeconfig: kubeconfigFile('a', server('a'), {}, { 'current-context': '' }) }),
      /has no current-context/,
    ],
    [
      'a current context that is not there',
      () => ({ kubeconfig: kubeconfigFile('a', server('a'), {}, { 'current-context': 'x' }) }),
      /the current context "x" is not there/,
    ],
    [
      'a context whose cluster is not there',
      () => ({ kubeconfig: kubeconfigFile('a', server('a'), {}, { clusters: [] }) }),
      /the cluster of context "main" is not there/,
    ],
    ['a server that is no URL', () => ({ kubeconfig: kubeconfigFile('a', 'nonsense') }), /is not an http\(s\) URL/],
    [
      'a server that only URL takes for one',
      () => ({ kubeconfig: kubeconfigFile('a', 'https:127.0.0.1:6443') }),
      /is not an http\(s\) URL/,
    ],
  ])('%s is said in plain words that quote nothing', (_, options, words) => {
    const attempt = () => loadKubeConfig(options());
    expect(attempt).toThrow(KubeConfigError);
    expect(attempt).toThrow(words);
    expect(attempt).not.toThrow(/sesame/);
  });
});

describe('credentials', () => {
  it.each<[string, object, Record<string, string>]>([
    ['a token', { token: 'sesame' }, { authorization: 'Bearer sesame' }],
    ['user and password', { username: 'me', password: 'pw' }, { authorization: 'Basic bWU6cHc=' }],
    ['impersonation', { token: 'sesame', as: 'jane' }, { authorization: 'Bearer sesame', 'impersonate-user': 'jane' }],
  ])('%s are sent', async (_, user, headers) => {
    const server = await serve((response) => json(response, pod('a', '1')));
    const file = kubeconfigFile('config', server.url, user);
    await clientOf(() => loadKubeConfig({ kubeconfig: file })).get(PODS, 'deploy', 'a');
    expect(server.received[0]?.headers).toMatchObject(headers);
  });

  it('of an exec plugin are sent, and the plugin runs once for many requests', async () => {
    const log = join(directory, 'runs');
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'sesame' },
    };
    const script = `require('fs').appendFileSync(${JSON.stringify(log)}, 'x'); console.log(${JSON.stringify(JSON.stringify(credential))})`;
    const server = await serve((response) => json(response, pod('a', '1')));
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] };
    const client = clientOf(loadKubeConfig({ kubeconfig: kubeconfigFile('config', server.url, { exec }) }));
    await Promise.all([client.get(PODS, 'deploy', 'a'), client.get(PODS, 'deploy', 'a')]);
    await client.get(PODS, 'deploy', 'a');
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer sesame'));
    expect(readFileSync(log, 'utf8')).toBe('x');
  });

  it.each([
    ['fails', `console.error('login first'); process.exit(1)`, 'login first'],
    ['says its token', `console.error('refused: --token=sesame at host'); process.exit(1)`, 'at host'],
    ['prints no JSON', `console.log('sesame')`, 'did not print JSON'],
  ])('of an exec plugin that %s are a retryable error that holds no token', async (_, script, words) => {
    const server = await serve(() => {});
    const exec = { apiVersion: 'v1', command: process.execPath, args: ['-e', script] };
    const client = clientOf(loadKubeConfig({ kubeconfig: kubeconfigFile('config', server.url, { exec }) }));
    const error = await client.get(PODS, 'deploy', 'a').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'KubeError', kind: 'retryable', status: 0, reason: 'Credentials' });
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain('sesame');
    expect(server.received).toEqual([]);
  });

  it('that are refused and have not changed are not sent twice', async () => {
    const server = await serve((response) => json(response, status(401, 'Unauthorized', 'Unauthorized'), 401));
    const file = kubeconfigFile('config', server.url, { token: 'old' });
    const client = clientOf(() => loadKubeConfig({ kubeconfig: file }));
    await expect(client.get(PODS, 'deploy', 'a')).rejects.toMatchObject({ kind: 'forbidden', status: 401 });
    expect(server.received).toHaveLength(1);
  });

  it('that change between two requests are picked up by the one that is refused', async () => {
    let valid = 'Bearer old';
    const server = await serve((response, request) => {
      if (request.headers.authorization === valid) json(response, pod('a', '1'));
      else json(response, status(401, 'Unauthorized', 'Unauthorized'), 401);
    });
    kubeconfigFile('config', server.url, { token: 'old' });
    const client = clientOf(() => loadKubeConfig({ kubeconfig: join(directory, 'config') }));
    await client.get(PODS, 'deploy', 'a');
    valid = 'Bearer new';
    kubeconfigFile('config', server.url, { token: 'new' });
    await client.get(PODS, 'deploy', 'a');
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer old',
      'Bearer old',
      'Bearer new',
    ]);
  });

  it('whose loading fails are tried again with the next request', async () => {
    const server = await serve((response) => json(response, pod('a', '1')));
    let broken = true;
    const client = clientOf(() => {
      if (broken) throw new Error('half written');
      return kubeConfig(server.url);
    });
    await expect(client.get(PODS, 'deploy', 'a')).rejects.toMatchObject({ reason: 'Credentials' });
    broken = false;
    await expect(client.get(PODS, 'deploy', 'a')).resolves.toBeDefined();
  });

  it('of a service account are read from its token file', async () => {
    const server = await serve((response) => json(response, pod('a', '1')));
    const tokenFile = write('token', 'sesame\n');
    const config = kubeConfig(server.url, { authProvider: { name: 'tokenFile', config: { tokenFile } } });
    await clientOf(config).get(PODS, 'deploy', 'a');
    expect(server.received[0]?.headers.authorization).toBe('Bearer sesame');
  });
});

describe('TLS', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const server = selfSigned('server', '127.0.0.1');

  /** Names the Pod it answers with after the client's certificate; answers 401 to those that it refuses. */
  async function tlsServer(refused: Set<string> = new Set()): Promise<string> {
    const options = { ...server, requestCert: true, rejectUnauthorized: false };
    const listening = createTlsServer(options, (request, response) => {
      const name = String((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody');
      if (refused.has(name)) json(response, status(401, 'Unauthorized', 'Unauthorized'), 401);
      else json(response, pod(name, '1'));
    });
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    open.push({
      close: async () => {
        const closed = once(listening, 'close');
        listening.close();
        listening.closeAllConnections();
        await closed;
      },
    });
    return `https://127.0.0.1:${(listening.address() as AddressInfo).port}`;
  }

  it('trusts the CA of the kubeconfig and no other, and shows the client certificate', async () => {
    const me = selfSigned('jane');
    const url = await tlsServer();
    const user = { certData: base64(me.cert), keyData: base64(me.key) };
    const trusting = clientOf(kubeConfig(url, user, { caData: base64(server.cert) }));
    expect((await trusting.get(PODS, 'deploy', 'a')).metadata.name).toBe('jane');
    const other = clientOf(kubeConfig(url, {}, { caData: base64(selfSigned('other').cert) }));
    await expect(other.get(PODS, 'deploy', 'a')).rejects.toMatchObject({ kind: 'retryable', status: 0 });
  });

  it('goes on with a client certificate that was rotated on disk', async () => {
    const refused = new Set<string>();
    const url = await tlsServer(refused);
    const rotate = (name: string) => {
      const { key, cert } = selfSigned(name);
      write('tls.key', key);
      write('tls.crt', cert);
    };
    rotate('first');
    const user = { certFile: join(directory, 'tls.crt'), keyFile: join(directory, 'tls.key') };
    const client = clientOf(kubeConfig(url, user, { caData: base64(server.cert) }));
    expect((await client.get(PODS, 'deploy', 'a')).metadata.name).toBe('first');
    rotate('second');
    refused.add('first');
    expect((await client.get(PODS, 'deploy', 'a')).metadata.name).toBe('second');
  });
});
