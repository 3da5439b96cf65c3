/**
 * One Pod on this machine: from its volumes to its process to its last status. Each step that cannot be done yet leaves
 * the Pod Pending with the kubelet's own reason, and is tried again when something may have changed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, TimerHandle } from '../clock.ts';
import { timestamp } from '../clock.ts';
import type { KubeObject } from '../objects.ts';
import type { JsonObject } from '../store/json.ts';
import { at, listAt, textAt } from '../store/json.ts';
import type { FindData } from './container-env.ts';
import { commandOf, environmentOf, MissingConfig } from './container-env.ts';
import { ContainerLog } from './container-log.ts';
import { MountFailed, PodFiles, UnsupportedVolume, volumeFiles } from './pod-files.ts';
import type { ContainerState } from './pod-status.ts';
import type { ProcessExit, ProcessRunner, RunningProcess } from './process-runner.ts';

/** What an image would bring along. */
export interface ResolvedImage {
  entrypoint: string[];
  /** What runs where the Pod names no args. */
  cmd?: string[];
  cwd?: string;
  env?: Record<string, string>;
}

export type ResolveImage = (image: string) => ResolvedImage | undefined;

/** What a worker needs of its kubelet. */
export interface Node {
  clock: Clock;
  runner: ProcessRunner;
  resolveImage: ResolveImage;
  temporaryDirectory: string | undefined;
  find: FindData;
  report(state: ContainerState): void;
  /** The Pod is not for this kubelet: it fails. */
  refuse(message: string): void;
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** The process is gone, and so are the Pod's files. */
  over(): void;
}

const FIRST_PULL_BACKOFF_MS = 10_000;
const LONGEST_PULL_BACKOFF_MS = 300_000;
const LARGEST_MESSAGE = 4096;
const NO_PROCESS: ProcessExit = { exitCode: 128 };

export class PodWorker {
  readonly #pod: KubeObject;
  readonly #node: Node;
  readonly #container: JsonObject;
  log: ContainerLog | undefined;
  #files: PodFiles | undefined;
  #process: RunningProcess | undefined;
  #startedAt = '';
  #phase: 'preparing' | 'running' | 'over' = 'preparing';
  #pulls = 0;
  #pullTimer: TimerHandle;
  #killTimer: TimerHandle;
  #killAt = Number.POSITIVE_INFINITY;
  /** The reason for which the container waits, for `kubectl logs`. */
  waiting = 'ContainerCreating';

  constructor(pod: KubeObject, node: Node) {
    this.#pod = pod;
    this.#node = node;
    this.#container = listAt(pod, 'spec', 'containers')[0] ?? {};
  }

  get isOver(): boolean {
    return this.#phase === 'over';
  }

