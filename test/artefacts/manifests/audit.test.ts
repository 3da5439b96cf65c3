import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compareWithRules } from '../../cluster/audit.ts';
import { CHAT_BOT_ROLES } from '../../cluster/rights.ts';
import { path } from './yaml.ts';

const CHAT_BOT = { namespace: 'capdeployjob-chat', name: 'capdeployjob-slack-bot' };
const OPERATOR = { namespace: 'capdeployjob-system', name: 'capdeployjob' };
const USER = 'system:serviceaccount:capdeployjob-system:capdeployjob';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'capdeployjob-audit-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Rule {
  apiGroups?: string[];
  resources?: string[];
  verbs: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

/** One event of an audit log: an allowed `get` of a Job by the operator, what a row is about laid over it. */
function event(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    kind: 'Event',
    stage: 'ResponseComplete',
    verb: 'get',
    requestURI: '/apis/batch/v1/namespaces/deploy/jobs/web',
    userAgent: 'capdeploy/0.1.0',
    user: { username: USER },
    objectRef: { resource: 'jobs', apiGroup: 'batch', apiVersion: 'v1', namespace: 'deploy', name: 'web' },
    responseStatus: { code: 200 },
    annotations: {
      'authorization.k8s.io/decision': 'allow',
      'authorization.k8s.io/reason': 'RBAC: allowed by ClusterRoleBinding "capdeployjob"',
    },
    ...over,
  };
}

const forbid = { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '' };
const refused = { annotations: forbid, responseStatus: { code: 403, reason: 'Forbidden' } };
const about = (objectRef: Record<string, string>) => ({ objectRef: { apiVersion: 'v1', ...objectRef } });
const pods = about({ resource: 'pods', namespace: 'deploy' });

const binding = (kind: string, role: object, subject: object = OPERATOR, metadata: object = {}) => ({
  kind,
  metadata: { name: 'capdeployjob', ...metadata },
  roleRef: role,
  subjects: [{ kind: 'ServiceAccount', ...subject }],
});
const clusterRole = (rules: Rule[], name = 'capdeployjob') => ({ kind: 'ClusterRole', metadata: { name }, rules });

function rbac(rules: Rule[], ...more: object[]): string {
  const file = join(directory, 'rbac.yaml');
  const bound = binding('ClusterRoleBinding', { kind: 'ClusterRole', name: 'capdeployjob' });
  writeFileSync(file, [clusterRole(rules), bound, ...more].map((one) => JSON.stringify(one)).join('\n---\n'));
  return file;
}

function log(...events: (Record<string, unknown> | string)[]): string {
  const file = join(directory, 'audit.log');
  writeFileSync(file, events.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join(''));
  return file;
}

const compare = (auditLog: string, ...rbacFiles: string[]) =>
  compareWithRules({ auditLog, rbacFiles, serviceAccount: OPERATOR });

const GET_JOBS: Rule = { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] };

test('rules that are all used, and no others asked for, are right', async () => {
  const found = await compare(log(event(), event()), rbac([GET_JOBS]));
  expect(found).toMatchObject({ ok: true, missing: [], superfluous: [], dangerous: [], used: ['get jobs.batch'] });
  expect(found.requests).toBe(2);
});

