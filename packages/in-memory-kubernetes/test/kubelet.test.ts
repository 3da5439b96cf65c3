import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from 'in-memory-kubernetes/clock.ts';
import { Kubelet } from 'in-memory-kubernetes/kubelet/kubelet.ts';
import type { LogQuery } from 'in-memory-kubernetes/kubelet/log-source.ts';
import type { ResolvedImage } from 'in-memory-kubernetes/kubelet/pod-worker.ts';
import type { ProcessEvents, ProcessRunner } from 'in-memory-kubernetes/kubelet/process-runner.ts';
import { at, listAt, textAt } from 'in-memory-kubernetes/store/json.ts';
import { Store } from 'in-memory-kubernetes/store/store.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { KubeObject } from '../objects.ts';
import { CORE_EVENTS } from '../objects.ts';
import { CONFIG_MAPS, configMap, container, newStore, PODS, pod, refusal, SECRETS, secret, until } from './builders.ts';

let store: Store;
let kubelet: Kubelet;
let directory: string;
let images: Record<string, ResolvedImage>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubelet-test-'));
  images = {};
  store = new Store();
  kubelet = new Kubelet(store, {
    resolveImage: (image) => images[image],
    temporaryDirectory: directory,
    stopGraceMs: 1000,
  });
});

afterEach(async () => {
  await kubelet.stop();
  const left = readdirSync(directory);
  rmSync(directory, { recursive: true });
  expect(left).toEqual([]);
});

const shell = (script: string, more: object = {}) => ({
  containers: [container({ command: ['sh', '-c', script], ...more })],
});
const current = (): KubeObject => store.get(PODS, 'default', 'p');
const phase = (): string | undefined => textAt(store.find(PODS, 'default', 'p'), 'status', 'phase');
const state = () => at(current(), 'status', 'containerStatuses', 0, 'state');
const waitingReason = () => textAt(current(), 'status', 'containerStatuses', 0, 'state', 'waiting', 'reason');
const ended = () =>
  until(
    () => ['Succeeded', 'Failed'].includes(phase() ?? ''),
    () => `the end of ${JSON.stringify(current().status)}`,
  );
const events = () => store.list(CORE_EVENTS, { fieldSelector: 'involvedObject.name=p' }).items;

const QUERY: LogQuery = {
  container: 'deploy',
  follow: false,
  tailLines: undefined,
  limitBytes: undefined,
  sinceMs: undefined,
  timestamps: false,
  previous: false,
};

function log(query: Partial<LogQuery> = {}): { text: string; ended: boolean; stop: () => void } {
  const read = { text: '', ended: false, stop: () => {} };
  const sink = {
    write: (chunk: Buffer) => {
      read.text += chunk.toString();
    },
    end: () => {
      read.ended = true;
    },
  };
  read.stop = kubelet.readLog(current(), { ...QUERY, ...query }, sink);
  return read;
}

async function output(spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): Promise<string> {
  store.create(PODS, pod('p', spec, metadata));
  await ended();
  return log().text;
}

describe('a Pod runs', () => {
  test('from Pending to Running to Succeeded, with the states that a kubelet writes', async () => {
    const phases: string[] = [];
    store.watch(PODS, {}, { event: ({ object }) => phases.push(String(textAt(object, 'status', 'phase'))) });
    await output(shell('echo hello'));
    expect([...new Set(phases)]).toEqual(['Pending', 'Running', 'Succeeded']);
    expect(current().spec).toMatchObject({ nodeName: 'local' });
    expect(state()).toEqual({
      terminated: { exitCode: 0, reason: 'Completed', startedAt: expect.any(String), finishedAt: expect.any(String) },
    });
    expect(listAt(current(), 'status', 'conditions').map((each) => `${each.type}=${each.status}`)).toEqual(
      expect.arrayContaining(['PodScheduled=True', 'Ready=False']),
    );
    expect(events().map((event) => event.reason)).toEqual(expect.arrayContaining(['Scheduled', 'Created', 'Started']));
  });

  test('the entrypoint of its image, with its args or the image its own, in the directory of the image', async () => {
    images['app:1'] = {
      entrypoint: ['sh', '-c', 'echo "$0 $1 $GREETING"; pwd'],
      cmd: ['default'],
      cwd: '/',
      env: { GREETING: 'hi' },
    };
    expect(await output({ containers: [container({ args: ['cap', 'production'] })] })).toBe('cap production hi\n/\n');
  });

  test('and fails with its exit code', async () => {
    await output(shell('exit 3'));
    expect(phase()).toBe('Failed');
    expect(state()).toMatchObject({ terminated: { exitCode: 3, reason: 'Error' } });
  });

  test('and fails with StartError if the program does not exist', async () => {
    store.create(PODS, pod('p', { containers: [container({ command: ['/no/such/program'] })] }));
    await ended();
    expect(state()).toMatchObject({
      terminated: { exitCode: 128, reason: 'StartError', message: expect.stringContaining('ENOENT') },
    });
  });

  test('without its children outliving it', async () => {
    const text = await output(shell('sleep 60 & echo $!'));
    const child = Number(text);
    await until(
      () => {
        try {
          process.kill(child, 0);
          return false;
        } catch {
          return true;
        }
      },
      () => `the end of ${child}`,
    );
  });

  test('and is over when its first process is, though a daemon of its own session still holds the output', async () => {
    const text = await output(shell('setsid sleep 60 & sleep 0.2; echo $!'));
    const daemon = Number(text);
    expect(existsSync(`/proc/${daemon}`)).toBe(true);
    process.kill(daemon, 'SIGKILL');
  });
});

