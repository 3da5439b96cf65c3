import { expect, test } from 'vitest';
import type { DeployRequest } from '../../../../src/api/deploy-request.ts';
import { GroupOrder } from '../../../../src/operator/intake/group-order.ts';
import { parseMessage } from '../../../../src/requests/parse-message.ts';
import { readSpec } from '../../../../src/requests/read-spec.ts';
import { aCheckedResource, aMessage, GOOD } from '../../../kit/builders.ts';

const read = readSpec(aCheckedResource());
if ('problem' in read) throw new Error(read.problem);

function sentAt(seconds: number, changes: Record<string, unknown> = {}): DeployRequest {
  const at = new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
  const { request } = parseMessage(aMessage({ ...GOOD, sentAt: at, ...changes }), read as never, Date.UTC(2026, 1, 1));
  if (!request) throw new Error('the message is rejected');
  return request;
}
const at = ({ sentAt: stamp }: DeployRequest) => (Date.parse(stamp) - Date.UTC(2026, 0, 1)) / 1000;

test('a request of a group comes after the one before it, also with the same stamp or with one of a slower clock', () => {
  const order = new GroupOrder();
  expect([sentAt(10), sentAt(10), sentAt(8), sentAt(11)].map((request) => at(order.inTurn('g', request)))).toEqual([
    10, 10.001, 10.002, 11,
  ]);
});

test('a request that was redriven stays old, and does not make those behind it old', () => {
  const order = new GroupOrder();
  expect([sentAt(100), sentAt(10), sentAt(100)].map((request) => at(order.inTurn('g', request)))).toEqual([
    100, 10, 100.001,
  ]);
});

test('other groups and other lanes have orders of their own', () => {
  const order = new GroupOrder();
  order.inTurn('g', sentAt(10));
  expect(at(order.inTurn('h', sentAt(10)))).toBe(10);
  expect(at(order.inTurn('g', sentAt(10, { environment: 'staging' })))).toBe(10);
});
