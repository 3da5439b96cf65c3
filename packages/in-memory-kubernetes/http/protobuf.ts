/**
 * The protobuf bodies that `kubectl create namespace|secret|configmap|serviceaccount` sends, as JSON. Answers are JSON
 * always, and other kinds are refused: everything else that the operator and kubectl send is JSON by itself.
 */
import { unsupportedMediaType } from '../store/api-error.ts';
import type { JsonObject } from '../store/json.ts';

/** How the fields of a message are read, by their number (`k8s.io/api/core/v1/generated.proto`). */
type Kind = 'text' | 'base64' | 'bool' | 'texts' | 'base64s' | Message;
interface Message {
  [field: number]: [name: string, kind: Kind];
}

const METADATA: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  11: ['labels', 'texts'],
  12: ['annotations', 'texts'],
};
const MESSAGES: Record<string, Message> = {
  Namespace: { 1: ['metadata', METADATA] },
  ServiceAccount: { 1: ['metadata', METADATA] },
  Secret: {
    1: ['metadata', METADATA],
    2: ['data', 'base64s'],
    3: ['type', 'text'],
    4: ['stringData', 'texts'],
    5: ['immutable', 'bool'],
  },
  ConfigMap: {
    1: ['metadata', METADATA],
    2: ['data', 'texts'],
    3: ['binaryData', 'base64s'],
    4: ['immutable', 'bool'],
  },
};
const TYPE_META: Message = { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] };
const MAGIC = Buffer.from('k8s\0');
const RAW_FIELD = 2;

export function decodeProtobuf(body: Buffer): JsonObject {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw unknown();
  let type: JsonObject = {};
  let raw: Buffer = Buffer.alloc(0);
  for (const [field, value] of fieldsOf(body.subarray(MAGIC.length))) {
    if (field === 1 && Buffer.isBuffer(value)) type = readMessage(value, TYPE_META);
    if (field === RAW_FIELD && Buffer.isBuffer(value)) raw = value;
  }
  const message = MESSAGES[String(type.kind)];
  if (message === undefined || type.apiVersion !== 'v1') throw unknown();
  return { ...type, ...readMessage(raw, message) };
}

function unknown() {
  return unsupportedMediaType(
    'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
  );
}

function readMessage(body: Buffer, message: Message): JsonObject {
  const result: JsonObject = {};
  for (const [field, value] of fieldsOf(body)) {
    const known = message[field];
    if (known === undefined) continue;
    const [name, kind] = known;
    if (!Buffer.isBuffer(value)) result[name] = kind === 'bool' ? value !== 0 : value;
    else if (kind === 'text') {
      if (value.length > 0) result[name] = value.toString();
    } else if (kind === 'texts' || kind === 'base64s') {
      const entry = readMessage(value, { 1: ['key', 'text'], 2: ['value', kind === 'texts' ? 'text' : 'base64'] });
      result[name] = { ...(result[name] as JsonObject | undefined), [String(entry.key)]: entry.value ?? '' };
    } else if (kind === 'base64') result[name] = value.toString('base64');
    else if (kind !== 'bool') result[name] = readMessage(value, kind);
  }
  return result;
}

/** The fields of a message in the order of the wire: numbers, and bytes for everything else. */
function* fieldsOf(body: Buffer): Generator<[field: number, value: number | Buffer]> {
  let position = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = body[position];
      if (byte === undefined) throw unknown();
      position += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const bytes = (length: number): Buffer => {
    const value = body.subarray(position, position + length);
    if (value.length < length) throw unknown();
    position += length;
    return value;
  };
  while (position < body.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === 0) yield [Math.floor(tag / 8), varint()];
    else if (wire === 1) yield [Math.floor(tag / 8), bytes(8)];
    else if (wire === 2) yield [Math.floor(tag / 8), bytes(varint())];
    else if (wire === 5) yield [Math.floor(tag / 8), bytes(4)];
    else throw unknown();
  }
}
