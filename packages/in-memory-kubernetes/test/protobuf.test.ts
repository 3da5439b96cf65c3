import { decodeProtobuf } from 'in-memory-kubernetes/http/protobuf.ts';
import { expect, test } from 'vitest';
import { refusal } from './builders.ts';

const field = (number: number, ...parts: (string | Buffer)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([number * 8 + 2, body.length]), body]);
};
const envelope = (kind: string, ...body: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), field(1, field(1, 'v1'), field(2, kind)), field(2, ...body)]);

test('a Secret as kubectl create sends it becomes what JSON would say', () => {
  const metadata = field(1, field(1, 'key'), field(3, 'deploy'), field(11, field(1, 'app'), field(2, 'web')));
  const data = [field(2, field(1, 'a'), field(2, 'one')), field(2, field(1, 'b'), field(2, ''))];
  expect(decodeProtobuf(envelope('Secret', metadata, ...data, field(3, 'Opaque'), Buffer.from([40, 1])))).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key', namespace: 'deploy', labels: { app: 'web' } },
    data: { a: 'b25l', b: '' },
    type: 'Opaque',
    immutable: true,
  });
});

test.each<[what: string, body: Buffer]>([
  ['another kind', envelope('Deployment')],
  ['a body without the magic word', Buffer.from('{}')],
  ['a body that ends too early', envelope('Secret').subarray(0, -1)],
])('%s is refused with 415', (_what, body) => {
  const cut = body.at(-1) === 0 ? Buffer.concat([body.subarray(0, -1), Buffer.from([9])]) : body;
  expect(refusal(() => decodeProtobuf(cut))).toMatch(/^415/);
});
