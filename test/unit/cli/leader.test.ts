import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type LocalCluster, startLocalCluster } from 'in-memory-kubernetes/cluster.ts';
import { afterAll, afterEach, beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { clientOf } from '../../../dev/in-process-client.ts';
import { LOCAL_CREDENTIALS, type LocalSqs, startLocalSqs } from '../../../dev/local-sqs.ts';
import { CAPDEPLOYJOBS } from '../../../src/api/names.ts';
import { JOBS, type KubeObject, LEASES, NAMESPACES } from '../../../src/kube/client.ts';
import type { Lease } from '../../../src/kube/election/lease.ts';
import { BUNDLED_PROGRAM } from '../../kit/bundled-program.ts';
import { until } from '../../kit/eventually.ts';
import { Program } from '../../kit/program.ts';
import { DEFINITION, DEFINITIONS } from '../../kit/store.ts';

/** Two replicas, as two processes, at one API server and one SQS server. */

interface Request {
  /** Which process sent it: the token in its kubeconfig. */
  by: string;
  at: number;
  what: string;
}

let directory: string;
let cluster: LocalCluster;
let sqs: LocalSqs;
let producer: SQSClient;
/** Takes requests and answers none. */
let silent: Server;
/** Everything but reads. */
const writes: Request[] = [];
/** Whose requests are not answered any more. */
const unheard = new Set<string>();
/** Whose looks at Pods are answered only when this resolves; `asked` is told of the first. */
const slowLooks = new Map<string, { asked: () => void; answer: Promise<void> }>();
const programs: Program[] = [];
let count = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'capdeployjob-leader-'));
  silent = createServer(() => {});
  silent.listen(0, '127.0.0.1');
  [cluster, sqs] = await Promise.all([
    startLocalCluster({
      kubelet: false,
      intercept: ({ method, path, query, headers }) => {
        const by = String(headers.authorization).replace('Bearer ', '');
        if (unheard.has(by)) return new Promise(() => {});
        if (method !== 'GET') writes.push({ by, at: performance.now(), what: `${method} ${path}` });
        const slow = path.endsWith('/pods') && !query.has('watch') ? slowLooks.get(by) : undefined;
        slow?.asked();
        return slow?.answer.then(() => undefined);
      },
    }),
    startLocalSqs(),
  ]);
  producer = new SQSClient({ endpoint: sqs.endpoint, region: sqs.region, credentials: LOCAL_CREDENTIALS });
  await clientOf(cluster).create(DEFINITIONS, DEFINITION);
});
afterEach(() => unheard.clear());
afterAll(async () => {
  await Promise.all(programs.map((program) => program.kill()));
  producer.destroy();
  silent.closeAllConnections();
  silent.close();
  await Promise.all([cluster.stop(), sqs.stop()]);
  await rm(directory, { recursive: true, force: true });
});

// Six processes start here: on a machine that does other things too, that alone takes many seconds.
vi.setConfig({ testTimeout: 180_000 });

/** A namespace with its Lease, a CapDeployJob whose queue is `queueUrl`, and replicas that serve it. */
class Installation {
  readonly namespace = `deploy-${++count}`;
  readonly queueUrl: string;
  readonly #durationSeconds: number;

  constructor(durationSeconds: number, { onTestFailed }: TestContext) {
    this.#durationSeconds = durationSeconds;
    onTestFailed(() => {
      const mine = programs.filter((one) => one instanceof Replica && one.token.startsWith(`${this.namespace}-`));
      for (const { log, stderr } of mine) console.error(log.map((line) => JSON.stringify(line)).join('\n'), stderr);
    });
    this.queueUrl = sqs.queueUrl(this.namespace);
  }