describe('the environment', () => {
  test('has values, fields, Secrets, ConfigMaps, and $(VAR) put in as Kubernetes does', async () => {
    store.create(SECRETS, secret('s', { key: 'secret value' }));
    store.create(CONFIG_MAPS, configMap('c', { key: 'config value', OTHER: 'more' }));
    const env = [
      { name: 'PLAIN', value: 'a' },
      { name: 'USED', value: 'x$(PLAIN)y$(UNKNOWN)$$(PLAIN)' },
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app.kubernetes.io/x']" } } },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'key' } } },
      { name: 'CONFIG', valueFrom: { configMapKeyRef: { name: 'c', key: 'key' } } },
      { name: 'NONE', valueFrom: { secretKeyRef: { name: 'none', key: 'key', optional: true } } },
    ];
    const spec = shell(
      'for name in PLAIN USED NAME LABEL SECRET CONFIG NONE OTHER; do eval "echo $name=\\$"$name; done; echo "$0"',
      { env, envFrom: [{ configMapRef: { name: 'c' } }], args: ['$(PLAIN)$(NAME)'] },
    );
    expect(await output(spec, { labels: { 'app.kubernetes.io/x': 'l' } })).toBe(
      'PLAIN=a\nUSED=xay$(UNKNOWN)$(PLAIN)\nNAME=p\nLABEL=l\nSECRET=secret value\nCONFIG=config value\nNONE=\nOTHER=more\nap\n',
    );
  });

  test('holds nothing of the one that the in-memory Kubernetes runs in, but PATH', async () => {
    vi.stubEnv('LEAKED_SECRET', 'yes');
    const text = await output(shell('env'));
    expect(text).not.toContain('LEAKED_SECRET');
    expect(
      text
        .split('\n')
        .map((line) => line.split('=')[0])
        .filter((name) => name !== '' && name !== '_')
        .sort(),
    ).toEqual(
      ['CAPDEPLOY_LOCAL_ROOT', 'HOME', 'HOSTNAME', 'PATH', 'PWD', 'TMPDIR']
        .concat(text.includes('SHLVL') ? ['SHLVL'] : [])
        .sort(),
    );
  });

  test('that names a missing Secret waits, CreateContainerConfigError, until it is there', async () => {
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'key' } } }];
    store.create(PODS, pod('p', shell('echo $A', { env })));
    await until(() => waitingReason() === 'CreateContainerConfigError');
    expect(state()).toEqual({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "s" not found' } });
    expect(refusal(() => log())).toBe(
      '400 BadRequest: container "deploy" in pod "p" is waiting to start: CreateContainerConfigError',
    );
    store.create(SECRETS, secret('s', { other: 'x' }));
    await until(() =>
      textAt(current(), 'status', 'containerStatuses', 0, 'state', 'waiting', 'message')?.includes('find key'),
    );
    store.update(SECRETS, secret('s', { key: 'found' }) as unknown as KubeObject);
    await ended();
    expect(log().text).toBe('found\n');
  });
});