describe('a right is missing where', () => {
  test.each<[string, Record<string, unknown>[], RegExp]>([
    [
      'the authorizer refused a request, however often',
      [
        event({ verb: 'list', ...pods, ...refused, requestURI: '/api/v1/namespaces/deploy/pods' }),
        event({ verb: 'list', ...pods, ...refused }),
      ],
      /^list pods \(2 times refused, such as \/api\/v1\/namespaces\/deploy\/pods by capdeploy\/0\.1\.0\)$/,
    ],
    [
      'it is the subresource that was refused',
      [event({ verb: 'update', ...about({ resource: 'jobs', subresource: 'status', apiGroup: 'batch' }), ...refused })],
      /^update jobs\.batch\/status \(/,
    ],
    [
      'a path that is no resource was refused',
      [event({ objectRef: undefined, requestURI: '/metrics?a=b', ...refused })],
      /^get \/metrics \(/,
    ],
    [
      "another role than the files' allowed it",
      [
        event({
          verb: 'list',
          ...pods,
          annotations: {
            'authorization.k8s.io/decision': 'allow',
            'authorization.k8s.io/reason': 'RBAC: allowed by RoleBinding "by-hand"',
          },
        }),
      ],
      /^list pods: no file grants it, but the cluster does: RBAC: allowed by RoleBinding "by-hand"/,
    ],
    [
      'a watch began that no file grants, and has not ended yet',
      [event({ verb: 'watch', ...pods, stage: 'ResponseStarted' })],
      /^watch pods: no file grants it/,
    ],
  ])('%s', async (_, events, expected) => {
    const found = await compare(log(event(), ...events), rbac([GET_JOBS]));
    expect(found).toMatchObject({ ok: false, missing: [expect.stringMatching(expected)], superfluous: [] });
    expect(found.text).toMatch(/^MISSING: /m);
  });

  test('it is granted by the files, and the cluster refuses it always: the files are not installed', async () => {
    const found = await compare(log(event(refused)), rbac([GET_JOBS]));
    expect(found).toMatchObject({
      ok: false,
      missing: [expect.stringMatching(/^get jobs\.batch: granted by the files, refused by the cluster/)],
    });
  });
});

describe('no right is missing where', () => {
  const quota = { responseStatus: { code: 403, reason: 'Forbidden' } };
  test.each<[string, Record<string, unknown>]>([
    ['admission answers 403: the authorizer had allowed it', event(quota)],
    ['somebody else was refused', event({ user: { username: 'alice' }, verb: 'list', ...pods, ...refused })],
    [
      'an administrator tries what the operator may do',
      event({ user: { username: 'admin' }, impersonatedUser: { username: USER }, verb: 'list', ...pods, ...refused }),
    ],
    [
      'the operator is whom another ServiceAccount of a longer name is taken for',
      event({ user: { username: `${USER}-2` }, verb: 'list', ...pods, ...refused }),
    ],
    ['everybody may ask it: discovery', event({ objectRef: undefined, requestURI: '/apis?timeout=5s' })],
    [
      'everybody may ask it: what he may do himself',
      event({ verb: 'create', ...about({ resource: 'selfsubjectaccessreviews', apiGroup: 'authorization.k8s.io' }) }),
    ],
    ['nothing is decided yet', event({ stage: 'RequestReceived', verb: 'list', ...pods, annotations: undefined })],
  ])('%s', async (_, one) => {
    const found = await compare(log(event(), one), rbac([GET_JOBS]));
    expect(found).toMatchObject({ ok: true, missing: [], used: ['get jobs.batch'] });
  });

  test('the rules were taken away for a time, which is said', async () => {
    const found = await compare(log(event(), event(refused)), rbac([GET_JOBS]));
    expect(found).toMatchObject({ ok: true, refusedForATime: ['get jobs.batch (1 times refused, else allowed)'] });
    expect(found.text).toContain('get jobs.batch (1 times refused');
  });
});

describe('a right is superfluous where', () => {
  test.each<[string, Rule, string[]]>([
    ['no request used its verb', { ...GET_JOBS, verbs: ['get', 'update'] }, ['update jobs.batch']],
    ['no request used its resource', { ...GET_JOBS, resources: ['jobs', 'cronjobs'] }, ['get cronjobs.batch']],
    [
      'the request was for the resource, not its subresource',
      { ...GET_JOBS, resources: ['jobs', 'jobs/status'] },
      ['get jobs.batch/status'],
    ],
    ['no request used its group', { ...GET_JOBS, apiGroups: ['batch', ''] }, ['get jobs']],
    [
      'no request was about the object that it names',
      { ...GET_JOBS, resourceNames: ['other'] },
      ['get jobs.batch named other'],
    ],
    ['no request was for its path', { nonResourceURLs: ['/metrics'], verbs: ['get'] }, ['get /metrics']],
  ])('%s', async (_, rule, superfluous) => {
    const found = await compare(log(event()), rbac([GET_JOBS, rule]));
    expect(found).toMatchObject({ ok: false, superfluous, missing: [] });
    expect(found.text).toMatch(/^SUPERFLUOUS: /m);
  });

  test('a Role of another namespace than the requests’ grants it', async () => {
    const role = { kind: 'Role', metadata: { name: 'leader', namespace: 'elsewhere' }, rules: [GET_JOBS] };
    const bound = binding('RoleBinding', { kind: 'Role', name: 'leader' }, OPERATOR, { namespace: 'elsewhere' });
    const found = await compare(log(event()), rbac([GET_JOBS], role, bound));
    expect(found.superfluous).toEqual(['get jobs.batch in elsewhere']);
  });
});

test.each<[string, Rule, string]>([
  ['every verb', { ...GET_JOBS, verbs: ['*'] }, '* jobs.batch'],
  ['every resource', { ...GET_JOBS, resources: ['*'] }, 'get *.batch'],
  ['every group', { ...GET_JOBS, apiGroups: ['*'] }, 'get jobs.*'],
  ['every path', { nonResourceURLs: ['/debug/*'], verbs: ['get'] }, 'get /debug/*'],
  ['Secrets', { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['a'] }, 'get secrets named a'],
  ['another’s name', { apiGroups: [''], resources: ['users'], verbs: ['impersonate'] }, 'impersonate users'],
])('a right on %s is never right, used or not', async (_, rule, dangerous) => {
  const found = await compare(log(event()), rbac([GET_JOBS, rule]));
  expect(found).toMatchObject({ ok: false, dangerous: [dangerous] });
  expect(found.text).toMatch(/^DANGEROUS: /m);
});

test('roles that are bound to another account are not roles of the operator', async () => {
  const theirs = clusterRole([{ ...GET_JOBS, verbs: ['*'] }], 'approver');
  const bound = binding('ClusterRoleBinding', { kind: 'ClusterRole', name: 'approver' }, { name: 'x', namespace: 'y' });
  expect(await compare(log(event()), rbac([GET_JOBS], theirs, bound))).toMatchObject({ ok: true });
});

describe('the log', () => {
  test('that was rotated is read whole', async () => {
    const file = log(event());
    writeFileSync(
      join(directory, 'audit-2026-11-21T10-00-00.000.log'),
      `${JSON.stringify(event({ verb: 'list', ...pods, ...refused }))}\n`,
    );
    writeFileSync(join(directory, 'audit-policy.log'), 'not one of them\n');
    expect((await compare(file, rbac([GET_JOBS]))).missing).toEqual([expect.stringMatching(/^list pods /)]);
  });

  test('may end in mid-line, where its server was stopped', async () => {
    const file = log(event());
    appendFileSync(file, JSON.stringify(event()).slice(0, 200));
    expect(await compare(file, rbac([GET_JOBS]))).toMatchObject({ ok: true, requests: 1 });
  });

  test('that is broken in its middle is an error', async () => {
    const file = log(`{"user":"${USER}`, event());
    await expect(compare(file, rbac([GET_JOBS]))).rejects.toThrow('audit.log:1 is no JSON');
  });

  test('without one request of the operator is an error: it is that of another suite', async () => {
    const file = log(event({ user: { username: 'alice' } }));
    await expect(compare(file, rbac([GET_JOBS]))).rejects.toThrow('holds no request of system:serviceaccount:');
  });

  test('that is not there is an error', async () => {
    await expect(compare(join(directory, 'none.log'), rbac([GET_JOBS]))).rejects.toThrow('none.log');
  });
});

describe('the manifests', () => {
  test('that bind no role to the ServiceAccount are an error', async () => {
    const file = join(directory, 'none.yaml');
    writeFileSync(file, JSON.stringify(clusterRole([GET_JOBS])));
    await expect(compare(log(event()), file)).rejects.toThrow('names capdeployjob-system/capdeployjob');
  });

  test('that bind a role which is in no file are an error', async () => {
    const more = binding('ClusterRoleBinding', { kind: 'ClusterRole', name: 'cluster-admin' });
    await expect(compare(log(event()), rbac([GET_JOBS], more))).rejects.toThrow(
      'ClusterRole cluster-admin is in no file',
    );
  });

  test('of the chat bot hold nothing dangerous; the verb that the policies ask for is in no log', async () => {
    const files = [...CHAT_BOT_ROLES, 'examples/chat/role-bindings.yaml'].map(path);
    const user = { username: `system:serviceaccount:${CHAT_BOT.namespace}:${CHAT_BOT.name}` };
    const found = await compareWithRules({
      auditLog: log(event({ user, verb: 'patch' })),
      rbacFiles: files,
      serviceAccount: CHAT_BOT,
    });
    expect(found).toMatchObject({ dangerous: [], missing: [], used: ['patch jobs.batch in deploy'] });
    expect(found.superfluous).toEqual([
      'delete jobs.batch in deploy',
      ...['get', 'list', 'patch', 'watch'].map((verb) => `${verb} capdeployjobs.capdeployjob.dev in deploy`),
    ]);
  });

  test('of the operator hold nothing dangerous', async () => {
    const found = await compare(log(event()), path('deploy/rbac.yaml'));
    expect(found).toMatchObject({ dangerous: [], missing: [], used: ['get jobs.batch'] });
    expect(found.superfluous).toContain('update capdeployjobs.capdeployjob.dev/status');
  });
});
