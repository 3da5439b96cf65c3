import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../../packages/in-memory-kubernetes/test/builders.ts';
import { CAPDEPLOYJOBS } from '../../../../src/api/names.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { type ControllerMetrics, startController } from '../../../../src/operator/controller/start-controller.ts';
import { settle, VirtualClock } from '../../../kit/clocks.ts';
import { aRefusal, aRejection, type Call, JOBS, KEY, Rig, refusing } from './rig.ts';

const noMetrics = new Proxy({}, { get: () => () => {} }) as ControllerMetrics;
const noLog = { debug() {}, info() {}, warn() {}, error() {} };
const isListOf = (plural: string) => (call: Call) => call.verb === 'list' && call.plural === plural;

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

/** The controller as the program runs it, on the rig's API. */
function operator(rig: Rig, options: { onIntakeStop?: () => Promise<void>; client?: KubeClient } = {}) {
  const clock = new VirtualClock();
  const intake = { started: 0, stopped: 0, reports: undefined as unknown as Parameters<typeof hear>[0]['reports'] };
  const hear = (parts: Parameters<Parameters<typeof startController>[0]['startIntake']>[0]) => {
    intake.started += 1;
    intake.reports = parts.reports;
    return {
      stop: async () => {
        await options.onIntakeStop?.();
        intake.stopped += 1;
      },
      abort: async () => {},
      atRest: async () => {},
      stuck: () => undefined,
    };
  };
  const controller = startController({
    kube: options.client ?? rig.client,
    namespaces: [],
    instance: 'operator-under-test',
    metrics: noMetrics,
    log: noLog,
    clock,
    startIntake: hear,
  });
  let stopped: Promise<void> | undefined;
  stop = () => {
    stopped ??= controller.stop();
    return stopped;
  };
  return { controller, clock, intake, stop };
}

const isReady = (rig: Rig) => rig.resource.status?.conditions !== undefined;

describe('an operator that begins', () => {
  it('reads queues and plans only once all it has to know is listed', async () => {
    const rig = new Rig();
    rig.before = refusing(isListOf('pods'), () => aRefusal('forbidden', 'may not list Pods'));
    const { controller, clock, intake } = operator(rig);
    await clock.advance(1000);
    expect(controller.readiness()).toEqual({ ok: false, message: 'not listed yet: pods' });
    expect(intake.started).toBe(0);
    expect(rig.writes).toEqual([]);
    rig.before = undefined;
    await clock.advance(60_000);
    await until(() => isReady(rig));
    expect(controller.readiness()).toEqual({ ok: true });
    expect(intake.started).toBe(1);
  });

  it('is alive, though not ready, while it may not list: no restart would cure that', async () => {
    const rig = new Rig();
    rig.before = refusing(isListOf('jobs'), () => aRefusal('forbidden', 'may not list Jobs'));
    const { controller, clock } = operator(rig);
    await clock.advance(20 * 60_000);
    expect(controller.readiness().ok).toBe(false);
    expect(controller.liveness()).toEqual({ ok: true });
  });

  it('is not alive if a pass that has begun does not end', async () => {
    const rig = new Rig();
    const client = { ...rig.client, create: () => new Promise<never>(() => {}) };
    const { controller, clock, intake } = operator(rig, { client });
    // A pass that never ends would keep the stop waiting, too.
    stop = undefined;
    await until(() => intake.started === 1);
    await clock.advance(4 * 60_000);
    expect(controller.liveness()).toEqual({ ok: true });
    await clock.advance(60_000);
    expect(controller.liveness()).toEqual({ ok: false, message: 'no pass has begun or ended for 300 s' });
  });

  it('takes up what it finds, and what comes later', async () => {
    const rig = new Rig();
    const first = rig.job();
    operator(rig);
    await until(() => rig.findJob(first)?.spec.suspend === false);
    const second = rig.job({ id: 'second', environment: 'staging' });
    await until(() => rig.findJob(second)?.spec.suspend === false);
  });

  it('records a deploy whose Job is deleted under its eyes as aborted', async () => {
    const rig = new Rig();
    const job = rig.job();
    operator(rig);
    await until(() => rig.findJob(job)?.spec.suspend === false);
    rig.pod(rig.findJob(job)!);
    await until(() => rig.lane()?.active?.[0]?.why === undefined);
    const [pod] = rig.store.list({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' }).items;
    rig.store.delete(JOBS, 'deploy', job.metadata.name);
    rig.store.delete({ group: '', version: 'v1', plural: 'pods', kind: 'Pod' }, 'deploy', pod!.metadata.name, {
      gracePeriodSeconds: 0,
    });
    await until(() => rig.resource.status?.history?.length === 1);
    expect(rig.resource.status?.history).toMatchObject([{ result: 'Aborted', reason: 'JobDeleted' }]);
  });

  it('does not go round in circles if resumes are refused', async () => {
    const rig = new Rig();
    rig.before = refusing(
      ({ verb }) => verb === 'patch',
      () => aRefusal('forbidden'),
    );
    rig.job();
    const { clock } = operator(rig);
    await until(() => rig.calls.some(({ verb }) => verb === 'patch'));
    for (let seconds = 0; seconds < 60; seconds += 1) await clock.advance(1000);
    // 60 s at 0.1, 0.2, 0.4, … 10 s.
    expect(rig.calls.filter(({ verb }) => verb === 'patch').length).toBeLessThan(15);
  });
});

describe('an operator that stops', () => {
  it('records what intake has in flight before it ends', async () => {
    const rig = new Rig();
    const parts = operator(rig, {
      onIntakeStop: () => parts.intake.reports.rejected(KEY, aRejection('in flight'), new AbortController().signal),
    });
    await until(() => isReady(rig));
    await parts.stop();
    expect(rig.resource.status?.rejections).toMatchObject([{ messageId: 'in flight' }]);
    expect(parts.intake.stopped).toBe(1);
    expect(parts.controller.readiness()).toEqual({ ok: false, message: 'stopping' });
  });

  it('writes nothing any more', async () => {
    const rig = new Rig();
    const { stop, clock } = operator(rig);
    await until(() => isReady(rig));
    await stop();
    rig.forgetCalls();
    rig.job();
    rig.change(CAPDEPLOYJOBS, 'web', { metadata: { labels: { moved: 'yes' } } });
    await clock.advance(60_000);
    expect(rig.calls).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('finishes the pass that is under way, its writes included', async () => {
    const rig = new Rig();
    const gate = Promise.withResolvers<void>();
    let isWriting = false;
    const replaceStatus: KubeClient['replaceStatus'] = async (...args) => {
      isWriting = true;
      await gate.promise;
      return rig.client.replaceStatus(...args);
    };
    const { stop } = operator(rig, { client: { ...rig.client, replaceStatus } });
    await until(() => isWriting);
    let isStopped = false;
    const stopped = stop().then(() => {
      isStopped = true;
    });
    await settle();
    expect(isStopped).toBe(false);
    gate.resolve();
    await stopped;
    expect(isReady(rig)).toBe(true);
  });

  it('before it has listed anything starts no intake', async () => {
    const rig = new Rig();
    rig.before = refusing(isListOf('jobs'));
    const { stop, intake, clock } = operator(rig);
    await clock.advance(1000);
    rig.before = undefined;
    await stop();
    await clock.advance(60_000);
    expect(intake.started).toBe(0);
    expect(rig.writes).toEqual([]);
  });
});