  /** Goes as far as it can towards a running process. */
  prepare(): void {
    if (this.#phase !== 'preparing') return;
    const problem = this.#unsupported();
    if (problem !== undefined) {
      this.#refuse(problem);
      return;
    }
    try {
      this.#start();
    } catch (error) {
      if (error instanceof MountFailed) this.#mountFailed(error.message);
      else if (error instanceof MissingConfig) this.#wait('CreateContainerConfigError', error.message, 'Failed');
      else if (error instanceof UnsupportedVolume) this.#refuse(error.message);
      else throw error;
    }
  }

  /** SIGTERM, and SIGKILL when the grace period is over; a later call may shorten it. */
  terminate(graceMs: number): void {
    if (this.#phase === 'preparing') {
      this.#finish();
      return;
    }
    if (this.#phase === 'over') return;
    const first = this.#killAt === Number.POSITIVE_INFINITY;
    const killAt = this.#node.clock.now() + graceMs;
    if (killAt >= this.#killAt) return;
    this.#killAt = killAt;
    this.#node.clock.clearTimeout(this.#killTimer);
    if (first) {
      this.#node.event('Normal', 'Killing', `Stopping container ${this.#container.name}`);
      this.#process?.signal('SIGTERM');
    }
    this.#killTimer = this.#node.clock.setTimeout(() => this.#process?.signal('SIGKILL'), graceMs);
  }

  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#process?.signal(signal);
  }

  /** Without a process: forgets timers and files. */
  abandon(): void {
    if (this.#phase === 'preparing') this.#finish();
  }

  #unsupported(): string | undefined {
    if (listAt(this.#pod, 'spec', 'initContainers').length > 0)
      return 'the in-memory Kubernetes runs no init containers';
    const policy = textAt(this.#pod, 'spec', 'restartPolicy');
    if (policy !== 'Never') return `the in-memory Kubernetes runs Pods with restartPolicy Never only, not ${policy}`;
    return undefined;
  }

  #start(): void {
    const volumes = volumeFiles(this.#pod, this.#node.find);
    const image = String(this.#container.image ?? '');
    const resolved = this.#node.resolveImage(image);
    const bare = commandOf(this.#container, {}).command === undefined;
    if (resolved === undefined && bare) {
      this.#pullFailed(image);
      return;
    }
    // The image is here: directories are made only for Pods that can start now.
    const files = new PodFiles(this.#pod, this.#node.temporaryDirectory);
    let variables: Record<string, string>;
    try {
      variables = this.#variables(files, resolved);
      files.write(this.#container, volumes);
    } catch (error) {
      files.remove();
      throw error;
    }
    this.#files = files;
    this.#run(files, variables, resolved);
  }

  #variables(files: PodFiles, image: ResolvedImage | undefined): Record<string, string> {
    const own = {
      PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
      HOME: files.inside('/root'),
      TMPDIR: files.inside('/tmp'),
      HOSTNAME: this.#pod.metadata.name,
      ...image?.env,
    };
    const variables = environmentOf(this.#pod, this.#container, own, this.#node.find);
    return { ...variables, CAPDEPLOY_LOCAL_ROOT: files.root };
  }

  #run(files: PodFiles, variables: Record<string, string>, image: ResolvedImage | undefined): void {
    const { command, args } = commandOf(this.#container, variables);
    const words = args.length > 0 || command !== undefined ? args : (image?.cmd ?? []);
    const wanted = textAt(this.#container, 'workingDir');
    const cwd = wanted === undefined || wanted === '' ? (image?.cwd ?? files.root) : files.inside(wanted);
    if (wanted !== undefined) mkdirSync(cwd, { recursive: true });
    const messages = this.#messagePath(files);
    mkdirSync(dirname(messages), { recursive: true });
    writeFileSync(messages, '');
    const log = new ContainerLog(() => this.#node.clock.now());
    this.log = log;
    this.#phase = 'running';
    this.#startedAt = timestamp(this.#node.clock.now());
    const name = String(this.#container.name);
    for (const { name: other } of listAt(this.#pod, 'spec', 'containers').slice(1)) {
      const words = `container ${other} is not run: the in-memory Kubernetes runs only the first container of a Pod`;
      this.#node.event('Warning', 'NotRunByLocalKubelet', words);
    }
    this.#node.event('Normal', 'Pulled', `Container image "${this.#container.image}" already present on machine`);
    this.#node.event('Normal', 'Created', `Created container: ${name}`);
    this.#node.event('Normal', 'Started', `Started container ${name}`);
    this.#node.report({ running: { startedAt: this.#startedAt } });
    this.#process = this.#node.runner.start(
      { command: [...(command ?? image?.entrypoint ?? []), ...words], cwd, env: variables },
      { output: (chunk) => log.append(chunk), exited: (exit) => this.#exited(exit, log) },
    );
  }

  #messagePath(files: PodFiles): string {
    return files.inside(textAt(this.#container, 'terminationMessagePath') ?? '/dev/termination-log');
  }

  #exited(exit: ProcessExit, log: ContainerLog): void {
    if (this.#phase === 'over') return;
    const { exitCode, signal, startError } = { ...NO_PROCESS, ...exit };
    if (startError !== undefined) this.#node.event('Warning', 'Failed', `Error: ${startError}`);
    const reason = startError === undefined ? (exitCode === 0 ? 'Completed' : 'Error') : 'StartError';
    const message = startError ?? this.#message(exitCode, log);
    const finishedAt = timestamp(this.#node.clock.now());
    const terminated = { exitCode, signal, reason, message, startedAt: this.#startedAt, finishedAt };
    log.end();
    this.#finish({ terminated });
  }

  /** What the process wrote for us, or the end of its log where it failed and the Pod asks for that. */
  #message(exitCode: number, log: ContainerLog): string | undefined {
    let written = '';
    try {
      if (this.#files !== undefined) written = readFileSync(this.#messagePath(this.#files), 'utf8');
    } catch {
      // It removed the file: then it says nothing.
    }
    if (written !== '') return written.slice(0, LARGEST_MESSAGE);
    const fallBack = textAt(this.#container, 'terminationMessagePolicy') === 'FallbackToLogsOnError';
    const tail = fallBack && exitCode !== 0 ? log.tail() : '';
    return tail === '' ? undefined : tail;
  }

  #finish(last?: ContainerState): void {
    this.#phase = 'over';
    this.#node.clock.clearTimeout(this.#pullTimer);
    this.#node.clock.clearTimeout(this.#killTimer);
    this.#files?.remove();
    if (last !== undefined) this.#node.report(last);
    this.#node.over();
  }

  #refuse(message: string): void {
    this.#phase = 'over';
    this.#node.event('Warning', 'NotRunByLocalKubelet', message);
    this.#node.refuse(message);
  }

  #wait(reason: string, message: string, event: string): void {
    this.waiting = reason;
    this.#node.event('Warning', event, `Error: ${message}`);
    this.#node.report({ waiting: { reason, message } });
  }

  #mountFailed(message: string): void {
    this.waiting = 'ContainerCreating';
    this.#node.event('Warning', 'FailedMount', message);
    this.#node.report({ waiting: { reason: 'ContainerCreating' } });
  }

  /** ErrImagePull, then ImagePullBackOff until the next try: 10 s, doubled each time up to 5 minutes. */
  #pullFailed(image: string): void {
    if (this.#pullTimer !== undefined) return;
    const message = `failed to pull image "${image}": not found among the images of the in-memory Kubernetes`;
    this.#node.event('Normal', 'Pulling', `Pulling image "${image}"`);
    this.#node.event('Warning', 'Failed', `Failed to pull image "${image}": not found`);
    this.#wait('ErrImagePull', message, 'Failed');
    const delay = Math.min(FIRST_PULL_BACKOFF_MS * 2 ** this.#pulls, LONGEST_PULL_BACKOFF_MS);
    this.#pulls += 1;
    this.#pullTimer = this.#node.clock.setTimeout(() => {
      this.waiting = 'ImagePullBackOff';
      this.#node.event('Normal', 'BackOff', `Back-off pulling image "${image}"`);
      this.#node.report({
        waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ErrImagePull: ${message}` },
      });
      this.#pullTimer = this.#node.clock.setTimeout(() => {
        this.#pullTimer = undefined;
        this.prepare();
      }, delay);
    }, SHOW_PULL_ERROR_MS);
  }
}

/** How long ErrImagePull shows before it becomes ImagePullBackOff. */
const SHOW_PULL_ERROR_MS = 1000;

/** The grace period that a Pod being deleted has, in milliseconds. */
export function graceOf(pod: KubeObject): number {
  const seconds = pod.metadata.deletionGracePeriodSeconds ?? at(pod, 'spec', 'terminationGracePeriodSeconds') ?? 30;
  return Number(seconds) * 1000;
}
