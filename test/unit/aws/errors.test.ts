import { expect, test } from 'vitest';
import { classifyAwsError } from '../../../src/aws/errors.ts';

test("AWS's words of a denied access lose their secrets before they are cut, and keep who was denied what", () => {
  const message = `User: arn:aws:iam::1:user/x may not sqs:ReceiveMessage, ${'x '.repeat(165)}https://bob:sesame-${'y'.repeat(60)}@host`;
  const { kind, detail } = classifyAwsError({ name: 'AccessDenied', message });
  expect(kind).toBe('access-denied');
  expect(detail).toContain('AWS says: User: arn:aws:iam::1:user/x may not sqs:ReceiveMessage');
  expect(detail).not.toContain('sesame');
});
