import { describe, expect, it } from 'vitest';
import { abort, IS_OVER } from '../../../src/actions/abort.ts';
import { approve, withdrawApproval } from '../../../src/actions/approve.ts';
import { freeze, unfreeze } from '../../../src/actions/freeze.ts';
import { ANNOTATION, CAPDEPLOYJOBS, FREEZE_PREFIX } from '../../../src/api/names.ts';
import { JOBS, type KubeClient } from '../../../src/kube/client.ts';
import { KubeError, type KubeErrorKind } from '../../../src/kube/errors.ts';
import type { Job } from '../../../src/lanes/job.ts';
import { aRawSpec } from '../../kit/builders.ts';
import { Rig } from '../operator/controller/rig.ts';

const WEB = { namespace: 'deploy', name: 'web' };
const FROZEN = { [`${FREEZE_PREFIX}production`]: 'bob: x' };
const ALICE = 'slack:T0TEAM/U0ALICE';
const named = ({ metadata: { namespace, name, uid } }: Job) => ({ namespace, job: name, uid });
const annotations = (rig: Rig, job: Job) => rig.findJob(job)?.metadata.annotations ?? {};
const touch = (rig: Rig, type: typeof JOBS, name: string) =>
  rig.change(type, name, { metadata: { annotations: { touched: String(Math.random()) } } });
/** The next call of a verb fails as if the API server had answered so. */
const failOnce = (rig: Rig, verb: string, kind: KubeErrorKind, status = 500, reason = 'Test') => {
  rig.before = (call) => {
    if (call.verb !== verb) return;
    rig.before = undefined;
    throw new KubeError(kind, { status, reason, message: 'in the test' });
  };
};

