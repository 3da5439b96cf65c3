/**
 * The faults that `isolation.ts` puts into one resource, beside the healthy ones. Each is there from `start` on, at its
 * worst at once: what its queue holds was sent before its resource is made.
 */
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import type { AdmissionCheck } from 'in-memory-kubernetes/store/admission.ts';
import { ApiError, forbidden } from 'in-memory-kubernetes/store/api-error.ts';
import type { LocalSqsOptions } from '../dev/local-sqs.ts';
import { CAPDEPLOYJOBS } from '../src/api/names.ts';
import { pause, type Rig, until } from './rig.ts';

/** Of the resource that has the fault, and of its queue. */
export const FAULTY = 'faulty';

export interface Fault {
  readonly name: string;
  /** What the queue's server does with requests about the faulty queue. */
  readonly intercept?: NonNullable<LocalSqsOptions['intercept']>;
  /** Before the resource is made, and while nothing is measured. */
  prepare?(rig: Rig): Promise<void>;
  spec?: Record<string, unknown>;
  /** After the resource was made, and before anything is measured. */
  settle?(rig: Rig): Promise<void>;
  /** Comes again and again while it is measured. @returns after each time. */
  everySecond?(rig: Rig, second: number): Promise<void>;
  /** Refuses what the faulty resource writes. */
  admission?: AdmissionCheck;
}

const valid = (index: number, environment = 'production') =>
  JSON.stringify({ repository: 'bench', environment, revision: `f${index}` });

/** All kinds of what no deploy can be made of; some are long, and some come close to being right. */
const hostile = (index: number): string =>
  [
    'not JSON at all',
    `{"repository":"bench","environment":"production","revision":"$(touch /tmp/${index})"}`,
    `{"repository":"bench","environment":"nowhere","revision":"v${index}"}`,
    '['.repeat(20_000),
    JSON.stringify({ repository: 'bench', environment: 'production', revision: 'a'.repeat(60_000) }),
    `{${Array.from({ length: 2000 }, (_, key) => `"key${key}":${key}`).join(',')}}`,
    '\u202e\ud7ff\t'.repeat(500),
    `"${'\\\\'.repeat(10_000)}`,
  ][index % 8] as string;

export async function fill(rig: Rig, count: number, body: (index: number) => string): Promise<void> {
  const QueueUrl = rig.queueUrl(FAULTY);
  for (let sent = 0; sent < count; sent += 10) {
    const Entries = Array.from({ length: Math.min(10, count - sent) }, (_, i) => ({
      Id: String(i),
      MessageBody: body(sent + i),
    }));
    const { Failed } = await rig.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    if (Failed?.length) throw new Error(`could not fill the queue: ${JSON.stringify(Failed[0])}`);
  }
}

const createQueue = async (rig: Rig, attributes: Record<string, string> = {}) =>
  void (await rig.sqs.send(new CreateQueueCommand({ QueueName: FAULTY, Attributes: attributes })));

async function withRedrive(rig: Rig): Promise<void> {
  await rig.sqs.send(new CreateQueueCommand({ QueueName: `${FAULTY}-dead` }));
  const { Attributes } = await rig.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: rig.queueUrl(`${FAULTY}-dead`), AttributeNames: ['QueueArn'] }),
  );
  const RedrivePolicy = JSON.stringify({ maxReceiveCount: 3, deadLetterTargetArn: Attributes?.QueueArn });
  await createQueue(rig, { RedrivePolicy });
}

/**
 * Only what is really stored is refused: a dry run passes, as with a webhook that looks at what a template does not
 * say.
 */
const refuseJobs =
  (refuse: AdmissionCheck): AdmissionCheck =>
  (request) => {
    const { operation, type, object, dryRun } = request;
    const isFaulty = object.metadata.labels?.['capdeployjob.dev/name'] === FAULTY;
    if (operation === 'CREATE' && type.plural === 'jobs' && isFaulty && !dryRun) refuse(request);
  };

const sendOne = async (rig: Rig, index: number) =>
  void (await rig.sqs.send(
    new SendMessageCommand({ QueueUrl: rig.queueUrl(FAULTY), MessageBody: valid(index, `lane-${index % 10}`) }),
  ));

const frozenLanes = Array.from({ length: 10 }, (_, index) => ({ name: `lane-${index}`, suspend: true }));

export const FAULTS: readonly Fault[] = [
  {
    name: 'queue does not exist',
    prepare: (rig) => rig.sqs.send(new DeleteQueueCommand({ QueueUrl: rig.queueUrl(FAULTY) })).then(() => pause(0)),
  },
  { name: 'access denied', intercept: async () => ({ status: 403, code: 'AccessDenied' }) },
  { name: 'endpoint hangs', intercept: () => new Promise(() => {}) },
  {
    name: 'endpoint answers after 10 s',
    prepare: (rig) => fill(rig, 200, (index) => (index % 2 ? hostile(index) : valid(index))),
    intercept: async () => void (await pause(10_000)),
  },
  { name: 'backlog of 5,000', prepare: (rig) => fill(rig, 5000, (index) => valid(index)) },
  { name: 'flood of 5,000 poison messages', prepare: (rig) => fill(rig, 5000, hostile) },
  {
    name: 'flood of 5,000 poison messages, redrive policy',
    prepare: async (rig) => {
      await rig.sqs.send(new DeleteQueueCommand({ QueueUrl: rig.queueUrl(FAULTY) }));
      await withRedrive(rig);
      await fill(rig, 5000, hostile);
    },
  },
  {
    name: 'Jobs are refused (422)',
    prepare: (rig) => fill(rig, 100, (index) => valid(index)),
    admission: refuseJobs(() => {
      throw new ApiError(422, 'Invalid', 'admission webhook "deny.example.com" denied the request');
    }),
  },
  {
    name: 'Jobs are refused (403, quota)',
    prepare: (rig) => fill(rig, 100, (index) => valid(index)),
    admission: refuseJobs(({ type, object }) => {
      throw forbidden(type, object.metadata.name, 'exceeded quota: jobs, requested: 1, used: 0, limited: 0');
    }),
  },
  {
    name: '1,000 requests wait, and one comes each second',
    prepare: (rig) => fill(rig, 990, (index) => valid(index, `lane-${index % 10}`)),
    spec: { environments: frozenLanes, maxWaiting: 100 },
    settle: (rig) =>
      until('all of them wait', 300, async () => {
        const { status } = rig.cluster.store.get(CAPDEPLOYJOBS, 'default', FAULTY) as { status?: { waiting?: number } };
        return status?.waiting === 990;
      }),
    everySecond: (rig, second) => sendOne(rig, 990 + second),
  },
];
