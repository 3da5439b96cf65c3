import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from 'in-memory-kubernetes/http/faults.ts';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SECRETS } from '../../../src/kube/client.ts';
import { dockerData, hastyClock, PULL_SECRET_TYPE, REGISTRY, Rig, target } from './rig.ts';

/** What AWS and the API server may do to a run, and that the old token stays in place. */

let rig: Rig;
beforeEach(async () => {
  rig = await Rig.start();
});
afterEach(() => rig.stop());

const LIMIT_MS = 60_000;

/** A clock on which the limit of a run comes when the test says so. */
function clockWithLimit() {
  let limit = (): void => {};
  const clock = {
    ...hastyClock,
    setTimeout(callback: () => void, ms: number): unknown {
      if (ms !== LIMIT_MS) return hastyClock.setTimeout(callback, ms);
      limit = callback;
      return undefined;
    },
  };
  return { clock, limit: () => limit() };
}

const ROLE = { roleArn: 'arn:aws:iam::210987654321:role/pull', externalId: 'ours' };
const EXPIRED =
  'the AWS credentials have expired: renew the session (aws sso login), keys or web identity token that this program was given';
const asked = () => rig.aws.requests.filter(({ action }) => action === 'GetAuthorizationToken').length;

describe('AWS in passing trouble: tried again until there is a token', () => {
  test.each([
    ['throttling', { status: 400, code: 'ThrottlingException', message: 'Rate exceeded' }],
    ['a server error', { status: 500, code: 'ServerException' }],
    ['a gateway that is down', { status: 503, code: 'ServiceUnavailable' }],
    ['a connection that ends', { drop: true }],
    ['a proxy that answers in its place', { html: true, status: 403 }],
  ])('%s, five times', async (_, fault) => {
    rig.aws.faults = Array.from({ length: 5 }, () => fault);
    expect(await rig.run()).toBe(0);
    expect((await rig.docker()).auths[REGISTRY]?.password).toBe(rig.aws.passwords[0]);
  });

  test('throttling of AssumeRole', async () => {
    rig.aws.faults = Array.from({ length: 5 }, () => ({
      action: 'AssumeRole' as const,
      status: 400,
      code: 'Throttling',
    }));
    expect(await rig.run([target({ role: ROLE })])).toBe(0);
  });
});