describe('freeze', () => {
  it('writes who and why, in one line', async () => {
    const rig = new Rig();
    const value = `${ALICE}: incident 42`;
    expect(await freeze(rig.client, ALICE, WEB, 'production', 'incident\n42\u202e')).toEqual({ value });
    expect(rig.resource.metadata.annotations).toEqual({ [`${FREEZE_PREFIX}production`]: value });
  });

  it('says whose freeze it replaces', async () => {
    const { client } = new Rig();
    await freeze(client, 'bob', WEB, 'production', 'incident 42');
    const { replaced } = await freeze(client, 'alice', WEB, 'production', 'incident 43');
    expect(replaced).toBe('bob: incident 42');
  });

  it('keeps other annotations, and is made again if somebody wrote between the read and the write', async () => {
    const rig = new Rig();
    rig.after = ({ verb }) => {
      if (verb !== 'get') return;
      rig.after = undefined;
      touch(rig, CAPDEPLOYJOBS, 'web');
    };
    await freeze(rig.client, 'alice', WEB, 'production', 'incident 42');
    expect(Object.keys(rig.resource.metadata.annotations ?? {})).toEqual(['touched', `${FREEZE_PREFIX}production`]);
  });

  it.each<[string, string, string, string]>([
    ['an environment that is not there', 'prod', 'x', 'notFound'],
    ['an environment in another case', 'Production', 'x', 'notFound'],
    ['no reason', 'production', ' \u200b', 'refused'],
  ])('refuses %s', async (_, environment, reason, kind) => {
    const rig = new Rig();
    await expect(freeze(rig.client, 'alice', WEB, environment, reason)).rejects.toMatchObject({ kind });
    expect(rig.resource.metadata.annotations).toBeUndefined();
  });

  it('says which environments there are', async () => {
    const { client } = new Rig();
    await expect(freeze(client, 'alice', WEB, 'prod', 'x')).rejects.toThrow(
      'deploy/web has no environment "prod"; there are production, staging',
    );
    await expect(freeze(client, 'alice', { ...WEB, name: 'api' }, 'prod', 'x')).rejects.toMatchObject({
      kind: 'notFound',
    });
  });

  it('gives up on conflicts after some tries', async () => {
    const rig = new Rig();
    rig.after = ({ verb }) => {
      if (verb === 'get') touch(rig, CAPDEPLOYJOBS, 'web');
    };
    await expect(freeze(rig.client, 'alice', WEB, 'production', 'x')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it.each<[KubeErrorKind, string]>([
    ['forbidden', 'forbidden'],
    ['retryable', 'unclear'],
    ['invalid', 'refused'],
  ])('says what an answer of the kind %s means', async (kind, expected) => {
    const rig = new Rig();
    failOnce(rig, 'patch', kind);
    await expect(freeze(rig.client, 'alice', WEB, 'production', 'x')).rejects.toMatchObject({ kind: expected });
  });
});

describe('an API server that does not answer', () => {
  it.each<[string, string, number, string, string]>([
    ['to a write', 'patch', 500, 'InternalError', 'unclear'],
    ['to a read: nothing was done', 'get', 500, 'InternalError', 'unavailable'],
    ['but asks for fewer requests', 'patch', 429, 'TooManyRequests', 'unavailable'],
    ['because no connection was made', 'patch', 0, 'ECONNREFUSED', 'unavailable'],
    ['because the connection broke', 'patch', 0, 'ECONNRESET', 'unclear'],
  ])('%s', async (_, verb, status, reason, kind) => {
    const rig = new Rig();
    failOnce(rig, verb, 'retryable', status, reason);
    await expect(freeze(rig.client, 'alice', WEB, 'production', 'x')).rejects.toMatchObject({ kind });
  });
});

describe('unfreeze', () => {
  it('takes the annotation off, whoever wrote it, and says what it was', async () => {
    const rig = new Rig();
    await freeze(rig.client, 'bob', WEB, 'production', 'incident 42');
    await freeze(rig.client, 'bob', WEB, 'staging', 'incident 43');
    expect(await unfreeze(rig.client, WEB, 'production')).toBe('bob: incident 42');
    expect(Object.keys(rig.resource.metadata.annotations ?? {})).toEqual([`${FREEZE_PREFIX}staging`]);
  });

  it('thaws an environment that the spec does not name any more', async () => {
    const rig = new Rig();
    const annotations = { [`${FREEZE_PREFIX}preview`]: 'bob: x' };
    rig.change(CAPDEPLOYJOBS, 'web', { metadata: { annotations } });
    expect(await unfreeze(rig.client, WEB, 'preview')).toBe('bob: x');
  });

  it('says so if there is no freeze, or one in git', async () => {
    await expect(unfreeze(new Rig().client, WEB, 'production')).rejects.toThrow('is not frozen');
    await expect(unfreeze(new Rig({ suspend: true }).client, WEB, 'production')).rejects.toThrow('by spec.suspend');
    const environments = [{ name: 'production', suspend: true }, { name: 'staging' }];
    await expect(unfreeze(new Rig({ environments }).client, WEB, 'production')).rejects.toThrow(
      'by suspend of this environment',
    );
  });
});

describe('approve', () => {
  it('writes the name, and takes it back', async () => {
    const rig = new Rig();
    const job = rig.job();
    await approve(rig.client, ALICE, named(job));
    expect(annotations(rig, job)[ANNOTATION.approvedBy]).toBe(ALICE);
    await withdrawApproval(rig.client, named(job));
    expect(annotations(rig, job)).not.toHaveProperty([ANNOTATION.approvedBy]);
  });

  it('holds for the very Job that was seen, however often that was written since', async () => {
    const rig = new Rig();
    const job = rig.job();
    touch(rig, JOBS, job.metadata.name);
    await approve(rig.client, 'alice', named(job));
    expect(annotations(rig, job)[ANNOTATION.approvedBy]).toBe('alice');
    const other = { ...named(job), uid: 'another' };
    await expect(approve(rig.client, 'bob', other)).rejects.toMatchObject({ kind: 'notFound' });
    expect(annotations(rig, job)[ANNOTATION.approvedBy]).toBe('alice');
  });

  it('says so if the Job is gone', async () => {
    const deploy = { namespace: 'deploy', job: 'web-production-1', uid: 'x' };
    await expect(approve(new Rig().client, 'alice', deploy)).rejects.toMatchObject({ kind: 'notFound' });
  });
});

describe('an answer of the API server, in words: which resource, what was found, what to do next', () => {
  const policy = `jobs.batch "x" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: whoever asked for a deploy cannot approve it; another approver is needed`;
  const rbac = `jobs.batch "x" is forbidden: User "bot" cannot patch resource "jobs" in API group "batch" in the namespace "deploy"`;
  const webhook = 'admission webhook "w.example" denied the request: no';
  const ask = { namespace: 'deploy', job: 'web-1', uid: 'u' };
  const actions: [string, string, (client: KubeClient) => Promise<unknown>][] = [
    ['approve', 'Job deploy/web-1', (client) => approve(client, ALICE, ask)],
    ['withdraw the approval of', 'Job deploy/web-1', (client) => withdrawApproval(client, ask)],
    ['abort', 'Job deploy/web-1', (client) => abort(client, ALICE, ask, 'waiting')],
    ['freeze "production" of', 'CapDeployJob deploy/web', (client) => freeze(client, ALICE, WEB, 'production', 'x')],
    ['thaw "production" of', 'CapDeployJob deploy/web', (client) => unfreeze(client, WEB, 'production')],
  ];
  const answers: [KubeErrorKind, number, string, string][] = [
    ['gone', 404, 'x "x" not found', 'it is not there any more: look again at what is there now'],
    ['invalid', 422, 'metadata.uid: Invalid value', 'another one has that name now: look again at what is there now'],
    ['conflict', 409, 'moved', 'it was changed by others each of 5 times: try again'],
    ['forbidden', 403, policy, 'whoever asked for a deploy cannot approve it; another approver is needed'],
    [
      'forbidden',
      403,
      rbac,
      `this program's account has no right to it (${rbac}): bind the role that gives it, for the chat bot those of deploy/chat`,
    ],
    [
      'forbidden',
      403,
      webhook,
      `the API server refuses it (${webhook}): ask those who run the cluster what forbids this`,
    ],
    ['invalid', 400, 'dry', 'the API server takes it for invalid (dry): this is a mistake of this program'],
    ['retryable', 500, 'oh', 'the API server gave no clear answer (oh): look whether it was done before you repeat it'],
    ['retryable', 429, 'slow', 'the API server could not take it (slow): try again in a while'],
  ];
  it.each(
    actions.flatMap(([verb, on, act]) =>
      answers.map(([kind, status, said, words]) => ({ verb, on, act, kind, status, said, words })),
    ),
  )('$verb: $status $words', async ({ verb, on, act, kind, status, said, words }) => {
    const client = {
      get: async () => ({ metadata: { uid: 'u', resourceVersion: '1', annotations: FROZEN }, spec: aRawSpec() }),
      patch: async () => {
        throw new KubeError(kind, { status, reason: 'X', message: `X: ${said}` });
      },
    } as unknown as KubeClient;
    await expect(act(client)).rejects.toMatchObject({
      message: `${verb} ${on}: ${words}`,
      cause: expect.any(KubeError),
    });
  });
});

describe('abort', () => {
  it('writes the name, and deletes the Job in that very state', async () => {
    const rig = new Rig();
    const job = rig.job();
    let lastSeen: Job | undefined;
    rig.before = ({ verb }) => {
      if (verb === 'delete') lastSeen = rig.findJob(job);
    };
    await abort(rig.client, ALICE, named(job), 'waiting');
    expect(lastSeen?.metadata.annotations?.[ANNOTATION.abortedBy]).toBe(ALICE);
    expect(rig.findJob(job)).toBeUndefined();
  });

  /** Its start removes the name, just before the delete. @returns the names that stood there before each delete */
  const startsBeforeDelete = (rig: Rig, job: Job): unknown[] => {
    const names: unknown[] = [];
    rig.before = ({ verb }) => {
      if (verb !== 'delete') return;
      names.push(annotations(rig, job)[ANNOTATION.abortedBy]);
      if (names.length > 1) return;
      const start = { [ANNOTATION.abortedBy]: null, [ANNOTATION.startedAt]: '2026-11-30T09:00:00.000Z' };
      rig.change(JOBS, job.metadata.name, { metadata: { annotations: start }, spec: { suspend: false } });
    };
    return names;
  };

  it('is made again from the start if the Job has moved', async () => {
    const rig = new Rig();
    const job = rig.job();
    const names = startsBeforeDelete(rig, job);
    await abort(rig.client, 'alice', named(job), 'running');
    expect(names).toEqual(['alice', 'alice']);
    expect(rig.findJob(job)).toBeUndefined();
  });

  it('ends no deploy of somebody who wanted to take one out that waits, and takes the name off', async () => {
    const rig = new Rig();
    const job = rig.job();
    startsBeforeDelete(rig, job);
    const aborting = abort(rig.client, 'alice', named(job), 'waiting');
    await expect(aborting).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('has started') });
    expect(rig.findJob(job)).toBeDefined();
    expect(annotations(rig, job)).not.toHaveProperty([ANNOTATION.abortedBy]);
  });

  it('leaves a Job alone that has ended, by the words of deploy/admission', async () => {
    const rig = new Rig();
    const ended = rig.job({ started: -30, finished: 'Complete', finishedAt: -5 });
    rig.before = ({ verb }) => {
      const message = `Forbidden: denied request: ${IS_OVER}, so capdeployjob.dev/aborted-by can no longer be changed`;
      if (verb === 'patch') throw new KubeError('forbidden', { status: 403, reason: 'Forbidden', message });
    };
    await expect(abort(rig.client, 'alice', named(ended), 'running')).rejects.toMatchObject({
      kind: 'refused',
      message: `deploy/${ended.metadata.name} has ended already, or is being deleted: there is nothing to abort`,
    });
    expect(rig.findJob(ended)).toBeDefined();
  });

  it('takes the name off if the delete is refused', async () => {
    const rig = new Rig();
    const job = rig.job();
    failOnce(rig, 'delete', 'forbidden');
    await expect(abort(rig.client, 'alice', named(job), 'waiting')).rejects.toMatchObject({ kind: 'forbidden' });
    expect(annotations(rig, job)).not.toHaveProperty([ANNOTATION.abortedBy]);
  });

  it('does not touch another Job of that name', async () => {
    const rig = new Rig();
    const job = rig.job();
    const aborting = abort(rig.client, 'alice', { ...named(job), uid: 'another' }, 'waiting');
    await expect(aborting).rejects.toMatchObject({ kind: 'notFound' });
    expect(annotations(rig, job)).not.toHaveProperty([ANNOTATION.abortedBy]);
  });

  it.each<[KubeErrorKind, string]>([
    ['gone', 'notFound'],
    ['retryable', 'unclear'],
  ])('says what an answer of the kind %s means', async (kind, expected) => {
    const rig = new Rig();
    const job = rig.job();
    failOnce(rig, 'delete', kind);
    await expect(abort(rig.client, 'alice', named(job), 'waiting')).rejects.toMatchObject({ kind: expected });
  });
});
