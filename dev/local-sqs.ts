import { buildApp } from 'fauxqs';

/**
 * The queue server of the in-memory Kubernetes: fauxqs, in process, on loopback only (its own `startFauxqs` listens on
 * every address). Nothing in it outlives the process.
 */
export interface LocalSqs {
  /** `http://127.0.0.1:<port>`: every client's endpoint, and what the operator's `--allow-queue-origin` is to name. */
  readonly endpoint: string;
  readonly region: string;
  /**
   * The URL to put into a CapDeployJob. CreateQueue answers with sqs.<region>.localhost, which not every machine
   * resolves.
   */
  queueUrl(name: string): string;
  stop(): Promise<void>;
}

export const LOCAL_REGION = 'us-east-1';
/** What clients sign with here: the server checks no signature, but without credentials the SDK sends nothing. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' } as const;
const LOCAL_ACCOUNT = '000000000000';

export interface LocalSqsOptions {
  port?: number;
  /**
   * Asked before each request about a queue, by its name: what it resolves with is answered instead of the queue's own
   * answer, and while it has not resolved nothing is answered. For tests and benchmarks: an endpoint that is slow or
   * refuses, at the origin of all others.
   */
  intercept?: (queue: string, action: string) => Promise<SqsRefusal | undefined> | undefined;
}

/** An error of SQS, such as `{ status: 403, code: 'AccessDenied' }`. */
export interface SqsRefusal {
  status: number;
  code: string;
}

export async function startLocalSqs(options: LocalSqsOptions = {}): Promise<LocalSqs> {
  const app = buildApp({ logger: false, defaultRegion: LOCAL_REGION });
  const { intercept } = options;
  if (intercept) {
    app.addHook('preHandler', async (request, reply) => {
      const { QueueUrl = '' } = (request.body ?? {}) as { QueueUrl?: string };
      const action = String(request.headers['x-amz-target'] ?? '').replace(/^.*\./, '');
      const refusal = await intercept(QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1), action);
      if (refusal === undefined) return;
      return reply.code(refusal.status).send({ __type: refusal.code, message: refusal.code });
    });
  }
  const endpoint = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return {
    endpoint,
    region: LOCAL_REGION,
    queueUrl: (name) => `${endpoint}/${LOCAL_ACCOUNT}/${name}`,
    async stop() {
      const closed = app.close();
      // A stop does not wait for long polls that are still open.
      app.server.closeAllConnections();
      await closed;
    },
  };
}
