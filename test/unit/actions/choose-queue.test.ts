import { describe, expect, it } from 'vitest';
import { chooseQueue } from '../../../src/actions/choose-queue.ts';
import type { CapDeployJob } from '../../../src/api/capdeployjob.ts';
import { parseAllowQueue } from '../../../src/sqs/allow-queue.ts';
import type { QueueRules } from '../../../src/sqs/check-queues.ts';
import { aCheckedResource } from '../../kit/builders.ts';

const NONE: QueueRules = { allowedOrigins: new Set(), allowRules: [], defaultRegion: undefined };
const URL = 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy';
const LOCAL = 'http://127.0.0.1:9324/000000000000/q';
const WEB = { namespace: 'deploy', name: 'web' };

const choose = (resources: readonly CapDeployJob[], rules: Partial<QueueRules> = {}, target = WEB) =>
  chooseQueue(resources, target, { ...NONE, ...rules });
const withQueue = (queue: Record<string, unknown>, metadata: object = {}) =>
  aCheckedResource({ spec: { queue: { url: URL, ...queue } }, metadata });

describe('the queue of a resource', () => {
  it('is the one that the operator reads, as it reads it', () => {
    const roleArn = 'arn:aws:iam::123456789012:role/x';
    const web = withQueue({ roleArn });
    expect(choose([web])).toEqual({
      resource: web,
      settings: { url: URL, region: 'ap-northeast-1', roleArn, externalId: 'deploy/web' },
      fifo: false,
      notes: [],
    });
  });

  it('is a FIFO queue if its name says so', () => {
    expect(choose([withQueue({ url: `${URL}.fifo` })]).fifo).toBe(true);
  });
});

describe('somebody who may create a CapDeployJob elsewhere', () => {
  const victim = aCheckedResource();
  const attacker = (queue: Record<string, unknown>, metadata: object = {}) =>
    withQueue(queue, {
      ...{ namespace: 'elsewhere', uid: 'uid-2', creationTimestamp: '2026-09-01T00:00:00Z' },
      ...metadata,
    });
  const THEIRS = { namespace: 'elsewhere', name: 'web' };

  it('cannot have anything sent to the queue of an older resource', () => {
    expect(() => choose([attacker({}), victim], {}, THEIRS)).toThrow(
      'nothing can be sent for elsewhere/web (QueueShared): the queue is that of CapDeployJob deploy/web',
    );
    expect(choose([attacker({}), victim]).settings.externalId).toBe('deploy/web');
  });

  it('nor by another URL of that queue', () => {
    const legacy = attacker({ url: 'https://ap-northeast-1.queue.amazonaws.com/123456789012/web-deploy' });
    expect(() => choose([legacy, victim], {}, THEIRS)).toThrow('QueueShared');
  });

  it('cannot have signed requests sent to a server of his own', () => {
    const foreign = attacker({ url: 'https://sqs.ap-northeast-1.amazonaws.com.evil.example/123456789012/web-deploy' });
    expect(() => choose([foreign, victim], {}, THEIRS)).toThrow(/QueueOriginNotAllowed.*evil\.example/);
  });

  it('cannot use a queue that no rule gives to his namespace', () => {
    const allowRules = [parseAllowQueue('deploy=arn:aws:sqs:*:123456789012:*')];
    expect(() => choose([attacker({ url: `${URL}-2` }), victim], { allowRules }, THEIRS)).toThrow('QueueNotAllowed');
  });

  it('cannot pass for a resource of the same name in another namespace', () => {
    expect(() => choose([attacker({ url: `${URL}-2` })])).toThrow('there is no CapDeployJob deploy/web');
  });

  it('does not keep others from their queue by a resource that may not have it', () => {
    const older = attacker({}, { creationTimestamp: '2020-01-01T00:00:00Z' });
    const allowRules = [parseAllowQueue('deploy=arn:aws:sqs:*:123456789012:*')];
    expect(choose([older, victim], { allowRules }).settings.url).toBe(URL);
  });
});

