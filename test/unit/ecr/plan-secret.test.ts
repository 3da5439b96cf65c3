import { describe, expect, test } from 'vitest';
import { planSecret, Refused, type Secret } from '../../../src/ecr/plan-secret.ts';
import { dockerData, PULL_SECRET_TYPE } from './rig.ts';

const now = new Date('2026-11-05T16:23:05.678Z');
const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const login = (host = HOST, expiresAt = '2026-11-06T04:23:05.678Z') => ({
  host,
  username: 'AWS',
  password: 'hush',
  expiresAt: new Date(expiresAt),
});
const entry = { username: 'AWS', password: 'hush', auth: Buffer.from('AWS:hush').toString('base64') };
const wanted = { namespace: 'deploy', name: 'ecr', logins: [login()], now };

function secret(more: Partial<Secret> = {}, annotations: Record<string, string> = {}): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'deploy', name: 'ecr', uid: 'u1', resourceVersion: '7', annotations },
    type: PULL_SECRET_TYPE,
    data: dockerData({ auths: {} }),
    ...more,
  };
}

test('if there is none it is created whole: type, content, label and annotations in one write', () => {
  expect(planSecret(undefined, wanted)).toEqual({
    action: 'create',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        namespace: 'deploy',
        name: 'ecr',
        labels: { 'app.kubernetes.io/managed-by': 'capdeployjob' },
        annotations: {
          'capdeployjob.dev/expires-at': '2026-11-06T04:23:05Z',
          'capdeployjob.dev/refreshed-at': '2026-11-05T16:23:05Z',
          'capdeployjob.dev/registries': JSON.stringify({ [HOST]: '2026-11-06T04:23:05Z' }),
        },
      },
      type: PULL_SECRET_TYPE,
      data: dockerData({ auths: { [HOST]: entry } }),
    },
  });
});

test('if there is one only its content and our annotations are patched, under the version that was read', () => {
  const existing = secret({ data: { ...dockerData({ auths: { 'docker.io': { auth: 'eDp5' } } }), other: 'eA==' } });
  expect(planSecret(existing, wanted)).toEqual({
    action: 'patch',
    preconditions: { uid: 'u1', resourceVersion: '7' },
    patch: {
      metadata: {
        annotations: {
          'capdeployjob.dev/expires-at': '2026-11-06T04:23:05Z',
          'capdeployjob.dev/refreshed-at': '2026-11-05T16:23:05Z',
          'capdeployjob.dev/registries': JSON.stringify({ [HOST]: '2026-11-06T04:23:05Z' }),
        },
      },
      data: dockerData({ auths: { 'docker.io': { auth: 'eDp5' }, [HOST]: entry } }),
    },
  });
});

describe('what must not be touched is refused, by name, with a way out and without a word of its content', () => {
  test.each([
    [
      'another type',
      secret({ type: 'Opaque', data: { password: 'aHVzaA==' } }),
      'Secret deploy/ecr has type Opaque, not kubernetes.io/dockerconfigjson, and a type cannot be changed: choose another secretName, or delete this one yourself',
    ],
    [
      'the older type of pull Secrets',
      secret({ type: 'kubernetes.io/dockercfg' }),
      'Secret deploy/ecr has type kubernetes.io/dockercfg, not kubernetes.io/dockerconfigjson, and a type cannot be changed: choose another secretName, or delete this one yourself',
    ],
    [
      'an immutable one',
      secret({ immutable: true }),
      'Secret deploy/ecr is immutable: choose another secretName, or delete this one yourself',
    ],
    [
      'one whose content is no Docker config',
      secret({ data: dockerData('["hush"]') }),
      'Secret deploy/ecr holds something else than a Docker config.json in .dockerconfigjson (it is no JSON object): mend it, or choose another secretName',
    ],
    [
      'one that is being deleted',
      secret({ metadata: { ...secret().metadata, deletionTimestamp: '2026-11-05T16:00:00Z' } }),
      'Secret deploy/ecr is being deleted and waits for its finalizers: let them finish, the next run makes it anew',
    ],
  ])('%s', (_, existing, message) => {
    expect(() => planSecret(existing, wanted)).toThrow(new Refused(message));
    expect(message).not.toContain('hush');
  });
});

describe('expires-at is when the first token that we keep in the Secret ends', () => {
  const OTHER = '210987654321.dkr.ecr.eu-west-1.amazonaws.com';
  const shared = (at: string, auths: object = { [OTHER]: {} }) =>
    secret({ data: dockerData({ auths }) }, { 'capdeployjob.dev/registries': JSON.stringify({ [OTHER]: at }) });

  test.each([
    ['of several new ones', secret(), [login(), login('b', '2026-11-06T01:00:00Z')], '2026-11-06T01:00:00Z'],
    ['one that another target keeps counts', shared('2026-11-05T20:00:00Z'), [login()], '2026-11-05T20:00:00Z'],
    ['even when it has already ended', shared('2026-11-05T10:00:00Z'), [login()], '2026-11-05T10:00:00Z'],
    [
      'but not a day after that: no target keeps it any more',
      shared('2026-11-04T16:00:00Z'),
      [login()],
      '2026-11-06T04:23:05Z',
    ],
    ['nor one whose entry is gone', shared('2026-11-05T20:00:00Z', {}), [login()], '2026-11-06T04:23:05Z'],
    ['a newer token for it replaces the older', shared('2026-11-05T20:00:00Z'), [login(OTHER)], '2026-11-06T04:23:05Z'],
    [
      'an annotation that people spoilt is made anew',
      secret({}, { 'capdeployjob.dev/registries': '[1]{' }),
      [login()],
      '2026-11-06T04:23:05Z',
    ],
    ...['5 November 2026 20:00 UTC', '2026-11-05T20:00:00', '2026-11-05 20:00:00Z'].map(
      (at): [string, Secret, ReturnType<typeof login>[], string] => [
        `what only looks like a time does not count: ${at}`,
        shared(at),
        [login()],
        '2026-11-06T04:23:05Z',
      ],
    ),
    [
      'one of another shape too',
      secret({}, { 'capdeployjob.dev/registries': '{"a":1,"b":"x"}' }),
      [login()],
      '2026-11-06T04:23:05Z',
    ],
  ])('%s', (_, existing, logins, expected) => {
    const plan = planSecret(existing, { ...wanted, logins });
    const annotations = plan.action === 'patch' && plan.patch.metadata.annotations;
    expect(annotations).toMatchObject({ 'capdeployjob.dev/expires-at': expected });
  });
});
