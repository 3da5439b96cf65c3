import { describe, expect, test } from 'vitest';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { CORE_EVENTS, JOBS, type KubeObject, PODS } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/errors.ts';
import type { Pod } from '../../src/lanes/job.ts';
import { revisionOf } from '../kit/played-kubelet.ts';
import {
  condition,
  ended,
  eventually,
  inWorld,
  jobOf,
  MovableClock,
  message,
  operatorEvents,
  PLAYED_NODE,
  production,
  running,
  served,
  template,
  turns,
  type World,
  waiting,
} from './world.ts';

/** Within this time a status says why something waits. */
const SOON_MS = 10_000;

const whyStarting = (world: World, words: string) =>
  eventually(
    `the status says "${words}"`,
    async () => {
      const why = (await production(world))?.active?.[0]?.why;
      return why?.includes(words) ? why : undefined;
    },
    SOON_MS,
  );

/**
 * What took effect of the operator's own writes to Jobs: a resume that met the Job controller's first status is sent
 * once more.
 */
const jobWrites = ({ calls }: World) =>
  calls.filter(({ verb, type, done }) => type === JOBS && ['patch', 'delete'].includes(verb) && done);

/** What others than the Job controller write to a Job. */
const writtenOf = (job: KubeObject | undefined) => {
  const { resourceVersion: _, managedFields: __, ...metadata } = job?.metadata ?? { name: '' };
  return { metadata, spec: job?.spec };
};

const onlyPod = (world: World): Promise<Pod & KubeObject> =>
  eventually('its Pod is there', async () => (await world.kube.list<Pod & KubeObject>(PODS)).items[0]);

describe.concurrent('why a request waits', () => {
  test(
    'each says what has the lane and how many are ahead of it, and its place moves on with the lane',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      const { job } = await running(world, 'v1.0.0');
      for (const [index, revision] of ['v1.0.1', 'v1.0.2', 'v1.0.3'].entries()) await ask(revision, index + 1);
      const entries = await waiting(world, 'v1.0.1', 'v1.0.2', 'v1.0.3');
      expect(entries.map(({ why }) => why)).toEqual([
        `${job} (v1.0.0) has the lane`,
        `${job} (v1.0.0) has the lane; 1 ahead of it in the lane`,
        `${job} (v1.0.0) has the lane; 2 ahead of it in the lane`,
      ]);
      expect(entries.map(({ reasons }) => reasons)).toEqual([['LaneBusy'], ['LaneBusy'], ['LaneBusy']]);
      expect((await world.resource('web')).status).toMatchObject({ waiting: 3, active: 1 });
      await world.kubelet.finish(job, 0);
      const next = await running(world, 'v1.0.1');
      expect((await waiting(world, 'v1.0.2', 'v1.0.3')).map(({ why }) => why)).toEqual([
        `${next.job} (v1.0.1) has the lane`,
        `${next.job} (v1.0.1) has the lane; 1 ahead of it in the lane`,
      ]);
    }),
  );

  test(
    'a frozen lane says which field of the spec froze it, until it thaws',
    inWorld(async (world) => {
      world.script = () => 'run';
      const frozen = (suspend: boolean) => ({ environments: [{ name: 'production', suspend }] });
      const { ask } = await served(world, frozen(true));
      await ask('v1.0.0', 0);
      const [entry] = await waiting(world, 'v1.0.0');
      expect(entry).toMatchObject({
        why: 'frozen: spec.environments[production].suspend is true',
        reasons: ['Frozen'],
      });
      expect(await production(world)).toMatchObject({ frozen: 'spec.environments[production].suspend is true' });
      await world.edit('web', { suspend: true });
      await eventually('both are named', async () =>
        (await waiting(world, 'v1.0.0')).some(
          ({ why }) => why === 'frozen: spec.suspend is true; spec.environments[production].suspend is true',
        ),
      );
      await world.edit('web', { suspend: false, ...frozen(false) });
      await running(world, 'v1.0.0');
      expect(await production(world)).not.toHaveProperty('frozen');
    }),
  );
});