describe('nothing is sent', () => {
  it.each<[string, CapDeployJob, Partial<QueueRules>, string]>([
    ['for a resource that is being deleted', withQueue({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), {}, 'Being'],
    ['if the spec is invalid', aCheckedResource({ spec: { environments: [] } }), {}, 'InvalidSpec'],
    ['if the URL is none', withQueue({ url: 'https://sqs.us-east-1.amazonaws.com/x' }), {}, 'spec.queue.url'],
    ['to a foreign origin', withQueue({ url: LOCAL }), {}, 'this program needs the same --allow-queue-origin'],
    ['if no rule allows it', withQueue({}), { allowRules: [parseAllowQueue('x=*')] }, 'the same --allow-queue as'],
    [
      'if the region is not known',
      withQueue({ url: LOCAL }),
      { allowedOrigins: new Set(['http://127.0.0.1:9324']) },
      'the same AWS_REGION as the operator',
    ],
  ])('%s', (_, resource, rules, words) => {
    expect(() => choose([resource], rules)).toThrow(
      expect.objectContaining({ kind: 'refused', message: expect.stringContaining(words) }),
    );
  });

  const edited = (status: object | undefined) =>
    ({ ...withQueue({ url: `${URL}-2` }, { generation: 2 }), status }) as CapDeployJob;
  const judged = { observedGeneration: 1, conditions: [] };

  it.each<[string, object | undefined]>([
    ['since it was made', undefined],
    ['since it was made, though something else is known of it', { conditions: [] }],
    ['since it was changed', judged],
  ])('if the operator has not looked at the resource %s: its queue may be anybody’s', (_, status) => {
    expect(() => choose([edited(status)])).toThrow(
      expect.objectContaining({
        kind: 'refused',
        message:
          'nothing can be sent for deploy/web: it was made or changed a moment ago, and the operator has not checked it yet; try again in a few seconds, and see whether the operator runs if this stays so',
      }),
    );
  });

  it('to the queue of a resource without a generation: no operator can have judged it', () => {
    const { metadata, ...rest } = aCheckedResource();
    const { generation: _, ...without } = metadata;
    expect(() => choose([{ ...rest, metadata: without, status: {} } as CapDeployJob])).toThrow('has not checked it');
  });

  it('for a resource that is not there', () => {
    expect(() => choose([aCheckedResource()], {}, { ...WEB, name: 'api' })).toThrow(
      expect.objectContaining({ kind: 'notFound', message: expect.stringContaining('deploy/api') }),
    );
  });
});

it('an operator that is down has judged the resource before: it is sent, as nothing has changed since', () => {
  const resource = aCheckedResource({ metadata: { generation: 7, resourceVersion: '900' } });
  expect(choose([resource]).settings.url).toBe((resource.spec as { queue: { url: string } }).queue.url);
});

describe('a message that may lie in the queue is sent with a note', () => {
  const reasons = (resource: CapDeployJob) => choose([resource]).notes.map(({ reason }) => reason);

  it('if the resource is suspended', () => {
    const { notes } = choose([aCheckedResource({ spec: { suspend: true } })]);
    expect(notes).toEqual([
      { reason: 'Suspended', message: 'spec.suspend is true: the queue is not read until that is changed' },
    ]);
  });

  it('if a condition says that the queue is not read, once for all conditions that say the same', () => {
    const resource = aCheckedResource();
    const conditions = [
      { type: 'Ready', status: 'False', reason: 'AccessDenied', message: 'no' },
      { type: 'QueueReachable', status: 'False', reason: 'AccessDenied', message: 'no' },
      { type: 'TemplateValid', status: 'False', reason: 'DryRunRefused', message: 'bad' },
      { type: 'LastDeploySucceeded', status: 'False', reason: 'DeployFailed', message: 'production: Failed' },
    ].map((each) => ({ ...each, lastTransitionTime: '2026-01-01T00:00:00Z' }));
    expect(reasons({ ...resource, status: { ...resource.status, conditions } as never })).toEqual([
      'AccessDenied',
      'DryRunRefused',
    ]);
  });

  it('and with none if it is read, or not yet', () => {
    expect(reasons(aCheckedResource())).toEqual([]);
    expect(reasons(aCheckedResource({ templateValid: 'Unknown' }))).toEqual([]);
  });
});
