import { formatProblem } from 'in-memory-kubernetes/types/schema-formats.ts';
import { expect, test } from 'vitest';

// As IsDateTime of https://github.com/kubernetes/kube-openapi/blob/master/pkg/validation/strfmt/default.go
test.each([
  ['date-time', '2026-11-02T18:00:00+09:00', false],
  ['date-time', '2026-11-02t18:00:00.5z', false],
  ['date-time', '2024-02-29T00:00:00Z', false],
  ['date-time', '2026-02-30T00:00:00Z', true],
  ['date-time', '2026-13-01T00:00:00Z', true],
  ['date-time', '2026-11-02T24:00:00Z', true],
  ['date-time', '2016-12-31T23:59:60Z', true],
  ['date-time', '2026-11-02 18:00:00Z', true],
  ['date-time', '2026-11-02T18:00:00', true],
  ['date', '2026-02-28', false],
  ['date', '2026-02-29', true],
])(
  'the API server of a laptop holds the format %s against %s as the real one: refused %s',
  (format, value, refused) => {
    expect(formatProblem(format, value)).toBe(refused);
  },
);