describe('AWS in lasting trouble: told in one line that says what to do, and not tried for ever', () => {
  test.each([
    ['throttling', { status: 400, code: 'ThrottlingException' }, 'AWS asks for fewer requests (ThrottlingException)'],
    [
      'a server error',
      { status: 500, code: 'ServerException' },
      'ECR or STS cannot be reached: check network, DNS, HTTPS_PROXY and NO_PROXY, and NODE_EXTRA_CA_CERTS (ServerException)',
    ],
    [
      'a proxy that answers in its place',
      { html: true, status: 407 },
      'ECR or STS cannot be reached: check network, DNS, HTTPS_PROXY and NO_PROXY, and NODE_EXTRA_CA_CERTS; something else answered in its place, with HTTP status 407',
    ],
  ])('%s', async (_, fault, words) => {
    rig.aws.faults = Array.from({ length: 100 }, () => fault);
    expect(await rig.run()).toBe(1);
    expect(rig.said).toEqual([`targets[0] (ecr-pull-secret): no token from ECR in ap-northeast-1: ${words}`]);
    // Seven tries; what it takes for passing the SDK itself does twice each time.
    expect(asked()).toBe('html' in fault ? 7 : 14);
  });

  test.each([
    [
      'expired credentials',
      {
        status: 400,
        code: 'ExpiredTokenException',
        message: 'The security token included in the request is expired: hush',
      },
      `${EXPIRED} (ExpiredTokenException)`,
    ],
    [
      'unknown keys',
      { status: 400, code: 'UnrecognizedClientException', message: 'The security token hush is invalid' },
      /^AWS refuses the credentials, .* \(UnrecognizedClientException\)$/,
    ],
    [
      'no right to ask for a token',
      {
        status: 400,
        code: 'AccessDeniedException',
        message: 'User: arn:x is not authorized to perform: ecr:GetAuthorizationToken',
      },
      /; AWS says: User: arn:x is not authorized to perform: ecr:GetAuthorizationToken$/,
    ],
    [
      'a request that ECR does not take',
      { status: 400, code: 'InvalidParameterException', message: 'hush' },
      'AWS refused the request (InvalidParameterException)',
    ],
  ])('%s is not tried again', async (_, fault, words) => {
    rig.aws.faults = [fault];
    expect(await rig.run()).toBe(1);
    const [line = ''] = rig.said;
    expect(line.replace('targets[0] (ecr-pull-secret): no token from ECR in ap-northeast-1: ', '')).toEqual(
      typeof words === 'string' ? words : expect.stringMatching(words),
    );
    expect(asked()).toBe(1);
    expect(JSON.stringify(rig.lines)).not.toContain('hush');
  });

  test('a role that may not be assumed', async () => {
    const message =
      'User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/pull';
    rig.aws.faults = [{ action: 'AssumeRole', status: 403, code: 'AccessDenied', message }];
    expect(await rig.run([target({ role: ROLE })])).toBe(1);
    expect(rig.said).toEqual([
      expect.stringMatching(
        /the trust policy of the role must name this principal, .*; AWS says: User: .* sts:AssumeRole/,
      ),
    ]);
    expect(asked()).toBe(0);
  });

  test('no credentials anywhere', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
    expect(await rig.run()).toBe(1);
    expect(rig.said).toEqual([
      expect.stringMatching(/no AWS credentials were found: give the Pod static keys, an IAM role/),
    ]);
  });

  const SESSION = '[sso-session work]\nsso_start_url = https://x.example/start\nsso_region = eu-west-1\n';
  const ACCOUNT = 'sso_account_id = 123456789012\nsso_role_name = pull\n';
  test.each([
    ['a session', `[default]\nsso_session = work\n${ACCOUNT}${SESSION}`, 'work'],
    [
      'a profile',
      `[default]\nsso_start_url = https://x.example/start\nsso_region = eu-west-1\n${ACCOUNT}`,
      'https://x.example/start',
    ],
    ['a session that was never begun', `[default]\nsso_session = work\n${ACCOUNT}${SESSION}`, undefined],
  ])('a sign-in by SSO that is over, of %s', async (_, config, cached) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    const home = mkdtempSync(join(tmpdir(), 'capdeployjob-sso-'));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const cache = join(home, '.aws', 'sso', 'cache');
    mkdirSync(cache, { recursive: true });
    const token = { accessToken: 'hush', expiresAt: '2026-01-01T00:00:00Z' };
    if (cached !== undefined) writeFileSync(join(cache, `${hash('sha1', cached)}.json`), JSON.stringify(token));
    writeFileSync(join(home, '.aws', 'config'), config);
    vi.stubEnv('HOME', home);
    vi.stubEnv('AWS_CONFIG_FILE', join(home, '.aws', 'config'));
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    expect(await rig.run()).toBe(1);
    expect(rig.said).toEqual([
      `targets[0] (ecr-pull-secret): no token from ECR in ap-northeast-1: ${EXPIRED} (CredentialsProviderError)`,
    ]);
    expect(asked()).toBe(0);
    expect(JSON.stringify(rig.lines)).not.toContain('hush');
  });

  test.each([
    ['is over', -3_600],
    ['is good for longer than any is', 31 * 86_400],
  ])('a token that %s is not taken: the Secret keeps the one that it has', async (_, seconds) => {
    await rig.run();
    const before = await rig.secret();
    rig.aws.options.authorizationData = [
      {
        authorizationToken: Buffer.from('AWS:another').toString('base64'),
        expiresAt: Math.floor(Date.now() / 1000) + seconds,
        proxyEndpoint: 'https://123456789012.dkr.ecr.ap-northeast-1.amazonaws.com',
      },
    ];
    expect(await rig.run()).toBe(1);
    expect(rig.said.at(-1)).toMatch(/whose time is not the next 12 hours .*: is the clock of this machine right\?$/);
    expect(await rig.secret()).toEqual(before);
  });

  test('an answer that is no answer', async () => {
    rig.aws.options.authorizationData = [];
    expect(await rig.run()).toBe(1);
    expect(rig.said).toEqual([expect.stringMatching(/ECR answered without any authorizationData$/)]);
  });

  test('an AWS that never answers: the run ends at its limit', async () => {
    const { clock, limit } = clockWithLimit();
    const { promise, resolve } = Promise.withResolvers<void>();
    rig.aws.onRequest = () => {
      limit();
      return promise;
    };
    expect(await rig.run([target()], { clock, limitMs: LIMIT_MS })).toBe(1);
    resolve();
    expect(rig.said).toEqual([
      'targets[0] (ecr-pull-secret): no token from ECR in ap-northeast-1: not done within the 60 s that a run may take',
    ]);
  });

  test('the old token stays in place', async () => {
    await rig.run();
    const before = await rig.secret();
    rig.aws.faults = [{ status: 400, code: 'AccessDeniedException' }];
    expect(await rig.run()).toBe(1);
    expect(await rig.secret()).toEqual(before);
    expect(rig.lines.at(-1)?.text).toMatch(/1 failed: where it failed, the old token stays in place until it expires$/);
  });

  test('one account in trouble does not stop the others', async () => {
    rig.aws.faults = [{ action: 'AssumeRole', status: 403, code: 'AccessDenied' }];
    expect(await rig.run([target({ role: ROLE, secretName: 'theirs' }), target({ label: 'targets[1]' })])).toBe(1);
    expect(await rig.secret()).toBeDefined();
  });
});