describe('the files', () => {
  const volumes = [
    { name: 'key', secret: { secretName: 's', items: [{ key: 'private_key', path: 'id_rsa' }], defaultMode: 0o400 } },
    {
      name: 'all',
      projected: {
        sources: [
          { secret: { name: 's' } },
          { configMap: { name: 'c', items: [{ key: 'k', path: 'deep/k', mode: 0o444 }] } },
          { configMap: { name: 'none', optional: true } },
        ],
      },
    },
    { name: 'scratch', emptyDir: {} },
  ];
  const volumeMounts = [
    { name: 'key', mountPath: '/etc/ssh', readOnly: true },
    { name: 'all', mountPath: '/all' },
    { name: 'all', mountPath: '/one', subPath: 'known_hosts' },
    { name: 'scratch', mountPath: '/scratch/a' },
    { name: 'scratch', mountPath: '/scratch/b' },
  ];

  test('of Secrets, ConfigMaps, projected volumes and emptyDirs lie below CAPDEPLOY_LOCAL_ROOT, with their modes', async () => {
    store.create(SECRETS, secret('s', { private_key: 'PRIVATE', known_hosts: 'host' }));
    store.create(CONFIG_MAPS, configMap('c', { k: 'v' }));
    const script =
      'cd "$CAPDEPLOY_LOCAL_ROOT"; cat etc/ssh/id_rsa; echo; stat -Lc %a etc/ssh/id_rsa all/known_hosts all/deep/k; ls etc/ssh; cat one; echo; echo shared > scratch/a/f; cat scratch/b/f';
    expect(await output({ ...shell(script, { volumeMounts }), volumes })).toBe(
      'PRIVATE\n400\n644\n444\nid_rsa\nhost\nshared\n',
    );
  });

  test('are removed when the Pod is over', async () => {
    await output(shell('pwd'));
    expect(existsSync(log().text.trim())).toBe(false);
  });

  test('cannot be read by other users', async () => {
    store.create(PODS, pod('p', shell('sleep 60')));
    await until(() => phase() === 'Running');
    const [own] = readdirSync(directory);
    expect(statSync(join(directory, own ?? '')).mode & 0o777).toBe(0o700);
  });

  test('of a missing Secret keep the Pod Pending, with the Event FailedMount, until it is there', async () => {
    store.create(
      PODS,
      pod('p', {
        ...shell('cat "$CAPDEPLOY_LOCAL_ROOT/etc/ssh/id_rsa"', { volumeMounts: volumeMounts.slice(0, 1) }),
        volumes: volumes.slice(0, 1),
      }),
    );
    await until(() => events().find((event) => event.reason === 'FailedMount'));
    expect(phase()).toBe('Pending');
    expect(waitingReason()).toBe('ContainerCreating');
    expect(events().find((event) => event.reason === 'FailedMount')?.message).toBe(
      'MountVolume.SetUp failed for volume "key" : secret "s" not found',
    );
    store.create(SECRETS, secret('s', { private_key: 'PRIVATE' }));
    await ended();
    expect(log().text).toBe('PRIVATE');
  });

  test('and the working directory cannot lie outside the Pod', async () => {
    expect(await output(shell('pwd', { workingDir: '/../../app' }))).toMatch(/\/root\/app\n$/);
  });
});

describe('what the kubelet of the in-memory Kubernetes does not do it says', () => {
  test.each<[what: string, spec: Record<string, unknown>, words: string]>([
    [
      'init containers',
      { initContainers: [container({ name: 'init' })] },
      'the in-memory Kubernetes runs no init containers',
    ],
    [
      'restart policies other than Never',
      { restartPolicy: 'OnFailure' },
      'the in-memory Kubernetes runs Pods with restartPolicy Never only, not OnFailure',
    ],
    [
      'volumes of other kinds',
      { volumes: [{ name: 'h', hostPath: { path: '/' } }] },
      'the in-memory Kubernetes has no volumes of the kind hostPath',
    ],
  ])('%s fail the Pod, with an Event', async (_what, spec, words) => {
    store.create(PODS, pod('p', { ...shell('true'), ...spec }));
    await ended();
    expect(current().status).toMatchObject({ phase: 'Failed', reason: 'NotRunByLocalKubelet', message: words });
    expect(events().map((event) => event.message)).toContain(words);
  });

  test('a second container is reported as not run, and the first one decides', async () => {
    store.create(PODS, pod('p', { containers: [container({ command: ['true'] }), container({ name: 'side' })] }));
    await ended();
    expect(phase()).toBe('Succeeded');
    expect(at(current(), 'status', 'containerStatuses', 1, 'state', 'waiting', 'reason')).toBe('NotRunByLocalKubelet');
  });
});

