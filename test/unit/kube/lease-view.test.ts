import { expect, test } from 'vitest';
import type { Lease } from '../../../src/kube/election/lease.ts';
import { LeaseView } from '../../../src/kube/election/lease-view.ts';
import { VirtualClock } from '../../kit/clocks.ts';

const lease = (holderIdentity: string, resourceVersion: string, uid = 'uid'): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'capdeployjob', namespace: 'capdeployjob-system', uid, resourceVersion },
  spec: { holderIdentity, leaseDurationSeconds: 15 },
});

test.each([
  ['one of before', lease('a', '9'), true],
  ['the same again', lease('b', '10'), false],
  ['a later one', lease('c', '11'), false],
  ['another object of this name, whatever its version', lease('c', '2', 'other'), false],
  ['one whose version is no number', lease('c', 'abc'), false],
])('what a watch tells late is no news: of %s', (_, told, isOlder) => {
  const view = new LeaseView(new VirtualClock(), 'me', 15_000, () => {});
  view.see(lease('b', '10'));
  expect(view.isOlder(told)).toBe(isOlder);
});

test('each new holder is reported once, and a free Lease is not reported', () => {
  const told: string[] = [];
  const view = new LeaseView(new VirtualClock(), 'me', 15_000, (holder) => told.push(holder));
  for (const [version, holder] of ['a', 'a', '', 'a', 'b'].entries()) view.see(lease(holder, String(version)));
  expect(told).toEqual(['a', 'a', 'b']);
});