  async create(waitTimeSeconds: number): Promise<this> {
    await producer.send(new CreateQueueCommand({ QueueName: this.namespace }));
    const client = clientOf(cluster);
    await client.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace },
    });
    await this.resource('web', this.queueUrl, waitTimeSeconds);
    return this;
  }

  async resource(name: string, url: string, waitTimeSeconds: number): Promise<void> {
    await clientOf(cluster).create(CAPDEPLOYJOBS, {
      apiVersion: 'capdeployjob.dev/v1alpha1',
      kind: 'CapDeployJob',
      metadata: { name, namespace: this.namespace },
      spec: {
        queue: { url, waitTimeSeconds },
        environments: [{ name: 'production', suspend: true }],
        template: { spec: { containers: [{ name: 'cap', image: 'web' }] } },
      },
    });
  }

  async replica(name: string): Promise<Replica> {
    const token = `${this.namespace}-${name}`;
    const { kubeconfig } = cluster;
    const file = join(directory, token);
    await writeFile(
      file,
      stringify({
        ...kubeconfig,
        contexts: kubeconfig.contexts.map((one) => ({
          ...one,
          context: { ...one.context, namespace: this.namespace },
        })),
        users: kubeconfig.users.map(({ name: user }) => ({ name: user, user: { token } })),
      }),
    );
    const replica = new Replica(token, [
      'controller',
      `--kubeconfig=${file}`,
      `--namespace=${this.namespace}`,
      '--leader-elect',
      `--leader-elect-lease-duration=${this.#durationSeconds}s`,
      `--allow-queue-origin=${sqs.endpoint}`,
      `--allow-queue-origin=${silentOrigin()}`,
      '--metrics-bind-address=127.0.0.1:0',
      '--health-probe-bind-address=127.0.0.1:0',
    ]);
    programs.push(replica);
    return replica;
  }

  /** One that leads and reads the queue, and one that stands by. */
  async pair(): Promise<[leader: Replica, follower: Replica]> {
    const leader = await this.replica('a');
    await leader.logged(/^working$/);
    leader.noteStart();
    await leader.logged(/^reading a queue$/);
    const follower = await this.replica('b');
    await follower.logged(/^another replica leads$/);
    follower.noteStart();
    return [leader, follower];
  }

  get lease(): Lease | undefined {
    return cluster.store.find(LEASES, this.namespace, 'capdeployjob') as Lease | undefined;
  }

  send(id: string) {
    const body = { repository: 'livesense/web', environment: 'production', revision: 'v1.0.0', id };
    return producer.send(new SendMessageCommand({ QueueUrl: this.queueUrl, MessageBody: JSON.stringify(body) }));
  }

  jobs(): KubeObject[] {
    return cluster.store.list(JOBS, { namespace: this.namespace }).items;
  }

  async status(name = 'web'): Promise<{ waiting?: number; rejectionsCount?: number }> {
    const { status } = await clientOf(cluster).get<KubeObject>(CAPDEPLOYJOBS, this.namespace, name);
    return (status ?? {}) as { waiting?: number };
  }

  /** Messages in the queue that nobody deleted. */
  async depth(): Promise<number> {
    const { Attributes } = await producer.send(
      new GetQueueAttributesCommand({ QueueUrl: this.queueUrl, AttributeNames: ['All'] }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible);
  }
}

const silentOrigin = () => `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;

class Replica extends Program {
  readonly token: string;
  readonly #begun = performance.now();
  /**
   * How long it took from its start until it stood by or worked: what bounds in milliseconds are worth on this machine,
   * just now.
   */
  startedMs = 0;

  constructor(token: string, args: string[]) {
    super(BUNDLED_PROGRAM, args, {
      HOSTNAME: token,
      AWS_REGION: sqs.region,
      AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    });
    this.token = token;
  }

  noteStart(): void {
    this.startedMs = performance.now() - this.#begun;
  }

  writesSince(at = 0): string[] {
    return writes.filter((write) => write.by === this.token && write.at >= at).map(({ what }) => what);
  }

  async ask(server: 'probes' | 'metrics', path: string): Promise<{ status: number; text: string }> {
    const started = await this.logged(/^started$/);
    const answer = await fetch(`http://${started[server]}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** Milliseconds from now until it works. */
  async worksAfter(): Promise<number> {
    const begun = performance.now();
    await this.logged(/^working$/);
    return performance.now() - begun;
  }
}

