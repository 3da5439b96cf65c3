import { type CapDeployJob, type CapDeployJobSpec, parseSpec } from '../../../../src/api/capdeployjob.ts';
import { API_VERSION, KIND } from '../../../../src/api/names.ts';
import type { QueueMessage } from '../../../../src/sqs/queue.ts';

const URL = 'https://sqs.ap-northeast-1.amazonaws.com/123456789012/web-deploy';

/** A resource whose template is valid; `spec` replaces fields of the usual one. */
export function aResource(
  changes: {
    spec?: Record<string, unknown>;
    metadata?: Partial<CapDeployJob['metadata']>;
    templateValid?: string;
  } = {},
): CapDeployJob {
  const metadata = {
    name: 'web',
    namespace: 'deploy',
    uid: 'uid-1',
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...changes.metadata,
  };
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata,
    spec: {
      queue: { url: URL },
      environments: [{ name: 'production' }, { name: 'staging' }],
      template: { spec: { containers: [{ name: 'cap', image: 'cap' }] } },
      ...changes.spec,
    },
    status: {
      conditions: [
        {
          type: 'TemplateValid',
          status: (changes.templateValid ?? 'True') as 'True',
          observedGeneration: metadata.generation,
          lastTransitionTime: '2026-01-01T00:00:00Z',
          reason: 'DryRunAccepted',
          message: '',
        },
      ],
    },
  };
}

export function specOf(resource: CapDeployJob): CapDeployJobSpec {
  const parsed = parseSpec(resource.spec);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.spec;
}

export const GOOD = { repository: 'livesense/web', environment: 'production', revision: 'v1.0.0' };

/** A message as SQS gives it; an object becomes its body as JSON. */
export function aMessage(body: unknown = GOOD, changes: Partial<QueueMessage> = {}): QueueMessage {
  return {
    messageId: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
    receiptHandle: 'handle',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    senderId: 'AIDAEXAMPLE',
    sentTimestamp: Date.parse('2026-06-01T12:00:00.000Z'),
    receiveCount: 1,
    messageGroupId: undefined,
    ...changes,
  };
}

/** What SNS makes of a message that it delivers without "raw message delivery". */
export function anEnvelope(message: unknown, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Type: 'Notification',
    MessageId: 'sns-message-id',
    TopicArn: 'arn:aws:sns:us-east-1:123456789012:deploys',
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    Timestamp: '2026-06-01T12:00:00.000Z',
    SignatureVersion: '1',
    ...changes,
  };
}