describe('the termination message', () => {
  test.each<[what: string, script: string, policy: string, message: unknown]>([
    [
      'is the end of the log of a failed container, where the Pod asks for it',
      'echo out; echo err >&2; exit 1',
      'FallbackToLogsOnError',
      'out\nerr\n',
    ],
    ['is not the log of a container that succeeded', 'echo out', 'FallbackToLogsOnError', undefined],
    ['is not the log, where the Pod does not ask for it', 'echo out; exit 1', 'File', undefined],
    [
      'is what the container wrote to its file',
      'echo out; printf why > "$CAPDEPLOY_LOCAL_ROOT/dev/termination-log"; exit 1',
      'FallbackToLogsOnError',
      'why',
    ],
    [
      'is at most 2048 bytes of the log',
      'head -c 5000 /dev/zero | tr "\\0" x; exit 1',
      'FallbackToLogsOnError',
      'x'.repeat(2048),
    ],
    [
      'is at most 80 lines of the log',
      'for i in $(seq 100); do echo; done; echo end; exit 1',
      'FallbackToLogsOnError',
      `${'\n'.repeat(79)}end\n`,
    ],
  ])('%s', async (_what, script, terminationMessagePolicy, message) => {
    await output(shell(script, { terminationMessagePolicy }));
    expect(at(state(), 'terminated', 'message')).toEqual(message);
  });
});

describe('the log', () => {
  test.each<[what: string, query: Partial<LogQuery>, text: string]>([
    ['whole', {}, 'one\ntwo\nthree\n'],
    ['its last lines', { tailLines: 2 }, 'two\nthree\n'],
    ['no lines', { tailLines: 0 }, ''],
    ['its first bytes', { limitBytes: 5 }, 'one\nt'],
    ['after its end, with follow', { follow: true }, 'one\ntwo\nthree\n'],
  ])('is read %s', async (_what, query, text) => {
    await output(shell('echo one; echo two; echo three'));
    expect(log(query)).toMatchObject({ text, ended: true });
  });

  test('is followed while the container runs, and ends with it', async () => {
    const gate = join(directory, 'gate');
    store.create(PODS, pod('p', shell(`echo one; while [ ! -e ${gate} ]; do sleep 0.02; done; echo two`)));
    await until(() => phase() === 'Running');
    const followed = log({ follow: true });
    await until(() => followed.text === 'one\n');
    expect(followed.ended).toBe(false);
    store.create(CONFIG_MAPS, configMap('unrelated'));
    const { writeFileSync } = await import('node:fs');
    writeFileSync(gate, '');
    await until(() => followed.ended);
    rmSync(gate);
    expect(followed.text).toBe('one\ntwo\n');
  });

  test('carries the time of each line on demand', async () => {
    await output(shell('echo one; echo two'));
    expect(log({ timestamps: true }).text).toMatch(/^\S+Z one\n\S+Z two\n$/);
  });

  test('of an earlier container is not there', async () => {
    await output(shell('true'));
    expect(refusal(() => log({ previous: true }))).toBe(
      '400 BadRequest: previous terminated container "deploy" in pod "p" not found',
    );
  });
});

describe('a Pod that is deleted', () => {
  test('gets SIGTERM, may end in its own way, and goes when its process is gone', async () => {
    store.create(PODS, pod('p', shell('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.02; done')));
    await until(() => phase() === 'Running' && log().text === 'ready\n');
    const followed = log({ follow: true });
    const last: unknown[] = [];
    store.watch(PODS, {}, { event: ({ type, object }) => last.push(`${type} ${textAt(object, 'status', 'phase')}`) });
    store.delete(PODS, 'default', 'p');
    expect(store.find(PODS, 'default', 'p')).toBeDefined();
    await until(() => store.find(PODS, 'default', 'p') === undefined);
    // The shell may tell of its own child on the other pipe, before or after.
    expect(followed.text).toMatch(/^ready\n(.*\n)?bye\n/);
    expect(last.at(-1)).toBe('DELETED Succeeded');
  });

  test('gets SIGKILL when its grace period is over', async () => {
    store.create(
      PODS,
      pod('p', {
        ...shell('trap "" TERM; echo ready; while :; do sleep 0.02; done'),
        terminationGracePeriodSeconds: 1,
      }),
    );
    await until(() => phase() === 'Running' && log().text === 'ready\n');
    const states: unknown[] = [];
    store.watch(
      PODS,
      {},
      { event: ({ object }) => states.push(at(object, 'status', 'containerStatuses', 0, 'state')) },
    );
    store.delete(PODS, 'default', 'p');
    await until(() => store.find(PODS, 'default', 'p') === undefined);
    expect(states.at(-1)).toMatchObject({ terminated: { exitCode: 137, signal: 9, reason: 'Error' } });
  });

  test('by force goes at once, and its process with it', async () => {
    store.create(PODS, pod('p', shell('echo $$$$; sleep 60')));
    await until(() => phase() === 'Running' && log().text !== '');
    const pid = Number(log().text);
    store.delete(PODS, 'default', 'p', { gracePeriodSeconds: 0 });
    expect(store.find(PODS, 'default', 'p')).toBeUndefined();
    await until(() => !existsSync(`/proc/${pid}`) && readdirSync(directory).length === 0);
  });

  test('before it could start goes at once', async () => {
    store.create(PODS, pod('p', { containers: [container()] }));
    await until(() => waitingReason() === 'ErrImagePull');
    store.delete(PODS, 'default', 'p');
    await until(() => store.find(PODS, 'default', 'p') === undefined);
  });
});

