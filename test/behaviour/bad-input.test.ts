import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobName } from '../../src/api/job-name.ts';
import { API_VERSION, CAPDEPLOYJOBS, KIND, LABEL, MANAGED_BY } from '../../src/api/names.ts';
import { EVENTS, JOBS, type KubeObject } from '../../src/kube/client.ts';
import {
  createQueueWithDeadLetters,
  createWorld,
  ended,
  eventually,
  inWorld,
  lane,
  message,
  type Operator,
  sentAt,
  type World,
} from './world.ts';

const without = (key: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(message()).filter(([each]) => each !== key));

const rejectionsCount = async (world: World, name: string): Promise<number> =>
  (await world.resource(name)).status?.rejectionsCount ?? 0;

const rejectionOf = (world: World, name: string, messageId: string) =>
  eventually(`message ${messageId} is rejected`, async () =>
    (await world.resource(name)).status?.rejections?.find((each) => each.messageId === messageId),
  );

const isEmpty = (world: World, queue: string) =>
  eventually(`${queue} is empty`, async () => (await world.depth(queue)) === 0);

/** Of all Jobs of "web": what keeps them there while they are being deleted. */
async function setFinalizers(world: World, finalizers: string[]): Promise<void> {
  for (const { metadata } of await world.jobs('web')) {
    await world.change(JOBS, metadata.name, { metadata: { finalizers } });
  }
}

interface Row {
  what: string;
  body: unknown;
  reason: string;
  field: string;
}

const unsafe = (what: string, revision: string): Row => ({
  what: `the revision ${what}`,
  body: message({ revision }),
  reason: 'UnsafeRevision',
  field: 'revision',
});

const TOKEN = `2336412f37${'0a1b2c3d4e5f'.repeat(23)}`;
const SUBSCRIBE_URL = `https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=${TOKEN}`;

