import { beforeAll, describe, expect, test } from 'vitest';
import { abort } from '../../src/actions/abort.ts';
import { ActionError } from '../../src/actions/action-error.ts';
import { approve, withdrawApproval } from '../../src/actions/approve.ts';
import { freeze, unfreeze } from '../../src/actions/freeze.ts';
import type { CapDeployJob } from '../../src/api/capdeployjob.ts';
import { CAPDEPLOYJOBS } from '../../src/api/names.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { JOBS, type KubeClient, type KubeObject } from '../../src/kube/client.ts';
import { SelfCheck } from '../../src/slack-bot/self-check.ts';
import { POWERS, trialsOf } from '../../src/slack-bot/try-power.ts';
import { eventually } from '../kit/eventually.ts';
import { interceptClient } from '../kit/intercept-client.ts';
import {
  ABORTED_BY,
  APPROVED_BY,
  FREEZE,
  finish,
  jobOf,
  lanes,
  newResource,
  outcome,
  resource,
  SAYS,
  serviceAccount,
  startedJob,
  USERS,
  type User,
  waitingJob,
  waits,
} from './admission.ts';
import { ALICE, BOB, openChatAdmission } from './admission-chat.ts';

/** The chat bot's own code with the rights of its ServiceAccount, on a real API server. */
const { world, web } = openChatAdmission();
const { root } = USERS;

let client: KubeClient;
beforeAll(() => {
  client = world.client(world.chatBot);
});

const named = ({ metadata: { name, uid = '' } }: KubeObject) => ({ namespace: world.namespace, job: name, uid });
const target = ({ metadata: { name } }: CapDeployJob) => ({ namespace: world.namespace, name });
const annotationsOf = async (name: string, type = JOBS) =>
  (await world.as(root).get(type, name)).body.metadata.annotations ?? {};
const refusal = async (action: Promise<unknown>): Promise<string> => {
  const error = await action.then(
    () => undefined,
    (error: unknown) => error,
  );
  return error instanceof ActionError ? `${error.kind}: ${error.message}` : String(error);
};

describe.concurrent('the actions of the bot', () => {
  test('approve, and take it back', async () => {
    const job = await waitingJob(world, web(), { requestedBy: `${ALICE} (alice)` });
    await approve(client, BOB, named(job));
    expect((await annotationsOf(job.metadata.name))[APPROVED_BY]).toBe(BOB);
    await withdrawApproval(client, named(job));
    expect(await annotationsOf(job.metadata.name)).not.toHaveProperty([APPROVED_BY]);
  });

  test('are refused an approval by the one who asked, in words', async () => {
    const job = await waitingJob(world, web(), { requestedBy: `${ALICE} (alice)` });
    const what = `forbidden: approve Job ${world.namespace}/${job.metadata.name}: `;
    expect(await refusal(approve(client, ALICE, named(job)))).toBe(what + SAYS.fourEyes(`${ALICE} (alice)`, ALICE));
    expect(await refusal(approve(client, world.chatBot.name, named(job)))).toBe(
      what + SAYS.botForPeople(world.chatBot.name),
    );
    const elsewhere = { ...named(job), namespace: 'default' };
    expect(await refusal(approve(client, BOB, elsewhere))).toMatch(
      /^forbidden: approve Job default\/\S+: this program's account has no right to it \(.* cannot patch resource "jobs".*\): bind the role/,
    );
  });

  test('find no Job of another uid: what was shown is what is decided about', async () => {
    const job = await waitingJob(world, web());
    const other = { ...named(job), uid: crypto.randomUUID() };
    // 422, which the actions call notFound.
    const words = `Job ${world.namespace}/${job.metadata.name}: another one has that name now: look again at what is there now`;
    expect(await refusal(approve(client, BOB, other))).toBe(`notFound: approve ${words}`);
    expect(await refusal(abort(client, BOB, other, 'waiting'))).toBe(`notFound: abort ${words}`);
    const gone = { ...other, job: 'web-production-gone' };
    expect(await refusal(approve(client, BOB, gone))).toBe(
      `notFound: approve Job ${world.namespace}/web-production-gone: it is not there any more: look again at what is there now`,
    );
    expect(await annotationsOf(job.metadata.name)).not.toHaveProperty([APPROVED_BY]);
  });

  test.each([
    ['waiting', waitingJob],
    ['running', startedJob],
  ] as const)('abort what is %s, in the name of the one who asked for that', async (seenAs, make) => {
    const job = await make(world, web());
    await abort(client, ALICE, named(job), seenAs);
    await eventually('the Job has gone', async () => {
      const { status, body } = await world.as(root).get(JOBS, job.metadata.name);
      if (status === 404) return true;
      expect(body.metadata.annotations[ABORTED_BY]).toBe(ALICE);
      return body.metadata.deletionTimestamp !== undefined;
    });
  });

  test('leave alone what has ended, in words', async () => {
    const job = await startedJob(world, web());
    await finish(world, job, 'Complete');
    expect(await refusal(abort(client, ALICE, named(job), 'running'))).toBe(
      `refused: ${world.namespace}/${job.metadata.name} has ended already, or is being deleted: there is nothing to abort`,
    );
  });

  test('freeze and thaw', async () => {
    const frozen = await resource(world);
    await freeze(client, BOB, target(frozen), 'production', 'incident 42');
    expect((await annotationsOf(frozen.metadata.name, CAPDEPLOYJOBS))[FREEZE]).toBe(`${BOB}: incident 42`);
    await freeze(client, `${ALICE} (alice)`, target(frozen), 'production', 'incident 43');
    expect(await unfreeze(client, target(frozen), 'production')).toBe(`${ALICE} (alice): incident 43`);
    expect(await annotationsOf(frozen.metadata.name, CAPDEPLOYJOBS)).not.toHaveProperty([FREEZE]);
  });
});

