/** The body of a request, and the API server's words for one that cannot be read. */
import type { IncomingMessage } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, unsupportedMediaType } from '../store/api-error.ts';
import type { ServedType } from '../types/served-types.ts';
import { decodeProtobuf } from './protobuf.ts';

const LARGEST_BODY = 3 * 1024 * 1024;
const READABLE = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** Text that is no JSON: what is wrong with it depends on what was asked. */
export class UnreadableBody {
  readonly text: string;
  /** As Go's decoder says it. */
  readonly problem: string;

  constructor(text: string, problem: string) {
    this.text = text;
    this.problem = problem;
  }
}

/** The parsed body; undefined where there is none, an UnreadableBody where it is no JSON. */
export async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) {
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${LARGEST_BODY}`);
    }
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  const media = incoming.headers['content-type'] ?? 'application/json';
  if (media.includes('protobuf')) return decodeProtobuf(Buffer.concat(chunks));
  const text = Buffer.concat(chunks).toString();
  if (media.includes('yaml') && !media.includes('apply-patch')) return parseYaml(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    return new UnreadableBody(text, problemOf(text, error));
  }
}

function problemOf(text: string, error: unknown): string {
  const place = /position (\d+)/.exec(String(error))?.[1];
  const character = place === undefined ? undefined : text.trimEnd()[Number(place)];
  if (character === undefined) return 'unexpected end of JSON input';
  return `invalid character '${character}' looking for beginning of value`;
}

/** The object that a POST or PUT sends. 415 and 400 where there is none. */
export function objectBody(type: ServedType, body: unknown, contentType: string | undefined): Record<string, unknown> {
  const media = contentType?.split(';')[0]?.trim() ?? 'application/json';
  if (!READABLE.split(', ').includes(media)) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${READABLE}`,
    );
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && !(body instanceof UnreadableBody)) {
    return body as Record<string, unknown>;
  }
  throw badRequest(
    `the object provided is unrecognized (must be of type ${type.kind}): couldn't get version/kind; json parse error: ${whyNot(body)}`,
  );
}

/** The same for what takes an object or nothing, as a DELETE its options. */
export function optionsBody(body: unknown): Record<string, unknown> {
  if (body === undefined) return {};
  if (typeof body === 'object' && body !== null && !Array.isArray(body) && !(body instanceof UnreadableBody)) {
    return body as Record<string, unknown>;
  }
  throw badRequest(`couldn't get version/kind; json parse error: ${whyNot(body, false)}`);
}

function whyNot(body: unknown, quoted = true): string {
  if (body === undefined) return 'unexpected end of JSON input (<empty>)';
  if (body instanceof UnreadableBody) return quoted ? `${body.problem} (${body.text})` : body.problem;
  const kind = Array.isArray(body) ? 'array' : typeof body === 'boolean' ? 'bool' : typeof body;
  const target =
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  const words = `json: cannot unmarshal ${kind} into Go value of type ${target}`;
  return quoted ? `${words} (${Buffer.from(JSON.stringify(body)).toString('hex')})` : words;
}