const ROWS: Row[] = [
  { what: 'a body that is not JSON', body: 'deploy web please', reason: 'NotJSON', field: 'body' },
  { what: 'an empty object', body: {}, reason: 'WrongShape', field: 'repository' },
  { what: 'a list', body: [message()], reason: 'WrongShape', field: 'body' },
  {
    what: 'an EventBridge event',
    body: { 'detail-type': 'Deploy requested', source: 'com.example.ci', detail: message() },
    reason: 'WrongShape',
    field: 'body',
  },
  ...['SubscriptionConfirmation', 'UnsubscribeConfirmation'].map((Type) => ({
    what: `SNS's ${Type}`,
    body: { Type, TopicArn: 'arn:aws:sns:us-east-1:000000000000:deploys', Token: TOKEN, SubscribeURL: SUBSCRIBE_URL },
    reason: 'WrongShape',
    field: 'body',
  })),
  { what: 'a number as revision', body: message({ revision: 1 }), reason: 'WrongShape', field: 'revision' },
  { what: 'a deploy without a revision', body: without('revision'), reason: 'WrongShape', field: 'revision' },
  { what: 'an id with a blank', body: message({ id: 'a b' }), reason: 'WrongShape', field: 'id' },
  { what: 'two values for one field', body: message({ REVISION: 'v2' }), reason: 'WrongShape', field: 'revision' },
  {
    what: 'the same key twice',
    body: '{"repository":"livesense/web","environment":"production","revision":"v1","revision":"v1"}',
    reason: 'WrongShape',
    field: 'revision',
  },
  {
    what: 'an environment that is not listed',
    body: message({ environment: 'prod' }),
    reason: 'UnknownEnvironment',
    field: 'environment',
  },
  {
    what: 'an environment in other case',
    body: message({ environment: 'Production' }),
    reason: 'UnknownEnvironment',
    field: 'environment',
  },
  {
    what: 'an environment that is a command',
    body: message({ environment: 'production;id' }),
    reason: 'UnknownEnvironment',
    field: 'environment',
  },
  { what: 'a task that is not listed', body: message({ task: 'db:drop' }), reason: 'UnknownTask', field: 'task' },
  { what: 'a task that is a flag', body: message({ task: '-f/tmp/Rakefile' }), reason: 'UnknownTask', field: 'task' },
  {
    what: 'a foreign repository',
    body: message({ repository: 'evil/web' }),
    reason: 'ForeignRepository',
    field: 'repository',
  },
  {
    what: 'a notBefore of more than 30 days ahead',
    body: message({ notBefore: '2130-01-01T00:00:00Z' }),
    reason: 'WrongShape',
    field: 'notBefore',
  },
  {
    what: 'an expiresAt that is no time',
    body: message({ expiresAt: 'tonight' }),
    reason: 'WrongShape',
    field: 'expiresAt',
  },
  unsafe('with a second command', 'main;id'),
  unsafe('with a command substitution', '$(touch x)'),
  unsafe('with a backquoted command', '`touch x`'),
  unsafe('with the blank of IFS', `main$\{IFS}-la`),
  unsafe('with a pipe', 'main|sh'),
  unsafe('with an ampersand', 'main&id'),
  unsafe('with a redirection', 'main>x'),
  unsafe('that is a long option', '--output=/tmp/x'),
  unsafe('that is a short option', '-e'),
  unsafe('that is a Rake variable with a blank', 'A=b c'),
  unsafe('with two dots', 'a..b'),
  unsafe('with two slashes', 'a//b'),
  unsafe('from the reflog', 'x@{1}'),
  unsafe('that is a lock file', 'x.lock'),
  unsafe('with a part that is a lock file', 'x.lock/y'),
  unsafe('that ends in a slash', 'x/'),
  unsafe('that ends in a dot', 'x.'),
  unsafe('in full-width letters', 'ｍａｉｎ'),
  unsafe('with a right-to-left mark', 'main\u200f'),
  unsafe('with a newline at its end', 'main\n'),
  unsafe('with a newline within', 'main\nid'),
  unsafe('with a NUL', 'main\u0000'),
  unsafe('that is empty', ''),
  unsafe('of 245 characters', 'a'.repeat(245)),
  {
    what: 'a revision that the environment does not take',
    body: message({ environment: 'tagged', revision: 'main' }),
    reason: 'UnsafeRevision',
    field: 'revision',
  },
  {
    what: 'a revision of which only a part matches what the environment takes',
    body: message({ environment: 'tagged', revision: 'v1.0.0-rc' }),
    reason: 'UnsafeRevision',
    field: 'revision',
  },
];