describe.concurrent('of two replicas', () => {
  test('one works; the other is ready, alive and writes nothing; a SIGTERM hands over within a second, though polls are open and one queue never answers', async (context) => {
    const here = await new Installation(15, context).create(3);
    await here.resource('stuck', `${silentOrigin()}/000000000000/stuck`, 1);
    const [leader, follower] = await here.pair();
    await until(() => expect(leader.log.filter(({ msg }) => msg === 'reading a queue')).toHaveLength(2));
    for (const replica of [leader, follower]) {
      expect(await replica.ask('probes', '/readyz')).toEqual({ status: 200, text: 'ok' });
      expect(await replica.ask('probes', '/healthz')).toEqual({ status: 200, text: 'ok' });
    }
    expect((await leader.ask('metrics', '/metrics')).text).toMatch(/^capdeployjob_leader 1$/m);
    expect((await follower.ask('metrics', '/metrics')).text).toMatch(/^capdeployjob_leader 0$/m);
    expect(here.lease?.spec).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 0 });
    expect(here.lease?.spec?.holderIdentity).toMatch(new RegExp(`^${leader.token}_[0-9a-f-]{36}$`));

    await here.send('before');
    await until(async () => expect((await here.status()).waiting).toBe(1));
    expect(follower.writesSince()).toEqual([]);

    const stoppedAt = performance.now();
    leader.signal('SIGTERM');
    // A second where a process starts in as much; an idle machine takes a tenth of both.
    expect(await follower.worksAfter()).toBeLessThan(Math.max(1000, follower.startedMs));
    expect(here.lease?.spec?.holderIdentity).toMatch(new RegExp(`^${follower.token}_`));
    expect(here.lease?.spec?.leaseTransitions).toBe(1);
    expect((await follower.ask('metrics', '/metrics')).text).toMatch(/^capdeployjob_leader 1$/m);
    // The poll of the first one is still open: whoever gets the message, it becomes one Job, is listed and deleted.
    await here.send('between');
    await until(async () => expect((await here.status()).waiting).toBe(2));
    expect(await leader.ended).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(10_000 + follower.startedMs);
    expect(leader.log.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' });
    await until(async () => expect(await here.depth()).toBe(0));
    expect(here.jobs()).toHaveLength(2);
    follower.signal('SIGTERM');
    await follower.ended;
    expect(here.lease?.spec?.holderIdentity).toBe('');
  });

  test('the second one works at the latest when the Lease of one that was killed expires, and takes up what it left', async (context) => {
    const here = await new Installation(4, context).create(1);
    const [leader, follower] = await here.pair();
    await here.send('left');
    await until(async () => expect(await here.depth()).toBe(0));
    await leader.kill();
    const took = await follower.worksAfter();
    // Counted from the last renewal, which is half a second old or so; what is above the 4 s is for a machine that is
    // busy.
    expect(took).toBeLessThan(4500 + follower.startedMs);
    await here.send('after');
    await until(async () => expect((await here.status()).waiting).toBe(2));
    await until(async () => expect(await here.depth()).toBe(0));
  });

  test('the first one, stopped (SIGSTOP) in the middle of a pass until the other works, and then woken, writes nothing and ends with 1', async (context) => {
    const here = await new Installation(4, context).create(20);
    const [leader, follower] = await here.pair();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    slowLooks.set(leader.token, { asked: asked.resolve, answer: answer.promise });
    // Its Job is stored; the pass that would list it has made its last look, and is about to write.
    await here.send('one');
    await asked.promise;
    leader.signal('SIGSTOP');
    // The answer lies in its socket when it wakes: read before any timer of its own.
    answer.resolve();
    await follower.worksAfter();
    await until(async () => expect((await here.status()).waiting).toBe(1));
    const wokenAt = performance.now();
    leader.signal('SIGCONT');
    expect(await leader.ended).toBe(1);
    expect(leader.writesSince(wokenAt)).toEqual([]);
    const last = leader.log.at(-1);
    expect(last).toMatchObject({ level: 'error', msg: expect.stringMatching(/^leadership was lost/) });
    expect(JSON.stringify(last)).toMatch(/was not renewed for [\d.]+ s/);
    expect(here.jobs()).toHaveLength(1);
    expect(here.lease?.spec?.holderIdentity).toMatch(new RegExp(`^${follower.token}_`));
  });

  test('the leader that the API server does not answer any more ends: with 1 when its time is over, with 0 if it is told to stop before', async (context) => {
    const [one, two] = await Promise.all([
      new Installation(4, context).create(1),
      new Installation(15, context).create(1),
    ]);
    const begunAt = performance.now();
    const [dying, stopping] = await Promise.all([one.replica('a'), two.replica('a')]);
    await Promise.all([dying.logged(/^reading a queue$/), stopping.logged(/^reading a queue$/)]);
    const startedMs = performance.now() - begunAt;
    unheard.add(dying.token).add(stopping.token);
    const begun = performance.now();
    // A pass that hangs.
    await two.send('hangs');
    stopping.signal('SIGTERM');
    expect(await dying.ended).toBe(1);
    expect(performance.now() - begun).toBeLessThan(4000 + startedMs);
    expect(await stopping.ended).toBe(0);
    expect(performance.now() - begun).toBeLessThan(25_000 + startedMs);
    expect(stopping.log.map(({ msg }) => msg)).toContain(
      'could not release the Lease: the next one waits until it expires',
    );
  });
});

test('without a namespace for the Lease it does not begin, and says what to do', async () => {
  const { kubeconfig } = cluster;
  const file = join(directory, 'nowhere');
  const contexts = kubeconfig.contexts.map(({ name, context: { namespace: _, ...context } }) => ({ name, context }));
  await writeFile(file, stringify({ ...kubeconfig, contexts }));
  const program = new Program(BUNDLED_PROGRAM, ['controller', '--leader-elect', `--kubeconfig=${file}`]);
  programs.push(program);
  expect(await program.ended).toBe(2);
  expect(program.stderr).toMatch(
    /^capdeploy: --leader-elect: the Lease lies in the operator's own namespace, and .*\n$/,
  );
});
