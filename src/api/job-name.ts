import { createHash } from 'node:crypto';

/** RFC 4648 base32 in lower case: every character may stand in a DNS label. */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
/** 17 × 5 = 85 bits of the digest. */
const HASH_LENGTH = 17;
/** A Job's name becomes a label of its Pods, so the limit is 63, not 253 (KEP-3998 names the same limit). */
const MAX_NAME_LENGTH = 63;

/**
 * The name of a request's Job: `<cr>-<environment>-<hash>`. The same request always has the same name, so the API
 * server itself refuses a second Job for it. The inputs of the hash are length-delimited: ("a", "b-c") and ("a-b", "c")
 * differ.
 */
export function jobName(resource: string, environment: string, id: string): string {
  const digest = createHash('sha256');
  for (const part of [resource, environment, id]) digest.update(`${Buffer.byteLength(part)}:${part}`);
  const prefix = `${resource}-${environment}`
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .slice(0, MAX_NAME_LENGTH - HASH_LENGTH - 1)
    .replace(/-+$/, '');
  return `${prefix}-${base32(digest.digest())}`;
}

function base32(bytes: Uint8Array): string {
  let bits = 0n;
  for (const byte of bytes.subarray(0, 11)) bits = (bits << 8n) | BigInt(byte);
  let out = '';
  // 11 bytes are 88 bits: the lowest 3 are left over.
  for (let i = 0; i < HASH_LENGTH; i++) out += BASE32[Number((bits >> BigInt(88 - 5 * (i + 1))) & 31n)];
  return out;
}