describe('a message that is bad in itself never becomes a Job (invariant 5)', () => {
  let world: World;
  let operator: Operator;
  let queue: string;
  const ids = new Map<Row, string>();
  let events: (KubeObject & { reason?: string; note?: string; type?: string })[];

  beforeAll(async () => {
    world = await createWorld();
    queue = await world.createQueue('web');
    await world.deployable('web', queue, {
      repositories: ['livesense/web'],
      environments: [{ name: 'production' }, { name: 'tagged', revisions: 'v[0-9]+\\.[0-9]+\\.[0-9]+' }],
    });
    for (const row of ROWS) ids.set(row, await world.send(queue, row.body));
    operator = world.startOperator();
    await eventually('all are rejected', async () => (await rejectionsCount(world, 'web')) === ROWS.length);
    await isEmpty(world, queue);
    // A deploy behind them shows that reading goes on, and that Events and metrics of what came before are out.
    await world.send(queue, message());
    await ended(world, 'web', 'v1.0.0');
    await eventually('the Events are written', async () => {
      events = (await world.kube.list<KubeObject>(EVENTS, { namespace: world.namespace })).items;
      return events.some(({ reason }) => reason === 'Succeeded');
    });
  });
  afterAll(() => world.stop());

  test.each(ROWS)('$what: $reason, with an Event that names $field', (row) => {
    const id = ids.get(row);
    expect(events.filter(({ note }) => note?.includes(id ?? '?'))).toMatchObject([
      {
        type: 'Warning',
        reason: row.reason,
        note: expect.stringMatching(new RegExp(`^message ${id} rejected: ${row.field}: (?!${row.field}: )`)),
      },
    ]);
  });

  test('only the good message ran, and no other ever had a Job', async () => {
    expect(world.kubelet.diary.map(({ env }) => env.REVISION)).toEqual(['v1.0.0']);
    expect(world.calls.filter(({ verb, type, dryRun }) => verb === 'create' && type === JOBS && !dryRun)).toHaveLength(
      1,
    );
  });

  test('what is an envelope is told so, and the Token of a confirmation stands in no Event', () => {
    const notes = events.map(({ note }) => note).join('\n');
    expect(notes).toContain('is an EventBridge event ("Deploy requested" of "com.example.ci")');
    expect(notes).toContain("SNS's SubscriptionConfirmation");
    expect(JSON.stringify(events)).not.toContain(TOKEN.slice(0, 12));
  });

  test('each is counted once by its reason', async () => {
    const text = await operator.metrics.text();
    for (const [reason, rows] of Map.groupBy(ROWS, (row) => row.reason)) {
      const labels = `{namespace="${world.namespace}",name="web",reason="${reason}"}`;
      expect(text).toContain(`capdeployjob_messages_rejected_total${labels} ${rows.length}\n`);
    }
  });

  test('the status shows the newest five with reason, field and escaped body, and counts the rest', async () => {
    const { status } = await world.resource('web');
    expect(status?.rejections).toHaveLength(5);
    expect(status?.rejectionsCount).toBe(ROWS.length);
    for (const rejection of status?.rejections ?? []) {
      const row = ROWS.find((each) => ids.get(each) === rejection.messageId);
      expect(rejection).toMatchObject({ reason: row?.reason, field: row?.field });
      expect(rejection.body).toMatch(/^[ -~]*…?$/);
    }
    expect(status?.history).toHaveLength(1);
  });
});

describe.concurrent('a rejected message leaves its queue', () => {
  test(
    'for the dead-letter queue if there is one, and is recorded once however often it was received',
    inWorld(async (world) => {
      const { queue, deadLetters } = await createQueueWithDeadLetters(world, 'web', 3);
      await world.deployable('web', queue);
      const { metrics } = world.startOperator();
      const id = await world.send(queue, 'not JSON');
      await eventually('it is a dead letter', async () => (await world.depth(deadLetters)) === 1);
      await isEmpty(world, queue);
      expect((await world.resource('web')).status).toMatchObject({
        rejectionsCount: 1,
        rejections: [{ messageId: id, reason: 'NotJSON' }],
      });
      expect(await metrics.text()).toContain(`messages_received_total{namespace="${world.namespace}",name="web"} 3\n`);
      expect(await metrics.text()).toMatch(/messages_rejected_total\{.*reason="NotJSON"\} 1\n/);
    }),
  );

  test(
    'without a redrive policy by a delete that comes after the record (invariant 2)',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      const recordedAtDelete: number[] = [];
      world.onQueueCall = async ({ verb, moment }) => {
        if (verb === 'delete' && moment === 'before') recordedAtDelete.push(await rejectionsCount(world, 'web'));
      };
      world.startOperator();
      await world.send(queue, 'not JSON');
      await isEmpty(world, queue);
      expect(recordedAtDelete).toEqual([1]);
    }),
  );

  test.for(['before', 'after'] as const)(
    'also if the operator is killed right %s the record: until then the message is in the queue (invariant 2)',
    (moment, context) =>
      inWorld(async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        const first = world.startOperator();
        const kill = ({ verb, body }: World['calls'][number]) => {
          if (verb === 'replaceStatus' && JSON.stringify(body?.status).includes('NotJSON')) first.kill();
        };
        if (moment === 'before') world.intercept = kill;
        else world.afterCall = kill;
        const id = await world.send(queue, 'not JSON');
        await first.killed;
        await world.redeliver(queue);
        expect(await world.depth(queue)).toBe(1);
        world.startOperator();
        await isEmpty(world, queue);
        expect((await world.resource('web')).status).toMatchObject({
          rejectionsCount: 1,
          rejections: [{ messageId: id }],
        });
      })(context),
  );

  test(
    'and while its record cannot be written it stays, and holds no deploy back',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      let deletes = 0;
      const held = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<void>();
      world.intercept = async ({ verb, body }) => {
        if (verb !== 'replaceStatus' || !JSON.stringify(body?.status).includes('NotJSON')) return;
        asked.resolve();
        await held.promise;
      };
      world.onQueueCall = ({ verb, moment }) => {
        if (verb === 'delete' && moment === 'before') deletes += 1;
      };
      world.startOperator();
      await world.send(queue, 'not JSON');
      await asked.promise;
      expect([await world.depth(queue), deletes]).toEqual([1, 0]);
      held.resolve();
      await isEmpty(world, queue);
      expect([await rejectionsCount(world, 'web'), deletes]).toEqual([1, 1]);
    }),
  );

  test(
    'in a flood of 200 that pushes nothing out of the history and writes the status about once a second',
    inWorld(
      async (world) => {
        const queue = await world.createQueue('web');
        await world.deployable('web', queue);
        const { metrics } = world.startOperator();
        await world.send(queue, message({ revision: 'v0.9.0' }));
        await ended(world, 'web', 'v0.9.0');
        await isEmpty(world, queue);
        const before = (await world.resource('web')).status?.history;

        const begun = world.now();
        const calls = world.calls.length;
        await Promise.all(Array.from({ length: 200 }, (_, index) => world.send(queue, `poison ${index}`)));
        await eventually('all are rejected', async () => (await rejectionsCount(world, 'web')) === 200, 90_000);
        const writes = world.calls.slice(calls).filter(({ verb, name }) => verb === 'replaceStatus' && name === 'web');
        expect(writes.length).toBeLessThanOrEqual((world.now() - begun) / 1000 + 3);
        await isEmpty(world, queue);
        const { status } = await world.resource('web');
        expect(status?.history).toEqual(before);
        expect(status?.rejections).toHaveLength(5);
        expect(await metrics.text()).toMatch(/messages_rejected_total\{.*name="web",reason="NotJSON"\} 200\n/);
      },
      { speed: 5 },
    ),
    120_000,
  );
});

