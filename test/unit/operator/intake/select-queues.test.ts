import { describe, expect, it } from 'vitest';
import type { CapDeployJob } from '../../../../src/api/capdeployjob.ts';
import { type QueueSelectionOptions, selectQueues } from '../../../../src/operator/intake/select-queues.ts';
import { parseAllowQueue } from '../../../../src/sqs/allow-queue.ts';
import { aCheckedResource } from '../../../kit/builders.ts';

const NONE: QueueSelectionOptions = { allowedOrigins: new Set(), allowRules: [], defaultRegion: undefined };
const URL = 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy';
const LOCAL = 'http://127.0.0.1:9324/000000000000/q';

const targetOf = (resource: CapDeployJob, options: Partial<QueueSelectionOptions> = {}) =>
  selectQueues([resource], { ...NONE, ...options }).get('deploy/web');
const queue = (changes: Record<string, unknown>) => ({ spec: { queue: { url: URL, ...changes } } });

describe('a resource is read', () => {
  it('with its queue, the region of the URL, and its own name as external id', () => {
    const roleArn = 'arn:aws:iam::123456789012:role/x';
    expect(targetOf(aCheckedResource(queue({ roleArn })))).toEqual({
      kind: 'read',
      uid: 'uid-1',
      settings: { url: URL, region: 'ap-northeast-1', roleArn, externalId: 'deploy/web' },
    });
  });

  it.each([
    ['at an allowed origin, in the region that the spec names', { region: 'eu-west-1' }, 'eu-west-1'],
    ["at an allowed origin, in the operator's region", {}, 'us-west-2'],
  ])('%s', (_, changes, region) => {
    const options = { allowedOrigins: new Set(['http://127.0.0.1:9324']), defaultRegion: 'us-west-2' };
    expect(targetOf(aCheckedResource(queue({ url: LOCAL, ...changes })), options)).toMatchObject({
      kind: 'read',
      settings: { region },
    });
  });

  it('if the dry run could not tell (Unknown)', () => {
    expect(targetOf(aCheckedResource({ templateValid: 'Unknown' }))?.kind).toBe('read');
  });

  it('if a rule lets its namespace', () => {
    const allowRules = [parseAllowQueue('deploy=arn:aws:sqs:ap-northeast-1:123456789012:web-*')];
    expect(targetOf(aCheckedResource(), { allowRules })?.kind).toBe('read');
  });
});

it('goes on being read while an edit of an accepted template is tried', () => {
  const edited = aCheckedResource({ metadata: { generation: 2 } });
  const conditions = edited.status?.conditions?.map((condition) => ({ ...condition, observedGeneration: 1 })) ?? [];
  expect(targetOf({ ...edited, status: { conditions } })?.kind).toBe('read');
});

describe('a resource is not read', () => {
  it.each<[name: string, resource: CapDeployJob, reason: string, options?: Partial<QueueSelectionOptions>]>([
    [
      'that is being deleted',
      aCheckedResource({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
      'BeingDeleted',
    ],
    ['whose spec is invalid', aCheckedResource({ spec: { environments: [] } }), 'InvalidSpec'],
    [
      'with a pattern that does not compile',
      aCheckedResource({ spec: { environments: [{ name: 'a', revisions: '(' }] } }),
      'InvalidSpec',
    ],
    [
      'whose queue URL is none',
      aCheckedResource(queue({ url: 'https://sqs.us-east-1.amazonaws.com/x' })),
      'InvalidSpec',
    ],
    ['that is suspended', aCheckedResource({ spec: { suspend: true } }), 'Suspended'],
    ['whose template was refused', aCheckedResource({ templateValid: 'False' }), 'DryRunAccepted'],
    ['whose template was not tried yet', { ...aCheckedResource(), status: {} }, 'NotChecked'],
    ['at a foreign origin', aCheckedResource(queue({ url: LOCAL })), 'QueueOriginNotAllowed'],
    [
      'without a region',
      aCheckedResource(queue({ url: LOCAL })),
      'NoRegion',
      { allowedOrigins: new Set(['http://127.0.0.1:9324']) },
    ],
    ['that no rule allows', aCheckedResource(), 'QueueNotAllowed', { allowRules: [parseAllowQueue('other=*')] }],
    [
      'whose author names another region to get past a rule',
      aCheckedResource(queue({ region: 'us-east-1' })),
      'QueueNotAllowed',
      { allowRules: [parseAllowQueue('deploy=arn:aws:sqs:us-east-1:*')] },
    ],
  ])('%s', (_, resource, reason, options) => {
    expect(targetOf(resource, options)).toEqual({ kind: 'off', reason, message: expect.any(String) });
  });
});

describe('of two resources with one queue', () => {
  const older = (changes: Parameters<typeof aCheckedResource>[0] = {}) =>
    aCheckedResource({
      ...changes,
      metadata: { name: 'api', uid: 'uid-9', creationTimestamp: '2025-01-01T00:00:00Z', ...changes.metadata },
    });
  const kinds = (...resources: CapDeployJob[]) =>
    Object.fromEntries(
      [...selectQueues(resources, NONE)].map(([key, target]) => [key, target.kind === 'off' ? target.reason : 'read']),
    );

  it('the younger is off and is told which is the older', () => {
    expect(kinds(aCheckedResource(), older())).toEqual({ 'deploy/api': 'read', 'deploy/web': 'QueueShared' });
    const target = selectQueues([aCheckedResource(), older()], NONE).get('deploy/web');
    expect(target).toMatchObject({ message: expect.stringContaining('deploy/api') });
  });

  it('also if they write the host in two ways', () => {
    const legacy = queue({ url: 'https://ap-northeast-1.queue.amazonaws.com/123456789012/web-deploy' });
    expect(kinds(aCheckedResource(legacy), older())).toMatchObject({ 'deploy/web': 'QueueShared' });
  });

  it('the one with the lesser uid counts as older if both are of the same second', () => {
    const twin = aCheckedResource({ metadata: { name: 'api', uid: 'uid-0' } });
    expect(kinds(aCheckedResource(), twin)).toEqual({ 'deploy/api': 'read', 'deploy/web': 'QueueShared' });
  });

  it('a suspended older one keeps its queue', () => {
    expect(kinds(aCheckedResource(), older({ spec: { suspend: true } }))).toMatchObject({
      'deploy/web': 'QueueShared',
    });
  });

  it.each([
    ['is being deleted', older({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    ['has an invalid spec', older({ spec: { tasks: [] } })],
  ])('an older one that %s does not keep it', (_, resource) => {
    expect(kinds(aCheckedResource(), resource)).toMatchObject({ 'deploy/web': 'read' });
  });
});