const status = (code: number, reason: string, message = reason, details = {}): Fault => ({
  status: code,
  body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, details },
});

/** Plays the faults at requests of this verb on Secrets, one after the other. */
function play(verb: 'get' | 'create' | 'patch', ...faults: Fault[]): void {
  rig.cluster.http.intercept = ({ resource }) =>
    resource?.plural === 'secrets' && resource.verb === verb ? faults.shift() : undefined;
}

describe('the API server in passing trouble', () => {
  test.each([
    ['a read is throttled', 'get', status(429, 'TooManyRequests', 'slow down', { retryAfterSeconds: 1 })],
    ['a read fails', 'get', status(500, 'InternalError')],
    ['a create fails before it takes effect', 'create', status(503, 'ServiceUnavailable')],
    ['a create takes effect and its answer is lost', 'create', { drop: true, when: 'after' }],
    ['a create takes effect and a proxy answers 504', 'create', { ...status(504, 'Timeout'), when: 'after' }],
  ] as [string, 'get' | 'create', Fault][])('%s', async (_, verb, fault) => {
    play(verb, fault);
    expect(await rig.run()).toBe(0);
    expect((await rig.docker()).auths[REGISTRY]?.password).toBe(rig.aws.passwords[0]);
  });

  test.each([
    ['a patch fails before it takes effect', { drop: true }],
    ['a patch takes effect and its answer is lost', { drop: true, when: 'after' }],
  ] as [string, Fault][])('%s', async (_, fault) => {
    const before = await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', {
      type: PULL_SECRET_TYPE,
      data: dockerData({ auths: {} }),
    });
    play('patch', fault);
    expect(await rig.run()).toBe(0);
    expect((await rig.secret()).metadata.uid).toBe(before.metadata.uid);
    expect((await rig.docker()).auths[REGISTRY]?.password).toBe(rig.aws.passwords[0]);
  });
});