describe.concurrent('a valid request that cannot have its turn ends in the history', () => {
  test(
    'as Missed if it is older than startingDeadlineSeconds when it is first read',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      world.startOperator();
      await world.send(queue, message({ sentAt: new Date(Date.now() - 2 * 3_600_000).toISOString() }));
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({
        result: 'Missed',
        reason: 'StartingDeadlineExceeded',
      });
      await isEmpty(world, queue);
      await eventually('its Job is removed', async () => (await world.jobs('web')).length === 0);
      expect(world.kubelet.diary).toEqual([]);
      expect((await world.resource('web')).status?.history).toHaveLength(1);
    }),
  );

  test(
    'as Refused if its lane is full, and the other lane still takes its own requests',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue, {
        maxWaiting: 2,
        environments: [{ name: 'production', suspend: true }, { name: 'staging' }],
      });
      world.startOperator();
      for (const revision of ['v1', 'v2']) await world.send(queue, message({ revision }));
      await eventually(
        'two wait',
        async () => lane((await world.resource('web')).status, 'production')?.waiting?.length === 2,
      );
      for (const revision of ['v3', 'v4']) await world.send(queue, message({ revision }));
      await world.send(queue, message({ environment: 'staging', revision: 'v5' }));
      for (const revision of ['v3', 'v4']) {
        expect(await ended(world, 'web', revision)).toMatchObject({ result: 'Refused', reason: 'LaneFull' });
      }
      expect(await ended(world, 'web', 'v5')).toMatchObject({ result: 'Succeeded' });
      await isEmpty(world, queue);
      await eventually('only Jobs that wait or ran are left', async () => (await world.jobs('web')).length === 3);

      await world.edit('web', { environments: [{ name: 'production' }, { name: 'staging' }] });
      for (const revision of ['v1', 'v2']) {
        expect(await ended(world, 'web', revision)).toMatchObject({ result: 'Succeeded' });
      }
      expect((await world.resource('web')).status?.history).toHaveLength(5);
    }),
  );
});

