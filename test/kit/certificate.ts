/**
 * A self-signed X.509 certificate (RFC 5280) in DER, written by hand: Node signs but builds none, and an openssl binary
 * is not on every machine.
 */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

type Der = Buffer;

function tlv(tag: number, ...contents: Der[]): Der {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const size = length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

const sequence = (...items: Der[]): Der => tlv(0x30, ...items);
const oid = (hex: string): Der => tlv(0x06, Buffer.from(hex, 'hex'));
const time = (at: Date): Der => tlv(0x17, Buffer.from(at.toISOString().replace(/^..|[-:T]|\.\d+/g, '')));

/** ecdsa-with-SHA256, commonName, basicConstraints, subjectAltName. */
const [SIGNATURE, COMMON_NAME, CONSTRAINTS, ALT_NAME] = ['2a8648ce3d040302', '550403', '551d13', '551d11'] as const;

/** PEM; valid for a day, its own CA. @param ip an IPv4 address for the subject's alternative name. */
export function selfSigned(commonName: string, ip?: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(tlv(0x31, sequence(oid(COMMON_NAME), tlv(0x0c, Buffer.from(commonName)))));
  const algorithm = sequence(oid(SIGNATURE));
  const extensions = [sequence(oid(CONSTRAINTS), tlv(0x04, sequence(tlv(0x01, Buffer.of(0xff)))))];
  if (ip !== undefined) {
    const address = tlv(0x87, Buffer.from(ip.split('.').map(Number)));
    extensions.push(sequence(oid(ALT_NAME), tlv(0x04, sequence(address))));
  }
  const day = 86_400_000;
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.of(0), signature));
  const lines = der
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