describe('somebody else moves at the same moment', () => {
  /** Does something once, just before the refresher's request of this verb on Secrets is served. */
  function justBefore(verb: 'create' | 'patch', act: () => Promise<unknown>): void {
    let done = false;
    rig.cluster.http.intercept = async ({ resource }) => {
      if (done || resource?.plural !== 'secrets' || resource.verb !== verb) return undefined;
      done = true;
      await act();
      return undefined;
    };
  }
  const theirs = { type: PULL_SECRET_TYPE, data: dockerData({ auths: { 'docker.io': { auth: 'eDp5' } } }) };

  test('and creates the Secret first: both entries are in it', async () => {
    justBefore('create', () => rig.create(SECRETS, 'deploy', 'ecr-pull-secret', theirs));
    expect(await rig.run()).toBe(0);
    expect(Object.keys((await rig.docker()).auths)).toEqual(['docker.io', REGISTRY]);
    expect(rig.said).toEqual([expect.stringMatching(/: patched, /)]);
  });

  test('and adds a registry to it: both entries are in it', async () => {
    const { metadata } = await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', {
      ...theirs,
      data: dockerData({ auths: {} }),
    });
    justBefore('patch', () => {
      const { uid = '', resourceVersion = '' } = metadata;
      return rig.kube.patch(SECRETS, 'deploy', 'ecr-pull-secret', { uid, resourceVersion }, { data: theirs.data });
    });
    expect(await rig.run()).toBe(0);
    expect(Object.keys((await rig.docker()).auths)).toEqual(['docker.io', REGISTRY]);
  });

  test('and deletes it: it is made anew', async () => {
    const { metadata } = await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', theirs);
    justBefore('patch', async () => {
      const { uid = '', resourceVersion = '' } = metadata;
      await rig.kube.delete(SECRETS, 'deploy', 'ecr-pull-secret', { uid, resourceVersion });
    });
    expect(await rig.run()).toBe(0);
    expect(rig.said).toEqual([expect.stringMatching(/: created, /)]);
    expect(Object.keys((await rig.docker()).auths)).toEqual([REGISTRY]);
  });

  test('without end: given up after eight tries, and said', async () => {
    await rig.create(SECRETS, 'deploy', 'ecr-pull-secret', theirs);
    play('patch', ...Array.from({ length: 100 }, () => status(409, 'Conflict')));
    expect(await rig.run()).toBe(1);
    expect(rig.said).toEqual([
      'targets[0] deploy/ecr-pull-secret: Secret deploy/ecr-pull-secret was changed by somebody else each time that this program wrote to it: find out who',
    ]);
    expect(rig.cluster.requests.count({ verb: 'patch', plural: 'secrets' })).toBe(8);
  });
});

describe('the API server in lasting trouble', () => {
  test("a missing right is said with the server's words, is not tried again, and stops no other namespace", async () => {
    await rig.namespace('other');
    const message =
      'secrets "ecr-pull-secret" is forbidden: User "x" cannot get resource "secrets" in API group "" in the namespace "deploy"';
    rig.cluster.http.intercept = ({ resource }) =>
      resource?.namespace === 'deploy' ? status(403, 'Forbidden', message) : undefined;
    expect(await rig.run([target({ namespaces: ['deploy', 'other'] })])).toBe(1);
    expect(rig.said.find((line) => line.includes('deploy/'))).toBe(
      `targets[0] deploy/ecr-pull-secret: a right is missing or a policy refuses it (see deploy/ecr-login): Forbidden: ${message}`,
    );
    expect(rig.cluster.requests.count({ verb: 'get', namespace: 'deploy' })).toBe(1);
    expect(await rig.secret('other')).toBeDefined();
  });

  test('one that stays down: given up after eight tries', async () => {
    play('get', ...Array.from({ length: 100 }, () => status(503, 'ServiceUnavailable')));
    expect(await rig.run()).toBe(1);
    expect(rig.said).toEqual(['targets[0] deploy/ecr-pull-secret: ServiceUnavailable: ServiceUnavailable']);
    expect(rig.cluster.requests.count({ verb: 'get', plural: 'secrets' })).toBe(8);
  });

  test('one that never answers: the run ends at its limit, and says so for each namespace', async () => {
    await rig.namespace('other');
    const { clock, limit } = clockWithLimit();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let waiting = 0;
    rig.cluster.http.intercept = () => {
      waiting += 1;
      if (waiting === 2) limit();
      return promise;
    };
    expect(await rig.run([target({ namespaces: ['deploy', 'other'] })], { clock, limitMs: LIMIT_MS })).toBe(2);
    resolve(undefined);
    expect(rig.said.sort()).toEqual(
      ['deploy', 'other'].map(
        (name) => `targets[0] ${name}/ecr-pull-secret: not done within the 60 s that a run may take`,
      ),
    );
  });

  test('a run that is stopped says for each namespace that it was', async () => {
    const stop = new AbortController();
    rig.aws.onRequest = () => stop.abort(new Error('stopped by SIGTERM'));
    expect(await rig.run([target()], { signal: stop.signal })).toBe(1);
    expect(rig.said).toEqual(['targets[0] (ecr-pull-secret): no token from ECR in ap-northeast-1: stopped by SIGTERM']);
  });
});