test('a kubelet that stops ends what it runs, also what does not listen', async () => {
  store.create(PODS, pod('p', shell('trap "" TERM; echo $$$$; while :; do sleep 0.02; done')));
  await until(() => phase() === 'Running' && log().text !== '');
  const pid = Number(log().text);
  await kubelet.stop();
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

describe('with processes that are only played, on a clock that stands still', () => {
  function played() {
    const { store: stored, clock } = newStore();
    const started: { events: ProcessEvents; signals: string[]; command: string[] }[] = [];
    const runner: ProcessRunner = {
      start({ command }, processEvents) {
        const signals: string[] = [];
        started.push({ events: processEvents, signals, command });
        return { pid: 1, signal: (name) => signals.push(name) };
      },
    };
    const known: Record<string, ResolvedImage> = {};
    const own = new Kubelet(stored, {
      runner,
      resolveImage: (image) => known[image],
      temporaryDirectory: directory,
      stopGraceMs: 0,
    });
    const reason = () =>
      textAt(stored.get(PODS, 'default', 'p'), 'status', 'containerStatuses', 0, 'state', 'waiting', 'reason');
    return { stored, clock, started, known, own, reason };
  }

  test('an unknown image is ErrImagePull, then ImagePullBackOff with longer and longer waits, until it is known', async () => {
    const it = played();
    it.stored.create(PODS, pod('p'));
    it.clock.advance(0);
    expect(it.reason()).toBe('ErrImagePull');
    it.clock.advance(1000);
    expect(it.reason()).toBe('ImagePullBackOff');
    it.clock.advance(10_000);
    expect(it.reason()).toBe('ErrImagePull');
    it.known['app:1'] = { entrypoint: ['run'] };
    it.clock.advance(20_999);
    expect(it.started).toEqual([]);
    it.clock.advance(1);
    expect(it.started[0]?.command).toEqual(['run']);
    it.started[0]?.events.exited({ exitCode: 0 });
    await it.own.stop();
  });

  test('SIGKILL comes when the grace period is over, not before, and earlier if a later deletion says so', async () => {
    const it = played();
    it.known['app:1'] = { entrypoint: ['run'] };
    it.stored.create(PODS, pod('p'));
    it.clock.advance(0);
    it.stored.delete(PODS, 'default', 'p');
    it.clock.advance(29_999);
    expect(it.started[0]?.signals).toEqual(['SIGTERM']);
    it.stored.delete(PODS, 'default', 'p', { gracePeriodSeconds: 0 + 1 });
    it.clock.advance(1000);
    expect(it.started[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(it.stored.find(PODS, 'default', 'p')).toBeDefined();
    it.started[0]?.events.exited({ exitCode: 137, signal: 9 });
    it.clock.advance(0);
    expect(it.stored.find(PODS, 'default', 'p')).toBeUndefined();
    await it.own.stop();
  });

  test('a Pod of another node is left alone', async () => {
    const it = played();
    it.stored.create(PODS, pod('p', { nodeName: 'elsewhere' }));
    it.clock.advance(60_000);
    expect(it.started).toEqual([]);
    await it.own.stop();
  });
});

test('the clock of the tests runs timers in their order, those set on the way included', () => {
  const clock = new VirtualClock(0);
  const ran: string[] = [];
  clock.setTimeout(() => ran.push(`b ${clock.now()}`), 20);
  clock.setTimeout(() => {
    ran.push(`a ${clock.now()}`);
    clock.setTimeout(() => ran.push(`c ${clock.now()}`), 10);
  }, 10);
  clock.clearTimeout(clock.setTimeout(() => ran.push('never'), 5));
  clock.advance(30);
  expect(ran).toEqual(['a 10', 'b 20', 'c 20']);
  expect(clock.now()).toBe(30);
});
