import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { ProxyAgent } from 'proxy-agent';

/**
 * How this program talks to any AWS service: by the proxy of the environment, with time-outs that end requests, and
 * with the credentials of the SDK's default chain or of a role that is assumed with them.
 */

const CONNECT_TIMEOUT_MS = 5_000;
const STS_TIMEOUT_MS = 10_000;
/** Shown in CloudTrail. AWS allows 64 characters. */
const SESSION_NAME = 'capdeployjob';

export interface AwsRole {
  readonly roleArn: string;
  /** Checked by the role's trust policy (IAM user guide, "confused deputy"). */
  readonly externalId?: string | undefined;
}

export interface AwsClientOptions {
  readonly region: string;
  /** Default: the SDK's, by service and region (and AWS_ENDPOINT_URL). */
  readonly endpoint?: string;
  readonly role?: AwsRole | undefined;
  /** Requests at the same time; `Infinity` for long polls. Default 50. */
  readonly maxSockets?: number;
  /** From sending the request to the end of the response; ends the request. */
  readonly requestTimeoutMs: number;
  /** Tries of the SDK itself. Keep it small if the caller has a backoff of its own. */
  readonly maxAttempts: number;
}

type CredentialProvider = ReturnType<typeof fromNodeProviderChain>;

/** What all AWS clients of the process share: the default chain's credentials, found once and refreshed by the SDK. */
export class Aws {
  readonly #stsHandler = requestHandler({ maxSockets: 10, requestTimeoutMs: STS_TIMEOUT_MS });
  readonly #base: CredentialProvider;

  constructor() {
    // The chain's calls to STS (web identity) use the proxy too. Link-local ones (Pod Identity, IMDS) do not use this.
    this.#base = fromNodeProviderChain({ clientConfig: { requestHandler: this.#stsHandler } });
  }

  /**
   * The configuration of an AWS client. The caller destroys the client, and with it the sockets. With an endpoint,
   * AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT do not count: the SDK refuses to combine them.
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
      // Without it the SDK's warnings go to the console, among the lines of JSON.
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
 * By itself the SDK ignores HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Many on-premises clusters reach AWS by a proxy only.
 * Node itself reads NODE_EXTRA_CA_CERTS. Without `throwOnRequestTimeout` the SDK only warns after `requestTimeout`.
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