describe.concurrent('why a deploy was asked for, and its Slack thread', () => {
  const asked = { reason: 'fixes the basket', slack: { channel: 'C0PROD', threadTs: '1764500000.000100' } };
  const told = { requestReason: asked.reason, slack: asked.slack };

  test(
    'stand in the status while it waits and runs, and in the history',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world, { environments: [{ name: 'production', suspend: true }] });
      await ask('v1.0.0', 0, asked);
      expect(await waiting(world, 'v1.0.0')).toMatchObject([told]);
      await world.edit('web', { environments: [{ name: 'production' }] });
      const { job } = await running(world, 'v1.0.0');
      expect((await production(world))?.active).toMatchObject([told]);
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ ...told, result: 'Succeeded', reason: 'Completed' });
    }),
  );

  test(
    'stand in the history if its Job is deleted, while it waits or while it runs',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask } = await served(world);
      await ask('v1.0.0', 0, asked);
      const { job } = await running(world, 'v1.0.0');
      await ask('v1.0.1', 1, { ...asked, slack: { channel: 'C0PROD' } });
      const [next] = await waiting(world, 'v1.0.1');
      await world.remove(JOBS, next?.job ?? '');
      expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({
        ...told,
        slack: { channel: 'C0PROD' },
        reason: 'JobDeleted',
      });
      await world.remove(JOBS, job);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ ...told, reason: 'JobDeleted' });
    }),
  );

  test(
    'do not tell one request from another: a second send with other words is the same deploy',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { ask, queue } = await served(world);
      await ask('v1.0.0', 0, { ...asked, id: 'deploy-1' });
      const { job } = await running(world, 'v1.0.0');
      await ask('v1.0.0', 0, { id: 'deploy-1', reason: 'again', slack: { channel: 'C0OTHER' } });
      await eventually('the second send is deleted', async () => (await world.depth(queue)) === 0);
      await world.kubelet.finish(job, 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject(told);
      const { history, rejections } = (await world.resource('web')).status ?? {};
      expect([history?.length, rejections]).toEqual([1, undefined]);
    }),
  );
});

