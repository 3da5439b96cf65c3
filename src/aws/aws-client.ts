import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ProxyAgent } from 'proxy-agent';

/**
 * How this program talks to any AWS service: through the proxy of the environment, with time-outs that end requests, with the
 * credentials of the SDK's default chain or of a role that is assumed with them. Shared by SQS and the ECR refresher.
 */

const CONNECT_TIMEOUT_MS = 5_000;
const STS_TIMEOUT_MS = 10_000;
/** AWS's own bound for a RoleSessionName is 64; it shows in CloudTrail. */
const SESSION_NAME = 'capdeployjob';

export interface AwsRole {
  readonly roleArn: string;
  /** What the role's trust policy asks for (IAM user guide, "confused deputy"). */
  readonly externalId?: string | undefined;
}

export interface AwsClientOptions {
  readonly region: string;
  /** Where requests go; without it the SDK decides by service and region (and AWS_ENDPOINT_URL). */
  readonly endpoint?: string;
  readonly role?: AwsRole | undefined;
  /** Requests at one time; `Infinity` for long polls. Default 50. */
  readonly maxSockets?: number;
  /** From sending the request to the end of the answer; ends the request. */
  readonly requestTimeoutMs: number;
  /** How often the SDK itself tries; keep it small where the caller has a backoff of its own. */
  readonly maxAttempts: number;
}

type CredentialProvider = ReturnType<typeof fromNodeProviderChain>;

/** Holds what all AWS clients of the process share: the credentials of the default chain, found once and refreshed by the SDK. */
export class Aws {
  readonly #stsHandler = requestHandler({ maxSockets: 10, requestTimeoutMs: STS_TIMEOUT_MS });
  readonly #base: CredentialProvider;

  constructor() {
    // The chain's own calls (web identity → STS) leave by the proxy too; link-local ones (Pod Identity, IMDS) have their own client.
    this.#base = fromNodeProviderChain({ clientConfig: { requestHandler: this.#stsHandler } });
  }

  /**
   * The configuration of an AWS client. The caller destroys the client, and with it the sockets.
   * An explicit endpoint rules out AWS_USE_FIPS_ENDPOINT and its like, which the SDK refuses to combine with one: the URL says it all.
   */
  clientConfig(options: AwsClientOptions) {
    return {
      region: options.region,
      ...(options.endpoint === undefined
        ? {}
        : { endpoint: options.endpoint, useFipsEndpoint: false, useDualstackEndpoint: false }),
      credentials: this.#credentials(options.region, options.role),
      requestHandler: requestHandler({
        maxSockets: options.maxSockets ?? 50,
        requestTimeoutMs: options.requestTimeoutMs,
      }),
      maxAttempts: options.maxAttempts,
      retryMode: 'standard',
      userAgentAppId: 'capdeployjob',
      // The SDK's warnings go to the console else, beside the JSON log.
      logger: SILENT,
    } as const;
  }

  #credentials(region: string, role: AwsRole | undefined): CredentialProvider {
    if (role === undefined) return this.#base;
    return fromTemporaryCredentials({
      masterCredentials: this.#base,
      params: {
        RoleArn: role.roleArn,
        RoleSessionName: SESSION_NAME,
        ...(role.externalId === undefined ? {} : { ExternalId: role.externalId }),
      },
      clientConfig: { region, requestHandler: this.#stsHandler, maxAttempts: 2 },
    });
  }

  close(): void {
    this.#stsHandler.destroy();
  }
}

/**
 * The SDK ignores HTTPS_PROXY, HTTP_PROXY and NO_PROXY by itself, and on-prem clusters leave only through a proxy. NODE_EXTRA_CA_CERTS
 * is Node's own doing. `requestTimeout` alone would only warn.
 */
function requestHandler(options: { maxSockets: number; requestTimeoutMs: number }): NodeHttpHandler {
  const agentOptions = { keepAlive: true, maxSockets: options.maxSockets };
  const agent = proxyIsSet() ? new ProxyAgent(agentOptions) : undefined;
  return new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs,
    throwOnRequestTimeout: true,
    httpAgent: agent ?? new HttpAgent(agentOptions),
    httpsAgent: agent ?? new HttpsAgent(agentOptions),
    logger: SILENT,
  });
}

function proxyIsSet(): boolean {
  return ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].some(
    (name) => process.env[name] || process.env[name.toLowerCase()],
  );
}

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
