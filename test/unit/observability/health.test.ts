import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { parseBindAddress } from '../../../src/observability/bind-address.ts';
import { type Check, type RunningServer, serveMetrics, serveProbes } from '../../../src/observability/health.ts';

const open: RunningServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function probes(healthz: Record<string, Check> = {}, readyz: Record<string, Check> = {}) {
  const server = (await serveProbes({ address: '127.0.0.1:0', healthz, readyz }))!;
  open.push(server);
  return { server, get: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method }) };
}

describe('an address', () => {
  it.each([
    [':8080', { host: undefined, port: 8080 }],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['localhost:8080', { host: 'localhost', port: 8080 }],
    ['0.0.0.0:8080', { host: '0.0.0.0', port: 8080 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['[::]:0', { host: '::', port: 0 }],
    ['0', undefined],
  ])('%s is understood', (address, expected) => {
    expect(parseBindAddress('--flag', address)).toEqual(expected);
  });

  it.each([
    '',
    '8080',
    ':',
    ':x',
    ':65536',
    '::1:8080',
    '[127.0.0.1]:80',
    '[x]:80',
    'a b:80',
    'host:80:90',
    ':8080 ',
    '-1',
  ])('"%s" is refused, with the flag and what may be written', (address) => {
    expect(() => parseBindAddress('--flag', address)).toThrow(/^--flag: ".*" is no address: write ":8080"/);
  });

  it('0 starts no server', async () => {
    expect(await serveProbes({ address: '0', healthz: {}, readyz: {} })).toBeUndefined();
  });

  it('that is taken is said with the flag', async () => {
    const { server } = await probes();
    const metrics = { contentType: 'text/plain', text: async () => '' };
    await expect(serveMetrics({ address: `127.0.0.1:${server.port}`, metrics })).rejects.toThrow(
      `--metrics-bind-address: cannot listen on "127.0.0.1:${server.port}": the port is in use`,
    );
  });

  it('of another machine is said to be none', async () => {
    await expect(serveProbes({ address: '192.0.2.1:0', healthz: {}, readyz: {} })).rejects.toThrow('no such address');
  });

  const hasIPv6 = Object.values(networkInterfaces())
    .flat()
    .some((each) => each?.address === '::1');
  it.runIf(hasIPv6)('may be IPv6', async () => {
    const server = (await serveProbes({ address: '[::1]:0', healthz: {}, readyz: {} }))!;
    open.push(server);
    expect((await fetch(`http://[::1]:${server.port}/healthz`)).status).toBe(200);
  });
});

describe('probes', () => {
  const fine: Check = () => ({ ok: true });

  it('answer ok while all checks are', async () => {
    const { get } = await probes({ queue: fine }, { queue: fine, cache: fine });
    for (const path of ['/healthz', '/readyz', '/readyz?verbose']) {
      const answer = await get(path);
      expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
    }
  });

  it('answer 503 and name the checks that fail, or throw, each probe its own', async () => {
    const thrown = () => {
      throw new TypeError('Authorization: sesame');
    };
    const { get } = await probes(
      { queue: fine },
      { fine, cache: () => ({ ok: false, message: 'no list yet' }), x: () => ({ ok: false }), thrown },
    );
    expect((await get('/healthz')).status).toBe(200);
    const answer = await get('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe('cache: no list yet\nx\nthrown: the check failed (TypeError)\n');
  });

  it('are asked anew each time', async () => {
    let ok = false;
    const { get } = await probes({ queue: () => ({ ok }) });
    expect((await get('/healthz')).status).toBe(503);
    ok = true;
    expect((await get('/healthz')).status).toBe(200);
  });

  it('answer HEAD without a body, and no other method', async () => {
    const { get } = await probes({ queue: fine });
    const head = await get('/healthz', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = await get('/healthz', 'POST');
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each(['/', '/metrics', '/healthz/', '/constructor', '/__proto__', '//healthz'])(
    '%s is not found',
    async (path) => {
      expect((await (await probes()).get(path)).status).toBe(404);
    },
  );
});

describe('metrics', () => {
  it('are served under /metrics with their content type; a failure is a 500 that says nothing', async () => {
    let broken = false;
    const metrics = {
      contentType: 'text/plain; version=0.0.4',
      text: async () => {
        if (broken) throw new Error('sesame');
        return 'a_total 1\n';
      },
    };
    const server = (await serveMetrics({ address: '127.0.0.1:0', metrics }))!;
    open.push(server);
    const answer = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect([await answer.text(), answer.headers.get('content-type')]).toEqual([
      'a_total 1\n',
      'text/plain; version=0.0.4',
    ]);
    broken = true;
    const failed = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect([failed.status, await failed.text()]).toEqual([500, 'internal error\n']);
  });
});

describe('close', () => {
  it('ends at once though a client keeps its connection and another never finishes its request', async () => {
    const { server, get } = await probes();
    await (await get('/healthz')).text();
    const slow = connect(server.port, '127.0.0.1');
    slow.on('error', () => {});
    const ended = new Promise((resolve) => slow.on('close', resolve));
    await once(slow, 'connect');
    slow.write('GET /healthz HTTP/1.1\r\nHost:');
    await server.close();
    await ended;
    await server.close();
    await expect(get('/healthz')).rejects.toThrow();
  });
});