describe('what comes back', () => {
  /** A client that notes what the API server answers to each patch. */
  function noting() {
    const answers: object[] = [];
    const intercepted = interceptClient(client, async ({ verb }, send) => {
      const answer = await send();
      if (verb === 'patch') answers.push(answer as object);
      return answer;
    });
    return { answers, client: intercepted };
  }

  test('of a write is the metadata alone: the template of a Job may hold secrets', async () => {
    const { answers, client: noted } = noting();
    const [job, frozen] = [await waitingJob(world, web()), await resource(world)];
    await approve(noted, BOB, named(job));
    await withdrawApproval(noted, named(job));
    await abort(noted, ALICE, named(job), 'waiting');
    await freeze(noted, BOB, target(frozen), 'production', 'incident 42');
    await unfreeze(noted, target(frozen), 'production');
    expect(answers.map((answer) => Object.keys(answer).sort())).toEqual(
      Array(5).fill(['apiVersion', 'kind', 'metadata']),
    );
    expect(new Set(answers.map((answer) => (answer as KubeObject).kind))).toEqual(new Set(['PartialObjectMetadata']));
  });
});

describe.concurrent('the self-check', () => {
  /** For each power of each CapDeployJob `on`, or why it is off, as the check logs it. */
  async function findings(as: KubeClient, ...resources: CapDeployJob[]) {
    const found: Record<string, Record<string, string>> = {};
    const note = (fields: object) => {
      const { target, power, why = 'on' } = fields as { target: string; power: string; why?: string };
      found[target] = { ...found[target], [power]: why };
    };
    const log = { ...silentLog, info: note, warn: note };
    const careful = interceptClient(as, async ({ verb, plural, dryRun }, send) => {
      // A question about one's own rights is the only request that is no dry run.
      if (plural !== 'selfsubjectrulesreviews') expect({ verb, dryRun }).toEqual({ verb, dryRun: true });
      return send();
    });
    await new SelfCheck({ client: careful, resources: () => resources, clock: systemClock, log }).checkAll();
    return found;
  }
  const keyOf = ({ metadata: { namespace, name } }: CapDeployJob) => `${namespace}/${name}`;

  /** A CapDeployJob whose status names a waiting Job. */
  async function waitingIn(owner: CapDeployJob): Promise<CapDeployJob> {
    const { metadata } = await waitingJob(world, owner, { requestedBy: `${ALICE} (alice)` });
    const waiting = [waits(metadata.name, { uid: metadata.uid ?? '' })];
    return (await lanes(world, owner, [{ name: 'production', waiting }])) as unknown as CapDeployJob;
  }

  /** What is on an object before and after must be the same: a dry run stores nothing. */
  async function untouched(names: [typeof JOBS, string][], work: () => Promise<void>, where?: string): Promise<void> {
    const metadata = () =>
      Promise.all(
        names.map(async ([type, name]) => {
          const { metadata, spec } = (await world.as(root, where).get(type, name)).body;
          const { uid, labels, annotations, generation, deletionTimestamp } = metadata;
          return { uid, labels, annotations, generation, deletionTimestamp, spec };
        }),
      );
    const before = await metadata();
    await work();
    expect(await metadata()).toEqual(before);
  }

  test('finds that the policies hold, and which rights are missing', async () => {
    const [own, other] = [await waitingIn(web()), await waitingIn(await resource(world))];
    const job = own.status?.environments?.[0]?.waiting?.[0]?.job ?? '';
    const touched: [typeof JOBS, string][] = [
      [JOBS, job],
      [CAPDEPLOYJOBS, own.metadata.name],
    ];
    await untouched(touched, async () => {
      expect(await findings(client, own, other)).toEqual({
        [keyOf(own)]: { freeze: 'on', abort: 'on', approve: 'on' },
        [keyOf(other)]: { freeze: 'on', abort: 'on', approve: 'noRight' },
      });
    });
  });

  test('leaves off what there is no deploy to try on', async () => {
    expect(await findings(client, web())).toEqual({
      [keyOf(web())]: { freeze: 'on', abort: 'notTried', approve: 'notTried' },
    });
  });

  const ROLES = ['', '-operate', '-approve'].map((part) => `capdeployjob-slack-bot${part}`);

  test('leaves off what the policies take for a person', async () => {
    const another: User = serviceAccount(world.namespace, 'another-bot');
    for (const role of ROLES) await world.bind(another, role);
    const own = await waitingIn(await resource(world));
    const asAnother = world.client(another);
    await eventually('the roles count', async () => {
      const { [keyOf(own)]: why = {} } = await findings(asAnother, own);
      if (Object.values(why).includes('noRight')) return false;
      expect(why).toEqual({ freeze: 'botUnknown', abort: 'botUnknown', approve: 'botUnknown' });
      return true;
    });
  });

  /** What a delete names. */
  async function now(where: string, name: string) {
    const { uid, resourceVersion } = (await world.as(root, where).get(JOBS, name)).body.metadata;
    return { uid, resourceVersion };
  }

  test('leaves everything off where no policy is bound: the bot could write any name there', async () => {
    // In the bot's own namespace none is.
    const [, , where = ''] = world.chatBot.name.split(':');
    for (const role of ROLES) {
      await world.shell(
        root,
        `kubectl -n ${where} create rolebinding ${role} --clusterrole=${world.nameOf('ClusterRole', role)} --user=${world.chatBot.name}`,
      );
    }
    const object = newResource(world);
    const made = await world
      .as(root, where)
      .create(CAPDEPLOYJOBS, { ...object, metadata: { ...object.metadata, namespace: where } });
    expect(outcome(made)).toBe('allowed');
    const owner = made.body as unknown as CapDeployJob;
    const job = await world.as(root, where).create(JOBS, jobOf(owner));
    expect(outcome(job)).toBe('allowed');
    const { name, uid } = job.body.metadata;
    const known = { ...owner, status: { environments: [{ name: 'production', waiting: [waits(name, { uid })] }] } };
    const everything = async () => {
      await eventually('the roles count', async () => {
        const { [keyOf(owner)]: why = {} } = await findings(client, known as unknown as CapDeployJob);
        if (Object.values(why).includes('noRight')) return false;
        expect(why).toEqual({ freeze: 'notHeld', abort: 'notHeld', approve: 'notHeld' });
        return true;
      });
    };
    const touched: [typeof JOBS, string][] = [
      [JOBS, name],
      [CAPDEPLOYJOBS, owner.metadata.name],
    ];
    await untouched(touched, everything, where);
    // Nothing of deploy/admission keeps the bot from a delete here: only that it is a dry run.
    for (const power of POWERS) {
      for (const { patch } of trialsOf(power, ALICE)) {
        const [type, object] = power === 'freeze' ? [CAPDEPLOYJOBS, owner.metadata] : [JOBS, job.body.metadata];
        const only = { dryRun: true, metadataOnly: true };
        const send = async () => {
          if (patch)
            await client.patch(type, where, object.name, { uid: object.uid ?? '', anyVersion: true }, patch, only);
          else await client.delete(JOBS, where, name, await now(where, name), only);
        };
        await untouched(touched, send, where);
      }
    }
  });

  test('says of an account without rights that it has none', async () => {
    const nobody = serviceAccount(world.namespace, 'nobody');
    expect(await findings(world.client(nobody), web())).toEqual({
      [keyOf(web())]: { freeze: 'noRight', abort: 'noRight', approve: 'noRight' },
    });
  });
});
