import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server as NetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { SqsClients } from '../../../src/sqs/clients.ts';
import type { QueueSettings } from '../../../src/sqs/queue.ts';
import { selfSigned } from '../../kit/certificate.ts';
import { NOW } from './receiving.ts';

const open: NetServer[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    (server as Server).closeAllConnections?.();
    server.close();
  }
});

async function listen(server: NetServer): Promise<number> {
  open.push(server);
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as AddressInfo).port;
}

const settings = (url: string, changes: Partial<QueueSettings> = {}): QueueSettings => ({
  url,
  region: 'us-east-1',
  roleArn: undefined,
  externalId: 'deploy/web',
  ...changes,
});

const ROLE = 'arn:aws:iam::123456789012:role/reader';
const ASSUMED = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
  <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>of-the-role</SessionToken>
  <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;

/** SQS with one message, and STS. Keeps what it was asked. */
function aws() {
  const asked: { host: string | undefined; token: unknown; body: string; sts: boolean }[] = [];
  const listener: RequestListener = async (request, response) => {
    const body = (await request.toArray()).join('');
    const sts = request.headers['x-amz-target'] === undefined;
    asked.push({ host: request.headers.host, token: request.headers['x-amz-security-token'], body, sts });
    response.writeHead(200, { 'content-type': sts ? 'text/xml' : 'application/x-amz-json-1.0' });
    // The SDK refuses a body that its hash does not fit.
    const message = { MessageId: 'm', ReceiptHandle: 'r', Body: 'x', MD5OfBody: hash('md5', 'x') };
    response.end(sts ? ASSUMED : JSON.stringify({ Messages: [message] }));
  };
  return { asked, listener };
}

describe('the way out', () => {
  it('is the proxy of the environment, except if NO_PROXY names the host or what it ends in', async () => {
    const { listener, asked } = aws();
    const near = await listen(createServer(listener));
    const seen: string[] = [];
    const proxy = createServer((request, response) => {
      seen.push(request.url ?? '');
      listener(request, response as never);
    });
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${await listen(proxy)}`);
    vi.stubEnv('NO_PROXY', 'other.example,127.0.0.1,.corp.invalid');
    const clients = new SqsClients();
    try {
      expect(await clients.open(settings('http://sqs.invalid/000000000000/q')).receive(NOW)).toHaveLength(1);
      expect(seen).toEqual(['http://sqs.invalid/']);
      expect(await clients.open(settings(`http://127.0.0.1:${near}/000000000000/q`)).receive(NOW)).toHaveLength(1);
      expect(asked).toHaveLength(2);
      const inside = clients.open(settings('http://sqs.corp.invalid/000000000000/q'));
      await expect(inside.receive(NOW)).rejects.toMatchObject({ kind: 'unreachable' });
      expect(seen).toHaveLength(1);
    } finally {
      clients.close();
    }
  });

  it('through a proxy has room for sixty long polls, and for a delete beside them', async () => {
    const waiting: (() => void)[] = [];
    const proxy = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      if (request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage') waiting.push(() => response.end('{}'));
      else response.end('{}');
    });
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${await listen(proxy)}`);
    const clients = new SqsClients();
    try {
      const queue = clients.open(settings('http://sqs.invalid/000000000000/q'));
      const polls = Array.from({ length: 60 }, () => queue.receive({ ...NOW, waitSeconds: 20 }));
      const gone = Promise.allSettled(polls);
      await expect.poll(() => waiting.length, { timeout: 15_000 }).toBe(60);
      expect(await queue.delete(['handle'])).toEqual([undefined]);
      for (const answer of waiting) answer();
      await gone;
      expect((await Promise.all(polls)).flat()).toEqual([]);
    } finally {
      clients.close();
    }
  });

  it.each([
    ['that wants a password', 407, ''],
    ['that does not let it through', 403, ''],
    ['that does not let it through, with a page about it', 403, '<html>no</html>'],
    ['that does not reach SQS', 502, '<html>bad gateway</html>'],
    ['that does not reach SQS, without a word', 504, ''],
  ])(
    'through a proxy %s (%i %s) is told as a matter of the network, not as a refusal of SQS',
    async (_, status, page) => {
      const proxy = createServer();
      proxy.on('connect', (_request, socket) =>
        socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: ${page.length}\r\n\r\n${page}`),
      );
      vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${await listen(proxy)}`);
      const clients = new SqsClients();
      // Whether the proxy answers in place of SQS, or of STS before it.
      for (const roleArn of [undefined, ROLE]) {
        const queue = clients.open(settings('https://sqs.us-east-1.amazonaws.com/123456789012/q', { roleArn }));
        await expect(queue.receive(NOW)).rejects.toMatchObject({
          kind: 'unreachable',
          code: 'ForeignAnswer',
          message: expect.stringMatching(/HTTPS_PROXY.*something else answered/),
        });
      }
      clients.close();
    },
  );

  it('through a proxy that is not there is told as unreachable', async () => {
    const port = await listen(createServer());
    await new Promise((resolve) => open.pop()?.close(resolve));
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${port}`);
    const clients = new SqsClients();
    const queue = clients.open(settings('https://sqs.us-east-1.amazonaws.com/123456789012/q'));
    await expect(queue.receive(NOW)).rejects.toMatchObject({ kind: 'unreachable', code: 'ECONNREFUSED' });
    clients.close();
  });

  it('is as the role of the resource, assumed once with its external id, if it names one', async () => {
    const { listener, asked } = aws();
    const endpoint = `http://127.0.0.1:${await listen(createServer(listener))}`;
    vi.stubEnv('AWS_ENDPOINT_URL_STS', endpoint);
    const clients = new SqsClients();
    const url = `${endpoint}/000000000000/q`;
    const queue = clients.open(settings(url, { region: 'eu-west-1', roleArn: ROLE }));
    await queue.receive(NOW);
    await queue.delete(['handle']);
    clients.close();
    expect(asked.map(({ token }) => token)).toEqual([undefined, 'of-the-role', 'of-the-role']);
    const request = new URLSearchParams(asked[0]?.body);
    expect(request.get('RoleArn')).toBe(ROLE);
    expect(request.get('ExternalId')).toBe('deploy/web');
  });

  it('is as a role for each resource: the same role with another external id is assumed anew', async () => {
    const { listener, asked } = aws();
    const endpoint = `http://127.0.0.1:${await listen(createServer(listener))}`;
    vi.stubEnv('AWS_ENDPOINT_URL_STS', endpoint);
    const clients = new SqsClients();
    const url = `${endpoint}/000000000000/q`;
    for (const externalId of ['deploy/web', 'deploy/web', 'other/web']) {
      await clients.open(settings(url, { roleArn: ROLE, externalId })).receive(NOW);
    }
    clients.close();
    const ids = asked.filter(({ sts }) => sts).map(({ body }) => new URLSearchParams(body).get('ExternalId'));
    expect(ids).toEqual(['deploy/web', 'other/web']);
  });
});