describe.concurrent('the id of a request', () => {
  test(
    'makes one Job of a message that comes three times, while it waits and after it ended',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue, { environments: [{ name: 'production', suspend: true }] });
      world.startOperator();
      const body = message({ id: 'build-1', requestedBy: 'alice' });
      await world.send(queue, body);
      await world.send(queue, { ...body, requestedBy: 'alice again' });
      await isEmpty(world, queue);
      expect(await world.jobs('web')).toHaveLength(1);
      await world.edit('web', { environments: [{ name: 'production' }] });
      await ended(world, 'web', 'v1.0.0');
      await world.send(queue, body);
      await isEmpty(world, queue);
      expect(world.kubelet.diary).toHaveLength(1);
      expect((await world.resource('web')).status).toMatchObject({ rejectionsCount: 0, history: [{ id: 'build-1' }] });
      expect((await world.resource('web')).status?.history).toHaveLength(1);
    }),
  );

  test(
    "is the envelope's behind SNS, so that one notification delivered twice is one deploy",
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      world.startOperator();
      const envelope = {
        Type: 'Notification',
        MessageId: 'sns-1',
        TopicArn: 'arn:aws:sns:us-east-1:000000000000:deploys',
        Message: JSON.stringify(message()),
        Timestamp: new Date().toISOString(),
      };
      await world.send(queue, envelope);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ id: 'sns-1', result: 'Succeeded' });
      await world.send(queue, envelope);
      await isEmpty(world, queue);
      expect(world.kubelet.diary).toHaveLength(1);
      expect((await world.resource('web')).status?.history).toHaveLength(1);
    }),
  );

  test(
    'with another content is an IdConflict, while the first request waits and after it ended',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue, { environments: [{ name: 'production', suspend: true }] });
      world.startOperator();
      await world.send(queue, message({ id: 'build-1' }));
      await isEmpty(world, queue);
      const early = await world.send(queue, message({ id: 'build-1', revision: 'v6.6.6' }));
      expect(await rejectionOf(world, 'web', early)).toMatchObject({ reason: 'IdConflict', field: 'id' });
      await world.edit('web', { environments: [{ name: 'production' }] });
      await ended(world, 'web', 'v1.0.0');
      const late = await world.send(queue, message({ id: 'build-1', repository: 'livesense/other' }));
      expect(await rejectionOf(world, 'web', late)).toMatchObject({ reason: 'IdConflict', field: 'id' });
      await isEmpty(world, queue);
      expect(world.kubelet.diary.map(({ env }) => env.REVISION)).toEqual(['v1.0.0']);
    }),
  );

  test(
    'may be used once in each environment',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      world.startOperator();
      await world.send(queue, message({ id: 'build-1', revision: 'v1' }));
      await world.send(queue, message({ id: 'build-1', revision: 'v2', environment: 'staging' }));
      expect(await ended(world, 'web', 'v1')).toMatchObject({ result: 'Succeeded' });
      expect(await ended(world, 'web', 'v2')).toMatchObject({ result: 'Succeeded' });
    }),
  );

  test(
    'whose name a foreign Job has is a NameConflict, and the foreign Job stays as it is',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      await world.deployable('web', queue);
      const name = jobName('web', 'production', 'build-1');
      const foreign = await world.kube.create<KubeObject>(JOBS, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name, namespace: world.namespace },
        spec: {
          suspend: true,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'mine', image: 'example.test/mine:1' }] } },
        },
      });
      world.startOperator();
      const id = await world.send(queue, message({ id: 'build-1' }));
      expect(await rejectionOf(world, 'web', id)).toMatchObject({ reason: 'NameConflict', field: 'id' });
      await isEmpty(world, queue);
      const found = await world.kube.get<KubeObject>(JOBS, world.namespace, name);
      expect([found.metadata.uid, found.spec]).toEqual([foreign.metadata.uid, foreign.spec]);
      expect(world.kubelet.diary).toEqual([]);
    }),
  );

  test(
    'whose Job of an earlier resource is still being deleted waits until it is gone, and then is deployed once',
    inWorld(async (world) => {
      const queue = await world.createQueue('web');
      const frozen = { environments: [{ name: 'production', suspend: true }] };
      await world.deployable('web', queue, frozen);
      world.startOperator();
      await world.send(queue, message({ id: 'build-1' }));
      await isEmpty(world, queue);
      await setFinalizers(world, ['example.test/keep']);
      await world.remove(CAPDEPLOYJOBS, 'web');
      await eventually(
        'the Job is being deleted',
        async () => (await world.jobs('web'))[0]?.metadata.deletionTimestamp,
      );

      await world.deployable('web', queue);
      let deletes = 0;
      world.onQueueCall = ({ verb, moment }) => {
        if (verb === 'delete' && moment === 'before') deletes += 1;
      };
      const attempts = () =>
        world.calls.filter(({ verb, type, dryRun }) => verb === 'create' && type === JOBS && !dryRun).length;
      const before = attempts();
      await world.send(queue, message({ id: 'build-1' }));
      await eventually('the operator has tried three times', () => attempts() >= before + 3);
      expect([await world.depth(queue), deletes]).toEqual([1, 0]);
      await setFinalizers(world, []);
      expect(await ended(world, 'web', 'v1.0.0')).toMatchObject({ result: 'Succeeded', id: 'build-1' });
      await isEmpty(world, queue);
      expect(world.kubelet.diary).toHaveLength(1);
    }),
  );
});

