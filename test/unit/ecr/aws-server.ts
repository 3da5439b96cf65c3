/**
 * ECR and STS on loopback, as far as the refresher asks them: GetAuthorizationToken (AWS JSON 1.1) and AssumeRole
 * (query protocol, XML). Each token is another one, and says whose it is. Faults are played in the order in which they
 * are given.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface TokenRequest {
  action: 'GetAuthorizationToken' | 'AssumeRole' | 'AssumeRoleWithWebIdentity';
  /** From the signature: whose credentials. */
  accessKeyId: string;
  sessionToken: string | undefined;
  body: Record<string, unknown>;
}

/** Plays instead of the answer; answers nothing at all with `drop`. */
export interface AwsFault {
  action?: TokenRequest['action'];
  status?: number;
  code?: string;
  message?: string;
  drop?: boolean;
  /** As a proxy answers that is in the way. */
  html?: boolean;
}

export interface AwsServerOptions {
  account?: string;
  /** Registry hosts end so. */
  hostSuffix?: string;
  /** As a server that no longer heeds the deprecated parameter does (MiniStack, for one). */
  ignoresRegistryIds?: boolean;
  /** Whole answer in place of a right one. */
  authorizationData?: unknown;
  /** HTTPS with this certificate. */
  tls?: { key: string; cert: string };
}

const VALID_MS = 12 * 3600_000;

export class AwsServer {
  readonly requests: TokenRequest[] = [];
  /** Every password that was given away. */
  readonly passwords: string[] = [];
  faults: AwsFault[] = [];
  /** Asked before each answer; a Promise makes the request wait. */
  onRequest: (request: TokenRequest) => void | Promise<void> = () => {};
  options: AwsServerOptions;
  readonly #server: Server;

  constructor(options: AwsServerOptions = {}) {
    this.options = options;
    const handle = (request: IncomingMessage, response: ServerResponse) => void this.#handle(request, response);
    this.#server = options.tls ? createTlsServer(options.tls, handle) : createServer(handle);
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get url(): string {
    return `${this.options.tls ? 'https' : 'http'}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a process needs to find this server and nobody else. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.url,
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'example',
      AWS_REGION: 'ap-northeast-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of incoming) text += chunk;
    const request = this.#read(incoming, text);
    this.requests.push(request);
    await this.onRequest(request);
    const index = this.faults.findIndex(({ action }) => action === undefined || action === request.action);
    const [fault] = index < 0 ? [] : this.faults.splice(index, 1);
    if (fault?.html) {
      response.writeHead(fault.status ?? 200, { 'content-type': 'text/html' }).end('<html>hush</html>');
      return;
    }
    if (fault?.drop) return void incoming.socket.destroy();
    if (fault) return this.#refuse(response, request, fault);
    if (request.action !== 'GetAuthorizationToken') return this.#assume(response, request);
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify({ authorizationData: this.options.authorizationData ?? this.#tokens(request) }));
  }

  #read(incoming: IncomingMessage, text: string): TokenRequest {
    const target = incoming.headers['x-amz-target'];
    const accessKeyId = /Credential=([^/]+)/.exec(incoming.headers.authorization ?? '')?.[1] ?? '';
    const sessionToken = incoming.headers['x-amz-security-token'] as string | undefined;
    if (target === 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken') {
      return { action: 'GetAuthorizationToken', accessKeyId, sessionToken, body: JSON.parse(text) };
    }
    const form = Object.fromEntries(new URLSearchParams(text));
    const { Action: action } = form;
    if (action !== 'AssumeRole' && action !== 'AssumeRoleWithWebIdentity')
      throw new Error(`unknown request: ${action}`);
    return { action, accessKeyId, sessionToken, body: form };
  }

  #tokens({ accessKeyId, body }: TokenRequest): unknown[] {
    const { account = '123456789012', hostSuffix = 'dkr.ecr.ap-northeast-1.amazonaws.com' } = this.options;
    const ids = this.options.ignoresRegistryIds ? [account] : ((body.registryIds as string[]) ?? [account]);
    // As long and as random to look at as ECR's own: base64 of some JSON.
    const serial = this.passwords.length + 1;
    const payload = `payload-${serial}-${accessKeyId}-${'xYz0123456789'.repeat(20)}`;
    const password = Buffer.from(JSON.stringify({ payload, version: '2', type: 'DATA_KEY' })).toString('base64');
    this.passwords.push(password);
    return ids.map((id) => ({
      authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'),
      expiresAt: Math.floor((Date.now() + VALID_MS) / 1000),
      proxyEndpoint: `https://${id}.${hostSuffix}`,
    }));
  }

  #assume(response: ServerResponse, { action, body }: TokenRequest): void {
    const account = /:iam::([0-9]{12}):/.exec(String(body.RoleArn))?.[1];
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(`<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
      <AccessKeyId>ASIA${account}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session-${account}</SessionToken>
      <Expiration>${new Date(Date.now() + 3600_000).toISOString()}</Expiration></Credentials></${action}Result></${action}Response>`);
  }

  #refuse(response: ServerResponse, { action }: TokenRequest, fault: AwsFault): void {
    const { status = 400, code = 'ServerException', message = 'no' } = fault;
    if (action !== 'GetAuthorizationToken') {
      response.writeHead(status, { 'content-type': 'text/xml' });
      response.end(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code>
        <Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`);
      return;
    }
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code });
    response.end(JSON.stringify({ __type: code, message }));
  }
}
