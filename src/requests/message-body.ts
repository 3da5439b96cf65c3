import { deployMessageSchema, ID_PATTERN, MESSAGE_ALIASES, REQUIRED_FIELDS } from '../api/deploy-request.ts';
import { describe } from '../text/escape.ts';
import { describeEnvelope, describeNoObject, isBase64OfObject, memberOf } from './envelopes.ts';

/**
 * From the body of an SQS message to the fields of a deploy request: JSON, the SNS envelope, and keys by any of their
 * names. The values are not checked here. Safe on any input: no recursion over the message, and no key of the message
 * is looked up in an object.
 */

/** SQS's own bound is 1 MiB, which is never more UTF-16 units than this. */
const MAX_BODY_LENGTH = 1_048_576;

export interface MessageFields {
  /** By canonical name; holds only names that a message may have. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The SNS envelope's own id and stamp. */
  readonly envelope: { readonly messageId: string | undefined; readonly timestamp: string | undefined } | undefined;
}

export interface BodyProblem {
  readonly problem: { readonly json: boolean; readonly field: string | undefined; readonly message: string };
}

/** Every field of a message under the names it may come by, lower case. */
const FIELD_OF_KEY = new Map<string, string>([
  ...Object.keys(deployMessageSchema.shape).map((field): [string, string] => [lowerAscii(field), field]),
  ...Object.entries(MESSAGE_ALIASES).flatMap(([field, keys]) => keys.map((key): [string, string] => [key, field])),
]);

export function readBody(body: string): MessageFields | BodyProblem {
  const outer = readObject(body, 'body');
  if ('problem' in outer) return outer;
  const envelope = unwrap(outer.object);
  if (envelope === undefined) return fieldsOf('body', body, outer.object, undefined);
  if ('problem' in envelope) return envelope;
  // Once only: an envelope in an envelope is no deploy request.
  const inner = readObject(envelope.message, 'Message');
  if ('problem' in inner) return inner;
  return fieldsOf('Message', envelope.message, inner.object, envelope);
}

function readObject(text: string, field: string): { object: Record<string, unknown> } | BodyProblem {
  if (text.length > MAX_BODY_LENGTH) return bodyProblem(field, `is longer than ${MAX_BODY_LENGTH} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: { json: false, field, message: `${field}: ${problemOfJson(text)}; expected a JSON object` } };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return bodyProblem(field, describeNoObject(value) ?? `found ${describe(value)}; expected a JSON object`);
  }
  return { object: value as Record<string, unknown> };
}

function problemOfJson(text: string): string {
  if (text.startsWith('\uFEFF')) return 'begins with a byte order mark';
  return isBase64OfObject(text) ? 'is a JSON object in base64' : 'is not JSON';
}

/** SNS without raw delivery: `{"Type": "Notification", "MessageId": …, "Message": "<the message>", "Timestamp": …}`. */
function unwrap(
  object: Record<string, unknown>,
): { message: string; messageId: string | undefined; timestamp: string | undefined } | BodyProblem | undefined {
  if (memberOf(object, 'Type') !== 'Notification') return undefined;
  const message = memberOf(object, 'Message');
  if (typeof message !== 'string') return undefined;
  const messageId = memberOf(object, 'MessageId');
  if (messageId !== undefined && !(typeof messageId === 'string' && ID_PATTERN.test(messageId))) {
    return bodyProblem(
      'MessageId',
      `found ${describe(messageId)} in the SNS envelope; expected 1 to 128 printable ASCII characters`,
    );
  }
  const timestamp = memberOf(object, 'Timestamp');
  if (timestamp !== undefined && typeof timestamp !== 'string') {
    return bodyProblem('Timestamp', `found ${describe(timestamp)} in the SNS envelope; expected an RFC 3339 time`);
  }
  return { message, messageId, timestamp };
}

/**
 * Gathers the known keys; `null` in an optional field is the same as no field. One field under two keys ("repo" and
 * "Repository") may have one value only. The very same key twice is refused: JSON.parse keeps the last one, but another
 * reader of the message, such as an approver's or a gateway's, may have kept the first.
 */
function fieldsOf(
  where: 'body' | 'Message',
  text: string,
  object: Record<string, unknown>,
  envelope: MessageFields['envelope'],
): MessageFields | BodyProblem {
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(object)) {
    const field = FIELD_OF_KEY.get(lowerAscii(key));
    if (field === undefined || (value === null && !REQUIRED_FIELDS.has(field))) continue;
    if (values.has(field) && values.get(field) !== value) {
      return bodyProblem(
        field,
        'given more than once with different values (keys are read without regard to case, and by aliases)',
      );
    }
    values.set(field, value);
  }
  const seen = new Set<string>();
  for (const key of topLevelKeys(text)) {
    const field = FIELD_OF_KEY.get(lowerAscii(key));
    if (field !== undefined && seen.has(key)) return bodyProblem(field, 'the same key is given twice');
    seen.add(key);
  }
  // What names a repository is a request, whatever else it holds. What names none may be an envelope.
  const words = values.has('repository') ? undefined : describeEnvelope(object);
  return words === undefined ? { values, envelope } : bodyProblem(where, words);
}

/** The keys of the outermost object of a text that is valid JSON, with repeated ones. One pass, no recursion. */
function topLevelKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  let expectKey = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      const start = at++;
      while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
      if (expectKey) keys.push(JSON.parse(json.slice(start, at + 1)) as string);
      expectKey = false;
    } else if (character === '{' || character === '[') {
      depth++;
      expectKey = depth === 1;
    } else if (character === '}' || character === ']') {
      depth--;
    } else if (character === ',') {
      expectKey = depth === 1;
    }
  }
  return keys;
}

/** ASCII only: toLowerCase() turns the Kelvin sign into "k". */
function lowerAscii(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function bodyProblem(field: string, message: string): BodyProblem {
  return { problem: { json: true, field, message: `${field}: ${message}` } };
}