describe.concurrent('why a started deploy has no container', () => {
  const image = 'example.test/capistrano:1';
  const { containers, ...placed } = template('cap', image).spec;
  const withInitContainer = {
    template: { spec: { ...placed, initContainers: [{ name: 'migrate', image }], containers } },
  };
  const inState = (name: string, state: Record<string, unknown>) => [
    { name, image, imageID: '', ready: false, restartCount: 0, state },
  ];
  const waitingFor = (reason: string, text: string) => ({
    containerStatuses: inState('cap', { waiting: { reason, message: text } }),
  });
  const now = () => new Date().toISOString().replace(/\.\d+Z/, 'Z');
  const migrating = () => ({
    startTime: now(),
    initContainerStatuses: inState('migrate', { running: { startedAt: now() } }),
    containerStatuses: inState('cap', { waiting: { reason: 'PodInitializing' } }),
  });
  const pulling = () => ({
    startTime: now(),
    conditions: [{ type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: now() }],
    containerStatuses: inState('cap', { waiting: { reason: 'ContainerCreating' } }),
  });
  const unschedulable = {
    conditions: [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
    ],
  };
  const eventAbout = (pod: Pod, reason: string, text: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${pod.metadata.name}.1`, namespace: pod.metadata.namespace },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    },
    type: 'Warning',
    reason,
    message: text,
    source: { component: 'kubelet' },
    firstTimestamp: now(),
    lastTimestamp: now(),
  });
  const warn = (world: World, pod: Pod, reason: string, text: string) =>
    world.kube.create(CORE_EVENTS, eventAbout(pod, reason, text));

  const cases: [what: string, happens: (world: World, pod: Pod & KubeObject) => Promise<unknown>, words: string][] = [
    [
      'an image that cannot be pulled',
      (world, pod) => world.kubelet.report(pod, waitingFor('ImagePullBackOff', 'no such image')),
      'container cap: ImagePullBackOff: no such image',
    ],
    [
      'a Secret that is missing',
      (world, pod) => world.kubelet.report(pod, waitingFor('CreateContainerConfigError', 'secret "env" not found')),
      'container cap: CreateContainerConfigError: secret "env" not found',
    ],
    [
      'a Pod that no node takes',
      (world, pod) => world.kubelet.report(pod, unschedulable),
      'cannot be scheduled: 0/3 nodes are available',
    ],
    [
      'a volume that cannot be mounted (an Event of the Pod)',
      (world, pod) => warn(world, pod, 'FailedMount', 'secret "web-ssh-key" not found'),
      'FailedMount: secret "web-ssh-key" not found',
    ],
    [
      'a volume that cannot be attached (an Event of the Pod)',
      (world, pod) => warn(world, pod, 'FailedAttachVolume', 'Multi-Attach error for volume "cache"'),
      'FailedAttachVolume: Multi-Attach error for volume "cache"',
    ],
    [
      'a Pod that gets no IP address (an Event of the Pod)',
      (world, pod) => warn(world, pod, 'FailedCreatePodSandBox', 'failed to assign an IP address to container'),
      'FailedCreatePodSandBox: failed to assign an IP address to container',
    ],
    [
      'a node without a network (an Event of the Pod)',
      (world, pod) => warn(world, pod, 'NetworkNotReady', 'cni plugin not initialized'),
      'NetworkNotReady: cni plugin not initialized',
    ],
    [
      'an init container that runs',
      (world, pod) => world.kubelet.report(pod, migrating()),
      ': init container migrate has been running since 20',
    ],
    [
      'an image whose pull takes long',
      (world, pod) => world.kubelet.report(pod, pulling()),
      ': pulling the image of container cap, or creating the container, since 20',
    ],
  ];

  for (const [what, happens, words] of cases) {
    test(
      `${what} stands in the status within 10 s, is gone from it once the container runs, and no Job is written to for it`,
      inWorld(async (world) => {
        world.script = () => 'pending';
        const { ask } = await served(world, withInitContainer);
        await ask('v1.0.0', 0);
        const pod = await onlyPod(world);
        const job = await jobOf(world, 'v1.0.0');
        await happens(world, pod);
        const why = await whyStarting(world, words);
        expect(why.startsWith(`Pod ${pod.metadata.name}`)).toBe(true);
        expect(writtenOf(await jobOf(world, 'v1.0.0'))).toEqual(writtenOf(job));
        expect(jobWrites(world)).toHaveLength(1);
        await world.kubelet.begin(pod);
        await eventually('nothing is to be explained', async () => {
          const [claim] = (await production(world))?.active ?? [];
          return claim !== undefined && claim.why === undefined;
        });
        await world.kubelet.finish(pod.metadata.name, 0);
        expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      }),
    );
  }

  test(
    'a text of others stands in the status without its secrets, escape sequences and direction marks',
    inWorld(async (world) => {
      world.script = () => 'pending';
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      const hostile = 'a\u001b[31mb\u202ec\n https://bob:hunter2hunter2@registry.example.test/';
      const words = 'abc https://bob:[redacted]@registry.example.test/';
      const pod = await onlyPod(world);
      await warn(world, pod, 'FailedMount', hostile);
      await whyStarting(world, `FailedMount: ${words}`);
      await world.kubelet.report(pod, waitingFor('ErrImagePull', hostile));
      await whyStarting(world, `ErrImagePull: ${words}`);
    }),
  );

  test(
    'a deploy that is Failed (PodNotStarted) after an init container has run says that this one may have done things',
    inWorld(async (world) => {
      world.script = () => 'pending';
      const clock = new MovableClock();
      const { ask } = await served(world, withInitContainer, { clock });
      await ask('v1.0.0', 0);
      await world.kubelet.report(await onlyPod(world), migrating());
      clock.advance(8_000);
      await whyStarting(world, 'init container migrate');
      clock.advance(300_000);
      const failed = await ended(world, 'web', 'v1.0.0');
      expect(failed).toMatchObject({ result: 'Failed', reason: 'PodNotStarted' });
      expect(failed.message).toContain('but init containers did (migrate) and may have done things');
    }),
  );

  test(
    'a Pod that the API server refuses (an Event of the Job) stands in the status within 10 s, and starts once it is let in',
    inWorld(async (world) => {
      const allow = await world.refuse(PODS, 'deploys');
      const { ask } = await served(world);
      await ask('v1.0.0', 0);
      // From then on it can be known.
      await eventually('the Job controller tells of it', async () =>
        (await world.kube.list(CORE_EVENTS)).items.some(({ reason }) => reason === 'FailedCreate'),
      );
      const why = await whyStarting(world, 'the Pod is refused');
      expect(why).toContain('exceeded quota: deploys, requested: pods=1');
      expect(jobWrites(world)).toHaveLength(1);
      await allow();
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
    }),
  );
});

test.concurrent(
  'a deploy whose Pod terminates on a lost node says so with the command that frees the lane, and holds it until then',
  inWorld(async (world) => {
    world.script = (pod) => (revisionOf(pod) === 'v1.0.0' ? 'run' : { exitCode: 0 });
    world.kubelet.loseNode();
    const { ask } = await served(world);
    await ask('v1.0.0', 0);
    const { pod } = await running(world, 'v1.0.0');
    await ask('v1.0.1', 1);
    await waiting(world, 'v1.0.1');
    // As the node controller does, minutes after a node has gone silent.
    await world.remove(PODS, pod);
    const why = await whyStarting(world, `Pod ${pod} is terminating on node ${PLAYED_NODE}`);
    expect(why).toContain(`kubectl -n ${world.namespace} delete pod ${pod} --force`);
    await waiting(world, 'v1.0.1');
    await world.kubelet.findNode();
    expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Failed' });
    expect(await ended(world, 'web', 'v1.0.1')).toMatchObject({ result: 'Succeeded' });
  }),
);

describe.concurrent('Events', () => {
  test(
    'each change of a deploy has one Event, under a name that another operator would give it, too',
    inWorld(async (world) => {
      world.script = (pod) => ({ exitCode: revisionOf(pod) === 'v1.0.1' ? 1 : 0 });
      const { queue, ask, operator } = await served(world);
      await ask('v1.0.0', 0, { requestedBy: 'alice' });
      await ended(world, 'web', 'v1.0.0');
      await ask('v1.0.1', 1);
      await ended(world, 'web', 'v1.0.1');
      await ask('v0.9.0', 0);
      await ended(world, 'web', 'v0.9.0');
      await world.send(queue, message({ environment: 'nowhere' }));
      const told = await eventually('all of it was told', async () => {
        const events = await operatorEvents(world);
        return events.length === 6 && events;
      });
      const words = told.map(({ type, reason, note }) => `${type} ${reason} ${note}`).sort();
      const { name } = (await jobOf(world, 'v1.0.0'))?.metadata ?? {};
      expect(words).toContain(`Normal Started ${name}: deploy of v1.0.0 to production for alice started`);
      expect(words).toContain(
        `Normal Succeeded ${name}: deploy of v1.0.0 to production for alice Succeeded: Completed`,
      );
      expect(words.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
        'Normal Started',
        'Normal Started',
        'Normal Succeeded',
        'Normal Superseded',
        'Warning Failed',
        'Warning UnknownEnvironment',
      ]);
      for (const { regarding } of told) expect(regarding).toMatchObject({ kind: 'CapDeployJob', name: 'web' });

      // What an operator finds without a record it records once more, and tells under the same names.
      await operator.stop();
      await eventually('the status is emptied', async () => {
        const resource = (await world.resource('web')) as unknown as KubeObject;
        const { conditions } = resource.status as Record<string, unknown>;
        return world.kube
          .replaceStatus(CAPDEPLOYJOBS, {
            ...resource,
            status: { conditions },
          })
          .catch(() => undefined);
      });
      world.startOperator();
      await ended(world, 'web', 'v1.0.0');
      await ask('v1.0.2', 2);
      await ended(world, 'web', 'v1.0.2');
      const later = await eventually('the new deploy was told', async () => {
        const events = await operatorEvents(world);
        return events.length === 8 && events;
      });
      const names = (events: KubeObject[]) => events.map(({ metadata }) => metadata.name);
      expect(names(later)).toEqual(expect.arrayContaining(names(told)));
    }),
  );
});

describe.concurrent('metrics', () => {
  test(
    'they tell how many wait and run in each lane, and how deploys ended',
    inWorld(async (world) => {
      world.script = () => 'run';
      const { queue, ask, operator } = await served(world);
      const lines = async (...wanted: string[]) => {
        const text = `\n${await operator.metrics.text()}`;
        return wanted.every((line) => text.includes(`\ncapdeployjob_${line}\n`));
      };
      const at = `namespace="${world.namespace}",name="web",environment="production"`;
      const resource = `namespace="${world.namespace}",name="web"`;
      await eventually('what people alert on begins at 0', () =>
        lines(
          `rejections_total{${resource}} 0`,
          ...['Succeeded', 'Failed', 'Aborted', 'Missed'].map((result) => `deploys_total{${at},result="${result}"} 0`),
        ),
      );
      await world.send(queue, message({ environment: 'nowhere' }));
      await ask('v1.0.0', 0);
      const first = await running(world, 'v1.0.0');
      await ask('v1.0.1', 1);
      await ask('v1.0.2', 2, { environment: 'staging' });
      await eventually('one runs and one waits', () =>
        lines(
          `waiting_requests{${at}} 1`,
          `active_deploys{${at}} 1`,
          `active_deploys{${resource},environment="staging"} 1`,
        ),
      );
      await world.kubelet.finish(first.job, 0);
      const second = await running(world, 'v1.0.1');
      await world.kubelet.finish(second.job, 1);
      await eventually('the results are counted', () =>
        lines(
          `waiting_requests{${at}} 0`,
          `active_deploys{${at}} 0`,
          `deploys_total{${at},result="Succeeded"} 1`,
          `deploys_total{${at},result="Failed"} 1`,
          `rejections_total{${resource}} 1`,
          `messages_received_total{${resource}} 4`,
          `jobs_created_total{${resource}} 3`,
          `message_to_start_seconds_count{${resource}} 3`,
        ),
      );
      await world.edit('web', { environments: [{ name: 'staging' }] });
      await eventually(
        'the gauges of a removed environment are gone, and its counters stay for the next scrape',
        async () =>
          (await lines(`deploys_total{${at},result="Failed"} 1`)) && !(await lines(`active_deploys{${at}} 0`)),
      );
      await world.remove(CAPDEPLOYJOBS, 'web');
      await eventually('its gauges are gone', async () => !(await operator.metrics.text()).includes(`active_deploys{`));
    }),
  );
});

describe.concurrent('conditions', () => {
  test(
    'LastDeploySucceeded is Unknown before the first deploy, and False until each environment has a good one; Ready stays True',
    inWorld(async (world) => {
      world.script = (pod) => ({ exitCode: revisionOf(pod)?.startsWith('bad') ? 1 : 0 });
      const { ask } = await served(world);
      const last = (status: string, reason: string) => turns(world, 'web', 'LastDeploySucceeded', status, reason);
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      await last('Unknown', 'NoDeployYet');
      await ask('good-0', 0);
      await last('True', 'DeploySucceeded');
      await ask('bad-1', 1);
      expect(await last('False', 'DeployFailed')).toMatchObject({ message: 'production: Failed' });
      await ask('good-2', 2, { environment: 'staging' });
      await ended(world, 'web', 'good-2');
      const resource = await world.resource('web');
      expect(condition(resource, 'LastDeploySucceeded')).toMatchObject({ status: 'False' });
      expect(condition(resource, 'Ready')).toMatchObject({ status: 'True', reason: 'AsExpected' });
      await ask('good-3', 3);
      await last('True', 'DeploySucceeded');
    }),
  );

  test(
    'TemplateValid is False with the words of the API server, the queue is not read, and a better template is found at once',
    inWorld(async (world) => {
      const withImage = (image: string | undefined) => ({
        template: { spec: { nodeName: PLAYED_NODE, containers: [{ name: 'cap', image }] } },
      });
      const { queue, ask } = await served(world, withImage(undefined));
      const found = await turns(world, 'web', 'TemplateValid', 'False', 'DryRunRefused');
      expect(found.message).toContain('spec.template.spec.containers[0].image');
      await turns(world, 'web', 'Ready', 'False', 'DryRunRefused');
      await turns(world, 'web', 'QueueReachable', 'Unknown', 'DryRunRefused');
      await ask('v1.0.0', 0);
      expect(await world.jobs('web')).toEqual([]);
      await world.edit('web', withImage('example.test/capistrano:1'));
      await turns(world, 'web', 'TemplateValid', 'True', 'DryRunAccepted');
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      await eventually('the queue is empty', async () => (await world.depth(queue)) === 0);
    }),
  );

  test(
    'TemplateValid is Unknown if a webhook does not support dry runs, and deploys go on',
    inWorld(async (world) => {
      world.intercept = ({ type, dryRun }) => {
        if (type !== JOBS || dryRun !== true) return;
        const text = 'admission webhook "w.example.test" does not support dry run';
        throw new KubeError('invalid', { status: 400, reason: 'BadRequest', message: text });
      };
      const { ask } = await served(world);
      await turns(world, 'web', 'TemplateValid', 'Unknown', 'DryRunUnsupported');
      await ask('v1.0.0', 0);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded' });
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
    }),
  );

  test(
    'QueueReachable and Ready are False with the code of AWS if the queue does not exist',
    inWorld(async (world) => {
      const queue = await world.createQueue('other');
      await world.deployable('web', queue.replace(/other$/, 'nowhere'));
      world.startOperator();
      const found = await turns(world, 'web', 'QueueReachable', 'False', 'QueueDoesNotExist');
      expect(found.message).toContain('the queue does not exist');
      await turns(world, 'web', 'Ready', 'False', 'QueueDoesNotExist');
    }),
  );

  test(
    'a queue that was not read for more than 90 s turns Ready False (QueueNotRead), and True again once it is read',
    inWorld(async (world) => {
      const clock = new MovableClock();
      await served(world, {}, { clock });
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const isHeld = new Promise<void>((resolve) => {
        world.onQueueCall = ({ verb, moment }) => {
          if (verb !== 'receive' || moment !== 'before') return;
          resolve();
          return held;
        };
      });
      await isHeld;
      clock.advance(91_000);
      await turns(world, 'web', 'QueueReachable', 'False', 'QueueNotRead');
      await turns(world, 'web', 'Ready', 'False', 'QueueNotRead');
      release();
      await turns(world, 'web', 'QueueReachable', 'True', 'Polling');
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
    }),
  );

  test(
    'Ready is True while the resource is suspended, and False while Jobs cannot be created',
    inWorld(async (world) => {
      const { ask } = await served(world, { suspend: true });
      await turns(world, 'web', 'Ready', 'True', 'Suspended');
      await turns(world, 'web', 'QueueReachable', 'Unknown', 'Suspended');
      await world.edit('web', { suspend: false });
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      const allow = await world.refuse(JOBS, 'deploys');
      await ask('v1.0.0', 0);
      const found = await turns(world, 'web', 'Ready', 'False', 'JobsCannotBeCreated');
      expect(found.message).toContain('exceeded quota: deploys');
      await allow();
      await ended(world, 'web', 'v1.0.0');
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
    }),
  );

  test(
    'a condition keeps the moment of its last change, and names the generation that it was said of',
    inWorld(async (world) => {
      await served(world);
      const before = await turns(world, 'web', 'TemplateValid', 'True', 'DryRunAccepted');
      await turns(world, 'web', 'Ready', 'True', 'AsExpected');
      await world.edit('web', { maxWaiting: 7 });
      const after = await eventually('all of it is said of the new generation', async () => {
        const { metadata, status } = await world.resource('web');
        const isNew = status?.conditions?.every((each) => each.observedGeneration === metadata.generation);
        return isNew && status?.conditions;
      });
      expect(before.observedGeneration).toBe(1);
      expect(after.map(({ type }) => type)).toEqual([
        'Ready',
        'QueueReachable',
        'TemplateValid',
        'LastDeploySucceeded',
      ]);
      expect(after[2]).toEqual({ ...before, observedGeneration: 2 });
    }),
  );
});

test.concurrent(
  'the end of the log of a failed deploy stands in the history, without its secrets and no longer than 1 KiB',
  inWorld(async (world) => {
    const secrets = ['AKIAIOSFODNN7EXAMPLE', 'hunter2hunter2', 'ghp_abcdefghijklmnopqrstuvwxyz0123456789'];
    const log = [
      ...Array.from({ length: 60 }, (_, index) => `line ${index} of a log that is longer than what is kept of it`),
      `fatal: could not read from https://deploy:${secrets[1]}@git.example.test/web.git`,
      `\u001b[31mexport AWS_ACCESS_KEY_ID=${secrets[0]}\u001b[0m`,
      `token \u001b[1mgh\u001b[0mp_${secrets[2]?.slice(4)}`,
      'cap aborted! Net::SSH::AuthenticationFailed',
    ].join('\n');
    world.script = () => ({ exitCode: 1, log });
    const { ask } = await served(world);
    await ask('v1.0.0', 0);
    const entry = await ended(world, 'web', 'v1.0.0');
    expect(entry).toMatchObject({ result: 'Failed', reason: 'BackoffLimitExceeded' });
    const text = entry.message ?? '';
    expect(text.endsWith('cap aborted! Net::SSH::AuthenticationFailed')).toBe(true);
    expect(text).toContain('[redacted]');
    for (const secret of secrets) expect(text).not.toContain(secret);
    expect(text).not.toContain('\u001b');
    const [words = ''] = text.split('\n');
    expect(Buffer.byteLength(text) - Buffer.byteLength(`${words}\n`)).toBeLessThanOrEqual(1024);
    expect(text).toContain('line 59');
    expect(text).not.toContain('line 0 ');
    const [event] = await eventually('it was told', async () => {
      const events = await operatorEvents(world, 'Failed');
      return events.length > 0 && events;
    });
    for (const secret of secrets) expect(event?.note).not.toContain(secret);
  }),
);