describe.concurrent('a FIFO queue', () => {
  const fifo = { FifoQueue: 'true' };

  test(
    'has the requests of a group deployed in its order, and a bad one among them does not stop the rest',
    inWorld(async (world) => {
      const queue = await world.createQueue('web.fifo', fifo);
      await world.deployable('web', queue);
      for (const [minute, revision] of ['v1', 'v2', '--bad', 'v3', 'v4'].entries()) {
        await world.send(queue, message({ revision, sentAt: sentAt(minute) }), { groupId: 'production' });
      }
      world.startOperator();
      await ended(world, 'web', 'v4');
      await isEmpty(world, queue);
      expect(world.kubelet.diary.map(({ env }) => env.REVISION)).toEqual(['v1', 'v2', 'v3', 'v4']);
      expect(await rejectionsCount(world, 'web')).toBe(1);
    }),
  );

  test(
    'keeps a group waiting behind a request whose Job cannot be created yet, and lets another group pass',
    inWorld(async (world) => {
      const queue = await world.createQueue('web.fifo', fifo);
      const blocked = jobName('web', 'production', 'first');
      // What an earlier resource of this name left behind, and somebody's finalizer keeps.
      await world.kube.create<KubeObject>(JOBS, {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: {
          name: blocked,
          namespace: world.namespace,
          finalizers: ['example.test/keep'],
          labels: { [LABEL.managedBy]: MANAGED_BY, [LABEL.name]: 'web', [LABEL.environment]: 'production' },
          ownerReferences: [
            { apiVersion: API_VERSION, kind: KIND, name: 'web', uid: crypto.randomUUID(), controller: true },
          ],
        },
        spec: {
          suspend: true,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'cap', image: 'example.test/cap:1' }] } },
        },
      });
      await world.deployable('web', queue);
      await world.send(queue, message({ id: 'first', revision: 'v1', sentAt: sentAt(1) }), { groupId: 'a' });
      await world.send(queue, message({ id: 'second', revision: 'v2', sentAt: sentAt(2) }), { groupId: 'a' });
      await world.send(queue, message({ id: 'other', revision: 'v3', environment: 'staging' }), { groupId: 'b' });
      world.startOperator();
      await ended(world, 'web', 'v3');
      await setFinalizers(world, []);
      await ended(world, 'web', 'v2');
      await isEmpty(world, queue);
      expect(world.kubelet.diary.map(({ env }) => env.REVISION)).toEqual(['v3', 'v1', 'v2']);
    }),
  );
});
