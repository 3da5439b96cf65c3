import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUNDLED_PROGRAM } from '../../kit/bundled-program.ts';
import { Program } from '../../kit/program.ts';

/** `capdeploy controller` as a process: probes, signals, exit codes. What it does with messages is tested elsewhere. */

let directory: string;
let kubeconfig: string;
/** An API server that takes requests and answers none, until told otherwise. */
let api: Server;
let apiAnswers: boolean;
const programs: Program[] = [];

beforeEach(async () => {
  apiAnswers = false;
  api = createServer((request, response) => {
    if (!apiAnswers) return;
    const watching = request.url?.includes('watch=');
    response.writeHead(200, { 'content-type': 'application/json' });
    // A watch stays open and silent.
    if (watching) response.flushHeaders();
    else response.end(JSON.stringify({ kind: 'List', items: [], metadata: { resourceVersion: '1' } }));
  });
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  directory = await mkdtemp(join(tmpdir(), 'capdeployjob-main-'));
  kubeconfig = join(directory, 'kubeconfig');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${(api.address() as AddressInfo).port}` } }],
      users: [{ name: 'test', user: {} }],
    }),
  );
});

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
  api.closeAllConnections();
  api.close();
  await rm(directory, { recursive: true, force: true });
});

function controller(...args: string[]): Program {
  const program = new Program(BUNDLED_PROGRAM, [
    'controller',
    `--kubeconfig=${kubeconfig}`,
    '--metrics-bind-address=127.0.0.1:0',
    '--health-probe-bind-address=127.0.0.1:0',
    ...args,
  ]);
  programs.push(program);
  return program;
}

describe('an operator whose API server does not answer', () => {
  test('is alive and says what it is not ready for', async () => {
    const { probes } = await controller().logged(/^started$/);
    expect((await fetch(`http://${probes}/healthz`)).status).toBe(200);
    const ready = await fetch(`http://${probes}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.text()).toBe('controller: not listed yet: capdeployjobs, jobs, pods\n');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
    const program = controller();
    await program.logged(/^started$/);
    program.signal(signal);
    expect(await program.ended).toBe(0);
    expect(program.log.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' });
  });
});

describe('an operator in a cluster without a CapDeployJob', () => {
  beforeEach(() => {
    apiAnswers = true;
  });

  test('becomes ready, and shows its metrics', async () => {
    const program = controller();
    const { probes, metrics } = await program.logged(/^started$/);
    await program.logged(/^caches are complete/);
    expect(await (await fetch(`http://${probes}/readyz`)).text()).toBe('ok');
    const shown = await (await fetch(`http://${metrics}/metrics`)).text();
    expect(shown).toMatch(/^capdeployjob_clock_skew_seconds /m);
    expect(shown).toContain('capdeployjob_kube_request_errors_total{verb="watch",kind="forbidden"} 0\n');
  });

  test('closes everything it opened when it stops: nothing is left that would have to be cut off', async () => {
    const program = controller();
    await program.logged(/^caches are complete/);
    program.signal('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(program.log.filter(({ level }) => level !== 'info')).toEqual([]);
  });
});

describe('what cannot begin says so in one line and exits 2', () => {
  test('an address that is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    const program = controller(`--metrics-bind-address=${address}`);
    expect(await program.ended).toBe(2);
    expect(program.stderr).toBe(
      `capdeploy: --metrics-bind-address: cannot listen on "${address}": the port is in use\n`,
    );
    taken.close();
  });

  test('no credentials for a cluster', async () => {
    const program = new Program(BUNDLED_PROGRAM, ['controller'], { HOME: directory });
    programs.push(program);
    expect(await program.ended).toBe(2);
    expect(program.stderr).toMatch(/^capdeploy: no credentials for a Kubernetes cluster: .*\n$/);
  });
});
