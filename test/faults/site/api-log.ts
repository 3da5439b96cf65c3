import { closeSync, openSync, readSync } from 'node:fs';

/** A request of the operator's, as the API server's audit log has it. */
export interface Request {
  /** Epoch milliseconds at which the API server had received it, and had answered it. */
  receivedAt: number;
  answeredAt: number;
  verb: string;
  uri: string;
  resource: string;
  subresource: string;
  name: string;
  /** Of the answer. */
  code: number;
  /** Which token, and so which replica. */
  credentialId: string;
}

interface AuditEvent {
  verb: string;
  stage: string;
  requestURI: string;
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  objectRef?: { resource?: string; subresource?: string; name?: string };
  responseStatus?: { code?: number };
  user?: { extra?: Record<string, string[]> };
}

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];

/** Requests that change something. Who is leader is renewed for ever; what is only asked (dry runs) changes nothing. */
export const isWrite = ({ verb, resource, uri }: Request): boolean =>
  WRITES.includes(verb) && resource !== 'leases' && !uri.includes('dryRun=All');

/**
 * The audit log of the API server (audit-policy.yaml: all requests of the operator; no chat bot runs here), read as it
 * grows.
 */
export class ApiLog {
  readonly requests: Request[] = [];
  readonly #file: string;
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Reads what was written since. @returns the new requests */
  read(): Request[] {
    const before = this.requests.length;
    const lines = (this.#rest + this.#more()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const request = parse(line);
      if (request !== undefined) this.requests.push(request);
    }
    return this.requests.slice(before);
  }

  #more(): string {
    const file = openSync(this.#file, 'r');
    try {
      const chunks: Buffer[] = [];
      for (;;) {
        const chunk = Buffer.alloc(1 << 20);
        const length = readSync(file, chunk, 0, chunk.length, this.#offset);
        if (length === 0) return Buffer.concat(chunks).toString('utf8');
        this.#offset += length;
        chunks.push(chunk.subarray(0, length));
      }
    } finally {
      closeSync(file);
    }
  }
}

/** @returns undefined for what is only the beginning of an answer, and for a line that a killed API server broke off */
function parse(line: string): Request | undefined {
  let event: AuditEvent;
  try {
    event = JSON.parse(line) as AuditEvent;
  } catch {
    return undefined;
  }
  if (event.stage !== 'ResponseComplete') return undefined;
  return {
    receivedAt: Date.parse(event.requestReceivedTimestamp),
    answeredAt: Date.parse(event.stageTimestamp),
    verb: event.verb,
    uri: event.requestURI,
    resource: event.objectRef?.resource ?? '',
    subresource: event.objectRef?.subresource ?? '',
    name: event.objectRef?.name ?? '',
    code: event.responseStatus?.code ?? 0,
    credentialId: event.user?.extra?.['authentication.kubernetes.io/credential-id']?.[0] ?? '',
  };
}