describe('the way out by TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capdeployjob-ca-'));
  const authority = join(folder, 'ca.crt');
  // Named as the regional hosts of SQS and STS are, and as this machine; signed by nobody that Node knows.
  const certificate = selfSigned('*.us-east-1.amazonaws.com', '127.0.0.1');
  beforeAll(() => writeFileSync(authority, certificate.cert));
  afterAll(() => rmSync(folder, { recursive: true }));

  const OFFICIAL = 'https://sqs.us-east-1.amazonaws.com/123456789012/q';

  /** AWS behind TLS, and a proxy whose tunnels all end there. */
  async function start() {
    const { asked, listener } = aws();
    const port = await listen(createTlsServer(certificate, listener));
    const tunnels: string[] = [];
    const proxy = createServer((_, response) => response.writeHead(500).end());
    proxy.on('connect', (request: IncomingMessage, socket) => {
      tunnels.push(request.url ?? '');
      const upstream = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [socket, upstream]) end.on('error', () => {});
    });
    return { asked, tunnels, port, proxy: `http://127.0.0.1:${await listen(proxy)}` };
  }

  async function receive(of: QueueSettings, env: Record<string, string>) {
    const program = fileURLToPath(new URL('receive-once.ts', import.meta.url));
    const { PATH } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(of)], {
      env: { PATH, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', ...env },
    });
    return JSON.parse(stdout) as unknown;
  }

  it('is a tunnel through HTTPS_PROXY, and the certificate of an authority in NODE_EXTRA_CA_CERTS is trusted', async () => {
    const { asked, tunnels, proxy } = await start();
    const env = { HTTPS_PROXY: proxy, NODE_EXTRA_CA_CERTS: authority };
    expect(await receive(settings(OFFICIAL), env)).toEqual({ bodies: ['x'] });
    expect(tunnels).toEqual(['sqs.us-east-1.amazonaws.com:443']);
    expect(asked.map(({ host }) => host)).toEqual(['sqs.us-east-1.amazonaws.com']);
  });

  it('is a tunnel for STS too, if a role is assumed, and by https_proxy in small letters', async () => {
    const { asked, tunnels, proxy } = await start();
    const env = { https_proxy: proxy, NODE_EXTRA_CA_CERTS: authority };
    expect(await receive(settings(OFFICIAL, { roleArn: ROLE }), env)).toEqual({ bodies: ['x'] });
    expect(tunnels).toEqual(['sts.us-east-1.amazonaws.com:443', 'sqs.us-east-1.amazonaws.com:443']);
    expect(asked.map(({ token }) => token)).toEqual([undefined, 'of-the-role']);
  });

  it('bypasses the proxy for what NO_PROXY names', async () => {
    const { asked, tunnels, proxy, port } = await start();
    const env = { HTTPS_PROXY: proxy, NO_PROXY: '127.0.0.1', NODE_EXTRA_CA_CERTS: authority };
    expect(await receive(settings(`https://127.0.0.1:${port}/0/q`), env)).toEqual({ bodies: ['x'] });
    expect(tunnels).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it('ends at a certificate of an unknown authority, and the error says what to do', async () => {
    const { asked, proxy } = await start();
    expect(await receive(settings(OFFICIAL), { HTTPS_PROXY: proxy })).toEqual({
      kind: 'unreachable',
      code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/),
      message: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
    expect(asked).toEqual([]);
  });
});
